"""Programs written as simply as possible: exactly, and on request approximately with a check on tasks.

``frame`` says what the interpreter does with registers, ``flow`` which writes a read may see, ``values`` which
registers hold equal values, ``algebra`` what may be equated, ``rules`` what may be changed, ``registers`` what goes
where.
"""

from automl_zero.analysis.simplify.exact import Step
from automl_zero.analysis.simplify.simplification import Simplification, simplify

__all__ = ["Simplification", "Step", "simplify"]
