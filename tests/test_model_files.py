from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning, NotFittedError

from automl_zero import AutoMLZeroClassifier, AutoMLZeroRegressor, load_model, programs

X = np.random.default_rng(0).standard_normal((60, 3))
NUMBERS = X @ [1.0, -2.0, 0.5]
LABELS = {
    "text": np.array(["low", "middle", "high"])[np.digitize(NUMBERS, [-1, 1])],
    "objects": np.array(["no", "yes"], dtype=object)[(NUMBERS > 0) * 1],
    "integers": (NUMBERS > 0) * 3 - 1,
    "booleans": NUMBERS > 0,
    "floats": (NUMBERS > 0) * 2.0,
}


def fitted(kind: str = "regressor") -> Any:
    if kind == "regressor":
        return AutoMLZeroRegressor(programs.neural_net(), random_state=3, dtype="float32").fit(X, NUMBERS)
    return AutoMLZeroClassifier(programs.linear(), random_state=3).fit(X, LABELS[kind])


@pytest.mark.parametrize("kind", ["regressor", *LABELS])
def test_a_loaded_model_predicts_the_same(kind: str, tmp_path: Path) -> None:
    model = fitted(kind)
    model.save(tmp_path / "model")
    loaded = load_model(tmp_path / "model")
    assert type(loaded) is type(model)
    predicted = loaded.predict(X)
    np.testing.assert_array_equal(predicted, model.predict(X))
    assert predicted.dtype == model.predict(X).dtype
    for name in ("epochs", "dtype", "max_abs_error", "random_state"):
        assert getattr(loaded, name) == getattr(model, name)
    assert loaded.program == model.program_
    if kind != "regressor":
        np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))


def test_a_model_of_vector_labels_predicts_the_same(tmp_path: Path) -> None:
    model = AutoMLZeroClassifier(programs.softmax_linear(), multi_class="vector", random_state=0)
    model.fit(X, LABELS["text"]).save(tmp_path)
    np.testing.assert_array_equal(load_model(tmp_path).predict_proba(X), model.predict_proba(X))


def test_a_loaded_model_can_be_saved_and_fitted_again(tmp_path: Path) -> None:
    fitted().save(tmp_path / "one")
    loaded = load_model(tmp_path / "one")
    loaded.save(tmp_path / "two")
    assert (tmp_path / "one" / "model.json").read_text() == (tmp_path / "two" / "model.json").read_text()
    np.testing.assert_array_equal(loaded.fit(X, NUMBERS).predict(X), fitted().predict(X))


def test_names_of_features_and_an_early_stop_are_kept(tmp_path: Path) -> None:
    model = AutoMLZeroRegressor(programs.linear(100.0), random_state=0)
    with pytest.warns(ConvergenceWarning):
        model.fit(X, NUMBERS)
    model.feature_names_in_ = np.array(["a", "b", "c"], dtype=object)  # as after a fit to a data frame
    model.save(tmp_path)
    loaded = load_model(tmp_path)
    assert loaded.feature_names_in_.tolist() == ["a", "b", "c"]
    assert loaded.learned_.stops == model.learned_.stops != (None,)


def test_a_model_replaces_another_and_leaves_other_files(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    fitted("text").save(tmp_path)
    fitted().save(tmp_path)
    assert isinstance(load_model(tmp_path), AutoMLZeroRegressor)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.json", "model.npz", "notes.txt"]


def test_what_cannot_be_saved_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFittedError):
        AutoMLZeroRegressor(programs.linear()).save(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(FileExistsError, match="is a file: a model is saved to a directory"):
        fitted().save(tmp_path / "file")
    model = fitted("objects")
    model.classes_ = np.array([None, "yes"], dtype=object)
    with pytest.raises(ValueError, match=r"classes .* cannot be saved: only numbers and texts can"):
        model.save(tmp_path)


Change = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: r.update(format="automl-zero-model/9"), 'format: got "automl-zero-model/9", expected'),
        (lambda r: r.update(extra=1), "extra: unknown key"),
        (lambda r: r.pop("seed"), "seed: missing, expected an integer >= 0"),
        (lambda r: r.update(num_features=0), "num_features: got 0, expected an integer >= 1"),
        (lambda r: r["parameters"].update(epochs="many"), 'parameters.epochs: got "many", expected an integer >= 1'),
        (lambda r: r["program"].update(learn=[{"op": "frobnicate"}]), "unknown op 'frobnicate'"),
        (lambda r: r.update(kind="regressor"), "classes: expected for a classifier, and for it alone"),
        (lambda r: r["classes"].update(dtype="datetime64[s]"), "are not of type .datetime64"),
        (lambda r: r["classes"].update(dtype="int8"), "are not of type 'int8'"),
        (lambda r: r["classes"].update(values=["a", "a", "b"]), "are not usable"),
        (lambda r: r.update(stops=[None]), "stops: got 1, which does not fit the classes"),
        (lambda r: r.update(feature_names=["a"]), "feature_names: they make 1 features, but num_features is 3"),
    ],
)
def test_a_bad_description_is_one_sentence_that_names_the_place(tmp_path: Path, change: Change, message: str) -> None:
    fitted("text").save(tmp_path)
    path = tmp_path / "model.json"
    record = json.loads(path.read_text())
    change(record)
    path.write_text(json.dumps(record))
    with pytest.raises(ValueError, match=message) as caught:
        load_model(tmp_path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["[]", "{}", '{"format": NaN}'])
def test_a_file_that_is_no_description_is_one_sentence(tmp_path: Path, text: str) -> None:
    fitted().save(tmp_path)
    (tmp_path / "model.json").write_text(text)
    with pytest.raises(ValueError, match=r"model\.json: ") as caught:
        load_model(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("length", [0, 1, 100, -3])
def test_a_description_that_has_been_cut_off_is_said_to_be_damaged(tmp_path: Path, length: int) -> None:
    fitted().save(tmp_path)
    path = tmp_path / "model.json"
    path.write_text(path.read_text()[:length])
    with pytest.raises(ValueError, match=r"model\.json is not JSON; it may have been cut off$"):
        load_model(tmp_path)


@pytest.mark.parametrize("content", [b"[" * 100_000, b"\xff"])
def test_a_description_that_is_not_json_is_said_to_be_damaged(tmp_path: Path, content: bytes) -> None:
    fitted().save(tmp_path)
    (tmp_path / "model.json").write_bytes(content)
    with pytest.raises(ValueError, match=r"model\.json is not JSON; it may have been cut off$"):
        load_model(tmp_path)


def with_arrays(folder: Path, change: Change) -> None:
    """Change the arrays of a saved model, and the digest with them."""
    import hashlib

    with np.load(folder / "model.npz") as archive:
        arrays = dict(archive)
    change(arrays)
    content = io.BytesIO()
    np.savez(content, **arrays)
    (folder / "model.npz").write_bytes(content.getvalue())
    record = json.loads((folder / "model.json").read_text())
    record["arrays_sha256"] = hashlib.sha256(content.getvalue()).hexdigest()
    (folder / "model.json").write_text(json.dumps(record))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: a.pop("vectors"), "array 'vectors': expected float32 .9, 1, 3., got nothing"),
        (lambda a: a.update(scalars=a["scalars"][:2]), "array 'scalars': expected float32 .5, 1., got float32 .2, 1."),
        (lambda a: a.update(matrices=a["matrices"].astype(int)), "array 'matrices': expected float32"),
        (lambda a: a["feature_mean"].fill(np.nan), "array 'feature_mean': expected finite numbers"),
        (lambda a: a.update(scalars=np.array([None])), "is damaged, or holds Python objects"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(tmp_path: Path, change: Change, message: str) -> None:
    fitted().save(tmp_path)
    with_arrays(tmp_path, change)
    with pytest.raises(ValueError, match=rf"model\.npz: {message}"):
        load_model(tmp_path)


def test_arrays_of_another_model_are_noticed(tmp_path: Path) -> None:
    fitted().save(tmp_path)
    with zipfile.ZipFile(tmp_path / "model.npz", "a") as archive:
        archive.writestr("more.npy", b"")
    with pytest.raises(ValueError, match=r"model\.npz: is damaged, or does not belong to model\.json"):
        load_model(tmp_path)


def test_a_directory_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is not a saved model"):
        load_model(tmp_path)
    fitted().save(tmp_path)
    (tmp_path / "model.npz").unlink()
    with pytest.raises(FileNotFoundError, match=r"model\.npz"):
        load_model(tmp_path)
