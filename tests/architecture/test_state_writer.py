"""Only runs/transitions.py writes the state of runs and task instances (I1)."""

import ast
from collections.abc import Iterator

from tests.architecture.source import modules

WRITER = "runs/transitions.py"
# Keeps states in memory and is pure (see test_imports.py), so it cannot write a row.
MIRROR = "runs/run_ledger.py"
# The states of deliveries, deadlines and bulk actions are others.
DELIVERIES = (
    "runs/callbacks/services.py",
    "runs/listeners/deliver.py",
    "runs/deadlines/misses.py",
    "runs/deadlines/services.py",
    "runs/bulk/services.py",
)
# Django's ways to write columns by keyword.
WRITING_CALLS = {"update", "update_or_create", "get_or_create", "bulk_update"}


def written_states(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Lines that assign an attribute ``state`` of something else than ``self``, or write the column ``state``."""
    for node in ast.walk(tree):
        targets = (
            node.targets
            if isinstance(node, ast.Assign)
            else [node.target]
            if isinstance(node, ast.AugAssign | ast.AnnAssign)
            else []
        )
        for target in targets:
            if isinstance(target, ast.Attribute) and target.attr == "state" and ast.unparse(target.value) != "self":
                yield target.lineno, ast.unparse(target)
        if isinstance(node, ast.Call) and _writes_state(node):
            yield node.lineno, ast.unparse(node)[:80]


def _writes_state(call: ast.Call) -> bool:
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in WRITING_CALLS:
        return False
    if any(keyword.arg == "state" for keyword in call.keywords):
        return True
    # bulk_update(rows, ["state"]) names its columns as texts.
    lists = [*call.args[1:], *(keyword.value for keyword in call.keywords)] if call.func.attr == "bulk_update" else []
    return any(isinstance(item, ast.Constant) and item.value == "state" for part in lists for item in ast.walk(part))


def test_only_the_transitions_write_a_state() -> None:
    found = [
        f"{path}:{line} {text}"
        for path, tree in modules().items()
        if path.startswith(("runs", "dags_app", "executionapi", "orchestrator/rest"))
        and path not in (WRITER, MIRROR, *DELIVERIES)
        for line, text in written_states(tree)
    ]
    assert found == []


def test_the_rule_sees_each_way_to_write_a_state() -> None:
    source = "ti.state = 1\nq.filter().update(state=2)\nq.bulk_update(rows, ['state'])\nself.state = 3\nq.filter(state=4)\n"
    assert [line for line, _ in written_states(ast.parse(source))] == [1, 2, 3]
