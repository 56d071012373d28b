from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import cross_val_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from automl_zero import AutoMLZeroClassifier, AutoMLZeroRegressor, programs
from automl_zero.evolution.run_directory import RunDirectory
from automl_zero.export import to_numpy_source
from automl_zero.interpreters.learner import Stop
from automl_zero.memory import MemorySpec
from automl_zero.presets import preset_text
from automl_zero.program import Instruction, Program

EVOLVED = Program.load(Path(__file__).parent / "data" / "evolved_with_state.json")
MEMORY = MemorySpec(7, 3, 1)


def with_last_prediction() -> Program:
    """The linear program, whose Predict takes off a tenth of what it predicted before."""
    linear = programs.linear(memory=MEMORY)
    predict = (
        Instruction("scalar_product", 5, 4, 4),
        *linear.predict,
        Instruction("scalar_diff", 1, 4, 1),
        Instruction("scalar_sum", 1, 6, 4),  # s6 is 0
    )
    return Program(
        MEMORY, (*linear.setup, Instruction("scalar_const_set", out=5, constants=(0.1,))), predict, linear.learn
    )


PROGRAMS = (programs.linear(), programs.neural_net(), EVOLVED, with_last_prediction())


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@parametrize_with_checks(
    [kind(program) for program in PROGRAMS[:3] for kind in (AutoMLZeroClassifier, AutoMLZeroRegressor)]
)
def test_scikit_learns_checks_pass(estimator: Any, check: Any) -> None:
    check(estimator)


def test_the_evolved_program_keeps_state_in_predict() -> None:
    # s2 = s3 * s1 reads the prediction before, which Predict then replaces.
    assert [instruction.op for instruction in EVOLVED.predict] == ["scalar_product", "vector_inner_product"]
    assert EVOLVED.predict[0].in2 == EVOLVED.predict[1].out == 1


@pytest.fixture(scope="module")
def iris() -> tuple[Any, Any]:
    data = load_iris()
    return data.data, data.target_names[data.target]


@pytest.fixture(scope="module")
def diabetes() -> tuple[Any, Any]:
    x, y = load_diabetes(return_X_y=True)
    return x, y


def test_it_learns_real_data(iris: tuple[Any, Any], diabetes: tuple[Any, Any]) -> None:
    network = programs.neural_net(0.05)
    assert cross_val_score(AutoMLZeroClassifier(network, random_state=0), *iris, cv=3).mean() > 0.9
    tumours = load_breast_cancer(return_X_y=True)
    assert cross_val_score(AutoMLZeroClassifier(programs.linear(), random_state=0), *tumours, cv=3).mean() > 0.95
    assert cross_val_score(AutoMLZeroRegressor(programs.linear(), random_state=0), *diabetes, cv=3).mean() > 0.4


def test_units_of_features_and_target_do_not_matter(diabetes: tuple[Any, Any]) -> None:
    x, y = diabetes
    model = AutoMLZeroRegressor(programs.linear(), random_state=0)
    expected = model.fit(x, y).predict(x)
    scaled = model.fit(1000 * x - 5, 1e6 * y + 3).predict(1000 * x - 5)
    np.testing.assert_allclose((scaled - 3) / 1e6, expected, rtol=1e-9)


def test_sorted_rows_are_shuffled(iris: tuple[Any, Any]) -> None:
    x, y = iris  # sorted by class
    assert AutoMLZeroClassifier(programs.linear(0.1), epochs=1, random_state=0).fit(x, y).score(x, y) > 0.75


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_seed_makes_it_reproducible_and_predictions_independent(program: Program, iris: tuple[Any, Any]) -> None:
    x, y = iris
    model = AutoMLZeroClassifier(program, random_state=1).fit(x, y)
    together = model.predict_proba(x)
    np.testing.assert_array_equal(clone(model).fit(x, y).predict_proba(x), together)
    np.testing.assert_array_equal(model.predict_proba(x[::-1])[::-1], together)
    np.testing.assert_array_equal(model.predict_proba(x[7:8]), together[7:8])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict_proba(x), together)


def test_probabilities_of_several_classes_sum_to_one_and_agree_with_the_classes(iris: tuple[Any, Any]) -> None:
    x, y = iris
    model = AutoMLZeroClassifier(programs.neural_net(), random_state=0).fit(x, y)
    probabilities = model.predict_proba(x)
    assert probabilities.shape == (150, 3)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    np.testing.assert_array_equal(model.classes_[probabilities.argmax(axis=1)], model.predict(x))


def test_one_against_the_rest_is_a_training_for_each_class(iris: tuple[Any, Any]) -> None:
    x, y = iris
    model = AutoMLZeroClassifier(programs.neural_net(), random_state=0)
    decisions = model.fit(x, y).decision_function(x)
    for index, name in enumerate(model.classes_):
        alone = AutoMLZeroClassifier(programs.neural_net(), random_state=0).fit(x, y == name).decision_function(x)
        np.testing.assert_array_equal(decisions[:, index], alone)


def test_vector_labels_are_learned_at_once(iris: tuple[Any, Any]) -> None:
    x, y = iris
    model = AutoMLZeroClassifier(programs.softmax_net(), multi_class="vector", random_state=0).fit(x, y)
    assert model.score(x, y) > 0.9
    probabilities, logits = model.predict_proba(x), model.decision_function(x)
    assert probabilities.shape == logits.shape == (150, 3)
    np.testing.assert_allclose(probabilities, np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True))
    np.testing.assert_array_equal(model.classes_[logits.argmax(axis=1)], model.predict(x))
    np.testing.assert_array_equal(model.predict_proba(x[7:8]), probabilities[7:8])


def test_vector_labels_serve_two_classes_too(iris: tuple[Any, Any]) -> None:
    x, y = iris[0], iris[1] == "setosa"
    model = AutoMLZeroClassifier(programs.softmax_linear(), multi_class="vector", random_state=0).fit(x, y)
    assert model.score(x, y) == 1
    np.testing.assert_array_equal(model.decision_function(x) > 0, model.predict(x))
    assert model.predict_proba(x).shape == (150, 2)


@pytest.mark.parametrize(
    ("program", "columns", "message"),
    [
        (programs.linear(), 4, "v1 is the label in tasks with vector labels and cannot be written"),
        (programs.softmax_linear(), 2, "3 classes need as many features for vector labels, got 2"),
        (None, 4, "multi_class is 'vector': it needs a program"),
    ],
)
def test_what_vector_labels_need_is_said(
    program: Program | None, columns: int, message: str, iris: tuple[Any, Any]
) -> None:
    x, y = iris
    with pytest.raises(ValueError, match=message):
        AutoMLZeroClassifier(program, multi_class="vector").fit(x[:, :columns], y)


def test_it_trains_like_the_exported_module(diabetes: tuple[Any, Any]) -> None:
    x, y = diabetes
    model = AutoMLZeroRegressor(programs.neural_net(), epochs=2, random_state=0).fit(x, y)
    order = np.random.RandomState(0)
    seed = order.randint(2**31 - 1)
    rows = order.permutation(len(x))
    names: dict[str, Any] = {}
    exec(to_numpy_source(programs.neural_net()), names)
    scaled_x, scaled_y = (x - x.mean(axis=0)) / x.std(axis=0), (y - y.mean()) / y.std()
    exported = names["Model"]().fit(scaled_x[rows], scaled_y[rows], epochs=2, seed=int(seed))
    np.testing.assert_allclose(model.predict(x), exported.predict(scaled_x) * y.std() + y.mean(), rtol=1e-6)


def test_a_program_may_be_a_file_or_a_run_directory(tmp_path: Path, iris: tuple[Any, Any]) -> None:
    x, y = iris
    programs.linear().save(tmp_path / "program.json")
    RunDirectory.create(tmp_path / "run").write_best(programs.linear())
    for path in (tmp_path / "program.json", str(tmp_path / "run")):
        assert AutoMLZeroClassifier(path, random_state=0).fit(x, y).program_ == programs.linear()


@pytest.fixture
def run_dirs(tmp_path: Path) -> Path:
    """Runs on vector labels and on numbers, whose programs alone do not tell."""
    for name, preset, program in (("mc", "multi-class", with_s1(programs.softmax_net())), ("two", "digits", EVOLVED)):
        directory = RunDirectory.create(tmp_path / name)
        directory.write_config(preset_text(preset))
        directory.write_best(program)
    return tmp_path


def with_s1(program: Program) -> Program:
    s1 = Instruction("scalar_const_set", out=1, constants=(0.5,))
    return Program(program.memory, (s1, *program.setup), program.predict, program.learn)


@pytest.mark.parametrize("name", ["mc", "mc/best.json"])
def test_a_runs_program_for_vector_labels_learns_them_alone(name: str, run_dirs: Path, iris: tuple[Any, Any]) -> None:
    program = run_dirs / name
    with pytest.raises(
        ValueError,
        match=f"{name} was evolved for vector labels of 10 classes, but labels are 0 and 1 with multi_class='ovr': "
        "expected multi_class='vector'$",
    ):
        AutoMLZeroClassifier(program).fit(*iris)
    with pytest.raises(ValueError, match=f"{name} was evolved for .*, but the target of a regression is a number: "):
        AutoMLZeroRegressor(program).fit(iris[0], iris[0][:, 0])
    assert AutoMLZeroClassifier(program, multi_class="vector", random_state=0).fit(*iris).score(*iris) > 0.9


def test_a_runs_program_for_numbers_learns_no_vector_labels(run_dirs: Path, iris: tuple[Any, Any]) -> None:
    with pytest.raises(
        ValueError,
        match=r"two was evolved for labels that are numbers, but the 3 classes are vector labels with "
        "multi_class='vector': expected multi_class='ovr'$",
    ):
        AutoMLZeroClassifier(str(run_dirs / "two"), multi_class="vector").fit(*iris)
    assert AutoMLZeroClassifier(run_dirs / "two", random_state=0).fit(*iris).score(*iris) > 0.5


def test_a_program_that_never_sets_s1_learns_no_numbers(iris: tuple[Any, Any]) -> None:
    program = programs.softmax_net()
    for model, target in ((AutoMLZeroClassifier(program), iris[1]), (AutoMLZeroRegressor(program), iris[0][:, 0])):
        with pytest.raises(ValueError, match="the program never sets its prediction s1, only v2"):
            model.fit(iris[0], target)


def test_an_estimator_is_shown_without_the_instructions_of_its_program() -> None:
    program = programs.linear()
    assert repr(AutoMLZeroRegressor(program)) == "AutoMLZeroRegressor(program=<Program of 6 instructions>)"
    changed = AutoMLZeroClassifier(program, epochs=3)
    assert repr(changed) == "AutoMLZeroClassifier(epochs=3, program=<Program of 6 instructions>)"
    assert repr(AutoMLZeroRegressor("best.json")) == "AutoMLZeroRegressor(program='best.json')"
    assert repr(AutoMLZeroRegressor()) == "AutoMLZeroRegressor()"
    assert changed.program is program


def test_training_that_fails_warns_and_keeps_what_was_learned_before() -> None:
    x = np.random.default_rng(0).standard_normal((50, 2))
    y = x.sum(axis=1)
    unstable = AutoMLZeroRegressor(programs.linear(5.0), random_state=0)
    with pytest.warns(ConvergenceWarning, match="training stopped at example .* of epoch 1, .*max_abs_error = 100"):
        unstable.fit(x, y)
    (stop,) = unstable.learned_.stops
    assert isinstance(stop, Stop)
    assert np.isfinite(unstable.predict(x)).all()


def constant(value: float) -> Program:
    """Predicts a constant when there are no examples with v0 = 0, else NaN or infinity."""
    divide = (Instruction("scalar_const_set", out=2, constants=(value,)), Instruction("vector_norm", 0, out=3))
    return Program(MEMORY, (), (*divide, Instruction("scalar_division", 2, 3, 1)), ())


@pytest.mark.parametrize("value", [0.0, 1.0])  # NaN, infinity
def test_a_prediction_that_is_not_finite_is_the_mean_of_the_targets(value: float) -> None:
    x, y = np.array([[-1.0], [1.0], [-2.0], [2.0]]), np.array([1.0, 2.0, 3.0, 8.0])
    model = AutoMLZeroRegressor(constant(value), random_state=0).fit(x, y)
    with pytest.warns(RuntimeWarning, match="1 of 2 rows have no finite prediction and get the mean of the targets"):
        predictions = model.predict([[0.0], [1.0]])
    assert predictions[0] == 3.5
    assert np.isfinite(predictions[1])


def test_a_prediction_that_is_not_a_number_is_not_of_the_second_class() -> None:
    x, y = np.array([[-1.0], [1.0], [-2.0], [2.0]]), [0, 1, 0, 1]
    model = AutoMLZeroClassifier(constant(0.0), random_state=0).fit(x, y)
    assert model.predict([[0.0]]).tolist() == [0]
    assert model.predict_proba([[0.0]]).tolist() == [[1.0, 0.0]]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"epochs": 0}, ValueError, "epochs must be an integer of at least 1, got 0"),
        ({"max_abs_error": -1.0}, ValueError, "max_abs_error must be a positive, finite number, got -1.0"),
        ({"dtype": "float16"}, ValueError, "dtype is 'float16': expected one of float32, float64"),
        ({"multi_class": "ovo"}, ValueError, "multi_class is 'ovo': expected one of ovr, vector"),
        ({"program": 3}, TypeError, "program is 3: expected a Program, the path of one, or None"),
        ({"program": "none.json"}, FileNotFoundError, "none.json"),
    ],
)
def test_bad_parameters_are_refused(
    options: dict[str, Any], error: type[Exception], message: str, iris: tuple[Any, Any]
) -> None:
    with pytest.raises(error, match=message):
        AutoMLZeroClassifier(**{"program": programs.linear(), **options}).fit(*iris)


def test_one_class_and_huge_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="y has one class alone, 'a': at least two are needed"):
        AutoMLZeroClassifier(programs.linear()).fit([[0.0], [1.0]], ["a", "a"])
    with pytest.raises(ValueError, match="X holds a number beyond 1e\\+150"):
        AutoMLZeroRegressor(programs.linear()).fit([[0.0], [1e200]], [0.0, 1.0])
    with pytest.raises(ValueError, match="y holds a number beyond 1e\\+150"):
        AutoMLZeroRegressor(programs.linear()).fit([[0.0], [1.0]], [0.0, 1e200])
