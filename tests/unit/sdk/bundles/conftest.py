"""Decides which repository and copies the tests of bundles have."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.sdk.bundles.configured import GitSource
from orchestrator.sdk.bundles.git_repository import GitRepository
from tests.repositories import Remote


@pytest.fixture
def remote(tmp_path: Path) -> Remote:
    return Remote(tmp_path)


@pytest.fixture
def repository(remote: Remote, tmp_path: Path) -> GitRepository:
    return GitRepository("etl", GitSource(remote.url), tmp_path / "bundles")
