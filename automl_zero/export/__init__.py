"""Programs as source text for other tools. A target a module; each has a function from a program to text.

Every target starts from the pseudocode templates of the op table, which are statements in Python syntax, and says what
the functions named there are in its own language.
"""

from automl_zero.export.jax_source import to_jax_source
from automl_zero.export.latex import to_latex
from automl_zero.export.numpy_source import to_numpy_source

__all__ = ["to_jax_source", "to_latex", "to_numpy_source"]
