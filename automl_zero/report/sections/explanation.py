"""How the program works: its data flow, which well-known parts it has, and what each part is worth."""

from __future__ import annotations

from automl_zero.explain import MOTIFS, Explanation
from automl_zero.explain.knock_outs import KnockOut
from automl_zero.explain.tables import Section, sections
from automl_zero.pseudocode import body_lines
from automl_zero.report import numbers
from automl_zero.report.code import highlighted, shortened
from automl_zero.report.flow_chart import flow_chart
from automl_zero.report.markup import Markup, element, folded, paragraph, table
from automl_zero.report.reading import Reading, Version
from automl_zero.report.report import Report

_BAR = 90
_MAX_DYING = 4  # places written out


def explanation(report: Report) -> Markup:
    """Data flow, motifs, knock-outs, registers and constants."""
    reading = report.reading
    if reading is None:
        return paragraph("There is no program to show.")
    version, features = reading.simplest, reading.num_features
    texts = {section.heading: section for section in sections(version.explanation)}
    parts = [
        paragraph(f"This is about {'the core' if reading.core else 'the simplified program'}; places count from 0."),
        flow_chart(version.explanation, version.names, features),
        *(paragraph(remark, class_="remark") for remark in texts["Data flow"].remarks[1:]),
        element("h3", "Known building blocks"),
        _motifs(version.explanation),
        element("h3", "What each instruction is worth"),
        _knock_outs(reading, version),
    ]
    if reading.core is not None and reading.exact.explanation.effects is not None:
        parts.append(folded("The same for the program simplified exactly", _knock_outs(reading, reading.exact)))
    more = (texts[heading] for heading in ("Knock-outs: groups", "Constants", "Registers") if heading in texts)
    parts += [folded(section.heading, _table(section)) for section in more if section.rows]
    return Markup("".join(parts))


def _table(section: Section) -> Markup:
    headers = [header or "may be chance" for header in section.headers]
    remarks = (paragraph(remark, class_="remark") for remark in section.remarks)
    return Markup(table(section.heading, headers, section.rows) + "".join(remarks))


def _motifs(explained: Explanation) -> Markup:
    if not explained.motifs:
        return paragraph("None that is known was recognised.")
    rows = [
        (
            match.motif.replace("_", " "),
            MOTIFS[match.motif].explanation,
            ", ".join(map(str, match.sites)),
            match.detail,
        )
        for match in explained.motifs
    ]
    return table("Motifs", ("motif", "what it does", "where", "registers"), rows)


def _knock_outs(reading: Reading, version: Version) -> Markup:
    effects = version.explanation.effects
    if effects is None:
        return paragraph(f"This was not measured: {reading.problem.rstrip('.')}.")
    live = [knock_out for knock_out in effects.instructions if not knock_out.dead]
    if not live:
        return paragraph("No instruction can influence a prediction.")
    largest = max(abs(knock_out.change.mean) for knock_out in live) or 1.0
    rows = [
        (
            _instruction(reading, version, k),
            Markup(_bar(k, largest) + element("span", numbers.change(k.change.mean))),
            numbers.error(k.change.standard_error).strip(),
            "perhaps chance" if k.change.within_error else ("loss" if k.change.mean < 0 else "gain"),
            _dying(k),
        )
        for k in live
    ]
    caption = (
        f"Change of mean fitness when one instruction is taken out, on {reading.unseen}; with all instructions it is "
        f"{numbers.fitness(effects.fitness.mean)}"
    )
    headers = ("instruction", "change", "error", "verdict", "dies with it")
    return table(caption, headers, rows, numbers=(1, 2))


def _instruction(reading: Reading, version: Version, knock_out: KnockOut) -> Markup:
    code = element("code", highlighted(_line(reading, version, knock_out)))
    return Markup(code + element("span", str(knock_out.sites[0]), class_="place"))


def _dying(knock_out: KnockOut) -> str:
    if len(knock_out.dies) > _MAX_DYING:
        return f"{len(knock_out.dies)} others"
    return ", ".join(map(str, knock_out.dies)) or "\N{EN DASH}"


def _line(reading: Reading, version: Version, knock_out: KnockOut) -> str:
    """The instruction that was knocked out, with its names."""
    site = knock_out.sites[0]
    instructions = version.program.components[site.component]
    before = sum(i.op != "no_op" for i in instructions[: site.position])
    return shortened(body_lines(site.component, instructions, reading.num_features, version.names)[before].strip())


def _bar(knock_out: KnockOut, largest: float) -> Markup:
    """Size of the change as a bar."""
    length = abs(knock_out.change.mean) / largest * _BAR
    style = "bar" if knock_out.change.mean < 0 else "bar bar-gain"
    return element(
        "svg",
        element("rect", class_=style, x=_BAR - length, y=1, width=max(length, 0.5), height=10, rx=1),
        viewBox=f"0 0 {_BAR} 12",
        width=_BAR,
        height=12,
        aria_hidden="true",
    )
