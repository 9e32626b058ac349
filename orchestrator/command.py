"""Decides how commands start: settings first, and configuration errors as sentences instead of tracebacks."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

# Run before the settings are read: they need the keys that preparing the home writes.
_PREPARING = (["migrate"], ["standalone"], ["db", "migrate"])


def main(words: Sequence[str] | None = None) -> int:
    """Run a command of the command line; 1 where the configuration cannot be used. ``api-server`` is ``api_server``."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orchestrator.settings")
    given = django_words(list(sys.argv[1:] if words is None else words))
    if given in (["version"], ["--version"]):
        # Answered without Django, so that scripts which only ask for the version do not wait for it.
        from orchestrator.version import VERSION

        print(VERSION)  # noqa: T201
        return 0
    from orchestrator.config import ConfigurationError

    try:
        if given[:1] in _PREPARING or given[:2] in _PREPARING:
            from orchestrator.config.cfg_file import prepare_home

            prepare_home()
        _run(given)
    except ConfigurationError as error:
        print(f"The configuration cannot be used:\n{error}", file=sys.stderr)  # noqa: T201
        return 1
    except BrokenPipeError:
        # Whoever read has enough, as in `af dags list | head`; nothing may be written at the end of the process either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


def _run(given: list[str]) -> None:
    if given in ([], ["-h"], ["--help"]):
        import django

        django.setup()
        from orchestrator.management.tree import overview

        print(overview())  # noqa: T201
        return
    from django.core.management import execute_from_command_line

    name = os.path.basename(sys.argv[0])
    execute_from_command_line(["af" if name in ("command.py", "af") else sys.argv[0], *given])


def django_words(words: Sequence[str]) -> list[str]:
    """Return the words with the command's own name as Django knows it."""
    return [words[0].replace("-", "_"), *words[1:]] if words and not words[0].startswith("-") else list(words)


if __name__ == "__main__":
    sys.exit(main())
