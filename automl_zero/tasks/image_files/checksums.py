"""Whether files hold what was published."""

from __future__ import annotations

import functools
import gzip
import hashlib
import zlib
from pathlib import Path
from typing import Literal

from automl_zero.tasks.image_files.find import FileIdentity, FoundFiles, file_identity
from automl_zero.tasks.image_files.kinds import IMAGE_KINDS

Verdict = Literal["official files", "not the official files", "files without a published checksum"]

_PIECE = 1 << 20


def verify(files: FoundFiles) -> Verdict:
    """Compare the files with the published checksums.

    Of compressed files the content counts: Debian's and many other copies of MNIST-like sets are compressed anew. Other
    content is not an error, since people make data sets of the same format; it is only reported.
    """
    if not files.layout.md5:
        return "files without a published checksum"
    same = all(content_md5(file_identity(path)) == md5 for path, md5 in zip(files.paths, files.layout.md5, strict=True))
    return "official files" if same else "not the official files"


def refuse_another_kind(name: str, files: FoundFiles) -> None:
    """Refuse the files of another known data set, such as Fashion-MNIST's for MNIST, whose files have the same names.

    Raises:
        ValueError: that says whose they are.
    """
    smallest = min(files.paths, key=lambda path: path.stat().st_size)  # of IDX files, labels
    place = files.paths.index(smallest)
    for kind in IMAGE_KINDS.values():
        for layout in kind.layouts:
            same_names = layout.files == files.layout.files
            if kind.name != name and same_names and layout.md5[place:] and _is(smallest, layout.md5[place]):
                raise ValueError(f"{smallest}: belongs to {kind.name}, not to {name}")


def _is(path: Path, md5: str) -> bool:
    return content_md5(file_identity(path)) == md5


@functools.lru_cache(maxsize=64)
def content_md5(file: FileIdentity) -> str:
    """MD5 of a file's content, decompressed if it is a gzip file; empty if it is damaged."""
    digest = hashlib.md5(usedforsecurity=False)  # that is what was published
    path = Path(file[0])
    try:
        with path.open("rb") as raw:
            compressed = raw.read(2) == b"\x1f\x8b"
        with gzip.open(path) if compressed else path.open("rb") as content:
            while piece := content.read(_PIECE):
                digest.update(piece)
    except (EOFError, zlib.error, OSError):
        return ""
    return digest.hexdigest()
