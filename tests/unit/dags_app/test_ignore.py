"""Decides whether .airflowignore leaves out what Airflow leaves out."""

from __future__ import annotations

from pathlib import Path

import pytest

from dags_app.processor.scan import BundleUnreadableError, scan

FILES = [
    "a.py",
    "b.py",
    "sub/a.py",
    "sub/keep.py",
    "sub/deep/a.py",
    "sub/deep/notes.txt",
    "tests/test_a.py",
    "z.zip",
    "__pycache__/c.py",
]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in FILES:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


def found(root: Path, text: str = "", syntax: str = "glob") -> set[str]:
    (root / ".airflowignore").write_text(text)
    return set(scan(root, syntax).files)


ALL = {"a.py", "b.py", "sub/a.py", "sub/keep.py", "sub/deep/a.py", "tests/test_a.py", "z.zip"}


@pytest.mark.parametrize(
    ("text", "left_out"),
    [
        ("", set()),
        ("# a comment\n\n  # another\n", set()),
        ("a.py", {"a.py", "sub/a.py", "sub/deep/a.py"}),
        ("/a.py", {"a.py"}),
        ("sub/a.py", {"sub/a.py"}),
        ("sub/", {"sub/a.py", "sub/keep.py", "sub/deep/a.py"}),
        ("deep", {"sub/deep/a.py"}),
        ("a.py/", set()),
        ("*.zip  # archives", {"z.zip"}),
        ("sub/*.py", {"sub/a.py", "sub/keep.py"}),
        ("sub/**/a.py", {"sub/a.py", "sub/deep/a.py"}),
        ("**/deep/*", {"sub/deep/a.py"}),
        ("?.py", {"a.py", "b.py", "sub/a.py", "sub/deep/a.py"}),
        ("[!a].py", {"b.py"}),
        ("[ab].py\n!b.py", {"a.py", "sub/a.py", "sub/deep/a.py"}),
        ("test_*", {"tests/test_a.py"}),
        ("*.py\n!keep.py", ALL - {"sub/keep.py", "z.zip"}),
    ],
)
def test_globs_work_as_in_gitignore(root, text, left_out):
    assert found(root, text) == ALL - left_out


def test_a_file_below_can_take_back_what_one_above_left_out(root):
    (root / "sub" / ".airflowignore").write_text("!a.py\n")
    assert found(root, "a.py") == ALL - {"a.py"}


@pytest.mark.parametrize(
    ("text", "left_out"),
    [("sub", {"sub/a.py", "sub/keep.py", "sub/deep/a.py"}), (r"^a\.py$", {"a.py"}), ("tests/test_.*", {"tests/test_a.py"})],
)
def test_regular_expressions_are_searched_in_the_path_below_the_file(root, text, left_out):
    assert found(root, text, "regexp") == ALL - left_out


def test_a_line_that_is_no_pattern_is_named_and_the_others_count(root):
    (root / ".airflowignore").write_text("((\n^b\\.py$\n")
    result = scan(root, "regexp")
    assert set(result.files) == ALL - {"b.py"}
    assert "'(('" in result.complaints[0]


def test_links_are_followed_and_circles_end(root):
    (root / "sub" / "up").symlink_to(root)
    (root / "linked").symlink_to(root / "tests")
    assert {"linked/test_a.py", "a.py"} <= found(root)


def test_a_dangling_link_is_passed_over(root):
    (root / "gone.py").symlink_to(root / "nowhere.py")
    assert found(root) == ALL


def test_an_empty_or_missing_folder_is_unreadable_c06_b(tmp_path):
    with pytest.raises(BundleUnreadableError, match="is empty"):
        scan(tmp_path)
    with pytest.raises(BundleUnreadableError, match="No such file"):
        scan(tmp_path / "missing")
