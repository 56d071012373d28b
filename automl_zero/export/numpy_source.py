"""A program as a Python module that needs numpy alone."""

from __future__ import annotations

from automl_zero import __version__
from automl_zero.export.listing import IMPORTED, Listing, listing
from automl_zero.export.runtime import Runtime, names_in
from automl_zero.program import Program
from automl_zero.tasks.taskset import EVALUATIONS


def to_numpy_source(
    program: Program, *, num_features: int | None = None, evaluation: str = "rmse", num_classes: int = 0
) -> str:
    """Source of a module that trains by the program and predicts, with numpy alone.

    It has the functions ``setup``, ``predict`` and ``learn``, a line for each instruction that can influence a
    prediction, and a class ``Model`` with ``fit(X, y, epochs, seed)`` and ``predict(X)``. Training is that of the
    interpreters in float64: the same orders of examples, the same random draws, and a stop at an error that is not a
    number or too large, with memory as it was before that example. Each row is predicted with memory as it was after
    training.

    Args:
        program: the program.
        num_features: F, if the module is for that number alone; index constants are then written as numbers.
        evaluation: "rmse" for regression, "accuracy" for classes 0 and 1.
        num_classes: C, for a program with vector labels; classes then are 0 to C - 1.

    Raises:
        ValueError: an argument is not usable, or the program has a user op whose pseudocode is not Python with known
            functions.
    """
    check_labels(evaluation, num_classes)
    runtime = Runtime("numpy_runtime.py")
    functions = listing(program, num_features, num_classes)
    components = functions.functions("np")
    own = [*components, _model(functions, num_features, evaluation, num_classes)]
    used = {name for source in own for name in names_in(source)}
    imported = [name for name in IMPORTED if name in used]
    header = [_docstring(evaluation, num_features, num_classes), "", "import numpy as np"]
    header += [f"from numpy import {', '.join(imported)}"] if imported else []
    return "\n\n\n".join(["\n".join(header), runtime.source(used), *own]) + "\n"


def check_labels(evaluation: str, num_classes: int) -> None:
    """Raise a ValueError for an unknown kind of evaluation, or a number of classes that it cannot have."""
    if evaluation not in EVALUATIONS:
        raise ValueError(f"evaluation is {evaluation!r}: expected one of {', '.join(EVALUATIONS)}")
    if num_classes != 0 and (num_classes < 2 or evaluation != "accuracy"):
        raise ValueError(f"num_classes is {num_classes}: expected 0, or with evaluation 'accuracy' at least 2")


def label_text(evaluation: str, num_classes: int) -> str:
    """What the labels of an exported program are, in words."""
    if evaluation == "rmse":
        return "a number"
    return f"a class from 0 to {num_classes - 1}" if num_classes else "0 or 1"


def _docstring(evaluation: str, num_features: int | None, num_classes: int) -> str:
    size = "" if num_features is None else f" of {num_features} features"
    scaled = "X and y" if evaluation == "rmse" else "X"
    return f'''"""A learning algorithm discovered by automl-zero {__version__}, as a module that needs numpy alone.

    model = Model().fit(X, y, epochs=10)
    model.predict(X)

X has a row{size} for each example, and y {label_text(evaluation, num_classes)} for each. Standardise {scaled} first.
"""'''


def _model(functions: Listing, num_features: int | None, evaluation: str, num_classes: int) -> str:
    """The class that runs the component functions on examples."""

    def draws(component: int, *place: str) -> str:
        return f", Draws({', '.join(place)})" if functions.draws[component] else ""

    place = ("TRAINING", "epoch", "row")
    check = "" if num_features is None else _CHECK.format(sign="!=", number=num_features, wanted=num_features)
    check += _CHECK.format(sign="<", number=num_classes, wanted=f"at least {num_classes}") if num_classes else ""
    methods = _VECTOR_METHODS if num_classes else _SCALAR_METHODS if evaluation == "accuracy" else ""
    return _MODEL.format(
        check=check,
        label_type="int" if num_classes else "np.float64",
        squash=squashed(evaluation, num_classes, "\n                    ", "X.shape[1]"),
        error=error_of(num_classes),
        label="one_hot(y[row], X.shape[1])" if num_classes else "y[row]",
        setup_draws=draws(0, "seed", "SETUP"),
        predict_draws=draws(1, "seed", "PREDICT", *place),
        learn_draws=draws(2, "seed", "LEARN", *place),
        row_draws=draws(1, "self.seed", "PREDICT", "VALIDATION"),
        outputs="decision_function" if methods else "predict",
        output=f"[0][:{num_classes}]" if num_classes else "[0]",
        what=before_squash(evaluation, num_classes),
        methods=methods,
    )


def squashed(evaluation: str, num_classes: int, indent: str, size: str) -> str:
    """A line that makes the prediction in ``run`` a probability, or nothing."""
    if evaluation == "rmse":
        return ""
    probability = f"padded(softmax(run[0][:{num_classes}]), {size})" if num_classes else "sigmoid(run[0])"
    return f"{indent}run = ({probability}, *run[1:])"


def error_of(num_classes: int) -> str:
    """Expression for the error in training."""
    return "1.0 - run[0][y[row]]" if num_classes else "y[row] - run[0]"


def before_squash(evaluation: str, num_classes: int) -> str:
    """What outputs are, in words that follow "predictions"."""
    return "" if evaluation == "rmse" else " before the softmax" if num_classes else " before the sigmoid"


_MODEL = '''class Model:
    """Trains by the algorithm, and predicts.

    Training stops at an example whose error is not a number or exceeds max_abs_error; `stopped` then is its (epoch,
    row), and the memory is as it was before it.
    """

    def __init__(self, max_abs_error=100.0):
        self.max_abs_error = max_abs_error

    def fit(self, X, y, epochs=1, seed=0):
        """Run setup, then predict and learn on every row of X, with its label in y, epochs times over."""
        X, y = np.asarray(X, dtype=np.float64), np.asarray(y, dtype={label_type}){check}
        self.seed, self.stopped = seed, None
        with np.errstate(all="ignore"):
            self.memory = setup(X.shape[1]{setup_draws})
            for epoch in range(epochs):
                for row in epoch_order(epoch, X.shape[0]):
                    run = predict(self.memory, X[row]{predict_draws}){squash}
                    if not abs({error}) <= self.max_abs_error:
                        self.stopped = epoch, row
                        return self
                    self.memory = learn(run, X[row], {label}{learn_draws})
        return self

    def {outputs}(self, X):
        """Predictions{what} for the rows of X, each with the memory as it was after training."""
        X = np.asarray(X, dtype=np.float64)
        with np.errstate(all="ignore"):
            return np.array([predict(self.memory, row{row_draws}){output} for row in X]){methods}'''
_CHECK = """
        if X.shape[1] {sign} {number}:
            raise ValueError(f"X has {{X.shape[1]}} features, expected {wanted}")"""
_SCALAR_METHODS = '''

    def predict_proba(self, X):
        """Probabilities of class 1."""
        with np.errstate(all="ignore"):
            return sigmoid(self.decision_function(X))

    def predict(self, X):
        """Classes, 0 or 1."""
        return (self.predict_proba(X) > 0.5).astype(int)'''
_VECTOR_METHODS = '''

    def predict_proba(self, X):
        """Probabilities of the classes, [rows, classes]."""
        with np.errstate(all="ignore"):
            return softmax(self.decision_function(X))

    def predict(self, X):
        """Classes."""
        return self.decision_function(X).argmax(axis=1)'''
