"""Python's search for unreachable objects, kept from what a server holds for good."""

from __future__ import annotations

import gc

# Objects made, less those freed, after which the youngest are looked through. A search makes some thousands that are
# all gone at its end; Python's own 700 would look for cycles among them several times a search.
_YOUNG = 20_000


def spare_what_is_loaded() -> None:
    """Call it once models and index are loaded: from then on they are not looked through again.

    Libraries and models are about a million objects. A tenth of the time of searching went into going through them, a
    tenth of a second at a time, in which no request was answered.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, *gc.get_threshold()[1:])
