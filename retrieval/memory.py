"""How much more memory this process may use."""

from __future__ import annotations

from pathlib import Path

_MEMINFO = Path("/proc/meminfo")
_CGROUP = Path("/sys/fs/cgroup")


def available_bytes(meminfo: Path = _MEMINFO, cgroup: Path = _CGROUP) -> int | None:
    """What the system has left, or what the container's limit leaves, whichever is less; None if neither is known."""
    left = [amount for amount in (_of_system(meminfo), _of_container(cgroup)) if amount is not None]
    return min(left, default=None)


def _of_system(meminfo: Path) -> int | None:
    try:
        lines = meminfo.read_text("ascii").splitlines()
    except OSError:
        return None
    amounts = [line.split() for line in lines if line.startswith("MemAvailable:")]
    return int(amounts[0][1]) * 1024 if amounts else None


def _of_container(cgroup: Path) -> int | None:
    try:
        most = (cgroup / "memory.max").read_text("ascii").strip()
        if most == "max":
            return None
        used = int((cgroup / "memory.current").read_text("ascii"))
        stat = dict(line.split() for line in (cgroup / "memory.stat").read_text("ascii").splitlines())
    except (OSError, ValueError):
        return None
    # File pages count as used, but are given back on demand.
    return max(0, int(most) - used + int(stat.get("inactive_file", 0)))
