#!/usr/bin/env python
"""Decides how commands start: settings first, and configuration errors as sentences instead of tracebacks."""

import os
import sys


def main() -> int:
    """Run the command of the command line; 1 where the configuration cannot be used."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orchestrator.settings")
    if sys.argv[1:] in (["version"], ["--version"]):
        # Answered without Django, so that scripts which only ask for the version do not wait for it.
        from orchestrator.version import VERSION

        print(VERSION)  # noqa: T201
        return 0
    from orchestrator.config import ConfigurationError

    try:
        if sys.argv[1:2] in (["migrate"], ["standalone"]):
            # Before the settings are read: they need the keys that this writes.
            from orchestrator.config.cfg_file import prepare_home

            prepare_home()
        from django.core.management import execute_from_command_line

        execute_from_command_line(sys.argv)
    except ConfigurationError as error:
        print(f"The configuration cannot be used:\n{error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
