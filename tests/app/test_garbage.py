"""What a server holds for good is not looked through for garbage; what it drops later is."""

from __future__ import annotations

import gc
import weakref

from app.garbage import spare_what_is_loaded


class Knot:
    """Holds itself."""

    def __init__(self) -> None:
        self.self = self


def test_what_is_loaded_is_spared_and_garbage_of_later_is_found() -> None:
    thresholds, held = gc.get_threshold(), Knot()
    try:
        spare_what_is_loaded()
        assert gc.get_freeze_count() > 0
        assert not any(one is held for one in gc.get_objects())
        dropped = weakref.ref(Knot())
        gc.collect()
        assert dropped() is None
    finally:
        gc.unfreeze()
        gc.set_threshold(*thresholds)
