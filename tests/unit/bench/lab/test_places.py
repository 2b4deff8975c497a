import os

import pytest

from featuresync.bench.lab import places
from featuresync.bench.lab.places import cache, repository, runtime
from featuresync.errors import BenchFault


def test_repository_has_the_fixtures(monkeypatch):
    monkeypatch.delenv("FEATURESYNC_HOME", raising=False)
    assert (repository() / "fixtures" / "lab" / "parts.toml").is_file()


def test_repository_elsewhere(monkeypatch, tmp_path):
    monkeypatch.setenv("FEATURESYNC_HOME", str(tmp_path))
    with pytest.raises(BenchFault, match="set FEATURESYNC_HOME to the repository's root"):
        repository()
    (tmp_path / "fixtures" / "lab").mkdir(parents=True)
    assert repository() == tmp_path


def test_cache(monkeypatch, tmp_path):
    monkeypatch.delenv("FEATURESYNC_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache() == tmp_path / "featuresync"
    monkeypatch.setenv("FEATURESYNC_CACHE", str(tmp_path / "mine"))
    assert cache() == tmp_path / "mine"


@pytest.fixture
def temporary(monkeypatch, tmp_path):
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setattr(places.tempfile, "gettempdir", lambda: str(tmp_path))
    return tmp_path / f"featuresync-{os.getuid()}"


def test_runtime_is_private(temporary):
    assert runtime() == temporary
    assert temporary.stat().st_mode & 0o777 == 0o700
    assert runtime() == temporary


def test_runtime_prefers_the_users_own_folder_when_it_is_short(temporary, monkeypatch, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    assert runtime() == (folder / "featuresync" if len(str(folder)) < 40 else temporary)


def test_runtime_that_others_can_write_to_is_refused(temporary):
    temporary.mkdir(mode=0o777)
    temporary.chmod(0o777)
    with pytest.raises(BenchFault, match="is not a private folder of this user: remove it"):
        runtime()


def test_runtime_that_is_a_link_is_refused(temporary, tmp_path):
    temporary.symlink_to(tmp_path)
    with pytest.raises(BenchFault, match="is not a private folder"):
        runtime()
