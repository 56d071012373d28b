"""Where the images of an experiment come from: a data set by name, or the user's npz file."""

from __future__ import annotations

from dataclasses import dataclass

from automl_zero.suggest import did_you_mean
from automl_zero.tasks.digits import COUNTS, NUM_PIXELS, load_digits
from automl_zero.tasks.image_files.checksums import verify
from automl_zero.tasks.image_files.find import FileIdentity, file_identity, find_files
from automl_zero.tasks.image_files.kinds import IMAGE_KINDS
from automl_zero.tasks.image_files.labelled import NUM_CLASSES
from automl_zero.tasks.image_files.load import fetch_files, load_files, load_npz
from automl_zero.tasks.images import ImageSet, PartCounts

#: Kinds of images, as the configuration names them; "images" are those of an npz file.
ORIGINS = ("digits", *IMAGE_KINDS, "images")


@dataclass(frozen=True)
class ImageOrigin:
    """A data set of images, not read before it is needed.

    Attributes:
        kind: "digits", "fashion-mnist", "mnist", "cifar10", "svhn", or "images" for an npz file.
        data_dir: folder of the files, of the published data sets; without it they are looked for in the usual places.
        download: fetch the files from OpenML if they are not found.
        path: the npz file, of "images".

    Raises:
        ValueError: for an unknown kind, or a setting that does not belong to it.
    """

    kind: str
    data_dir: str | None = None
    download: bool = False
    path: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in ORIGINS:
            hint = did_you_mean(self.kind, ORIGINS)
            raise ValueError(f"kind must be one of {', '.join(ORIGINS)}, got {self.kind!r}{hint}")
        for name in ("data_dir", "path"):
            value = getattr(self, name)
            if value is not None and not isinstance(value, str):
                raise ValueError(f"{name} must be text, got {value!r}")
        if not isinstance(self.download, bool):
            raise ValueError(f"download must be true or false, got {self.download!r}")
        if self.kind == "images" and self.path is None:
            raise ValueError("path is missing: kind 'images' needs the npz file to read")
        if self.kind != "images" and self.path is not None:
            raise ValueError(f"path is for kind 'images' alone, not for {self.kind!r}")
        if self.kind not in IMAGE_KINDS and (self.data_dir is not None or self.download):
            raise ValueError(f"data_dir and download are for {', '.join(IMAGE_KINDS)}, not for {self.kind!r}")

    @property
    def num_pixels(self) -> int:
        """Values of one image; of an npz file they are read."""
        if self.kind in IMAGE_KINDS:
            return IMAGE_KINDS[self.kind].num_pixels
        return NUM_PIXELS if self.path is None else int(load_npz(self.path).pixels.shape[1])

    @property
    def num_classes(self) -> int:
        """Classes of the data set; of an npz file they are read."""
        return NUM_CLASSES if self.path is None else len(load_npz(self.path).counts()["search"])

    @property
    def known_counts(self) -> PartCounts | None:
        """How many images of each class each part has, if that is known without reading published files."""
        if self.kind == "digits":
            return COUNTS
        return None if self.path is None else load_npz(self.path).counts()

    def check_files(self) -> None:
        """Refuse files that are missing, without reading those of a published data set.

        Raises:
            ValueError: that says what is missing, where it was looked for and how to get it.
        """
        if self.path is not None:
            load_npz(self.path)
        elif self.kind in IMAGE_KINDS and not self.download:
            find_files(IMAGE_KINDS[self.kind], self.data_dir)

    def load(self) -> tuple[ImageSet, tuple[FileIdentity, ...] | None]:
        """The images, and the identity of their files; None if these are not worth or not capable of caching.

        Raises:
            ValueError: if files are missing or not usable.
        """
        if self.kind == "digits":
            return load_digits(), None
        if self.path is not None:
            return load_npz(self.path), (file_identity(self.path),)
        known = IMAGE_KINDS[self.kind]
        try:
            files = find_files(known, self.data_dir)
        except ValueError:
            if not self.download:
                raise
            return fetch_files(known), None
        return load_files(self.kind, files), files.identity()

    def describe(self) -> str:
        """A few words for reports, with the verdict of the checksums where there are files of a published data set."""
        if self.path is not None:
            return f"images of {self.path}"
        if self.kind not in IMAGE_KINDS:
            return self.kind
        try:
            return f"{self.kind} ({verify(find_files(IMAGE_KINDS[self.kind], self.data_dir))})"
        except ValueError:  # no files yet: nothing to say of them
            return self.kind
