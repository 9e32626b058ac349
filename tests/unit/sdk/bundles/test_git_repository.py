"""Decides whether commits become folders that are whole, stay while they are used, and heal after any death."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from orchestrator.sdk.bundles.configured import GitSource
from orchestrator.sdk.bundles.git_commands import Credentials, GitError, run_git
from orchestrator.sdk.bundles.git_repository import GitRepository
from orchestrator.sdk.bundles.locking import exclusive
from orchestrator.sdk.bundles.stale_versions import Keep, remove_stale

ALL_OLD = Keep(age_seconds=0.0, min_versions=0)


def refreshed(repository, remote):
    return repository.refresh(Credentials.of_url(remote.url))


def test_the_tracked_branch_is_followed_and_old_commits_stay(repository, remote):
    first = remote.commit(a="x = 1\n")
    assert refreshed(repository, remote) == repository.current() == first
    second = remote.commit(a="x = 2\n")
    assert refreshed(repository, remote) == repository.current() == second
    assert (repository.tracking / "a.py").read_text() == "x = 2\n"
    assert (repository.checkout(first, Credentials.of_url(remote.url)) / "a.py").read_text() == "x = 1\n"


def test_a_tag_and_a_commit_can_be_tracked(remote, tmp_path):
    first = remote.commit(a="x = 1\n")
    remote.tag("v1")
    remote.commit(a="x = 2\n")
    for ref in ("v1", first):
        assert refreshed(GitRepository(f"b-{ref[:4]}", GitSource(remote.url, tracking_ref=ref), tmp_path / "s"), remote) == first


def test_a_reference_that_is_not_there_is_named(remote, tmp_path):
    remote.commit(a="")
    repository = GitRepository("b", GitSource(remote.url, tracking_ref="nowhere"), tmp_path / "s")
    with pytest.raises(GitError, match="no branch, tag or commit 'nowhere'"):
        refreshed(repository, remote)


def test_only_the_subfolder_counts_and_a_missing_one_is_named(remote, tmp_path):
    commit = remote.commit(dags__a="x = 1\n")
    good = GitRepository("g", GitSource(remote.url, subdir="dags"), tmp_path / "s")
    assert refreshed(good, remote) == commit
    assert (good.checkout(commit, Credentials(remote.url)) / "a.py").is_file()
    with pytest.raises(GitError, match="no folder 'gone'"):
        refreshed(GitRepository("h", GitSource(remote.url, subdir="gone"), tmp_path / "s"), remote)


@pytest.mark.parametrize("prune", [True, False])
def test_the_repository_is_left_out_of_the_folder_unless_it_is_wanted(remote, tmp_path, prune):
    commit = remote.commit(a="")
    repository = GitRepository("b", GitSource(remote.url, prune_dotgit_folder=prune), tmp_path / "s")
    refreshed(repository, remote)
    assert (repository.versions / commit / ".git").exists() is not prune


def test_an_unreachable_remote_is_an_error_and_what_was_fetched_stays(repository, remote):
    commit = remote.commit(a="x = 1\n")
    refreshed(repository, remote)
    remote.bare.rename(remote.bare.with_name("away"))
    with pytest.raises(GitError, match="cannot be fetched"):
        refreshed(repository, remote)
    assert repository.current() == commit
    assert (repository.checkout(commit, Credentials(remote.url)) / "a.py").is_file()


def test_a_commit_that_nobody_has_and_a_version_that_is_no_commit_are_refused(repository, remote):
    remote.commit(a="")
    refreshed(repository, remote)
    with pytest.raises(GitError, match="is not in"):
        repository.checkout("0" * 40, Credentials.of_url(remote.url))
    with pytest.raises(GitError, match="is no commit"):
        repository.checkout("../../etc", Credentials.of_url(remote.url))


def test_secrets_are_in_no_argument_and_in_no_message():
    credentials = Credentials.of_url("https://ann:s3cret@127.0.0.1:1/repo.git")
    assert credentials.url == "https://127.0.0.1:1/repo.git" and "s3cret" not in repr(credentials)
    with pytest.raises(GitError) as caught:
        run_git(["ls-remote", "--", credentials.url], credentials=credentials)
    assert "s3cret" not in str(caught.value)
    with pytest.raises(GitError) as caught:
        run_git(["s3cret"], credentials=credentials)
    assert "s3cret" not in str(caught.value) and "***" in str(caught.value)


def test_old_versions_go_but_not_the_tracked_one_nor_one_in_use(repository, remote):
    commits = [remote.commit(a=f"x = {n}\n") for n in range(4)]
    versions = []
    for commit in commits:
        repository.source = GitSource(remote.url, tracking_ref=commit)
        versions.append(refreshed(repository, remote))
    used = subprocess.Popen([sys.executable, "-c", HOLD, str(repository.use_lock(versions[0]))], stdin=-1, stdout=-1)
    used.stdout.readline()
    try:
        assert set(remove_stale(repository, ALL_OLD)) == set(versions[1:3])
        assert {path.name for path in repository.versions.iterdir()} == {versions[0], versions[3]}
    finally:
        used.communicate(b"end\n")
    assert remove_stale(repository, ALL_OLD) == [versions[0]]


def test_the_newest_versions_and_young_ones_are_kept(repository, remote):
    for n in range(3):
        remote.commit(a=f"x = {n}\n")
        refreshed(repository, remote)
    assert remove_stale(repository, Keep(age_seconds=3600.0, min_versions=0)) == []
    assert remove_stale(repository, Keep(age_seconds=0.0, min_versions=3)) == []
    assert len(remove_stale(repository, Keep(age_seconds=0.0, min_versions=2))) == 1


@pytest.mark.parametrize("point", ["bundle.before_fetch", "bundle.before_checkout", "bundle.after_checkout"])
def test_a_death_in_the_middle_leaves_nothing_half_and_the_next_one_heals_it(repository, remote, point):
    commit = remote.commit(a="x = 1\n")
    done = subprocess.run(
        [sys.executable, "-c", REFRESH, remote.url, str(repository.folder.parent)],
        env={**os.environ, "ORCHESTRATOR_FAULTS": f"{point}:kill"},
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    assert not (repository.versions / commit).exists()
    for lock in ("shallow.lock", "refs/heads/main.lock"):
        if repository.bare.is_dir():
            (repository.bare / lock).touch()  # what a git that was killed leaves
    assert refreshed(repository, remote) == commit
    assert [path.name for path in repository.versions.iterdir()] == [commit]
    assert (repository.tracking / "a.py").read_text() == "x = 1\n"


def test_a_damaged_copy_is_made_anew(repository, remote):
    commit = remote.commit(a="x = 1\n")
    refreshed(repository, remote)
    (repository.bare / "HEAD").write_text("rubbish")
    remote.commit(a="x = 2\n")
    assert refreshed(repository, remote) != commit


def test_a_lock_of_another_process_is_waited_for_and_then_named(tmp_path):
    path = tmp_path / "lock"
    with exclusive(path, 0.0), pytest.raises(TimeoutError, match="is locked by another process"), exclusive(path, 0.0):
        pass


HOLD = """
import sys
from pathlib import Path
from orchestrator.sdk.bundles.locking import hold_shared
hold_shared(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.readline()
"""
REFRESH = """
import sys
from pathlib import Path
from orchestrator.sdk.bundles.configured import GitSource
from orchestrator.sdk.bundles.git_commands import Credentials
from orchestrator.sdk.bundles.git_repository import GitRepository
GitRepository("etl", GitSource(sys.argv[1]), Path(sys.argv[2])).refresh(Credentials.of_url(sys.argv[1]))
"""
