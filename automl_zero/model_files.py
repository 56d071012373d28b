"""Fitted estimators as files: a directory with model.json (what it is) and model.npz (what it has learned).

Both are data: opening a model runs no code from it.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, ValidationError, model_validator

from automl_zero import __version__
from automl_zero.evolution.validation import Positive, Table, problems
from automl_zero.interpreters.learner import Learned, Stop
from automl_zero.program import Program
from automl_zero.tasks.csv_columns import Encoding
from automl_zero.tasks.splits import Scaling

if TYPE_CHECKING:
    from typing import TypeAlias

    from automl_zero.estimator import AutoMLZeroClassifier, AutoMLZeroRegressor

    Model: TypeAlias = AutoMLZeroClassifier | AutoMLZeroRegressor

_Format = Literal["automl-zero-model/1"]
FORMAT: _Format = "automl-zero-model/1"
DESCRIPTION, ARRAYS = "model.json", "model.npz"
_FILES = ("scalars", "vectors", "matrices")  # names of register files, and of the arrays that hold them
_SCALINGS = {"feature": "feature_scaling_", "target": "target_scaling_"}

_Natural = Annotated[int, Field(ge=0)]
_Label = bool | int | float | str


class _Column(Table):
    name: str
    levels: tuple[str, ...]


class _Parameters(Table):
    epochs: Positive
    dtype: Literal["float32", "float64"]
    max_abs_error: Annotated[float, Field(gt=0.0)]
    random_state: _Natural | None
    multi_class: Literal["ovr", "vector"] | None = None


class _Classes(Table):
    values: Annotated[tuple[_Label, ...], Field(min_length=2)]
    dtype: str

    def array(self) -> npt.NDArray[Any]:
        """The classes as the estimator has them; ValueError when they are not of their type."""
        try:
            dtype = np.dtype(self.dtype)
            array = np.array(self.values, dtype=dtype)
        except (TypeError, ValueError, OverflowError):
            raise ValueError(f"{self.values!r:.80} are not of type {self.dtype!r}") from None
        if dtype.kind not in "biufUO" or len(set(self.values)) < len(self.values):
            raise ValueError(f"{self.values!r:.80} of type {self.dtype!r} are not usable")
        return array


class _Record(Table):
    """Contents of model.json."""

    format: _Format
    version: str
    kind: Literal["classifier", "regressor"]
    program: dict[str, Any]
    parameters: _Parameters
    seed: _Natural
    num_features: Positive
    feature_names: tuple[str, ...] | None
    classes: _Classes | None
    stops: tuple[tuple[_Natural, _Natural] | None, ...]
    columns: tuple[_Column, ...] | None
    target: str | None
    arrays_sha256: str

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if (self.classes is None) != (self.kind == "regressor"):
            raise ValueError("classes: expected for a classifier, and for it alone")
        num_classes = 0 if self.classes is None else self.classes.array().size
        if len(self.stops) != (num_classes if num_classes > 2 and self.parameters.multi_class == "ovr" else 1):
            raise ValueError(f"stops: got {len(self.stops)}, which does not fit the classes")
        for name, names in (("feature_names", self.feature_names), ("columns", self._encoded_names())):
            if names is not None and len(names) != self.num_features:
                raise ValueError(f"{name}: they make {len(names)} features, but num_features is {self.num_features}")
        Program.from_json(self.program)
        return self

    def _encoded_names(self) -> list[str] | None:
        return None if self.columns is None else [n for encoding in self.encodings() for n in encoding.feature_names]

    def encodings(self) -> tuple[Encoding, ...]:
        """How the columns of a CSV file become features."""
        return tuple(Encoding(column.name, column.levels) for column in self.columns or ())


def save_model(model: Model, path: str | Path) -> None:
    """Write a fitted estimator; see :meth:`automl_zero.AutoMLZeroRegressor.save`."""
    from sklearn.utils.validation import check_is_fitted

    check_is_fitted(model)
    content = io.BytesIO()
    np.savez_compressed(content, allow_pickle=False, **_arrays(model))
    record = _record(model, hashlib.sha256(content.getvalue()).hexdigest())
    folder = Path(path)
    if folder.exists() and not folder.is_dir():
        raise FileExistsError(f"{folder} is a file: a model is saved to a directory")
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in ((ARRAYS, content.getvalue()), (DESCRIPTION, f"{record.model_dump_json(indent=2)}\n".encode())):
        temporary = folder / f".{name}.tmp"
        temporary.write_bytes(data)
        os.replace(temporary, folder / name)


def load_model(path: str | Path) -> Model:
    """Read a model that an estimator's ``save`` has written.

    Args:
        path: its directory.

    Returns:
        The fitted estimator. Its parameters are those of training; ``program`` is the program itself.

    Raises:
        ValueError: the directory holds no model, or one that cannot be used; the message names the place.
    """
    description, arrays = Path(path) / DESCRIPTION, Path(path) / ARRAYS
    if not description.is_file():
        raise ValueError(f"{path} is not a saved model: it holds no {DESCRIPTION}")
    try:
        record = _Record.model_validate_json(description.read_bytes())
    except ValidationError as error:
        if error.errors(include_url=False)[0]["type"] == "json_invalid":
            raise ValueError(f"{description} is not JSON; it may have been cut off") from None
        raise ValueError(f"{description}: {next(problems(error, _Record))}") from None
    model = _restored(record)
    try:
        _unpack(model, _read_arrays(arrays, record.arrays_sha256), [stop and Stop(*stop) for stop in record.stops])
    except ValueError as error:
        raise ValueError(f"{arrays}: {error}") from None
    return model


def _record(model: Any, digest: str) -> _Record:
    names, encodings = getattr(model, "feature_names_in_", None), getattr(model, "encodings_", None)
    random_state = model.random_state if isinstance(model.random_state, int | np.integer) else None
    labels = getattr(model, "classes_", None)
    classes = None
    if labels is not None:
        if not all(isinstance(label, _Label) for label in labels.tolist()):
            raise ValueError(f"classes {labels[:3]!r} cannot be saved: only numbers and texts can")
        classes = _Classes(
            values=tuple(labels.tolist()), dtype="object" if labels.dtype == object else labels.dtype.str
        )
    return _Record(
        format=FORMAT,
        version=__version__,
        kind="regressor" if classes is None else "classifier",
        program=model.program_.to_dict(),
        parameters=_Parameters(
            epochs=int(model.epochs),
            dtype=model.dtype,
            max_abs_error=float(model.max_abs_error),
            random_state=None if random_state is None else int(random_state),
            multi_class=getattr(model, "multi_class", None),
        ),
        seed=model.seed_,
        num_features=model.n_features_in_,
        feature_names=None if names is None else tuple(map(str, names)),
        classes=classes,
        stops=tuple(stop and (stop.epoch, stop.examples) for stop in model.learned_.stops),
        columns=encodings and tuple(_Column(name=e.name, levels=e.levels) for e in encodings),
        target=getattr(model, "target_", None),
        arrays_sha256=digest,
    )


def _arrays(model: Any) -> dict[str, npt.NDArray[Any]]:
    arrays = {}
    for name, attribute in _SCALINGS.items():
        if scaling := getattr(model, attribute, None):
            arrays[f"{name}_mean"], arrays[f"{name}_deviation"] = scaling.mean, scaling.deviation
    registers = iter(model.learned_.registers)
    for name in _FILES:
        if count := getattr(model.program_.memory, name):
            arrays[name] = np.stack([next(registers) for _ in range(count)])
    return arrays


def _restored(record: _Record) -> Model:
    """The estimator without its arrays."""
    from automl_zero.estimator import AutoMLZeroClassifier, AutoMLZeroRegressor

    program, parameters = Program.from_json(record.program), record.parameters.model_dump(exclude_none=True)
    model: Model
    if record.classes is None:
        model = AutoMLZeroRegressor(program, **parameters)
    else:
        model = AutoMLZeroClassifier(program, **parameters)
        model.classes_ = record.classes.array()
    model.program_, model.seed_, model.n_features_in_ = program, record.seed, record.num_features
    if record.feature_names is not None:
        model.feature_names_in_ = np.array(record.feature_names, dtype=object)
    if record.columns is not None:
        model.encodings_, model.target_ = record.encodings(), record.target
    return model


def _read_arrays(path: Path, digest: str) -> dict[str, npt.NDArray[Any]]:
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != digest:
        raise ValueError(f"is damaged, or does not belong to {DESCRIPTION}")
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            return {name: np.asarray(archive[name]) for name in archive.files}
    except (ValueError, OSError, EOFError):  # numpy's own message suggests allow_pickle=True, which would run code
        raise ValueError("is damaged, or holds Python objects") from None


def _unpack(model: Any, arrays: dict[str, npt.NDArray[Any]], stops: Sequence[Stop | None]) -> None:
    """Give the model its arrays, after a look at their shapes and types."""
    F, memory = model.n_features_in_, model.program_.memory
    shapes: dict[str, tuple[int, ...]] = {"feature_mean": (F,), "feature_deviation": (F,)}
    if not hasattr(model, "classes_"):
        shapes |= {"target_mean": (), "target_deviation": ()}
    registers = {name: getattr(memory, name) for name in _FILES if getattr(memory, name)}
    for name, count in registers.items():
        shapes[name] = (count, len(stops), *(F,) * _FILES.index(name))
    for name, shape in shapes.items():
        dtype = np.dtype(model.dtype if name in registers else np.float64)
        found = arrays.get(name)
        if found is None or found.shape != shape or found.dtype != dtype:
            shown = "nothing" if found is None else f"{found.dtype} {found.shape}"
            raise ValueError(f"array {name!r}: expected {dtype} {shape}, got {shown}")
        if name not in registers and not np.isfinite(found).all():
            raise ValueError(f"array {name!r}: expected finite numbers")
    for name, attribute in _SCALINGS.items():
        if f"{name}_mean" in shapes:
            setattr(model, attribute, Scaling(arrays[f"{name}_mean"], arrays[f"{name}_deviation"]))
    model.learned_ = Learned(tuple(register for name in registers for register in arrays[name]), tuple(stops))
