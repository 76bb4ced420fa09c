"""How long each stage of a search took."""

from __future__ import annotations

import time


class Laps:
    """Adds the milliseconds since the last lap to what stands under each lap's name."""

    def __init__(self) -> None:
        self.ms: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.ms[name] = round(self.ms.get(name, 0.0) + (now - self._last) * 1000, 3)
        self._last = now
