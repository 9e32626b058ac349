"""Decides whether DAGs appear, move and vanish with their files, and only then (C06, I9)."""

from __future__ import annotations

import os
import shutil
from datetime import timedelta

import pytest
from django.db.utils import DataError, OperationalError

from dags_app.models import Bundle, Dag, ParsedFile, ParseImportError
from dags_app.processor import processor as processor_module
from tests.integration.dags_app.conftest import Folder


def parsed_count(folder: Folder) -> int:
    """How many files one more look parses."""
    before = folder.processor.parsed_files
    folder.parse()
    return folder.processor.parsed_files - before


def test_unchanged_files_are_not_parsed_again_not_even_after_a_restart_or_a_touch_c06_a(folder: Folder):
    path = folder.dag("d.py", "d")
    assert parsed_count(folder) == 1
    assert parsed_count(folder) == 0
    os.utime(path, (1, 1))
    assert parsed_count(folder) == 0
    folder.restart()
    assert parsed_count(folder) == 0


def test_a_changed_file_that_a_dag_file_imports_or_reads_has_it_parsed_again_c06_a(folder: Folder):
    folder.write("lib/helper.py", "TEXT = 'one'\n", head="")
    folder.write("lib/conf.yaml", "x", head="")
    folder.write(".airflowignore", "lib/\n", head="")
    folder.write(
        "d.py",
        "from lib.helper import TEXT\nfrom pathlib import Path\n"
        "d = DAG('d', description=TEXT + (Path(__file__).parent / 'lib/conf.yaml').read_text())\n",
    )
    folder.parse()
    assert Dag.objects.get(pk="d").description == "onex"
    folder.write("lib/helper.py", "TEXT = 'two'\n", head="")
    folder.parse()
    assert Dag.objects.get(pk="d").description == "twox"
    folder.write("lib/conf.yaml", "y", head="")
    folder.parse()
    assert Dag.objects.get(pk="d").description == "twoy"
    assert parsed_count(folder) == 0


def test_a_second_save_within_the_same_second_and_of_the_same_size_is_seen_c06_a(folder: Folder):
    for text in ("one", "two"):
        folder.dag("d.py", "d", f"description='{text}'")
        folder.parse()
        assert Dag.objects.get(pk="d").description == text


def test_a_file_must_be_gone_in_two_looks_thirty_seconds_apart_c06_b(folder: Folder, noon):
    folder.settings.stale_after_seconds = 30
    folder.dag("d.py", "d")
    folder.dag("e.py", "e")
    folder.parse()
    (folder.path / "d.py").unlink()
    folder.processor.look(noon)
    folder.processor.look(noon + timedelta(seconds=29))
    assert folder.state("d")[1] is False
    folder.processor.look(noon + timedelta(seconds=30))
    assert (folder.state("d")[1], folder.state("e")[1]) == (True, False)
    assert not ParsedFile.objects.filter(relative_fileloc="d.py").exists()


def test_a_file_that_comes_back_in_time_starts_the_count_anew_c06_b(folder: Folder, noon):
    folder.settings.stale_after_seconds = 30
    folder.dag("d.py", "d")
    folder.dag("e.py", "e")
    folder.parse()
    hidden = folder.path / "d.py"
    hidden.rename(folder.path / "d.txt")
    folder.processor.look(noon)
    (folder.path / "d.txt").rename(hidden)
    folder.processor.look(noon + timedelta(seconds=20))
    hidden.unlink()
    folder.processor.look(noon + timedelta(seconds=40))
    assert folder.state("d")[1] is False


@pytest.mark.parametrize("loss", ["empty", "missing", "a file in its place"])
def test_a_folder_that_is_away_for_an_hour_loses_no_dag_and_is_shown_c06_b_i9(folder: Folder, noon, loss):
    folder.dag("d.py", "d")
    folder.parse()
    shutil.move(folder.path, folder.path.with_name("away"))
    if loss == "empty":
        folder.path.mkdir()
    elif loss == "a file in its place":
        folder.path.write_text("")
    for minutes in range(0, 61, 10):
        folder.processor.look(noon + timedelta(minutes=minutes))
        if minutes == 30:
            folder.restart()
    bundle = Bundle.objects.get()
    assert (bundle.unreadable_since, bool(bundle.unreadable_reason)) == (noon, True)
    assert folder.state("d") == ("d.py", False, 1)
    if folder.path.is_dir():
        folder.path.rmdir()
    folder.path.unlink(missing_ok=True)
    shutil.move(folder.path.with_name("away"), folder.path)
    folder.parse()
    bundle.refresh_from_db()
    assert (bundle.unreadable_since, bundle.unreadable_reason) == (None, "")
    assert folder.state("d") == ("d.py", False, 1)


def test_an_empty_folder_that_never_had_a_dag_is_no_trouble(folder: Folder):
    folder.parse()
    assert Bundle.objects.get().unreadable_since is None


def test_a_dag_that_its_file_no_longer_defines_is_stale_at_once_and_back_at_once(folder: Folder):
    folder.write("two.py", "a = DAG('a')\nb = DAG('b')\n")
    folder.parse()
    folder.write("two.py", "a = DAG('a')\n")
    folder.parse()
    assert (folder.state("a")[1], folder.state("b")[1]) == (False, True)
    folder.write("two.py", "a = DAG('a')\nb = DAG('b')\n")
    folder.parse()
    assert folder.state("b") == ("two.py", False, 1)


def test_a_broken_file_keeps_its_last_good_version_and_clears_its_error_when_mended_c06_c_i9(folder: Folder):
    folder.dag("d.py", "d")
    folder.parse()
    folder.write("d.py", "raise RuntimeError('oops')\n")
    folder.parse()
    dag = Dag.objects.get(pk="d")
    assert (dag.is_stale, dag.has_import_errors, dag.latest_version.version_number) == (False, True, 1)
    assert "oops" in folder.error("d.py")
    folder.dag("d.py", "d")
    folder.parse()
    assert not ParseImportError.objects.exists()
    assert Dag.objects.get(pk="d").has_import_errors is False


def test_the_file_that_registered_a_dag_id_first_keeps_it_and_the_second_is_told_both_paths_c06_d(folder: Folder):
    folder.dag("z.py", "d", "description='first'")
    folder.parse()
    folder.dag("a.py", "d", "description='second'")
    for _ in range(2):
        folder.parse()
        error = folder.error("a.py")
        assert str(folder.path / "a.py") in error
        assert str(folder.path / "z.py") in error
        assert (folder.state("d")[0], Dag.objects.get(pk="d").description, folder.error("z.py")) == ("z.py", "first", "")
        folder.restart()


def test_of_two_new_files_with_one_dag_id_the_first_by_name_gets_it_c06_d(folder: Folder):
    folder.write("a.py", "import time\ntime.sleep(0.3)\nd = DAG('d')\n")
    folder.dag("b.py", "d")
    folder.parse()
    folder.parse()
    assert folder.state("d")[0] == "a.py"
    assert folder.error("a.py") == ""
    assert "is already defined in" in folder.error("b.py")


def test_a_renamed_file_takes_its_dag_along_c06_d(folder: Folder):
    folder.dag("old.py", "d")
    folder.parse()
    (folder.path / "old.py").rename(folder.path / "new.py")
    folder.parse()
    assert folder.state("d") == ("new.py", False, 1)
    assert not ParseImportError.objects.exists()


def test_the_refused_file_gets_the_dag_when_the_owner_lets_it_go_c06_d(folder: Folder):
    folder.dag("a.py", "d")
    folder.parse()
    folder.dag("b.py", "d")
    folder.parse()
    folder.dag("a.py", "other")
    folder.parse()
    folder.parse()
    assert folder.state("d") == ("b.py", False, 1)
    assert not ParseImportError.objects.exists()


def test_files_without_the_words_are_not_imported_in_safe_mode(folder: Folder):
    folder.write("plain.py", "raise RuntimeError('imported')\n", head="")
    folder.parse()
    assert folder.error("plain.py") == ""
    folder.settings.safe_mode = False
    folder.write("plain.py", "raise RuntimeError('imported again')\n", head="")
    folder.parse()
    assert "imported again" in folder.error("plain.py")


def test_dags_in_a_zip_file_are_found(folder: Folder, tmp_path):
    inside = tmp_path / "zip"
    inside.mkdir()
    (inside / "zipped.py").write_text("from airflow.sdk import DAG\nimport beside\nd = DAG(beside.NAME)\n")
    (inside / "beside.py").write_text("NAME = 'from_zip'\n")
    shutil.make_archive(str(folder.path / "packed"), "zip", inside)
    folder.parse()
    assert folder.state("from_zip")[0] == "packed.zip"


def test_a_file_that_cannot_be_stored_is_tried_again_and_the_others_are_stored_i4(folder: Folder, monkeypatch):
    store, failures = processor_module.store_parsed, iter([True])

    def flaky(parsed):
        if parsed.relative == "a.py" and next(failures, False):
            raise OperationalError("database is locked")
        return store(parsed)

    monkeypatch.setattr(processor_module, "store_parsed", flaky)
    folder.dag("a.py", "a")
    folder.dag("b.py", "b")
    folder.parse()
    assert list(Dag.objects.values_list("dag_id", flat=True)) == ["b"]
    folder.processor.failures.clear()
    folder.parse()
    assert Dag.objects.filter(dag_id="a").exists()


def test_a_file_with_an_import_error_is_tried_again_after_a_while(folder: Folder, tmp_path):
    marker = tmp_path / "marker"
    folder.write("d.py", f"import os\nassert os.path.exists({str(marker)!r})\nd = DAG('d')\n")
    folder.parse()
    marker.touch()
    assert parsed_count(folder) == 0
    later = folder.file("d.py").last_parsed_at + timedelta(seconds=31)
    assert folder.processor.look(later) == 1


def test_dags_that_the_database_refuses_are_an_import_error_and_the_others_are_stored_i4(folder: Folder, monkeypatch):
    store = processor_module.store_parsed

    def refusing(parsed):
        if parsed.relative == "a.py" and parsed.response.dags:
            raise DataError("value too long")
        return store(parsed)

    monkeypatch.setattr(processor_module, "store_parsed", refusing)
    folder.dag("a.py", "a")
    folder.dag("b.py", "b")
    folder.parse()
    assert "could not be stored: DataError: value too long" in folder.error("a.py")
    assert Dag.objects.filter(dag_id="b").exists()
