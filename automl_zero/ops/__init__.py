"""The instruction set."""

from automl_zero.ops.table import (
    NUM_BUILT_IN,
    TABLE,
    ConstantKind,
    Op,
    OpTable,
    RegisterType,
    register,
    unregister,
)

__all__ = ["NUM_BUILT_IN", "TABLE", "ConstantKind", "Op", "OpTable", "RegisterType", "register", "unregister"]
