"""Open the store that the settings select."""

from __future__ import annotations

from retrieval.settings import Settings
from retrieval.stores.contract import PostStore


def open_store(settings: Settings) -> PostStore:
    """The Qdrant server if a URL is set, otherwise the embedded store. Cheap: nothing is read yet."""
    if settings.qdrant_url:
        from retrieval.stores.server.store import connect

        return connect(settings)
    from retrieval.stores.edge.store import EdgeStore

    return EdgeStore(settings.data_dir)
