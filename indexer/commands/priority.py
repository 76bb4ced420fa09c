"""Who goes first when the processor is short."""

from __future__ import annotations

import os


def step_aside(niceness: int) -> None:
    """Give this process, and the threads that it starts from now on, only what others leave of the processor.

    Args:
        niceness: As the system counts it, 0 to 19; a process that has more already keeps it.
    """
    current = os.nice(0)
    if niceness > current:
        os.nice(niceness - current)
