"""What a program or library asks the loader for: DT_NEEDED of an ELF file."""

from __future__ import annotations

import struct
from pathlib import Path

_PT_LOAD, _PT_DYNAMIC = 1, 2
_DT_NEEDED, _DT_STRTAB = 1, 5


def needed(file: Path) -> list[str]:
    """The SONAMEs that a 64-bit little-endian ELF file needs, in order; [] for any other file.

    Raises ValueError when the file starts as ELF and is damaged.
    """
    data = file.read_bytes()
    if data[:6] != b"\x7fELF\x02\x01":
        return []
    try:
        return _needed(data)
    except (struct.error, IndexError, ValueError, StopIteration):
        raise ValueError(f"{file}: damaged ELF file") from None


def _needed(data: bytes) -> list[str]:
    (table,) = struct.unpack_from("<Q", data, 32)
    entry_size, count = struct.unpack_from("<HH", data, 54)
    loaded: list[tuple[int, int, int]] = []
    dynamic = (0, 0)
    for number in range(count):
        kind, _, offset, address, _, size = struct.unpack_from("<IIQQQQ", data, table + number * entry_size)
        if kind == _PT_LOAD:
            loaded.append((address, size, offset))
        elif kind == _PT_DYNAMIC:
            dynamic = (offset, size)
    entries = [struct.unpack_from("<qQ", data, dynamic[0] + at) for at in range(0, dynamic[1], 16)]
    names = [value for tag, value in entries if tag == _DT_NEEDED]
    if not names:
        return []
    strings = _offset(next(value for tag, value in entries if tag == _DT_STRTAB), loaded)
    return [data[strings + at : data.index(b"\0", strings + at)].decode() for at in names]


def _offset(address: int, loaded: list[tuple[int, int, int]]) -> int:
    """Where in the file a virtual address lies."""
    for start, size, offset in loaded:
        if start <= address < start + size:
            return offset + address - start
    raise ValueError(address)
