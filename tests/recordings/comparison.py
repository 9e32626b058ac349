"""Decides how one category of the recorded scenarios is run against a server, and how its result is read."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass, field

from tests.oracle import oracle_dir
from tests.recordings.known_differences import KNOWN, Known

SUMMARY = re.compile(r"^SUMMARY (\w+): (\d+) match, (\d+) differ of (\d+)$", re.MULTILINE)
LONGEST_SECONDS = 900


@dataclass
class Comparison:
    """What ``compare.py`` said of one category."""

    category: str
    match: int
    differ: int
    lines: list[str] = field(default_factory=list)

    @property
    def unexplained(self) -> list[str]:
        """The differences that no entry of the known ones explains."""
        return [line for line in self.lines if not any(known.explains(self.category, line) for known in KNOWN)]

    @property
    def outdated(self) -> list[Known]:
        """The known differences that did not show."""
        mine = [known for known in KNOWN if known.category == self.category and not known.sometimes]
        return [known for known in mine if not any(known.explains(self.category, line) for line in self.lines)]

    def report(self) -> str:
        """Return the summary line, then each reason with its number of differences, then what is unexplained."""
        text = [f"{self.category}: {self.match} match, {self.differ} differ"]
        for known in KNOWN:
            if count := sum(known.explains(self.category, line) for line in self.lines):
                text.append(f"    {count} explained: {known.reason}")
        return "\n".join([*text, *(f"    {line}" for line in self.unexplained)])


def compare(base: str, category: str) -> Comparison:
    """Run a category against the server at ``base``. Raises ``RuntimeError`` with the output where it could not be run."""
    command = [sys.executable, "compare.py", "--base", base, "--only", category, "--max-lines", "100000"]
    done = subprocess.run(command, cwd=oracle_dir(), capture_output=True, text=True, timeout=LONGEST_SECONDS, check=False)
    found = SUMMARY.search(done.stdout)
    if found is None:
        raise RuntimeError(f"compare.py --only {category} gave no result:\n{done.stdout[-1000:]}\n{done.stderr[-3000:]}")
    prefix = f"DIFF {category} "
    lines = [line.removeprefix(prefix) for line in done.stdout.splitlines() if line.startswith(prefix)]
    return Comparison(category, int(found[2]), int(found[3]), lines)
