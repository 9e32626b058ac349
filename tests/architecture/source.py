"""Decides how the rules read the source: files of the product, their imports and functions, by syntax tree."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
PACKAGES = ("orchestrator", "accounts", "vault", "dags_app", "runs", "executionapi")


@cache
def modules() -> dict[str, ast.Module]:
    """Syntax trees of all product modules by path relative to the repository; migrations are generated and left out."""
    paths = [path for package in PACKAGES for path in (REPOSITORY / package).rglob("*.py") if "migrations" not in path.parts]
    return {str(path.relative_to(REPOSITORY)): ast.parse(path.read_text(encoding="utf-8")) for path in sorted(paths)}


def module_name(path: str) -> str:
    """``runs/scheduler/service.py`` → ``runs.scheduler.service``."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def imports(path: str, tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Every imported module with its line, wherever in the file; relative imports are made absolute."""
    package = module_name(path) if path.endswith("__init__.py") else module_name(path).rpartition(".")[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield module, node.lineno
            yield from ((f"{module}.{alias.name}", node.lineno) for alias in node.names)


def is_type_only(tree: ast.Module, line: int) -> bool:
    """True for a line inside ``if TYPE_CHECKING:``."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.If)
            and ast.unparse(node.test).endswith("TYPE_CHECKING")
            and node.lineno < line <= (node.end_lineno or 0)
        ):
            return True
    return False


def imports_below(folders: tuple[str, ...], forbidden: tuple[str, ...], allowed: tuple[str, ...] = ()) -> list[str]:
    """``path:line imports module`` for every import of ``forbidden`` in files below ``folders``, type checking apart."""
    return [
        f"{path}:{line} imports {name}"
        for path, tree in modules().items()
        if path.startswith(folders) and not path.startswith(allowed or ("\0",))
        for name, line in imports(path, tree)
        if any(name == root or name.startswith(f"{root}.") for root in forbidden) and not is_type_only(tree, line)
    ]
