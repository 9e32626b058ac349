"""Decides the command ``cheat-sheet``: every command on one page."""

from typing import Any

from orchestrator.management.command import AirflowCommand


class Command(AirflowCommand):
    """All commands and actions with what they are for."""

    help = "All commands on one page."

    def handle(self, *args: Any, **options: Any) -> None:
        """Write one line per command."""
        from orchestrator.management.tree import entries

        rows = [(" ".join(entry.words), entry.help) for entry in entries()]
        width = max(len(words) for words, _ in rows)
        for words, text in rows:
            self.stdout.write(f"af {words:<{width}}  {text}".rstrip())
