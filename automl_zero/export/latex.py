"""A program as LaTeX."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Sequence

from automl_zero.analysis.liveness import remove_dead_code
from automl_zero.program import Program
from automl_zero.pseudocode import render_instruction

_TITLES = ("Setup", "Predict", "Learn")
_LETTERS = {"s": "s", "v": r"\mathbf{v}", "m": r"\mathbf{M}"}
_ONE = r"\mathbf{1}"  # the vector of ones


def to_latex(program: Program, *, num_features: int | None = None, num_classes: int = 0) -> str:
    r"""The program as an ``aligned`` environment (of amsmath) with a line for each instruction that matters.

    Vectors are bold, matrices bold capitals; :math:`\odot` and :math:`\oslash` are products and quotients element by
    element, :math:`\mathbf{1}` is the vector of ones, and brackets around a condition are 1 where it holds, else 0.

    Args:
        program: the program; instructions that cannot influence a prediction are left out.
        num_features: F, to write the elements that index constants select as numbers.
        num_classes: C, for a program with vector labels.

    Raises:
        ValueError: ``num_features`` is not positive, or the pseudocode of a user op is not a statement in Python
            syntax.
    """
    if num_features is not None and num_features < 1:
        raise ValueError(f"num_features is {num_features!r}: expected a positive integer")
    lines = []
    for title, instructions in zip(_TITLES, remove_dead_code(program, num_classes).components, strict=True):
        lines.append(rf"&\textbf{{{title}}}")
        lines += [rf"&\quad {_statement(render_instruction(i, num_features), i.op)}" for i in instructions]
    return "\n".join([r"\begin{aligned}", " \\\\\n".join(lines), r"\end{aligned}", ""])


def _statement(text: str, op: str) -> str:
    try:
        (statement,) = ast.parse(text).body
        if not isinstance(statement, ast.Assign):
            raise SyntaxError
        sign = r"\sim" if _is_draw(statement.value) else "="
        return f"{_expression(statement.targets[0])} {sign} {_expression(statement.value)}"
    except (SyntaxError, ValueError):
        raise ValueError(
            f"op {op!r} cannot be exported: its pseudocode {text!r} is not an assignment of one operation"
        ) from None


def _expression(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name):
            return _name(name)
        case ast.Constant(value=int() | float() as value):
            return _number(value)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return f"-{_expression(operand)}"
        case ast.BinOp(left=left, op=operator, right=right):
            return _operation(left, operator, right)
        case ast.Subscript(value=value, slice=place):
            places = place.elts if isinstance(place, ast.Tuple) else [place]
            return f"{_expression(value)}[{', '.join(map(_expression, places))}]"
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=keywords):
            return _call(name, arguments, {k.arg: ast.literal_eval(k.value) for k in keywords if k.arg})
        case _:
            raise _unknown(node)


def _operation(left: ast.expr, operator: ast.operator, right: ast.expr) -> str:
    a, b = _operand(left), _operand(right)
    both_scalar = not (_has_elements(left) or _has_elements(right))
    match operator:
        case ast.Add():
            return f"{a} + {b}"
        case ast.Sub():
            return f"{a} - {b}"
        case ast.Mult():
            return rf"{a} \odot {b}" if _has_elements(left) and _has_elements(right) else rf"{a} \, {b}"
        case ast.Div():
            return rf"\frac{{{_expression(left)}}}{{{_expression(right)}}}" if both_scalar else rf"{a} \oslash {b}"
        case ast.MatMult():
            return f"{a} {b}"
        case _:
            raise _unknown(operator)


def _operand(node: ast.expr) -> str:
    """An operand, in parentheses when it is an operation itself."""
    text = _expression(node)
    return rf"\left({text}\right)" if isinstance(node, ast.BinOp | ast.UnaryOp) else text


def _call(name: str, arguments: Sequence[ast.expr], keywords: dict[str, int]) -> str:
    if name in ("uniform", "gaussian"):
        return _draw(name, arguments)
    if name == "int" and len(arguments) == 1:
        return rf"\lfloor {_expression(arguments[0])} \rfloor"
    if name == "heaviside":
        sign = r"\ge" if ast.literal_eval(arguments[1]) else ">"
        return rf"\left[{_expression(arguments[0])} {sign} 0\right]"
    texts = [_expression(argument) for argument in arguments if not isinstance(argument, ast.Tuple)]
    if name == "dot":
        transposed = "" if ast.unparse(arguments[0]).startswith("m") else r"^{\top}"
        return f"{texts[0]}{transposed} {texts[1]}"
    if name == "broadcast":
        return {None: rf"{texts[0]} \, {_ONE}", 0: rf"{texts[0]} {_ONE}^{{\top}}", 1: rf"{_ONE} {texts[0]}^{{\top}}"}[
            keywords.get("axis")
        ]
    if name in _FUNCTIONS:
        return _FUNCTIONS[name](*texts) + _AXES[keywords.get("axis")]
    command = _COMMANDS.get(name) or rf"\operatorname{{{name}}}".replace("_", r"\_")
    return rf"{command}{_AXES[keywords.get('axis')]}\left({', '.join(texts)}\right)"


_FUNCTIONS: dict[str, Callable[..., str]] = {
    "abs": lambda a: rf"\left\lvert {a} \right\rvert",
    "norm": lambda a: rf"\left\lVert {a} \right\rVert",
    "outer": lambda a, b: rf"{a} {b}^{{\top}}",
    "matmul": lambda a, b: f"{a} {b}",
    "transpose": lambda a: rf"{a}^{{\top}}",
}
_AXES = {None: "", 0: r"_{\text{columns}}", 1: r"_{\text{rows}}"}
_COMMANDS = {name: rf"\{name}" for name in ("sin", "cos", "tan", "arcsin", "arccos", "arctan", "exp", "log")}
_COMMANDS |= {"minimum": r"\min", "maximum": r"\max"}


def _is_draw(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) in ("uniform", "gaussian")


def _draw(name: str, arguments: Sequence[ast.expr]) -> str:
    first, second = (_expression(argument) for argument in arguments[:2])
    sizes = arguments[2].elts if len(arguments) > 2 and isinstance(arguments[2], ast.Tuple) else []
    size = ("", "^{F}", r"^{F \times F}")[len(sizes)]
    if name == "uniform":
        return rf"\mathcal{{U}}({first}, {second}){size}"
    square = rf"({second})^{{2}}" if re.search(r"[^\d.]", second) else f"{second}^{{2}}"
    return rf"\mathcal{{N}}({first}, {square}){size}"


def _has_elements(node: ast.expr) -> bool:
    """Whether an expression has a vector or a matrix in it."""
    return any(isinstance(part, ast.Name) and part.id[0] in "vm" for part in ast.walk(node))


def _name(name: str) -> str:
    match = re.fullmatch(r"([svm])(\d+)", name)
    return f"{_LETTERS[match[1]]}_{{{match[2]}}}" if match else name


def _number(value: float) -> str:
    mantissa, _, exponent = repr(value).partition("e")
    return rf"{mantissa} \times 10^{{{int(exponent)}}}" if exponent else mantissa


def _unknown(node: ast.AST) -> ValueError:
    return ValueError(f"{type(node).__name__} has no form in LaTeX")
