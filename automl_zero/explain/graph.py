"""The data flow of a program as a picture: by Graphviz where it is installed, else by matplotlib."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from automl_zero.explain.data_flow import Input, Site, Value, register_name
from automl_zero.explain.explanation import Explanation
from automl_zero.pseudocode import render_instruction

TITLES = ("Setup", "Predict", "Learn")
#: Fill colours by role of what an instruction writes, the first that applies; text on all of them is black.
COLOURS = {
    "prediction": "#9ecae9",
    "learned parameter": "#b3de9f",
    "state": "#d9f0c8",
    "noise": "#ffd08a",
    "initial draw": "#ffe8bf",
    "constant": "#dddddd",
    "temporary": "#ffffff",
    "leftover": "#ffffff",
}
_DOT_SECONDS = 60


@dataclass(frozen=True)
class Node:
    """An instruction, or an input of the interpreter.

    Attributes:
        value: what it stands for.
        text: its label.
        role: role of what it writes.
    """

    value: Value
    text: str
    role: str


@dataclass(frozen=True)
class Arrow:
    """A value on its way: from where it is made to where it is read, perhaps in the next example."""

    start: Value
    end: Site
    register: str
    carried: bool


def nodes(explanation: Explanation) -> list[Node]:
    """The inputs that are used, then the live instructions in order."""
    flow = explanation.flow
    roles: dict[Site, str] = {}
    for web in explanation.webs:
        for site in web.writes:
            roles[site] = min(web.roles, key=list(COLOURS).index)
    used = {source for operand in flow.reads() for source in operand.sources}
    inputs = [Node(value, value.value, "input") for value in (Input.FEATURES, Input.LABEL) if value in used]
    return inputs + [
        Node(site, render_instruction(instruction, explanation.num_features), roles[site])
        for site, instruction in flow.live.items()
    ]


def arrows(explanation: Explanation) -> list[Arrow]:
    """What flows where in training."""
    found: dict[Arrow, None] = {}
    for site, operands in explanation.flow.operands.items():
        for operand in operands:
            for source in sorted(operand.sources - {Input.ZERO}, key=str):
                found[Arrow(source, site, register_name(operand.register), operand.carried(source))] = None
    return list(found)


def to_dot(explanation: Explanation) -> str:
    """The graph in the language of Graphviz; dashed arrows lead to the next example."""
    lines = [
        "digraph program {",
        "  rankdir=TB;",
        '  node [shape=box, style="filled,rounded", fontname="monospace", fontsize=11];',
        '  edge [fontname="monospace", fontsize=9];',
    ]
    all_nodes = nodes(explanation)
    inputs = [node.value.value for node in all_nodes if isinstance(node.value, Input)]
    lines += [f'  "{name}" [shape=ellipse, fillcolor=white];' for name in inputs]
    for component, title in enumerate(TITLES):
        lines += [f"  subgraph cluster_{component} {{", f'    label="{title}"; fontname="sans-serif";']
        for node in all_nodes:
            if isinstance(node.value, Site) and node.value.component == component:
                text = node.text.replace("\\", "\\\\").replace('"', '\\"')
                lines.append(f'    "{node.value}" [label="{text}", fillcolor="{COLOURS[node.role]}"];')
        lines.append("  }")
    for arrow in arrows(explanation):
        start = arrow.start.value if isinstance(arrow.start, Input) else str(arrow.start)
        style = ", style=dashed, constraint=false" if arrow.carried else ""
        lines.append(f'  "{start}" -> "{arrow.end}" [label="{arrow.register}"{style}];')
    return "\n".join([*lines, "}", ""])


def draw(explanation: Explanation, path: str | Path) -> None:
    """Draw the data flow of a program.

    Args:
        explanation: the program, explained.
        path: file to write: .svg, or .dot for the source in the language of Graphviz.

    Raises:
        OSError: the file cannot be written.
        ValueError: the file has another suffix.
    """
    file = Path(path)
    if file.suffix not in (".svg", ".dot"):
        raise ValueError(f"the graph goes into a file that ends in .svg or .dot, not {file.name}")
    if file.suffix == ".dot":
        file.write_text(to_dot(explanation), encoding="utf-8")
        return
    dot = shutil.which("dot")
    drawn = None if dot is None else _by_graphviz(dot, to_dot(explanation))
    if drawn is not None:
        file.write_text(drawn, encoding="utf-8")
        return
    from automl_zero.explain.plot import plot  # loads matplotlib

    plot(nodes(explanation), arrows(explanation), file)


def _by_graphviz(dot: str, source: str) -> str | None:
    """The graph as SVG; None when Graphviz fails, as it does without its plugins."""
    try:
        done = subprocess.run(
            [dot, "-Tsvg"], input=source, capture_output=True, text=True, check=True, timeout=_DOT_SECONDS
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout
