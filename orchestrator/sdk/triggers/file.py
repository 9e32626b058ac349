"""Decides the triggers that wait for files."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from glob import glob
from typing import Any

from orchestrator.sdk.triggers.base import BaseEventTrigger, BaseTrigger, TriggerEvent

_MODULE = "airflow.providers.standard.triggers.file"


class FileTrigger(BaseTrigger):
    """Fires when a file matches ``filepath``, or a folder that does has files in it; looks every ``poke_interval`` seconds."""

    def __init__(self, filepath: str, recursive: bool = False, poke_interval: float = 5.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.filepath, self.recursive, self.poke_interval = filepath, recursive, poke_interval

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return path and arguments."""
        arguments = {"filepath": self.filepath, "recursive": self.recursive, "poke_interval": self.poke_interval}
        return f"{_MODULE}.FileTrigger", arguments

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look again and again, in a thread, because a slow disk must not block other triggers."""
        while not await asyncio.to_thread(_is_there, self.filepath, self.recursive):
            await asyncio.sleep(self.poke_interval)
        yield TriggerEvent(True)


class FileDeleteTrigger(BaseEventTrigger):
    """Fires when the file is there, and deletes it."""

    def __init__(self, filepath: str, poke_interval: float = 5.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.filepath, self.poke_interval = filepath, poke_interval

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return path and arguments."""
        return f"{_MODULE}.FileDeleteTrigger", {"filepath": self.filepath, "poke_interval": self.poke_interval}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look again and again."""
        while not await asyncio.to_thread(os.path.isfile, self.filepath):
            await asyncio.sleep(self.poke_interval)
        await asyncio.to_thread(os.unlink, self.filepath)
        yield TriggerEvent(True)


class DirectoryFileDeleteTrigger(BaseEventTrigger):
    """Fires when ``filename`` is in ``directory``, and deletes it."""

    def __init__(self, *, directory: str, filename: str, poke_interval: float = 5.0) -> None:
        super().__init__()
        self.directory, self.filename, self.poke_interval = directory, filename, poke_interval

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return path and arguments."""
        arguments = {"directory": self.directory, "filename": self.filename, "poke_interval": self.poke_interval}
        return f"{_MODULE}.DirectoryFileDeleteTrigger", arguments

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look again and again."""
        path = os.path.join(self.directory, self.filename)
        while not await asyncio.to_thread(os.path.isfile, path):
            await asyncio.sleep(self.poke_interval)
        await asyncio.to_thread(os.unlink, path)
        yield TriggerEvent(True)


def _is_there(pattern: str, recursive: bool) -> bool:
    paths = glob(pattern, recursive=recursive)
    return any(os.path.isfile(path) or any(files for _, _, files in os.walk(path)) for path in paths)
