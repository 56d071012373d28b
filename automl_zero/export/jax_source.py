"""A program as a Python module of jittable JAX functions."""

from __future__ import annotations

from automl_zero import __version__
from automl_zero.export.listing import IMPORTED, Listing, listing
from automl_zero.export.numpy_source import before_squash, check_labels, error_of, label_text, squashed
from automl_zero.export.runtime import Runtime, names_in
from automl_zero.program import Program


def to_jax_source(
    program: Program, *, num_features: int | None = None, evaluation: str = "rmse", num_classes: int = 0
) -> str:
    """Source of a module of JAX functions that train by the program and predict.

    It has the functions ``setup``, ``predict`` and ``learn``, a line for each instruction that can influence a
    prediction, and two compiled ones, both of which can be part of larger JAX functions: ``train(X, y, orders, words)``
    returns the memory after training, and ``outputs(memory, X, words)`` the predictions of rows, each with that memory.
    ``fit(X, y, epochs, seed)`` calls ``train`` with the orders of examples and the words of the seed that the
    interpreters use. Training means what it does in :func:`~automl_zero.export.to_numpy_source`, in JAX's default
    type: float32, or float64 where that is enabled.

    Args:
        program: the program.
        num_features: F, if the module is for that number alone; index constants are then written as numbers.
        evaluation: "rmse" for regression, "accuracy" for classes 0 and 1, of which ``outputs`` are what the sigmoid is
            to be applied to.
        num_classes: C, for a program with vector labels; classes then are 0 to C - 1, and ``outputs``, [rows, C], are
            what the softmax is to be applied to.

    Raises:
        ValueError: an argument is not usable, or the program has a user op whose pseudocode is not Python with known
            functions.
    """
    check_labels(evaluation, num_classes)
    runtime = Runtime("jax_runtime.py")
    functions = listing(program, num_features, num_classes)
    own = [*functions.functions("jnp"), *_compiled(functions, evaluation, num_classes)]
    used = {name for source in own for name in names_in(source)}
    imported = [name for name in IMPORTED if name in used]
    header = [_docstring(evaluation, num_classes), "", "import jax", "import jax.numpy as jnp", "import numpy as np"]
    header += [f"from jax.numpy import {', '.join(imported)}"] if imported else []
    return "\n\n\n".join(["\n".join(header), runtime.source(used), *own]) + "\n"


def _docstring(evaluation: str, num_classes: int) -> str:
    scaled = "X and y" if evaluation == "rmse" else "X"
    return f'''"""A learning algorithm discovered by automl-zero {__version__}, in JAX.

    memory, finished = fit(X, y, epochs=10)
    outputs(memory, X)

X has a row for each example, and y {label_text(evaluation, num_classes)} for each. Standardise {scaled} first.
"""'''


def _compiled(functions: Listing, evaluation: str, num_classes: int) -> list[str]:
    """The functions that run the components on examples."""

    def draw(component: int, *place: str) -> str:
        return f", Draws({', '.join(['words', *place])})" if functions.draws[component] else ""

    squash = squashed(evaluation, num_classes, "\n        ", "X.shape[1]")
    label = "one_hot(y[row], X.shape[1])" if num_classes else "y[row]"
    label_type = "int" if num_classes else "float"
    what = before_squash(evaluation, num_classes)
    output = f"[0][:{num_classes}]" if num_classes else "[0]"
    return [
        f'''@jax.jit
def train(X, y, orders, words, max_abs_error=100.0):
    """The memory after training, and whether it was not stopped.

    orders, [epochs, rows], are the rows of each epoch in their order. Training stops at an example whose error is not a
    number or exceeds max_abs_error; the memory is as it was before it.
    """
    X, y = jnp.asarray(X, dtype=float), jnp.asarray(y, dtype={label_type})

    def step(carry, place):
        memory, running = carry
        epoch, row = place
        run = predict(memory, X[row]{draw(1, "PREDICT", "TRAINING", "epoch", "row")}){squash}
        running &= abs({error_of(num_classes)}) <= max_abs_error
        learned = learn(run, X[row], {label}{draw(2, "LEARN", "TRAINING", "epoch", "row")})
        return (choose(running, learned, memory), running), None

    epochs, rows = orders.shape
    places = jnp.repeat(jnp.arange(epochs), rows), orders.ravel()
    start = setup(X.shape[1]{draw(0, "SETUP")}), jnp.asarray(True)
    return jax.lax.scan(step, start, places)[0]''',
        f'''@jax.jit
def outputs(memory, X, words=None):
    """Predictions{what} for the rows of X, each with the memory as it was after training."""
    words = seed_words(0) if words is None else words
    X = jnp.asarray(X, dtype=float)
    return jax.vmap(lambda row: predict(memory, row{draw(1, "PREDICT", "VALIDATION")}){output})(X)''',
        '''def fit(X, y, epochs=1, seed=0, max_abs_error=100.0):
    """train() in the orders of the interpreters."""
    return train(X, y, epoch_orders(epochs, len(X)), seed_words(seed), max_abs_error)''',
    ]
