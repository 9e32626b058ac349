"""Small rooms: files of at most 300 lines, functions of at most 40, unless the docstring says why."""

import ast
from collections.abc import Iterator

import pytest

from tests.architecture.source import REPOSITORY, modules

FILE_LINES = 300
FUNCTION_LINES = 40
REASON = "lines because"


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of the body; a signature is a table and a docstring explains, so neither costs anything."""
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def test_no_file_is_too_long() -> None:
    lengths = {path: len((REPOSITORY / path).read_text().splitlines()) for path in modules()}
    found = {p: n for p, n in lengths.items() if n > FILE_LINES and REASON not in (ast.get_docstring(modules()[p]) or "")}
    assert found == {}


def test_no_function_is_too_long() -> None:
    found = {
        f"{path}:{node.lineno} {node.name}": length(node)
        for path, tree in modules().items()
        for node in functions(tree)
        if length(node) > FUNCTION_LINES and REASON not in (ast.get_docstring(node) or "")
    }
    assert found == {}


def test_every_module_says_what_it_decides() -> None:
    assert [path for path, tree in modules().items() if tree.body and not ast.get_docstring(tree)] == []


@pytest.mark.parametrize("word", ["utils", "helpers", "common", "misc", "manager"])
def test_no_module_has_a_name_that_says_nothing(word: str) -> None:
    assert [path for path in modules() if path.endswith((f"/{word}.py", f"/{word}/__init__.py"))] == []
