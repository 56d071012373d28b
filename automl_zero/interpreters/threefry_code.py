"""Threefry-2x32-20 as LLVM code on vectors of 32-bit words; the numpy twin is threefry.py.

Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3" (Random123).
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir

PARITY = 0x1BD11BDA
ROTATIONS = (13, 15, 26, 6, 17, 29, 16, 24)
ROUNDS = 20

Words = tuple[Any, ...]


def draw(builder: Any, key: Words, counter: Words) -> tuple[Any, Any]:
    """Two random words a lane for a key and a counter of two words each."""
    kind = key[0].type

    def repeat(value: int) -> Any:
        return ir.Constant(kind, [value] * kind.count)

    def rotate(x: Any, bits: int) -> Any:
        return builder.or_(builder.shl(x, repeat(bits)), builder.lshr(x, repeat(32 - bits)))

    schedule = (*key, builder.xor(builder.xor(key[0], key[1]), repeat(PARITY)))
    x0, x1 = builder.add(counter[0], key[0]), builder.add(counter[1], key[1])
    for number in range(ROUNDS):
        x0 = builder.add(x0, x1)
        x1 = builder.xor(rotate(x1, ROTATIONS[number % 8]), x0)
        if number % 4 == 3:
            injection = number // 4 + 1
            x0 = builder.add(x0, schedule[injection % 3])
            x1 = builder.add(builder.add(x1, schedule[(injection + 1) % 3]), repeat(injection))
    return x0, x1
