"""Small changes on a Qdrant server: in a copy made there, or in place if configured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from qdrant_client import QdrantClient

from indexer.progress import QuietProgress
from indexer.readers.formats.jsonl import Offered
from indexer.rejects import RejectsLog
from indexer.run.reindex import RunOptions, reindex
from indexer.run.summary import Summary
from indexer.upkeep.old_generations import rollback
from retrieval.errors import FixableError
from retrieval.models.embedding import HashEmbedder
from retrieval.stores.server.calls import RetryPolicy
from retrieval.stores.server.store import ServerStore
from retrieval.text.terms import TermWeigher
from retrieval.types import Filters, Post
from tests.retrieval.stores.offered import a_post
from tests.retrieval.stores.server.http_qdrant import HttpQdrant, Trouble, http_qdrant

POSTS = [a_post(f"p{number}") for number in range(60)]
CHANGED = [*POSTS[:58], replace(POSTS[58], text="other words"), replace(POSTS[59], likes=7), a_post("new")]


@pytest.fixture
def server() -> Iterator[HttpQdrant]:
    with http_qdrant() as server:
        yield server


def store_on(server: HttpQdrant, folder: Path, *, in_place: bool) -> ServerStore:
    client = QdrantClient(url=server.url, timeout=5, check_compatibility=False)
    retry = RetryPolicy(run_s=0.05, first_s=0.01)
    return ServerStore(client, "s", folder, url=server.url, retry=retry, in_place=in_place, poll_s=0)


def run(store: ServerStore, folder: Path, posts: Sequence[Post], **options: bool) -> Summary:
    progress = QuietProgress(StringIO())
    offered = [Offered(post, "here", at, b"") for at, post in enumerate(posts)]
    with RejectsLog(folder / "rejects.jsonl", progress.saying) as rejects:
        return reindex(
            store, HashEmbedder(64), TermWeigher(), offered, data_dir=folder, progress=progress, rejects=rejects,
            index_here=False, options=RunOptions(**options),
        )  # fmt: skip


def written(server: HttpQdrant) -> int:
    return sum(len(one.body["points"]) for one in server.asked if one.method == "PUT" and one.path.endswith("/points"))


@pytest.mark.parametrize("in_place", [False, True])
def test_both_ways_end_with_the_posts_that_were_offered(in_place: bool, server: HttpQdrant, tmp_path: Path) -> None:
    store = store_on(server, tmp_path, in_place=in_place)
    first = run(store, tmp_path, POSTS)
    server.asked.clear()
    second = run(store, tmp_path, CHANGED)
    assert (second.added, second.changed, second.recounted, second.embedded) == (1, 1, 1, 2)
    assert {one.post.id: one.post for one in store.stored_posts()} == {post.id: post for post in CHANGED}
    generation = store.open(HashEmbedder(64).identity)
    assert generation.matching(Filters(min_likes=7), 9) == ["p59"]
    assert (generation.info.posts, second.posts) == (61, 61)
    assert (second.generation == first.generation) is in_place
    assert written(server) == (2 if in_place else 60 + 2)
    third = run(store, tmp_path, CHANGED[1:], prune=True)
    assert (third.deleted, third.posts, len(list(store.stored_ids()))) == (1, 60, 60)


def test_a_copy_can_be_undone_and_in_place_the_last_whole_reindex_is_gone_back_to(
    server: HttpQdrant, tmp_path: Path
) -> None:
    store = store_on(server, tmp_path, in_place=True)
    old = run(store, tmp_path, POSTS[:30])
    whole = run(store, tmp_path, POSTS, anew=True)
    run(store, tmp_path, CHANGED)
    assert [info.name for info in store.generations()] == [old.generation, whole.generation]
    rollback(store)
    assert (store.current(), len(list(store.stored_ids()))) == (old.generation, 30)


@pytest.mark.parametrize("in_place", [False, True])
def test_what_breaks_off_is_done_by_the_next_run(in_place: bool, server: HttpQdrant, tmp_path: Path) -> None:
    store = store_on(server, tmp_path, in_place=in_place)
    run(store, tmp_path, POSTS)
    server.trouble = [Trouble(507, only="/points/count", method="POST")]
    with pytest.raises(FixableError, match="507"):
        run(store, tmp_path, CHANGED)
    assert len(store.generations()) == 1
    run(store, tmp_path, CHANGED)
    assert {one.post.id: one.post for one in store.stored_posts()} == {post.id: post for post in CHANGED}
