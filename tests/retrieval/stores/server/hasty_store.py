"""A store on a Qdrant server with short retries, and a reindex into it."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

from qdrant_client import QdrantClient

from indexer.progress import QuietProgress
from indexer.readers.formats.jsonl import Offered
from indexer.rejects import RejectsLog
from indexer.run.reindex import reindex
from indexer.run.summary import Summary
from retrieval.models.embedding import HashEmbedder
from retrieval.stores.server.calls import RetryPolicy
from retrieval.stores.server.store import ServerStore
from retrieval.text.terms import TermWeigher
from tests.retrieval.stores.server.http_qdrant import HttpQdrant
from tests.small_index import POSTS

HASTY = RetryPolicy(run_s=20, write_s=0.05, first_s=0.01, longest_s=0.05)


def store_on(server: HttpQdrant, folder: Path, **more: Any) -> ServerStore:
    client = QdrantClient(url=server.url, timeout=5, check_compatibility=False)
    return ServerStore(client, "stipple", folder, url=server.url, retry=HASTY, poll_s=0, **more)


def run(store: ServerStore, folder: Path, told: StringIO | None = None) -> Summary:
    progress = QuietProgress(told or StringIO())
    offered = [Offered(post, "here", at, b"") for at, post in enumerate(POSTS)]
    with RejectsLog(folder / "rejects.jsonl", progress.saying) as rejects:
        return reindex(
            store, HashEmbedder(64), TermWeigher(), offered, data_dir=folder, progress=progress,
            rejects=rejects, index_here=False,
        )  # fmt: skip
