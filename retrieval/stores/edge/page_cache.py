"""Files that this process has mapped, brought into memory before searches ask for them page by page."""

from __future__ import annotations

import ctypes
from pathlib import Path

from retrieval.memory import available_bytes

_AT_ONCE = 1 << 20
_MAPS = Path("/proc/self/maps")
# From Linux 5.14 on. It fails where reading the page would end the process: of a file that was cut short.
_POPULATE_READ = 22


def warm(folder: Path, pattern: str, budget_bytes: int | None = None) -> int:
    """Read files once from their beginning to their end, and have their pages at hand; the bytes that were read.

    A search that asks for pages one by one waits for the disk again and again, and pages that nobody has at hand are
    the first that a system takes away. The smaller files go first: all searches walk the whole graph, and each looks
    at a few places of the vectors. What went away, or may not be read, is passed over; so is all on a system that does
    not list what is mapped, as Linux does.

    Never of a SQLite database that is open in this process: closing its file would let go of its locks.

    Args:
        folder: Resolved, as the system lists it.
        pattern: Of paths below the folder, as Path.match takes it.
        budget_bytes: Most bytes to read; without it half of the memory that is left.
    """
    left = (available_bytes() or 0) // 2 if budget_bytes is None else budget_bytes
    taken = 0
    buffer = bytearray(_AT_ONCE)
    mapped = {path: places for path, places in _mapped_under(folder).items() if path.match(pattern)}
    for size, path in sorted((_size(path), path) for path in mapped):
        if size > left - taken:
            break
        try:
            with path.open("rb", buffering=0) as file:
                while read := file.readinto(buffer):
                    taken += read
        except OSError:
            continue
        for start, end in mapped[path]:
            _populate(start, end)
    return taken


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _mapped_under(folder: Path) -> dict[Path, list[tuple[int, int]]]:
    """From where to where each file under a folder lies in this process."""
    found: dict[Path, list[tuple[int, int]]] = {}
    try:
        lines = _MAPS.read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return {}
    for line in lines:
        fields = line.split(maxsplit=5)
        if len(fields) == 6 and fields[5].startswith(f"{folder}/"):
            start, _, end = fields[0].partition("-")
            found.setdefault(Path(fields[5]), []).append((int(start, 16), int(end, 16)))
    return found


def _populate(start: int, end: int) -> None:
    """Have the pages at these addresses at hand; those that are gone, or on an older system, are let be."""
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    madvise(start, end - start, _POPULATE_READ)
