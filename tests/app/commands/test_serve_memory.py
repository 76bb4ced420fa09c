"""What a server has loaded is kept out of garbage collection; what it drops later is collected."""

from __future__ import annotations

import gc
import weakref

from app.commands.cli import keep_out_of_garbage_collection


class Knot:
    """Holds itself."""

    def __init__(self) -> None:
        self.self = self


def test_loaded_objects_are_kept_out_of_garbage_collection_and_later_ones_are_not() -> None:
    thresholds, held = gc.get_threshold(), Knot()
    try:
        keep_out_of_garbage_collection()
        assert gc.get_freeze_count() > 0
        assert not any(one is held for one in gc.get_objects())
        dropped = weakref.ref(Knot())
        gc.collect()
        assert dropped() is None
    finally:
        gc.unfreeze()
        gc.set_threshold(*thresholds)
