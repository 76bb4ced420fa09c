"""Read files that this process has mapped into memory, before searches read them page by page."""

from __future__ import annotations

import ctypes
from pathlib import Path

from retrieval.memory import available_bytes

_AT_ONCE = 1 << 20
_MAPS = Path("/proc/self/maps")
# Since Linux 5.14. Fails where reading the page would kill the process: in a file that was truncated.
_POPULATE_READ = 22


def warm(folder: Path, pattern: str, budget_bytes: int | None = None) -> int:
    """Read files once from beginning to end and map their pages; returns the bytes that were read.

    A search that touches pages one by one waits for the disk repeatedly, and unmapped pages are the first that a system
    evicts. Smaller files come first: every search walks the whole graph, but reads only a few places of the vectors.
    Missing and unreadable files are skipped; on a system that does not list mappings as Linux does, all are.

    Never use it on a SQLite database that is open in this process: closing its file would release its locks.

    Args:
        folder: Resolved, as the system lists it.
        pattern: For paths below the folder, as in Path.match.
        budget_bytes: Most bytes to read; by default half of the available memory.
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
    """Address range of each mapped file under a folder."""
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
    """Map the pages at these addresses; skips those that are gone, and does nothing on an older system."""
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    madvise(start, end - start, _POPULATE_READ)
