"""How much more memory this process may use."""

from __future__ import annotations

from pathlib import Path

from retrieval.memory import available_bytes


def test_what_is_left_of_memory_is_the_systems_or_the_containers(tmp_path: Path) -> None:
    meminfo, container = tmp_path / "meminfo", tmp_path / "cgroup"
    meminfo.write_text("MemTotal: 9 kB\nMemAvailable:    5000 kB\n")
    assert available_bytes(meminfo, container) == 5_120_000
    container.mkdir()
    (container / "memory.max").write_text("3000000\n")
    (container / "memory.current").write_text("2000000\n")
    (container / "memory.stat").write_text("anon 5\ninactive_file 500000\n")
    assert available_bytes(meminfo, container) == 1_500_000
    (container / "memory.max").write_text("max\n")
    assert available_bytes(meminfo, container) == 5_120_000
    assert available_bytes(tmp_path / "none", container) is None
