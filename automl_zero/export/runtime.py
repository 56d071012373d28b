"""Copies functions out of the modules that exported code is made of, which are read as text and not imported."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path


class Runtime:
    """The top-level definitions of a module beside this one.

    Args:
        name: name of its file.
    """

    def __init__(self, name: str) -> None:
        self._text = (Path(__file__).with_name(name)).read_text(encoding="utf-8")
        self._definitions: dict[str, ast.stmt] = {}
        for node in ast.parse(self._text).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                self._definitions[node.name] = node
            elif isinstance(node, ast.Assign):
                for target in ast.walk(node.targets[0]):
                    if isinstance(target, ast.Name):
                        self._definitions[target.id] = node

    @property
    def names(self) -> frozenset[str]:
        """Names of all that is defined."""
        return frozenset(self._definitions)

    def source(self, names: Iterable[str]) -> str:
        """Text of the named definitions and of those that they use, in the order of the module."""
        wanted: set[str] = set()
        new = set(names) & self.names
        while new:
            wanted |= new
            new = {used for name in new for used in _names(self._definitions[name])} & self.names - wanted
        nodes = {id(node): node for name, node in self._definitions.items() if name in wanted}
        text = ""
        previous: ast.stmt | None = None
        for node in nodes.values():
            close = isinstance(previous, ast.Assign) and isinstance(node, ast.Assign)
            text += ("" if previous is None else "\n" if close else "\n\n\n") + self._source_of(node)
            previous = node
        return text

    def _source_of(self, node: ast.stmt) -> str:
        decorators = getattr(node, "decorator_list", [])
        first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
        assert node.end_lineno is not None
        return "\n".join(self._text.splitlines()[first - 1 : node.end_lineno])


def names_in(source: str) -> set[str]:
    """Names that a piece of source uses or defines."""
    return _names(ast.parse(source))


def _names(node: ast.AST) -> set[str]:
    return {name.id for name in ast.walk(node) if isinstance(name, ast.Name)}
