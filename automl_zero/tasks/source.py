"""Where an experiment's tasks come from: sets for search, for selection and for the final score."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from automl_zero.suggest import did_you_mean
from automl_zero.tasks.image_files.kinds import IMAGE_KINDS
from automl_zero.tasks.image_origin import ORIGINS, ImageOrigin
from automl_zero.tasks.image_source import image_source, sizes_for
from automl_zero.tasks.several_targets import SeveralTargets
from automl_zero.tasks.sizes import Sizes
from automl_zero.tasks.synthetic import SyntheticSource
from automl_zero.tasks.table import load_table
from automl_zero.tasks.taskset import Evaluation, TaskSet
from automl_zero.tasks.userdata import UserData, default_sizes


class TaskSource(Protocol):
    """Makes the task sets of an experiment.

    Sets for different purposes come from unrelated random streams, also for equal seeds, and so do sets for different
    seeds. The final set reads examples that the others never see, where the data are finite.
    """

    @property
    def evaluation(self) -> Evaluation:
        """How programs are scored."""

    @property
    def num_features(self) -> int:
        """F."""

    @property
    def num_classes(self) -> int:
        """C of vector labels; 0 for scalar labels."""

    def search(self, seed: int) -> TaskSet:
        """Tasks that evolution sees."""

    def select(self, seed: int) -> TaskSet:
        """Tasks that pick one among the candidates of several experiments."""

    def final(self, seed: int) -> TaskSet:
        """Unseen tasks for the final score."""

    def describe(self) -> str:
        """One line for reports."""


_COMMON_KEYS = ("kind", "search", "select", "final", "epochs", "max_abs_error")
_IMAGE_KEYS = (*_COMMON_KEYS, "num_features", "final_features", "classes")
_KEYS = {
    "linear": (*_COMMON_KEYS, "num_features"),
    "affine": (*_COMMON_KEYS, "num_features"),
    "nn": (*_COMMON_KEYS, "num_features", "zeroed_units"),
    # Digits need no files; they take the keys all the same, so that they can stand beside a data set that does.
    **dict.fromkeys(("digits", *IMAGE_KINDS), (*_IMAGE_KEYS, "data_dir", "download")),
    "images": (*_IMAGE_KEYS, "path"),
    "file": (*_COMMON_KEYS, "path", "target", "targets"),
}
_PURPOSES = ("search", "select", "final")


def make_source(config: Mapping[str, Any], need_data: bool = True) -> TaskSource:
    """Build a source from the `tasks` table of an experiment's configuration.

    Args:
        config: `kind` is "linear", "affine", "nn", "digits", "fashion-mnist", "mnist", "cifar10", "svhn", "images" or
            "file". Optional: `search`, `select` and `final`, each a table of `num_tasks`, `num_train` and `num_valid`
            in which any may be left out; `epochs`; `max_abs_error`; `num_features` (not for "file"); `zeroed_units`
            ("nn"). Of images also `classes` ("pairs" or "all") and `final_features`, and of the published data sets
            `data_dir` and `download` (see :class:`ImageSource`); `num_features` and `final_features` may be "all".
            "images" needs the `path` of an npz file; "file" needs `path`, and `target` for a CSV file, or a list of
            `targets`, each with tasks of its own. What is left out or None takes the kind's default.
        need_data: refuse image files that are missing at once, rather than when tasks are made. Without it a source can
            be described where the data are not, such as beside a result that was copied.

    Raises:
        ValueError: for an unknown kind or key, or a value that cannot be used.
    """
    if not isinstance(config, Mapping):
        raise ValueError(f"tasks must be a table of settings, got {config!r}")
    given = {key: value for key, value in config.items() if value is not None}
    kind = given.pop("kind", None)
    if not isinstance(kind, str) or kind not in _KEYS:
        raise ValueError(f"kind must be one of {', '.join(_KEYS)}, got {kind!r}{did_you_mean(kind, _KEYS)}")
    for key in given:
        if key not in _KEYS[kind]:
            known = ", ".join(_KEYS[kind])
            raise ValueError(f"unknown key {key!r}{did_you_mean(key, _KEYS[kind])} for kind {kind!r}; keys are {known}")
    if kind == "file":
        return _file_source(given)
    if kind in ORIGINS:
        return _image_source(kind, given, need_data)
    defaults = SyntheticSource(kind)
    for purpose in _PURPOSES:
        if purpose in given:
            given[f"{purpose}_sizes"] = _sizes(purpose, given.pop(purpose), getattr(defaults, f"{purpose}_sizes"))
    return SyntheticSource(kind, **given)


def _image_source(kind: str, given: dict[str, Any], need_data: bool) -> TaskSource:
    if kind == "digits":
        given.pop("data_dir", None)
        given.pop("download", None)
    images = ImageOrigin(kind, **{key: given[key] for key in ("data_dir", "download", "path") if key in given})
    features = given.get("num_features", 16)
    defaults = sizes_for(images, features, given.get("final_features", features), given.get("classes", "pairs"))
    for purpose, default in zip(_PURPOSES, defaults, strict=True):
        given[f"{purpose}_sizes"] = _sizes(purpose, given.pop(purpose, {}), default)
    source = image_source(kind, **given)
    if need_data:
        source.check_data()
    return source


def _file_source(given: dict[str, Any]) -> TaskSource:
    path, target, targets = (given.pop(key, None) for key in ("path", "target", "targets"))
    for key, value in (("path", path), ("target", target)):
        if value is not None and not isinstance(value, str | Path):
            raise ValueError(f"{key} must be text, got {value!r}")
    if path is None:
        raise ValueError("path is missing: kind 'file' needs the CSV or npz file to read")
    if targets is None:
        return _one_target(path, None if target is None else str(target), given)
    if not isinstance(targets, list | tuple) or not all(isinstance(name, str) for name in targets):
        raise ValueError(f"targets must be a list of texts, got {targets!r}")
    if target is not None:
        raise ValueError("target and targets exclude each other")
    return SeveralTargets([_one_target(path, name, given) for name in targets])


def _one_target(path: str | Path, target: str | None, given: Mapping[str, Any]) -> UserData:
    table = load_table(path, target)
    settings = dict(given)
    search, select, final = (
        _sizes(purpose, settings.pop(purpose, {}), default)
        for purpose, default in zip(_PURPOSES, default_sizes(table), strict=True)
    )
    return UserData(Path(path).name, table, search, select, final, **settings)


def _sizes(purpose: str, given: Any, defaults: Sizes) -> Sizes:
    if not isinstance(given, Mapping):
        raise ValueError(f"{purpose} must be a table of sizes, got {given!r}")
    values = {"num_tasks": defaults.num_tasks, "num_train": defaults.num_train, "num_valid": defaults.num_valid}
    for key, value in given.items():
        if key not in values:
            raise ValueError(f"unknown key {purpose}.{key}{did_you_mean(key, values)}; keys are {', '.join(values)}")
        if value is not None:
            values[key] = value
    try:
        return Sizes(**values)
    except ValueError as error:
        raise ValueError(f"{purpose}.{error}") from None
