"""Which store the settings ask for."""

from __future__ import annotations

from retrieval.settings import Settings
from retrieval.stores.contract import PostStore


def open_store(settings: Settings) -> PostStore:
    """The Qdrant server where a URL is set, the embedded store otherwise. Cheap: nothing is read yet."""
    if settings.qdrant_url:
        from retrieval.stores.server.store import connect

        return connect(settings)
    from retrieval.stores.edge.store import EdgeStore

    return EdgeStore(settings.data_dir)
