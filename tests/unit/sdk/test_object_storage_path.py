"""Paths in object stores: what they are called, what lies where, and what the files behind them are; as in Airflow 3.3.2."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from orchestrator.sdk.definitions.object_stat import ObjectStat
from orchestrator.sdk.definitions.object_storage import ObjectStoragePath

S3 = ObjectStoragePath("s3://c@bucket/k/x.tar.gz")


@pytest.fixture(params=["file", "memory"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStoragePath:
    """A folder with a file and a folder with a file, on this machine and in a store."""
    base = ObjectStoragePath(f"file://{tmp_path}" if request.param == "file" else f"memory://{uuid.uuid4().hex}")
    (base / "b").mkdir(parents=True)
    (base / "f.txt").write_text("x")
    (base / "b/g.gz").write_text("y")
    return base


@pytest.mark.parametrize(
    ("path", "above", "rest"),
    [
        ("file:///a/b/c.txt", "file:///a", "b/c.txt"),
        ("/a/b", "file:///a", "b"),
        ("file:///a", "file:///a", "."),
        ("s3://c@bucket/k/x", "s3://c@bucket/k", "x"),
        ("s3://c@bucket/k/x", "s3://bucket", "k/x"),
    ],
)
def test_what_leads_from_a_folder_to_a_path_below_it_leads_there_again(path: str, above: str, rest: str) -> None:
    found = ObjectStoragePath(path).relative_to(above)
    assert (str(found), found.is_absolute(), ObjectStoragePath(path).is_relative_to(above)) == (rest, False, True)
    assert (ObjectStoragePath(above) / found)._path == ObjectStoragePath(path)._path


@pytest.mark.parametrize(
    ("path", "other"),
    [
        ("file:///a", "file:///a/b"),
        ("file:///ab", "file:///a"),
        ("s3://bucket/k", "s3://other/"),
        ("s3://bucket/k", "gs://bucket/"),
    ],
)
def test_a_path_that_is_not_below_another_has_no_way_from_it(path: str, other: str) -> None:
    assert not ObjectStoragePath(path).is_relative_to(other)
    with pytest.raises(ValueError, match="is not below"):
        ObjectStoragePath(path).relative_to(ObjectStoragePath(other))
    with pytest.raises(NotImplementedError):
        ObjectStoragePath(path).relative_to(other, walk_up=True)


def test_the_same_file_is_known_under_each_of_its_names(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "one")
    one, link = (ObjectStoragePath(f"file://{tmp_path}/{name}") for name in ("one", "link"))
    assert link.samefile(one) and one.samefile(one)
    assert (link.is_symlink(), one.is_symlink()) == (True, False)
    assert not one.samefile(ObjectStoragePath(f"file://{tmp_path}"))
    assert not one.samefile(str(one))
    assert not one.samefile(ObjectStoragePath(str(tmp_path / "one"), conn_id="other"))


def test_in_a_store_without_numbers_for_files_the_names_tell_which_is_which(folder: ObjectStoragePath) -> None:
    assert (folder / "f.txt").samefile(folder / "f.txt")
    assert not (folder / "f.txt").samefile(folder / "b/g.gz")
    with pytest.raises(FileNotFoundError):
        (folder / "f.txt").samefile(folder / "nothing")


def test_the_facts_of_a_file_have_the_names_of_the_system_and_of_the_store(folder: ObjectStoragePath) -> None:
    found = (folder / "f.txt").stat()
    assert (found.st_size, found["size"], found["protocol"], found["type"]) == (1, 1, folder.protocol, "file")
    assert found.st_mode & 0o170000 == 0o100000
    assert (folder / "b").stat().st_mode & 0o170000 == 0o040000


@pytest.mark.parametrize(
    "told", [{"mtime": 5.0}, {"mtime": datetime.fromtimestamp(5, UTC)}, {"LastModified": datetime.fromtimestamp(5, UTC)}]
)
def test_the_time_of_a_change_is_told_in_seconds_however_the_store_tells_it(told: dict[str, Any]) -> None:
    assert (ObjectStat(told).st_mtime, ObjectStat().st_mtime) == (5.0, 0.0)


def test_a_path_on_this_machine_stays_one_after_its_file_system_was_used(tmp_path: Path) -> None:
    path = ObjectStoragePath(f"file://{tmp_path}")
    assert path.fs is not None
    assert os.fspath(path) == str(tmp_path)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda: [str(path) for path in S3.parents], ["s3://c@bucket/k", "s3://c@bucket"]),
        (lambda: [str(path) for path in ObjectStoragePath("file:///a/b").parents], ["file:///a", "file:///"]),
        (lambda: (S3.parts, S3.anchor, S3.drive, S3.root, S3.sep), (("bucket/", "k", "x.tar.gz"), "bucket/", "bucket", "/", "/")),
        (lambda: repr(S3), "ObjectStoragePath('bucket/k/x.tar.gz', protocol='s3')"),
        (lambda: str(S3.with_stem("z")), "s3://c@bucket/k/z.gz"),
        (lambda: (S3.as_posix(), ObjectStoragePath("rel/x").as_posix()), ("s3://bucket/k/x.tar.gz", "rel/x")),
        (lambda: str(S3.joinuri("s3://o/x")), "s3://c@o/x"),
        (lambda: str(S3.with_segments("q", "w")), "s3://c@q/w"),
        (lambda: str(ObjectStoragePath("b/x", protocol="s3", conn_id="c")), "s3://c@b/x"),
        (lambda: str(ObjectStoragePath("s3://c@b/x?y=1#z")), "s3://c@b/x?y=1#z"),
        (lambda: str(ObjectStoragePath.from_uri("file:///x")), "file:///x"),
        (lambda: str("pre" / ObjectStoragePath("rel/x")), "pre/rel/x"),
        (lambda: str(ObjectStoragePath("s3://c@b/x/../y").resolve()), "s3://c@b/y"),
        (lambda: str(ObjectStoragePath("~/x").expanduser()), os.path.expanduser("~/x")),
        (lambda: str(ObjectStoragePath("rel").absolute()), os.path.abspath("rel")),
        (lambda: (str(ObjectStoragePath.cwd()), str(ObjectStoragePath.home())), (os.getcwd(), os.path.expanduser("~"))),
        (lambda: sorted([S3, S3.parent]) == [S3.parent, S3] and S3.parent <= S3, True),
    ],
)
def test_a_path_is_written_and_taken_apart_as_in_airflow(call: Callable[[], Any], expected: Any) -> None:
    assert call() == expected


def test_paths_of_different_stores_have_no_order_and_a_relative_path_has_no_uri() -> None:
    with pytest.raises(TypeError):
        assert ObjectStoragePath("gs://b/x") < S3
    with pytest.raises(ValueError, match="is relative"):
        ObjectStoragePath("rel/x").as_uri()


def test_folders_are_walked_with_the_names_in_them(folder: ObjectStoragePath) -> None:
    walked = [(path.name, folders, files) for path, folders, files in folder.walk()]
    assert walked[0][1:] == (["b"], ["f.txt"])
    assert walked[1:] == [("b", [], ["g.gz"])]
    assert next(path.name for path, _, _ in folder.walk(top_down=False)) == "b"


def test_a_folder_is_made_once_and_above_it_only_where_that_was_asked(folder: ObjectStoragePath) -> None:
    with pytest.raises(FileExistsError):
        (folder / "b").mkdir()
    (folder / "b").mkdir(exist_ok=True)
    if folder.protocol == "file":  # a store has no folders that could be missing
        with pytest.raises(FileNotFoundError):
            (folder / "new/deep").mkdir()
    (folder / "new/deep").mkdir(parents=True)
    assert (folder / "new/deep").is_dir()
    with pytest.raises(FileExistsError):
        (folder / "f.txt").mkdir(exist_ok=True)
    with pytest.raises(NotADirectoryError):
        (folder / "f.txt").rmdir()


def test_a_file_is_copied_and_moved_into_a_folder_under_its_own_name(folder: ObjectStoragePath) -> None:
    (folder / "f.txt").copy_into(folder / "b")
    (folder / "b/g.gz").move_into(str(folder))
    assert ((folder / "b/f.txt").read_text(), (folder / "g.gz").read_text()) == ("x", "y")
    assert not (folder / "b/g.gz").exists()
    with pytest.raises(NotADirectoryError):
        (folder / "g.gz").copy_into(folder / "f.txt")


def test_a_text_is_written_with_the_encoding_and_line_ends_that_are_named(folder: ObjectStoragePath) -> None:
    assert (folder / "t").write_text("ä\n", encoding="latin-1", newline="\r\n") == 2
    assert (folder / "t").read_bytes() == b"\xe4\r\n"
    assert (folder / "t").read_text(encoding="ascii", errors="ignore") == "\n"


def test_a_folder_is_moved_with_its_empty_folders(folder: ObjectStoragePath) -> None:
    (folder / "a" / "empty").mkdir(parents=True)
    (folder / "a" / "full" / "f").write_text("x")
    (folder / "a").move(folder / "c", recursive=True)
    assert (folder / "c" / "empty").is_dir()
    assert (folder / "c" / "full" / "f").read_text() == "x"
    assert not (folder / "a").exists()


def test_a_pattern_is_looked_for_below_a_relative_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "w" / "deep").mkdir(parents=True)
    for name in ("w/one.csv", "w/deep/two.csv"):
        (tmp_path / name).write_text("x")
    assert [str(path) for path in ObjectStoragePath("w").glob("*.csv")] == ["w/one.csv"]
    assert sorted(str(path) for path in ObjectStoragePath("w").rglob("*.csv")) == ["w/deep/two.csv", "w/one.csv"]


@pytest.mark.parametrize(("base", "joined"), [("s3://b/k", "s3://b/k/abs"), ("/k", "/abs"), ("file:///k", "file:///abs")])
def test_a_slash_before_a_part_never_leads_out_of_a_folder_of_a_store(base: str, joined: str) -> None:
    path = ObjectStoragePath(base)
    assert (str(path / "/abs"), str(path.joinpath("/abs"))) == (joined, joined)
