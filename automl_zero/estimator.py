"""scikit-learn estimators that learn by a discovered program, and that discover one first when they are given none."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from automl_zero.evaluation import DTYPES
from automl_zero.interpreters.learner import Learner
from automl_zero.origin import known_num_classes
from automl_zero.program import Program
from automl_zero.tasks.checks import check_integer, check_positive
from automl_zero.tasks.csv_columns import LARGEST
from automl_zero.tasks.splits import Scaling
from automl_zero.tasks.taskset import Evaluation
from automl_zero.vector_labels import check_labels

MULTI_CLASS = ("ovr", "vector")
_SEEDS = 2**31 - 1  # random_state gives 31 bits


class _Summary:
    """Stands in for a program where an estimator is shown."""

    def __init__(self, program: Program) -> None:
        self.number = sum(map(len, program.components))

    def __repr__(self) -> str:
        return f"<Program of {self.number} instruction{'s' * (self.number != 1)}>"


class _ProgramEstimator(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """What the classifier and the regressor share: the program, its training and its predictions."""

    _evaluation: Evaluation

    @property
    def _num_classes(self) -> int:
        """C of vector labels, 0 for scalar labels."""
        return 0

    def _labels_here(self) -> tuple[str, str]:
        """Clauses on the labels that are learned, and on what suits a program for the other kind."""
        return "the target of a regression is a number", "AutoMLZeroClassifier with multi_class='vector'"

    def __repr__(self, N_CHAR_MAX: int = 700) -> str:
        """As scikit-learn has it, with a program as the number of its instructions."""
        if not isinstance(self.program, Program):
            return str(super().__repr__(N_CHAR_MAX))
        short = type(self)(**{**self.get_params(deep=False), "program": _Summary(self.program)})
        return str(BaseEstimator.__repr__(short, N_CHAR_MAX))

    def __init__(
        self,
        program: Program | str | Path | None = None,
        *,
        epochs: int = 10,
        dtype: str = "float64",
        max_abs_error: float = 100.0,
        random_state: Any = None,
        config: Mapping[str, Any] | None = None,
        max_seconds: float | None = 60.0,
        max_individuals: int | None = None,
        workers: int | None = None,
    ) -> None:
        self.program = program
        self.epochs = epochs
        self.dtype = dtype
        self.max_abs_error = max_abs_error
        self.random_state = random_state
        self.config = config
        self.max_seconds = max_seconds
        self.max_individuals = max_individuals
        self.workers = workers

    def save(self, path: str | Path) -> None:
        """Write the fitted model to a directory, as JSON and npz; :func:`automl_zero.load_model` reads it.

        Args:
            path: the directory; it is made if need be, and a model that it holds is replaced.

        Raises:
            NotFittedError: the model is not fitted.
            ValueError: the classes are neither numbers nor text, which alone can be written.
            OSError: the files cannot be written.
        """
        from automl_zero.model_files import save_model

        save_model(self, path)

    def _learn(self, x: npt.NDArray[np.float64], labels: npt.NDArray[np.float64], targets: Any) -> None:
        """Fit the scaling, find a program if there is none, and train it.

        Args:
            x: [N, F].
            labels: [K, N], the label sets to learn: targets in units of their deviation, or 0 and 1; with vector labels
                [1, N, C].
            targets: [N], what a search is to predict: the standardised target, or the number of the class.
        """
        self._check_parameters()
        _refuse_huge("X", x)
        self.feature_scaling_ = Scaling.fit(x)
        generator = check_random_state(self.random_state)
        self.seed_ = int(generator.randint(_SEEDS))
        order = generator.permutation(x.shape[0])  # a table may be sorted, which examples for learning must not be
        self.program_ = self._given_program() if self.program is not None else self._evolved_program(x, targets)
        self.learned_ = self._learner().train(self.feature_scaling_.apply(x)[order], labels[:, order], self.epochs)
        for stop in filter(None, self.learned_.stops):
            warnings.warn(
                f"training stopped at example {stop.examples + 1} of epoch {stop.epoch + 1}, whose error is not a "
                f"number or exceeds max_abs_error = {self.max_abs_error:g}; the model is as it was before it",
                ConvergenceWarning,
                stacklevel=3,
            )

    def _outputs(self, X: Any) -> npt.NDArray[np.float64]:
        """What the program predicts, float64[K, rows], or with vector labels [1, rows, C]."""
        check_is_fitted(self)
        x = validate_data(self, X, dtype=np.float64, reset=False)
        _refuse_huge("X", x)
        outputs = self._learner().predict(self.learned_.registers, self.feature_scaling_.apply(x))
        return outputs.astype(np.float64)

    def _learner(self) -> Learner:
        return Learner(
            self.program_,
            self.n_features_in_,
            accuracy=self._evaluation == "accuracy",
            num_classes=self._num_classes,
            dtype=self.dtype,
            seed=self.seed_,
            max_abs_error=self.max_abs_error,
        )

    def _check_parameters(self) -> None:
        check_integer("epochs", self.epochs, minimum=1)
        check_positive("max_abs_error", self.max_abs_error)
        if self.dtype not in DTYPES:
            raise ValueError(f"dtype is {self.dtype!r}: expected one of {', '.join(DTYPES)}")

    def _given_program(self) -> Program:
        if isinstance(self.program, Program):
            self._check_labels(self.program, None, "the program")
            return self.program
        if not isinstance(self.program, str | Path):
            raise TypeError(f"program is {self.program!r:.80}: expected a Program, the path of one, or None")
        from automl_zero.evolution.run_directory import BEST

        path = Path(self.program)
        program = Program.load(path / BEST if path.is_dir() else path)
        self._check_labels(program, known_num_classes(path), str(path))
        return program

    def _check_labels(self, program: Program, own: int | None, name: str) -> None:
        """Refuse a program that is for the other kind of labels; ``own`` as for :func:`check_labels`."""
        here, expected = self._labels_here()
        check_labels(program, self._num_classes, own, name, here, expected)

    def _evolved_program(self, x: npt.NDArray[np.float64], targets: Any) -> Program:
        from automl_zero.evolution.array_search import evolve_on_arrays

        self.search_result_ = evolve_on_arrays(
            x,
            targets,
            self._evaluation,
            config=self.config or {},
            epochs=self.epochs,
            max_abs_error=self.max_abs_error,
            seed=self.seed_,
            max_seconds=self.max_seconds,
            max_individuals=self.max_individuals,
            workers=self.workers,
        )
        program: Program = self.search_result_.program
        return program


class AutoMLZeroRegressor(RegressorMixin, _ProgramEstimator):  # type: ignore[misc]
    """Regression by a discovered program.

    ``fit`` standardises features and target by the rows it is given, shuffles the rows once, runs the program's Setup
    and then its Predict and Learn on every row, ``epochs`` times over. Without a program it evolves one first, on
    resamples of the same rows. ``predict`` runs Predict with the memory as it was after ``fit`` before every row, and
    with the same random draws for all, so that a row's prediction does not depend on the others.

    Training stops at an example whose error is not a number or too large, as in the search; the model is then what had
    been learned before that example, and ``fit`` warns. A row whose prediction is not finite gets the mean of the
    training targets, and ``predict`` warns.

    Args:
        program: a program, the path of a program file or of a run directory, or None to evolve one.
        epochs: passes over the rows, also of the tasks that a program is evolved on.
        dtype: "float64" or "float32", in which the program computes.
        max_abs_error: error at which training stops, in standard deviations of the target.
        random_state: seed of the shuffle, of the program's random draws and of the search; None for a new one.
        config: keys of the search's configuration that differ from the default, as a nested dict.
        max_seconds: limit on the time of the search; None for none.
        max_individuals: limit on the programs that the search makes. A search that is limited by this alone gives the
            same program whenever ``random_state`` is the same number.
        workers: threads of the search; by default as many as there are cores.

    Attributes:
        program_: the program.
        learned_: the registers after training.
        search_result_: the result of the search, if there was one.
        n_features_in_: F.
        feature_names_in_: names of the features, if X has names.
    """

    _evaluation: Evaluation = "rmse"

    def fit(self, X: Any, y: Any) -> Self:
        """Learn from rows X, [N, F], and their targets y, [N].

        Raises:
            ValueError: X or y cannot be used, a parameter is out of range, or the program is for other labels.
            TypeError: ``program`` is of another type.
        """
        x, y = validate_data(self, X, y, dtype=np.float64, y_numeric=True, ensure_min_samples=2)
        targets = np.asarray(y, dtype=np.float64)
        _refuse_huge("y", targets)
        self.target_scaling_ = Scaling.fit(targets)
        self._learn(x, self.target_scaling_.apply(targets)[np.newaxis], targets)
        return self

    def predict(self, X: Any) -> npt.NDArray[np.float64]:
        """Predictions for rows X, [N, F]: float64[N]."""
        (outputs,) = self._outputs(X)
        wrong = ~np.isfinite(outputs)
        if wrong.any():
            warnings.warn(
                f"{int(wrong.sum())} of {wrong.size} rows have no finite prediction and get the mean of the targets",
                RuntimeWarning,
                stacklevel=2,
            )
        scaling = self.target_scaling_
        predictions: npt.NDArray[np.float64] = np.where(wrong, 0.0, outputs) * scaling.deviation + scaling.mean
        return predictions


class AutoMLZeroClassifier(ClassifierMixin, _ProgramEstimator):  # type: ignore[misc]
    """Classification by a discovered program.

    Training and prediction are those of :class:`AutoMLZeroRegressor`, but labels are 0 and 1 and predictions pass a
    sigmoid in training, as in the search. For more than two classes the program is trained once for each, to tell it
    from the others. With ``multi_class="vector"`` the program is one for vector labels, which learns all classes at
    once and whose predictions pass a softmax. A run's program is refused where it was evolved for labels of the other
    kind. A row for which the program gives no number is not of the class in
    question.

    Args:
        program: a program, the path of a program file or of a run directory, or None to evolve one.
        epochs: passes over the rows, also of the tasks that a program is evolved on.
        multi_class: "ovr", one training for each class against the rest, or "vector", one training for all classes by a
            program that reads a one-hot label in v1 and predicts in v2. It needs as many features as classes.
        dtype: "float64" or "float32", in which the program computes.
        max_abs_error: error at which training stops; no error but NaN exceeds 1.
        random_state: seed of the shuffle, of the program's random draws and of the search; None for a new one.
        config: keys of the search's configuration that differ from the default, as a nested dict.
        max_seconds: limit on the time of the search; None for none.
        max_individuals: limit on the programs that the search makes. A search that is limited by this alone gives the
            same program whenever ``random_state`` is the same number.
        workers: threads of the search; by default as many as there are cores.

    Attributes:
        classes_: the classes.
        program_: the program.
        learned_: the registers after training.
        search_result_: the result of the search, if there was one.
        n_features_in_: F.
        feature_names_in_: names of the features, if X has names.
    """

    _evaluation: Evaluation = "accuracy"

    def __init__(
        self,
        program: Program | str | Path | None = None,
        *,
        epochs: int = 10,
        multi_class: str = "ovr",
        dtype: str = "float64",
        max_abs_error: float = 100.0,
        random_state: Any = None,
        config: Mapping[str, Any] | None = None,
        max_seconds: float | None = 60.0,
        max_individuals: int | None = None,
        workers: int | None = None,
    ) -> None:
        super().__init__(
            program,
            epochs=epochs,
            dtype=dtype,
            max_abs_error=max_abs_error,
            random_state=random_state,
            config=config,
            max_seconds=max_seconds,
            max_individuals=max_individuals,
            workers=workers,
        )
        self.multi_class = multi_class

    def fit(self, X: Any, y: Any) -> Self:
        """Learn from rows X, [N, F], and their classes y, [N].

        Raises:
            ValueError: X or y cannot be used, a parameter is out of range, or the program is for other labels.
            TypeError: ``program`` is of another type.
        """
        if self.multi_class not in MULTI_CLASS:
            raise ValueError(f"multi_class is {self.multi_class!r}: expected one of {', '.join(MULTI_CLASS)}")
        x, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        self.classes_, numbers = np.unique(y, return_inverse=True)
        num_classes = self.classes_.size
        if num_classes < 2:
            raise ValueError(f"y has one class alone, {self.classes_.tolist()[0]!r}: at least two are needed")
        positives = [1] if num_classes == 2 else range(num_classes)
        if self.multi_class == "vector":
            if self.program is None:
                raise ValueError("multi_class is 'vector': it needs a program, for a search is for scalar labels")
            self._learn(x, np.eye(num_classes)[numbers][np.newaxis], numbers)
        else:
            self._learn(x, np.array([numbers == positive for positive in positives], np.float64), numbers)
        return self

    def _labels_here(self) -> tuple[str, str]:
        other = "ovr" if self.multi_class == "vector" else "vector"
        kind = f"the {len(self.classes_)} classes are vector labels" if self._num_classes else "labels are 0 and 1"
        return f"{kind} with multi_class={self.multi_class!r}", f"multi_class={other!r}"

    @property
    def _num_classes(self) -> int:
        return len(self.classes_) if self.multi_class == "vector" else 0

    def decision_function(self, X: Any) -> npt.NDArray[np.float64]:
        """What the program predicts before the sigmoid or softmax.

        Returns:
            [N, C], one number for each class; for two classes [N], above 0 for the second.
        """
        logits = self._logits(X)
        if len(self.classes_) > 2:
            return logits
        return logits[:, 1] if self.multi_class == "ovr" else logits[:, 1] - logits[:, 0]

    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:
        """Probabilities of the classes, [N, C].

        Sigmoids, which for more than two classes are scaled to sum 1; with vector labels, a softmax.
        """
        logits = self._logits(X)
        return _softmax(-np.logaddexp(0.0, -logits) if self.multi_class == "ovr" else logits)

    def _logits(self, X: Any) -> npt.NDArray[np.float64]:
        """A number for each class, [N, C]; with scalar labels for two classes, the first is minus the second."""
        # A NaN predicts class 0 in the search; these bounds keep differences and exponentials free of NaN.
        largest = np.finfo(np.float64).max / 4
        outputs: npt.NDArray[np.float64] = np.clip(np.nan_to_num(self._outputs(X), nan=-largest), -largest, largest)
        if self.multi_class == "vector":
            return np.asarray(outputs[0])
        return np.column_stack([-outputs[0], outputs[0]] if len(self.classes_) == 2 else list(outputs))

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """The likeliest class of each row, [N]."""
        outputs = self.decision_function(X)
        chosen = (outputs > 0).astype(np.int64) if outputs.ndim == 1 else outputs.argmax(axis=1)
        predicted: npt.NDArray[Any] = self.classes_[chosen]
        return predicted


def _softmax(logarithms: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Exponentials of [N, C], divided by their sum over C."""
    shares = np.exp(logarithms - logarithms.max(axis=1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def _refuse_huge(name: str, values: npt.NDArray[np.float64]) -> None:
    if values.size and not np.abs(values).max() <= LARGEST:
        raise ValueError(f"{name} holds a number beyond {LARGEST:g}, whose square is infinite: scale the data first")
