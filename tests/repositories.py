"""Decides how tests make a git repository of DAG files: a bare one on this machine, and commits in it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


class Remote:
    """A bare repository, written through a working copy of its own."""

    def __init__(self, folder: Path) -> None:
        self.bare, self.work = folder / "remote.git", folder / "work"
        _git(folder, "init", "--quiet", "--bare", "--initial-branch=main", str(self.bare))
        _git(folder, "clone", "--quiet", str(self.bare), str(self.work))
        _git(self.work, "checkout", "--quiet", "-B", "main")

    @property
    def url(self) -> str:
        return str(self.bare)

    def commit(self, message: str = "change", **files: str | None) -> str:
        """Write ``name=text`` as ``name.py`` (``a__b`` is ``a/b``; None deletes), commit and push; returns the commit."""
        for name, text in files.items():
            path = self.work / f"{name.replace('__', '/')}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            if text is None:
                path.unlink()
            else:
                path.write_text(text)
        _git(self.work, "add", "--all")
        _git(self.work, "commit", "--quiet", "--allow-empty", "-m", message)
        _git(self.work, "push", "--quiet", "--force", "origin", "main")
        return _git(self.work, "rev-parse", "HEAD").strip()

    def tag(self, name: str) -> None:
        """Tag the newest commit."""
        _git(self.work, "tag", "--force", name)
        _git(self.work, "push", "--quiet", "--force", "origin", f"refs/tags/{name}")


def _git(folder: Path, *arguments: str) -> str:
    who = dict.fromkeys(("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"), "Ann")
    mail = dict.fromkeys(("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"), "ann@example.com")
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")} | who | mail
    return subprocess.run(["git", *arguments], cwd=folder, env=env, check=True, capture_output=True, text=True).stdout
