"""Decides what must be true before the parts start: a schema, a user who can sign in, a folder for DAG files."""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from django.apps import apps
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from orchestrator.config import conf
from orchestrator.database import is_sqlite
from orchestrator.sdk.bundles.configured import configured_bundles
from orchestrator.standalone.part import describe_exit
from orchestrator.standalone.users import ensure_users, passwords_file
from vault.startup import check_keys


@contextlib.contextmanager
def done_in_child(work: Callable[[], object], what: str) -> Iterator[None]:
    """Run ``work`` in a forked process beside the body, so that its memory and connections do not stay with the parent.

    Raises CommandError after the body where it failed; its own output says why.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        _work_and_exit(work)
    yield
    _, status = os.waitpid(pid, 0)
    if status:
        raise CommandError(f"{what} {describe_exit(status)}; nothing was started.")


def _work_and_exit(work: Callable[[], object]) -> None:
    code = 1
    try:
        work()
        code = 0
    except CommandError as error:
        sys.stderr.write(f"Error: {error}\n")
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def prepare() -> None:
    """Apply migrations that are missing and make sure that the users of the configuration exist, and the usual DAGs folder."""
    create_private_file()
    create_dags_folder()
    if not is_migrated():
        call_command("migrate", interactive=False, verbosity=1)
    check_keys()
    for name, password in ensure_users().items():
        sys.stdout.write(f"Login with username: {name} password: {password} (also in {passwords_file()})\n")


def create_private_file() -> None:
    """Make SQLite's file readable by its owner only; it holds password hashes and encrypted secrets."""
    if not is_sqlite():
        return
    path = Path(connection.settings_dict["NAME"])
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def create_dags_folder() -> None:
    """Make ``dags`` of the home, where the configuration reads it and it is not there: people put their first file into it.

    A folder elsewhere is somebody's own; that it is missing may be a mistake, which the DAG processor tells.
    """
    usual = conf.home / "dags"
    if any(bundle.git is None and bundle.path == usual for bundle in configured_bundles()):
        with contextlib.suppress(OSError):  # of this too the DAG processor tells
            usual.mkdir(parents=True, exist_ok=True)


def is_migrated() -> bool:
    """True where every migration file is recorded as applied; cheaper than Django's own plan, which imports them all."""
    on_disk = {(config.label, name) for config in apps.get_app_configs() for name in migration_names(Path(config.path))}
    if "django_migrations" not in connection.introspection.table_names():
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT app, name FROM django_migrations")
        return on_disk <= set(cursor.fetchall())


def migration_names(folder: Path) -> list[str]:
    """Names of the migrations of an app in ``folder``."""
    return [path.stem for path in (folder / "migrations").glob("[0-9]*.py")]
