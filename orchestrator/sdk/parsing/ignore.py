"""Decides which files an ``.airflowignore`` leaves out, in the glob syntax (that of .gitignore) or as regular expressions."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

FILE_NAME = ".airflowignore"
_COMMENT = re.compile(r"\s*#.*")


@dataclass(frozen=True, slots=True)
class Rule:
    """One line: a pattern for paths below ``base``; ``negated`` takes back what an earlier line left out."""

    pattern: re.Pattern[str]
    base: str
    negated: bool = False
    folders_only: bool = False

    def matches(self, path: str, is_folder: bool) -> bool:
        """Tell whether the line speaks of this absolute path."""
        if self.folders_only and not is_folder:
            return False
        return self.pattern.search(os.path.relpath(path, self.base)) is not None


class IgnoreRules:
    """All lines that apply in a folder, outermost first; the last line that matches decides."""

    def __init__(self, syntax: str, rules: tuple[Rule, ...] = (), errors: tuple[str, ...] = ()) -> None:
        self._syntax, self._rules, self.errors = syntax, rules, errors

    def inside(self, folder: str, text: str) -> IgnoreRules:
        """Return the rules below a folder whose ignore file has this text; a line that is no pattern is named in ``errors``."""
        rules, errors = [*self._rules], [*self.errors]
        for line in (_COMMENT.sub("", line).strip() for line in text.splitlines()):
            if not line:
                continue
            try:
                rules.append(_glob_rule(line, folder) if self._syntax == "glob" else Rule(re.compile(line), folder))
            except re.error as error:
                errors.append(f"{os.path.join(folder, FILE_NAME)}: {line!r} is not a valid pattern: {error}")
        return IgnoreRules(self._syntax, tuple(rules), tuple(errors))

    def ignores(self, path: str, is_folder: bool) -> bool:
        """Tell whether an absolute path is left out."""
        ignored = False
        for rule in self._rules:
            if rule.negated == ignored and rule.matches(path, is_folder):
                ignored = not rule.negated
        return ignored


def _glob_rule(line: str, base: str) -> Rule:
    negated, folders_only = line.startswith("!"), line.endswith("/")
    pattern = line[negated:].rstrip("/")
    anchored = "/" in pattern
    body = _translate(pattern.lstrip("/"))
    prefix = "^" if anchored else r"^(?:.*/)?"
    return Rule(re.compile(f"{prefix}{body}$"), base, negated, folders_only)


def _translate(pattern: str) -> str:
    """Return the regular expression of a glob: ``*`` and ``?`` stay in one folder, ``**`` crosses folders."""
    out, index = [], 0
    while index < len(pattern):
        piece, length = _next_piece(pattern, index)
        out.append(piece)
        index += length
    return "".join(out)


def _next_piece(pattern: str, index: int) -> tuple[str, int]:
    rest = pattern[index:]
    if rest.startswith("**/"):
        return "(?:.*/)?", 3
    if rest.startswith("**"):
        return ".*", 2
    if rest[0] == "*":
        return "[^/]*", 1
    if rest[0] == "?":
        return "[^/]", 1
    if rest[0] == "\\" and len(rest) > 1:
        return re.escape(rest[1]), 2
    if rest[0] == "[" and (end := rest.find("]", 2)) > 0:
        inside = rest[1:end].replace("\\", "\\\\")
        return f"[{'^' + inside[1:] if inside[0] in '!^' else inside}]", end + 1
    return re.escape(rest[0]), 1
