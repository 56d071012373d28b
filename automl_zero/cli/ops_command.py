"""``automl-zero ops``."""

from __future__ import annotations

import click

from automl_zero.cli.consoles import echo_json, echo_table


@click.command("ops")
@click.option("--json", "as_json", is_flag=True, help="Print the table as JSON.")
def command(as_json: bool) -> None:
    """List the instruction set: ids, names, types, and what each op computes.

    Types are s (scalar), v (vector of F elements) and m (F x F matrix).

    \b
    Examples:
      automl-zero ops
      automl-zero ops --json
    """
    from automl_zero.ops import TABLE

    if as_json:
        echo_json(
            [
                {
                    "id": op.id,
                    "name": op.name,
                    "signature": op.signature,
                    "pseudocode": op.pseudocode,
                    "constants": [name for name, _ in op.constants],
                    "commutative": op.commutative,
                    "partial_write": op.partial_write,
                    "random": op.random,
                    "static_cost": op.static_cost,
                    "source": op.source,
                }
                for op in TABLE
            ]
        )
        return
    rows = []
    for op in TABLE:
        names = {f"c{position}": name for position, (name, _) in enumerate(op.constants)}
        meaning = op.pseudocode.format(**{"out": "out", "in1": "a", "in2": "b", "c0": "", "c1": "", "c2": "", **names})
        rows.append((str(op.id), op.name, op.signature, meaning))
    echo_table(("id", "op", "types", "meaning"), rows)
