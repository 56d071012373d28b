"""What an instruction of every op costs on the CPU backend: python -m benchmarks.op_costs [--out FILE] [--json].

The table of the train budget. Times 16 tasks, as the search lays them out (16 float32 lanes, or two blocks of eight
from F = 32 on), of a program whose Predict is many copies of one instruction, less that of one with few copies. The
machine may be busy: the programs are timed in turn, round after round, and of each the least CPU time counts. Over
several numbers of features a cost of [fixed, per element] is fitted, neither part negative, by least squares of the
relative errors.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from automl_zero.analysis.compiled import Canonical, new_canonical
from automl_zero.evolution.budget import elements
from automl_zero.interpreters.execute import encode, run_kernel
from automl_zero.interpreters.lane_data import Arena, LaneData, lay_out, new_arena
from automl_zero.jit import entry_point
from automl_zero.memory import MemorySpec
from automl_zero.ops import NUM_BUILT_IN, TABLE, Op, RegisterType
from automl_zero.ops.arrays import OpArrays, op_arrays
from automl_zero.program import Instruction
from automl_zero.tasks import linear_regression
from benchmarks.report import header, header_text, say, to_text

TASKS, EXAMPLES = 16, 64
FEATURES = (2, 4, 8, 16, 32, 64)
FEW, MANY = 2, 34
LEAST = 0.1  # nanoseconds; where a difference of times is below, as it may be for no_op, noise is all there is
MEMORY = MemorySpec(scalars=5, vectors=4, matrices=3)
OPERANDS = {RegisterType.SCALAR: (2, 3), RegisterType.VECTOR: (1, 2), RegisterType.MATRIX: (0, 1)}
OUTPUT = {RegisterType.SCALAR: 4, RegisterType.VECTOR: 3, RegisterType.MATRIX: 2}
CONSTANTS = {1: (0.5,), 2: (0.25, 0.5), 3: (0.25, 0.5, 0.5)}
# Every operand lies in (0, 1): no op gives a NaN or a denormal number, which may take longer.
SETUP = (
    Instruction("scalar_const_set", out=2, constants=(0.4,)),
    Instruction("scalar_const_set", out=3, constants=(0.7,)),
    Instruction("scalar_broadcast", 2, out=1),
    Instruction("scalar_broadcast", 3, out=2),
    Instruction("vector_row_broadcast", 1, out=0),
    Instruction("vector_row_broadcast", 2, out=1),
)


class Bench:
    """Times ops at one number of features.

    Args:
        num_features: F.
        sample_seconds: about how long a sample takes.
    """

    def __init__(self, num_features: int, sample_seconds: float) -> None:
        self.data: LaneData = lay_out(linear_regression(TASKS, num_features, EXAMPLES, 1), "float32")
        self.ops: OpArrays = op_arrays()
        slots = len(SETUP) + MANY
        self.arena: Arena = new_arena(self.data, slots, MEMORY.scalars, MEMORY.vectors, MEMORY.matrices)
        self.sample_seconds = sample_seconds
        self.least: dict[tuple[str, int], float] = {}
        self.repetitions: dict[str, int] = {}

    def sample(self, op: Op) -> None:
        """Time an op once more."""
        few, many = form_of(op, FEW), form_of(op, MANY)
        if op.name not in self.repetitions:
            once = min(self._seconds(many, 1) for _ in range(3))
            self.repetitions[op.name] = max(int(self.sample_seconds / max(once, 1e-7)), 1)
        for copies, form in ((FEW, few), (MANY, many)):
            seconds = self._seconds(form, self.repetitions[op.name])
            self.least[op.name, copies] = min(seconds, self.least.get((op.name, copies), seconds))

    def nanoseconds(self, op: Op) -> float:
        """Time of an instruction, from the least times of the two programs."""
        seconds = self.least[op.name, MANY] - self.least[op.name, FEW]
        instructions = self.repetitions[op.name] * EXAMPLES * (MANY - FEW)
        return max(1e9 * seconds / instructions, LEAST)

    def _seconds(self, form: Canonical, count: int) -> float:
        start = time.thread_time()
        _repeat(count, form, self.data, self.ops, self.arena)
        return time.thread_time() - start


@entry_point
def _repeat(count, form, data, ops, arena):
    encode(form, data, ops, arena)
    for _ in range(count):
        run_kernel(form, data, arena, data.num_train, 0, 1, 0, 0)


def form_of(op: Op, copies: int) -> Canonical:
    """The program in the form that the kernel runs, dead code kept: Setup, then copies of an instruction in Predict."""
    form = new_canonical(len(SETUP) + copies)
    operands: list[int | None] = [OPERANDS[kind][position] for position, kind in enumerate(op.inputs)]
    in1, in2 = (*operands, None, None)[:2]
    out = OUTPUT[op.output] if op.output else None
    constants = CONSTANTS.get(len(op.constants), ())
    instruction = Instruction(op.name, in1, in2, out, constants)
    for slot, each in enumerate((*SETUP, *(instruction,) * copies)):
        form.code[slot] = (each.spec.id, each.in1 or 0, each.in2 or 0, each.out or 0)
        form.constants[slot, : len(each.constants)] = each.constants
    form.counts[:] = (len(SETUP), copies, 0)
    form.registers[1:] = (MEMORY.scalars, MEMORY.vectors, MEMORY.matrices)
    return form


def fit(sizes: Sequence[int], times: Sequence[float]) -> tuple[float, float]:
    """[fixed, per element] with time = fixed + per_element * size, neither negative, by least relative squares."""
    x, y = np.asarray(sizes, float), np.asarray(times, float)
    only_fixed = (float((1 / y).sum() / (1 / y**2).sum()), 0.0)
    if x.min() == x.max():
        return only_fixed
    both, *_ = np.linalg.lstsq(np.stack([1 / y, x / y], axis=1), np.ones_like(y), rcond=None)
    only_elements = (0.0, float((x / y).sum() / (x**2 / y**2).sum()))
    candidates = [(float(a), float(b)) for a, b in (both, only_fixed, only_elements) if min(a, b) >= 0]
    return min(candidates, key=lambda cost: float((((cost[0] + cost[1] * x) / y - 1) ** 2).sum()))


def measure(features: Sequence[int], rounds: int, sample_seconds: float) -> dict[str, dict[int, float]]:
    """Nanoseconds of an instruction of every built-in op by the number of features: the least of so many rounds."""
    ops = TABLE.ops[:NUM_BUILT_IN]
    benches = {num_features: Bench(num_features, sample_seconds) for num_features in features}
    for done in range(rounds):
        say(f"round {done + 1} of {rounds}")
        for bench in benches.values():
            for op in ops:
                bench.sample(op)
    return {op.name: {F: bench.nanoseconds(op) for F, bench in benches.items()} for op in ops}


def costs_of(times: Mapping[str, Mapping[int, float]]) -> dict[str, list[float]]:
    """The table: [fixed, per element] of every op, to three digits."""
    costs = {}
    for name, by_features in times.items():
        sizes = [elements(TABLE[name], num_features) for num_features in by_features]
        costs[name] = [float(f"{part:.3g}") for part in fit(sizes, list(by_features.values()))]
    return costs


def to_file(record: Mapping[str, Any]) -> str:
    """The table as JSON, a line for each op."""
    lines = [f"  {to_text({key: value})[4:-2]}" for key, value in record.items() if key not in ("costs", "nanoseconds")]
    costs = ",\n".join(f'    "{name}": {cost}' for name, cost in record["costs"].items())
    return "{\n" + ",\n".join([*lines, f'  "costs": {{\n{costs}\n  }}']) + "\n}\n"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.op_costs", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--sample-seconds", type=float, default=0.003, help="length of a sample")
    parser.add_argument("--out", type=Path, help="write the table to this file")
    parser.add_argument("--json", action="store_true", help="print JSON, with the times that the costs were fitted to")
    arguments = parser.parse_args()
    record: dict[str, Any] = header("op costs")
    record["command"] = f"python -m benchmarks.op_costs --rounds {arguments.rounds}"
    record["unit"] = "nanoseconds of an instruction on 16 float32 tasks: [fixed, per element]"
    times = measure(FEATURES, arguments.rounds, arguments.sample_seconds)
    record["costs"], record["nanoseconds"] = costs_of(times), times
    if arguments.out is not None:
        arguments.out.write_text(to_file(record), encoding="utf-8")
    if arguments.json:
        print(to_text(record))
        return
    print(header_text(record))
    print(f"{'nanoseconds':26}{'fixed':>9}{'an element':>11}" + "".join(f"{f'F = {F}':>11}" for F in FEATURES))
    for name, (fixed, per_element) in record["costs"].items():
        measured = "".join(f"{times[name][F]:11.4g}" for F in FEATURES)
        print(f"{name:26}{fixed:9.4g}{per_element:11.4g}{measured}")


if __name__ == "__main__":
    main()
