"""The register files of a program."""

from __future__ import annotations

from dataclasses import dataclass

from automl_zero.ops import RegisterType

MAX_REGISTERS = 20  # per type: three masks of 20 bits fit one 64-bit word in the liveness analysis

LABEL = 0  #: s0 holds the label in Learn and is 0 elsewhere
PREDICTION = 1  #: s1 holds the prediction after Predict
FEATURES = 0  #: v0 holds the features
VECTOR_LABEL = 1  #: with vector labels, v1 holds the one-hot label in Learn and is 0 elsewhere
VECTOR_PREDICTION = 2  #: with vector labels, v2 holds the prediction after Predict
_MINIMUM = {"scalars": 2, "vectors": 1, "matrices": 0}


@dataclass(frozen=True)
class MemorySpec:
    """Numbers of scalar, vector and matrix registers (paper, Section 3.1).

    The number of features F is a property of the task, not of the program. ``s0`` (label), ``s1`` (prediction) and
    ``v0`` (features) are reserved, so there are at least two scalars and one vector.
    """

    scalars: int
    vectors: int
    matrices: int

    def __post_init__(self) -> None:
        for name, minimum in _MINIMUM.items():
            count = getattr(self, name)
            if isinstance(count, bool) or not isinstance(count, int):
                raise TypeError(f"memory.{name} is {count!r}: expected an integer")
            if not minimum <= count <= MAX_REGISTERS:
                raise ValueError(f"memory.{name} is {count}: expected {minimum} to {MAX_REGISTERS}")

    def count(self, kind: RegisterType) -> int:
        """Number of registers of a type."""
        return (0, self.scalars, self.vectors, self.matrices)[kind]


def first_output(kind: RegisterType, num_classes: int = 0) -> int:
    """Lowest address that an instruction may write: s1, v1, m0 (s0 and v0 are set by the interpreter).

    With vector labels, so with classes, the interpreter sets v1 too and the first is v2.
    """
    if kind == RegisterType.VECTOR and num_classes:
        return VECTOR_PREDICTION
    return 0 if kind == RegisterType.MATRIX else 1
