"""What must hold for the repository as a whole."""

import re
import subprocess

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

from orchestrator.security_headers import CONTENT_SECURITY_POLICY
from tests.architecture.source import REPOSITORY

# Written in parts, so that this file does not contain what it looks for.
FOREIGN_WORDS = ("/wo" + "rk/", "sub" + "agent", "/root/" + "scratch")


def tracked_files() -> list[str]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("This is not a git checkout.")
    return [name for name in listed.stdout.split("\0") if name and (REPOSITORY / name).is_file()]


# A new database takes the squashed migrations, a database that has some of those they replace takes the rest of them.
@pytest.mark.parametrize("is_squashed", [True, False], ids=["squashed", "replaced"])
def test_every_change_of_a_model_has_its_migration(is_squashed: bool) -> None:
    loader = MigrationLoader(None, replace_migrations=is_squashed)
    changes = MigrationAutodetector(loader.project_state(), ProjectState.from_apps(apps)).changes(graph=loader.graph)
    assert {label: [str(migration) for migration in found] for label, found in changes.items()} == {}


def test_django_finds_nothing_to_complain_about() -> None:
    call_command("check", fail_level="WARNING")


@pytest.mark.parametrize("word", FOREIGN_WORDS)
def test_no_file_names_a_place_of_one_machine(word: str) -> None:
    found = [name for name in tracked_files() if word in (REPOSITORY / name).read_text(encoding="utf-8", errors="ignore")]
    assert found == []


def test_no_secret_or_database_is_tracked() -> None:
    names = ("airflow.cfg", "airflow.db", ".env", "simple_auth_manager_passwords.json.generated")
    assert [name for name in tracked_files() if name.rpartition("/")[2] in names] == []


def test_no_page_needs_an_unsafe_policy() -> None:
    inline = re.compile(r"""<script>|<script [^>]*>[^<]|<style|\sstyle=|\son[a-z]+=["']""")
    templates = (REPOSITORY / "templates").rglob("*.html")
    assert [path.name for path in templates if inline.search(path.read_text())] == []


def test_templates_make_addresses_of_the_escaped_path() -> None:
    """The path of a request has lost its escapes: ``page_path`` has them."""
    bare = re.compile(r"\{\{ *request\.path(?:_info)? *[|}]|=request\.path(?:_info)?\b")
    templates = (REPOSITORY / "templates").rglob("*.html")
    assert [path.name for path in templates if bare.search(path.read_text())] == []
    assert "unsafe" not in CONTENT_SECURITY_POLICY
