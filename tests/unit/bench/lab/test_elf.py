import sys
from pathlib import Path

import pytest

from featuresync.bench.lab.elf import needed

from .archive_server import elf_file


def test_needed_libraries_in_order(tmp_path):
    file = tmp_path / "program"
    file.write_bytes(elf_file("libssl.so.3", "libc.so.6"))
    assert needed(file) == ["libssl.so.3", "libc.so.6"]


def test_a_static_program_needs_nothing(tmp_path):
    file = tmp_path / "program"
    file.write_bytes(elf_file())
    assert needed(file) == []


@pytest.mark.parametrize("content", [b"", b"#!/bin/sh\n", b"\x7fELF\x01\x01" + b"\0" * 60])
def test_other_files_need_nothing(tmp_path, content):
    file = tmp_path / "program"
    file.write_bytes(content)
    assert needed(file) == []


@pytest.mark.parametrize("keep", [20, 70, 130, 180, 190])
def test_a_damaged_file_is_named(tmp_path, keep):
    file = tmp_path / "program"
    file.write_bytes(elf_file("libc.so.6")[:keep])
    with pytest.raises(ValueError, match=r"program: damaged ELF file"):
        needed(file)


def test_a_real_program_needs_the_c_library():
    assert any(name.startswith("libc.so") for name in needed(Path("/bin/sh").resolve())), sys.platform
