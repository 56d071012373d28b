"""The data flow of a program as SVG: its lines of code, with arcs from where values are made to where they are read."""

from __future__ import annotations

from automl_zero.explain import Explanation, Site
from automl_zero.explain.data_flow import Input, Value
from automl_zero.explain.graph import TITLES, Arrow, Node, arrows, nodes
from automl_zero.pseudocode import Names, body_lines
from automl_zero.report.charts import caption
from automl_zero.report.code import shortened
from automl_zero.report.markup import Markup, element, scrolling

_ROW, _CHARACTER, _TOP = 24, 7.3, 18
_REACH = 96  # of the longest arc
_APART = 3  # between what arrives at a line and what leaves it
_LOOP = 24  # reach of a line that reads what it wrote for the example before
_INPUTS = {Input.FEATURES: 1, Input.LABEL: 2}  # the component at whose head an input is drawn
_STYLES = {
    "prediction": "prediction",
    "learned parameter": "learned",
    "state": "state",
    "noise": "noise",
    "initial draw": "draw",
    "constant": "constant",
    "input": "input",
    "temporary": "temporary",
}


def flow_chart(explanation: Explanation, names: Names, num_features: int | None) -> Markup:
    """The live instructions in order, and what flows between them.

    Args:
        explanation: the program, explained.
        names: names of its operands.
        num_features: F, to write index constants as numbers.
    """
    every, flows = nodes(explanation), arrows(explanation)
    rows = _rows(every)
    texts = _texts(explanation, names, num_features)
    longest = max([len(texts.get(node.value, node.text)) for node in every], default=0)
    lengths = [abs(rows[arrow.start] - rows[arrow.end]) for arrow in flows]
    per_row = _REACH / max([8, *lengths])
    left = _REACH + 30
    right = left + 16 + longest * _CHARACTER
    drawn = [
        element("title", "Data flow of the program", id="flow-chart-title"),
        element("desc", _description(explanation, flows), id="flow-chart-desc"),
        _arrow_heads(),
    ]
    for component, title in enumerate(TITLES):
        drawn.append(element("text", title, class_="flow-part", x=left - 4, y=_y(_header_row(every, component)) + 4))
    drawn += [_arc(arrow, rows, left - 12, right + 6, per_row) for arrow in flows]
    for node in every:
        y = _y(rows[node.value])
        style = _STYLES.get(node.role, "temporary")
        text = texts.get(node.value, node.text)
        drawn.append(
            element(
                "g",
                element("title", f"{node.value if isinstance(node.value, Site) else 'input'}: {node.role}"),
                element("circle", class_=f"dot dot-{style}", cx=left, cy=y, r=4.5),
                element("text", text, class_="flow-code", x=left + 12, y=y + 4, xml__space="preserve"),
            )
        )
    height = _y(max(rows.values(), default=0)) + _TOP
    roles = [role for role in _STYLES if any(node.role == role for node in every)]
    width = right + _REACH + 30
    svg = element(
        "svg",
        drawn,
        viewBox=f"0 0 {width:g} {height}",
        width=f"{width:g}",
        height=height,
        role="img",
        aria_labelledby="flow-chart-title flow-chart-desc",
        class_="chart natural",
    )
    subtitle = "from where a value is made to where it is read"
    return element("figure", caption("Data flow", subtitle), scrolling("Data flow of the program", svg), _legend(roles))


def _y(row: int) -> int:
    return _TOP + row * _ROW


def _header_row(every: list[Node], component: int) -> int:
    """Row of the title of a component: after all rows of those before."""
    before = [node for node in every if _component(node.value) < component]
    return len(before) + component


def _component(value: Value) -> int:
    return value.component if isinstance(value, Site) else _INPUTS[value]


def _rows(every: list[Node]) -> dict[Value, int]:
    """Rows of all nodes, in order, below the titles of their components."""
    rows: dict[Value, int] = {}
    for component in range(len(TITLES)):
        row = _header_row(every, component)
        for node in every:
            if _component(node.value) == component:
                row += 1
                rows[node.value] = row
    return rows


def _texts(explanation: Explanation, names: Names, num_features: int | None) -> dict[Value, str]:
    texts: dict[Value, str] = {}
    for component, instructions in enumerate(explanation.program.components):
        positions = (n for n, instruction in enumerate(instructions) if instruction.op != "no_op")
        for position, line in zip(positions, body_lines(component, instructions, num_features, names), strict=True):
            texts[Site(component, position)] = shortened(line.strip())
    return texts


def _arc(arrow: Arrow, rows: dict[Value, int], left: float, right: float, per_row: float) -> Markup:
    """An arc on the right, or on the left when the value is used for the next example."""
    above, below = _y(rows[arrow.start]), _y(rows[arrow.end])
    side, sign = (left, -1) if arrow.carried else (right, 1)
    apart = _APART if below > above else -_APART  # arcs leave a line on the side to which they lead
    start, end = above + apart, below - apart
    bow = sign * (10 + per_row * abs(below - above) / _ROW) * 4 / 3  # a cubic curve reaches 3/4 of its handles
    if above == below:
        bow = sign * _LOOP
    path = f"M{side:g} {start:g}C{side + bow:g} {start:g} {side + bow:g} {end:g} {side + sign * 3:g} {end:g}"
    return element(
        "path",
        element("title", f"{arrow.register}: {_word(arrow.start)} to {arrow.end}" + ", next example" * arrow.carried),
        class_="arc carried" if arrow.carried else "arc",
        d=path,
        marker_end="url(#flow-head-carried)" if arrow.carried else "url(#flow-head)",
    )


def _arrow_heads() -> Markup:
    heads = [
        element(
            "marker",
            element("path", class_=style, d="M0 0L7 3.5L0 7z"),
            id=ident,
            viewBox="0 0 7 7",
            refX="6",
            refY="3.5",
            markerWidth="7",
            markerHeight="7",
            orient="auto",
        )
        for ident, style in (("flow-head", "head"), ("flow-head-carried", "head head-carried"))
    ]
    return element("defs", *heads)


def _legend(roles: list[str]) -> Markup:
    def sample(drawing: Markup) -> Markup:
        return element("svg", drawing, viewBox="0 0 26 10", width=26, height=10, aria_hidden="true")

    entries = [
        element("li", sample(element("circle", class_=f"dot dot-{_STYLES[role]}", cx=13, cy=5, r=4.5)), role)
        for role in roles
    ]
    entries.append(element("li", sample(element("path", class_="arc", d="M0 5H26")), "to a line of the same example"))
    entries.append(element("li", sample(element("path", class_="arc carried", d="M0 5H26")), "to the next example"))
    return element("ul", *entries, class_="legend")


def _description(explanation: Explanation, flows: list[Arrow]) -> str:
    carried = sum(arrow.carried for arrow in flows)
    return (
        f"{len(explanation.flow.live)} instructions as a list with {len(flows)} arcs from the line that writes a value "
        f"to the line that reads it; {carried} of them lead to the next example. The tables below say it in words."
    )


def _word(value: Value) -> str:
    return value.value if isinstance(value, Input) else str(value)
