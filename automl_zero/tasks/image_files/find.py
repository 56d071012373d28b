"""Where the files of a data set are."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from automl_zero.tasks.image_files.kinds import ImageKind, Layout
from automl_zero.tasks.image_files.openml import download_folder

DATA_VARIABLE = "AUTOML_ZERO_DATA"
SYSTEM_FOLDER = Path("/usr/share/datasets")  # where Debian's packages of data sets install

FileIdentity = tuple[str, int, int]  # path, bytes, nanoseconds of the last change


@dataclass(frozen=True)
class FoundFiles:
    """The files of a data set on disk.

    Attributes:
        layout: how they are to be read.
        paths: the files, in the layout's order.
    """

    layout: Layout
    paths: tuple[Path, ...]

    def identity(self) -> tuple[FileIdentity, ...]:
        """What tells these files from later ones under the same names."""
        return tuple(file_identity(path) for path in self.paths)


def file_identity(path: str | Path) -> FileIdentity:
    """What tells a file from a later one under the same name.

    Raises:
        ValueError: if there is no such file.
    """
    path = Path(path)
    try:
        status = path.stat()
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror or error}") from None
    return str(path.resolve()), status.st_size, status.st_mtime_ns


def find_files(kind: ImageKind, data_dir: str | None = None) -> FoundFiles:
    """Find the files of a data set.

    They are looked for in `data_dir` alone if it is given; otherwise in the folder that AUTOML_ZERO_DATA names, where
    Debian installs data sets, and among those that were fetched before. In each place the usual subfolders come first.

    Raises:
        ValueError: if they are not all in one folder; it says what is missing, where it was looked for and how to get
            it.
    """
    if data_dir is not None and not Path(data_dir).expanduser().is_dir():
        raise ValueError(f"data_dir: {data_dir} is not a folder")
    folders = list(_folders(kind, data_dir))
    incomplete = ""
    for folder in folders:
        for layout in kind.layouts:
            paths = [_first(folder, names) for names in layout.files]
            found = tuple(path for path in paths if path is not None)
            if len(found) == len(paths):
                return FoundFiles(layout, found)
            if found and not incomplete:
                missing = ", ".join(names[0] for names, path in zip(layout.files, paths, strict=True) if path is None)
                incomplete = f" ({folder} lacks {missing})"
    looked = ", ".join(map(str, folders))
    raise ValueError(
        f"{kind.name}: its files were not found{incomplete}; looked in {looked}. To get them: {kind.how}; then name "
        f"their folder by data_dir, --data-dir or {DATA_VARIABLE}. Or set download = true to fetch them from OpenML"
    )


def _folders(kind: ImageKind, data_dir: str | None) -> Iterator[Path]:
    roots = [Path(data_dir).expanduser()] if data_dir is not None else list(_usual_roots())
    for root in roots:
        yield from (root / folder for folder in kind.folders if (root / folder).is_dir())
        yield root


def _usual_roots() -> Iterator[Path]:
    if chosen := os.environ.get(DATA_VARIABLE):
        yield Path(chosen).expanduser()
    yield SYSTEM_FOLDER
    yield download_folder()


def _first(folder: Path, names: tuple[str, ...]) -> Path | None:
    return next((folder / name for name in names if (folder / name).is_file()), None)
