import json
import logging
import multiprocessing
import threading

import pytest

from featuresync.bench.lab.archive import Lock
from featuresync.bench.lab.tree import ensure, pin
from featuresync.errors import BenchFault

from .archive_server import LIB


def files(cache):
    return sorted(path.name for path in cache.iterdir())


def test_pinned_packages_and_no_index(archive, locked, tmp_path):
    tree = ensure(["beta"], mirror=archive.url)
    assert tree.versions() == {"libc6": "1.0-1", "beta": "1.0-1", "zlib1g": "1.0-1"}
    assert (tree.root / LIB / "libz.so.1").exists()
    assert not [path for path in archive.asked if path.startswith("dists/")]
    assert files(tmp_path / "cache") == [tree.root.name, f"{tree.root.name}.lock"]


def test_fetched_once(archive, locked):
    first = ensure(["beta"], mirror=archive.url)
    asked = len(archive.asked)
    assert ensure(["beta"], mirror="http://127.0.0.1:9") == first
    assert len(archive.asked) == asked


def test_parts_and_pins_name_the_tree(archive, locked):
    beta = ensure(["beta"], mirror=archive.url)
    both = ensure(["beta", "alpha"], mirror=archive.url)
    assert beta.root != both.root
    assert (both.root / "usr/sbin/alpha").exists()
    rows = json.loads(locked.read_text())
    archive.add(
        "beta", *[("./usr/sbin/beta", (beta.root / "usr/sbin/beta").read_bytes()), ("./etc/new", b"")]
    )
    fresh = {key: archive.rows["beta"][key] for key in ("filename", "sha256", "size")}
    rows["amd64"]["beta"] |= fresh
    locked.write_text(json.dumps(rows))
    assert ensure(["beta"], mirror=archive.url).root not in (beta.root, both.root)


def test_a_pin_that_has_left_the_pool_falls_back_to_the_index(archive, locked, caplog):
    del archive.files[archive.rows["zlib1g"]["filename"]]
    archive.add("zlib1g", (f"./{LIB}/libz.so.1", b"newer"))
    content = archive.files.pop(archive.rows["zlib1g"]["filename"])
    archive.rows["zlib1g"] |= {"filename": "pool/main/z/zlib1g/zlib1g_2.0.deb", "version": "2.0"}
    archive.files["pool/main/z/zlib1g/zlib1g_2.0.deb"] = content
    archive.publish()
    with caplog.at_level(logging.WARNING, "featuresync.lab"):
        tree = ensure(["beta"], mirror=archive.url)
    assert tree.versions()["zlib1g"] == "2.0"
    assert (
        "the mirror has no pool/main/z/zlib1g/zlib1g_1.0-1_amd64.deb; taking what the signed" in caplog.text
    )


def test_an_architecture_without_pins_takes_the_index(archive, locked, caplog):
    locked.write_text("{}")
    with caplog.at_level(logging.WARNING, "featuresync.lab"):
        assert set(ensure(["beta"], mirror=archive.url).versions()) == {"libc6", "beta", "zlib1g"}
    assert "the lock file pins nothing for amd64" in caplog.text


def test_a_corrupt_download_leaves_nothing(archive, locked, tmp_path):
    name = archive.rows["zlib1g"]["filename"]
    archive.files[name] = archive.files[name][:-1] + b"?"
    with pytest.raises(BenchFault, match="zlib1g from the mirror has another SHA256"):
        ensure(["beta"], mirror=archive.url)
    assert [one for one in files(tmp_path / "cache") if not one.endswith(".lock")] == []


def test_a_lock_that_forgets_a_library_is_refused(archive, locked, tmp_path):
    rows = json.loads(locked.read_text())
    del rows["amd64"]["zlib1g"]
    locked.write_text(json.dumps(rows))
    with pytest.raises(BenchFault, match=r"the lock file lacks the packages of libz\.so\.1: pin again"):
        ensure(["beta"], mirror=archive.url)
    assert [one for one in files(tmp_path / "cache") if not one.endswith(".lock")] == []


def test_two_at_once_fetch_once(archive, locked):
    archive.hold.clear()
    trees = []
    threads = [
        threading.Thread(target=lambda: trees.append(ensure(["beta"], mirror=archive.url))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    archive.hold.set()
    for thread in threads:
        thread.join(20)
    assert len(trees) == 2
    assert trees[0] == trees[1]
    assert len(archive.asked) == len(set(archive.asked)) == 3


def test_a_killed_fetch_leaves_nothing_half_made(archive, locked, tmp_path):
    archive.hold.clear()
    other = multiprocessing.get_context("fork").Process(
        target=ensure, args=(["beta"],), kwargs={"mirror": archive.url}
    )
    other.start()
    deadline = threading.Event()
    for _ in range(500):
        if archive.asked:
            break
        deadline.wait(0.01)
    other.kill()
    other.join(10)
    assert other.exitcode == -9
    cache = tmp_path / "cache"
    assert [one for one in files(cache) if one.startswith("lab-") and not one.endswith(".lock")] == []
    archive.hold.set()
    tree = ensure(["beta"], mirror=archive.url)
    assert files(cache) == [tree.root.name, f"{tree.root.name}.lock"], "the next fetch clears what was left"


def test_command_uses_the_trees_own_loader(archive, locked):
    tree = ensure(["beta"], mirror=archive.url)
    assert tree.command("usr/sbin/beta", "-x", preload="libz.so.1") == [
        str(tree.root / "usr/lib64/ld-linux-x86-64.so.2"), "--library-path", str(tree.root / LIB),
        "--preload", str(tree.root / LIB / "libz.so.1"), str(tree.root / "usr/sbin/beta"), "-x",
    ]  # fmt: skip
    assert tree.command("usr/sbin/beta", preload="a.so:b.so")[4] == f"{tree.lib}/a.so:{tree.lib}/b.so"


def test_pinning_writes_what_is_fetched_then(archive, house):
    file = house / "fixtures" / "lab" / "lab.lock.json"
    written = pin(file, mirror=archive.url)
    assert Lock.load(file).pins == written.pins
    asked = len(archive.asked)
    ensure(["alpha", "beta"], mirror=archive.url)
    assert not [path for path in archive.asked[asked:] if path.startswith("dists/")]
