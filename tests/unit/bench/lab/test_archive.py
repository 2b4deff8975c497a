import shutil
import subprocess

import pytest

from featuresync.bench.lab import archive as module
from featuresync.bench.lab.archive import GoneFault, Index, Lock, Mirror, Package, host_mirror, verified
from featuresync.errors import BenchFault, ConfigFault

SHA = "0" * 64


def test_a_package_with_another_hash_is_refused(archive):
    row = archive.rows["beta"]
    good = Package("beta", "1", row["filename"], row["sha256"], row["size"])
    assert len(Mirror(archive.url).package(good)) == row["size"]
    content = bytearray(archive.files[row["filename"]])
    content[-1] ^= 1
    archive.files[row["filename"]] = bytes(content)
    with pytest.raises(BenchFault, match="beta from the mirror has another SHA256 than pinned: refused"):
        Mirror(archive.url).package(good)


def test_a_longer_file_is_not_read_to_its_end(archive):
    archive.files["pool/x.deb"] = b"x" * 100
    with pytest.raises(BenchFault, match="more than 99 bytes"):
        Mirror(archive.url).get("pool/x.deb", 99)


def test_what_is_gone_is_told_from_what_fails(archive):
    with pytest.raises(GoneFault, match=r"the mirror has no pool/none\.deb"):
        Mirror(archive.url).get("pool/none.deb", 99)
    assert archive.asked == ["pool/none.deb"]
    with pytest.raises(BenchFault, match="the mirror cannot be read") as caught:
        Mirror("http://127.0.0.1:9/debian").get("pool/none.deb", 99)
    assert not isinstance(caught.value, GoneFault)


@pytest.mark.parametrize(
    ("filename", "sha256"),
    [("pool/../../etc/passwd.deb", SHA), ("/pool/x.deb", SHA), ("pool/x.exe", SHA), ("pool/x.deb", "0")],
)
def test_a_pin_must_be_a_pool_path_with_a_hash(filename, sha256):
    with pytest.raises(BenchFault, match="not a pool path with a SHA256"):
        Package("x", "1", filename, sha256, 1)


def test_index_is_read_by_its_hash(archive, house):
    index = Index.fetch(Mirror(archive.url), "forky", "amd64")
    assert "beta" in index
    assert "gamma" not in index
    assert index.package("beta").sha256 == archive.rows["beta"]["sha256"]
    with pytest.raises(BenchFault, match="the archive has no package gamma"):
        index.package("gamma")


def test_index_that_does_not_match_its_release_is_refused(archive, house):
    path = next(path for path in archive.files if "by-hash" in path)
    archive.files[path] += b"x"
    with pytest.raises(BenchFault, match="does not match its signed Release file"):
        Index.fetch(Mirror(archive.url), "forky", "amd64")


def test_index_names_of_depends():
    index = Index("Package: a\nDepends: libb1 (>= 1.2), libc6 | libc7, d:any\nVersion: 1\n\n")
    assert index.depends("a") == ["libb1", "libc6", "libc7", "d"]
    assert index.depends("other") == []


@pytest.mark.skipif(shutil.which("gpgv") is None, reason="gpgv is not installed")
def test_an_unsigned_release_is_refused(monkeypatch, tmp_path):
    ring = tmp_path / "ring.gpg"
    ring.write_bytes(b"")
    monkeypatch.setenv("LAB_KEYRING", str(ring))
    with pytest.raises(BenchFault, match="bad signature"):
        verified(b"Suite: forky\n")


def test_text_outside_the_signature_is_dropped(monkeypatch, tmp_path):
    (tmp_path / "ring").touch()
    monkeypatch.setenv("LAB_KEYRING", str(tmp_path / "ring"))
    monkeypatch.setattr(module.shutil, "which", lambda name: f"/usr/bin/{name}")

    def gpgv(command, **_):
        return subprocess.CompletedProcess(command, 0, b"inside\n", b"")

    monkeypatch.setattr(module.subprocess, "run", gpgv)
    assert verified(b"outside\n-----BEGIN PGP SIGNED MESSAGE-----\n\ninside\n") == "inside\n"


def test_without_gpgv_nothing_unsigned_is_taken(monkeypatch):
    monkeypatch.setattr(module.shutil, "which", lambda name: None)
    with pytest.raises(BenchFault, match="install gpgv and debian-archive-keyring"):
        verified(b"Suite: forky\n")


class TestHostMirror:
    def said(self, monkeypatch, text):
        monkeypatch.delenv("LAB_MIRROR", raising=False)
        monkeypatch.setattr(module.shutil, "which", lambda name: f"/usr/bin/{name}")
        monkeypatch.setattr(
            module.subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 0, text, "")
        )

    def test_named_by_the_user(self, monkeypatch):
        monkeypatch.setenv("LAB_MIRROR", "http://mirror.invalid/debian/")
        assert host_mirror() == "http://mirror.invalid/debian"

    def test_named_by_the_user_wrongly(self, monkeypatch):
        monkeypatch.setenv("LAB_MIRROR", "file:///debian")
        with pytest.raises(BenchFault, match="is not an http or https URL"):
            host_mirror()

    def test_from_apt(self, monkeypatch):
        self.said(
            monkeypatch, "http://a.invalid/debian-security/\ncdrom:x/debian\nhttps://a.invalid/debian/\n"
        )
        assert host_mirror() == "https://a.invalid/debian"

    @pytest.mark.parametrize("text", ["", "http://a.invalid/ubuntu/\n"])
    def test_none(self, monkeypatch, text):
        self.said(monkeypatch, text)
        with pytest.raises(BenchFault, match="no Debian mirror known: set LAB_MIRROR=URL, or run with"):
            host_mirror()


class TestLock:
    def test_packages_of_parts(self, locked):
        lock = Lock.load(locked)
        assert [one.name for one in lock.packages("amd64", ["beta"])] == ["libc6", "beta", "zlib1g"]
        assert len(lock.packages("amd64", ["alpha", "beta"])) == 5

    def test_what_is_not_pinned(self, locked):
        assert Lock.load(locked).packages("arm64", ["beta"]) == []
        assert Lock.load(locked).packages("amd64", ["beta", "gamma"]) == []

    def test_written_as_read(self, locked, tmp_path):
        again = tmp_path / "again.json"
        Lock.load(locked).write(again)
        assert Lock.load(again).pins == Lock.load(locked).pins

    @pytest.mark.parametrize("text", ["[]", "{", '{"amd64": {"x": {}}}', '{"amd64": {"../x": {}}}'])
    def test_unreadable(self, tmp_path, text):
        file = tmp_path / "lab.lock.json"
        file.write_text(text)
        with pytest.raises(ConfigFault, match=r"lab\.lock\.json: lock: expected pins of packages"):
            Lock.load(file)
