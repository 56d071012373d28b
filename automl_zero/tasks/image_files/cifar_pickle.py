"""The pickles that CIFAR-10 is published as, read without trusting them.

A pickle is a program: it may name any function and have it called. The unpickler here looks nothing up by name. The
three names of numpy's that an array of bytes needs stand for inert classes below, which only note what they are given,
and every other name is refused; so numpy's own unpickling never sees the content of the file either. What remains are
plain containers, numbers and text.
"""

from __future__ import annotations

import io
import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt


class StoredArray:
    """What a pickle says of an array, not yet believed."""

    def __init__(self) -> None:
        self.state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def to_bytes_array(self, path: Path) -> npt.NDArray[np.uint8]:
        """The array, if it consists of unsigned bytes in C order.

        Raises:
            ValueError: if it does not, or its length is not that of its shape.
        """
        match self.state:
            case (int(), tuple() as shape, _StoredType(code="u1"), False | 0, bytes() as content):
                whole = all(type(size) is int and size >= 0 for size in shape)
                if whole and math.prod(shape) == len(content):
                    return np.frombuffer(content, dtype=np.uint8).reshape(shape)
        raise ValueError(f"{path}: its data are not an array of unsigned bytes, or are truncated")


class _StoredType:
    """What a pickle says of the type of an array's elements."""

    def __init__(self, code: Any = None, *_: Any) -> None:
        self.code = code.decode("ascii", "replace") if isinstance(code, bytes) else code

    def __setstate__(self, state: Any) -> None:
        """Byte order and the like, which do not matter for bytes."""


class _ArrayClass:
    """Stands for the class that the pickle hands to the function that makes an empty array."""


def _empty_array(*_: Any) -> StoredArray:
    return StoredArray()


_STAND_INS = {
    ("numpy.core.multiarray", "_reconstruct"): _empty_array,
    ("numpy._core.multiarray", "_reconstruct"): _empty_array,
    ("numpy", "ndarray"): _ArrayClass,
    ("numpy", "dtype"): _StoredType,
}


class _Restricted(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return _STAND_INS[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no batch of images needs") from None


def load_restricted(content: bytes, path: Path) -> Any:
    """The object that a pickle describes, made of containers, numbers, text, bytes and :class:`StoredArray`.

    Raises:
        ValueError: if the pickle is damaged or asks for anything else.
    """
    try:
        # Python 2 wrote the published files: their text is read as bytes.
        return _Restricted(io.BytesIO(content), encoding="bytes").load()
    except pickle.UnpicklingError as error:
        raise ValueError(f"{path}: is not a CIFAR-10 batch: {error}") from None
    # A damaged pickle may fail anywhere within the unpickler.
    except Exception as error:
        raise ValueError(f"{path}: is not a CIFAR-10 batch, or is truncated ({type(error).__name__})") from None
