"""A program as a Python module that needs numpy alone."""

from __future__ import annotations

from automl_zero import __version__
from automl_zero.export.listing import IMPORTED, Listing, listing
from automl_zero.export.runtime import Runtime, names_in
from automl_zero.program import Program
from automl_zero.tasks.taskset import EVALUATIONS

#: of the component functions
DOCSTRINGS = {
    "setup": "Registers before the first example.",
    "predict": "Registers after Predict on features v0; the prediction is s1.",
    "learn": "Registers after Learn from features v0 and label s0.",
}


def to_numpy_source(program: Program, *, num_features: int | None = None, evaluation: str = "rmse") -> str:
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

    Raises:
        ValueError: an argument is not usable, or the program has a user op whose pseudocode is not Python with known
            functions.
    """
    check_evaluation(evaluation)
    runtime = Runtime("numpy_runtime.py")
    functions = listing(program, num_features)
    components = [
        functions.function(component, name, DOCSTRINGS[name], "np")
        for component, name in enumerate(("setup", "predict", "learn"))
    ]
    accuracy = evaluation == "accuracy"
    own = [*components, _model(functions, num_features, accuracy)]
    used = {name for source in own for name in names_in(source)}
    imported = [name for name in IMPORTED if name in used]
    header = [_docstring(accuracy, num_features), "", "import numpy as np"]
    header += [f"from numpy import {', '.join(imported)}"] if imported else []
    return "\n\n\n".join(["\n".join(header), runtime.source(used), *own]) + "\n"


def check_evaluation(evaluation: str) -> None:
    """Raise a ValueError for an unknown kind of evaluation."""
    if evaluation not in EVALUATIONS:
        raise ValueError(f"evaluation is {evaluation!r}: expected one of {', '.join(EVALUATIONS)}")


def _docstring(accuracy: bool, num_features: int | None) -> str:
    labels = "0 or 1" if accuracy else "a number"
    size = "" if num_features is None else f" of {num_features} features"
    return f'''"""A learning algorithm discovered by automl-zero {__version__}, as a module that needs numpy alone.

    model = Model().fit(X, y, epochs=10)
    model.predict(X)

X has a row{size} for each example, and y {labels} for each. Standardise X{"" if accuracy else " and y"} first.
"""'''


def _model(functions: Listing, num_features: int | None, accuracy: bool) -> str:
    """The class that runs the component functions on examples."""

    def draws(component: int, *place: str) -> str:
        return f", Draws({', '.join(place)})" if functions.draws[component] else ""

    check = "" if num_features is None else _CHECK.format(num_features=num_features)
    place = ("TRAINING", "epoch", "row")
    return _MODEL.format(
        check=check,
        sigmoid=_SIGMOID if accuracy else "",
        setup_draws=draws(0, "seed", "SETUP"),
        predict_draws=draws(1, "seed", "PREDICT", *place),
        learn_draws=draws(2, "seed", "LEARN", *place),
        row_draws=draws(1, "self.seed", "PREDICT", "VALIDATION"),
        outputs="decision_function" if accuracy else "predict",
        what=" before the sigmoid" if accuracy else "",
        classes=_CLASSES if accuracy else "",
    )


_MODEL = '''class Model:
    """Trains by the algorithm, and predicts.

    Training stops at an example whose error is not a number or exceeds max_abs_error; `stopped` then is its (epoch,
    row), and the memory is as it was before it.
    """

    def __init__(self, max_abs_error=100.0):
        self.max_abs_error = max_abs_error

    def fit(self, X, y, epochs=1, seed=0):
        """Run setup, then predict and learn on every row of X, with its label in y, epochs times over."""
        X, y = np.asarray(X, dtype=np.float64), np.asarray(y, dtype=np.float64){check}
        self.seed, self.stopped = seed, None
        with np.errstate(all="ignore"):
            self.memory = setup(X.shape[1]{setup_draws})
            for epoch in range(epochs):
                for row in epoch_order(epoch, X.shape[0]):
                    run = predict(self.memory, X[row]{predict_draws}){sigmoid}
                    if not abs(y[row] - run[0]) <= self.max_abs_error:
                        self.stopped = epoch, row
                        return self
                    self.memory = learn(run, X[row], y[row]{learn_draws})
        return self

    def {outputs}(self, X):
        """Predictions{what} for the rows of X, each with the memory as it was after training."""
        X = np.asarray(X, dtype=np.float64)
        with np.errstate(all="ignore"):
            return np.array([predict(self.memory, row{row_draws})[0] for row in X]){classes}'''
_CHECK = """
        if X.shape[1] != {num_features}:
            raise ValueError(f"X has {{X.shape[1]}} features, expected {num_features}")"""
_SIGMOID = """
                    run = (sigmoid(run[0]), *run[1:])"""
_CLASSES = '''

    def predict_proba(self, X):
        """Probabilities of class 1."""
        with np.errstate(all="ignore"):
            return sigmoid(self.decision_function(X))

    def predict(self, X):
        """Classes, 0 or 1."""
        return (self.predict_proba(X) > 0.5).astype(int)'''
