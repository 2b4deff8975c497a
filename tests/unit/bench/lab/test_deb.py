import pytest

from featuresync.bench.lab.deb import unpack
from featuresync.errors import BenchFault

from .archive_server import package


def test_files_and_links_are_placed_and_named(tmp_path):
    content = package(("./usr/bin/x", b"program"), ("./lib/libx.so", "libx.so.1"), ("./etc/x.conf", b"a"))
    assert unpack(content, tmp_path) == [
        tmp_path / "usr/bin/x",
        tmp_path / "usr/lib/libx.so",
        tmp_path / "etc/x.conf",
    ]
    assert (tmp_path / "usr/bin/x").read_bytes() == b"program"
    assert (tmp_path / "usr/lib/libx.so").readlink().name == "libx.so.1"


@pytest.mark.parametrize(
    "name", ["usr/share/doc/x/a", "usr/share/man/man1/x", "etc/init.d/x", "usr/lib/systemd/x"]
)
def test_documentation_and_boot_scripts_are_left_out(tmp_path, name):
    assert unpack(package((f"./{name}", b"x")), tmp_path) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "usr/../../outside"])
def test_a_name_outside_is_refused(tmp_path, name):
    inside = tmp_path / "inside"
    inside.mkdir()
    with pytest.raises(BenchFault, match="points outside"):
        unpack(package((name, b"x")), inside)
    assert [path.name for path in tmp_path.iterdir()] == ["inside"]


def test_a_link_does_not_lead_outside(tmp_path):
    inside = tmp_path / "inside"
    inside.mkdir()
    with pytest.raises(BenchFault, match="leads outside through a link"):
        unpack(package(("./usr", str(tmp_path)), ("./usr/outside", b"x")), inside)
    assert not (tmp_path / "outside").exists()


@pytest.mark.parametrize(
    "content", [b"", b"not a package", b"!<arch>\n", package(("./a", b"x" * 5000))[:-2000]]
)
def test_a_damaged_package_is_refused(tmp_path, content):
    with pytest.raises(BenchFault, match="damaged package"):
        unpack(content, tmp_path)
