"""A run: what is embedded, what is written, what stays, and what an interruption leaves."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from indexer.progress import QuietProgress
from indexer.readers.jsonl import Offered
from indexer.reindex import EMBEDDED_AT_ONCE, Summary, reindex
from indexer.rejects import Rejected, RejectsLog
from retrieval.embedding import HashEmbedder
from retrieval.errors import FixableError
from retrieval.store import TermWeights, Vectors
from retrieval.text import content_hash, passage_text
from retrieval.types import Comment, Post
from tests.filling.memory_store import MemoryStore


class CountingEmbedder(HashEmbedder):
    """Counts what it reads, and can be pulled out in the middle."""

    def __init__(self, name: str = "hash", dies_after: int | None = None) -> None:
        super().__init__(name=name)
        self.read: list[str] = []
        self._dies_after = dies_after

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        if self._dies_after is not None and len(self.read) >= self._dies_after:
            raise KeyboardInterrupt
        self.read += texts
        return super().embed_passages(texts)


class LengthWeigher:
    """One term per passage: its length."""

    def passages(self, texts: Sequence[str]) -> list[TermWeights]:
        return [TermWeights((len(text),), (1.0,)) for text in texts]


class Run:
    """An index in a folder, and the runs over it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.store, self.shown = folder, MemoryStore(), io.StringIO()

    def __call__(self, *found: Post | Rejected, embedder: HashEmbedder | None = None) -> Summary:
        offered = [
            Offered(one, "posts.jsonl", line, b"{}") if isinstance(one, Post) else one
            for line, one in enumerate(found, start=1)
        ]
        progress = QuietProgress(self.shown)
        with RejectsLog(self.folder / "rejects" / "now.rejects.jsonl", progress.saying) as rejects:
            return reindex(
                self.store, embedder or CountingEmbedder(), LengthWeigher(), offered,
                data_dir=self.folder, progress=progress, rejects=rejects,
            )  # fmt: skip


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


def a_post(post_id: str, text: str | None = None) -> Post:
    return Post(id=post_id, title="", text=text or f"coffee number {post_id}", language="en")


BAD = Rejected("posts.jsonl", 9, "likes", "is '5'", "a whole number")


def test_a_first_run_indexes_every_post_with_its_passages_vectors_and_terms(run: Run) -> None:
    post = replace(a_post("1", "First sentence. " * 60), comments=(Comment("bo", "27 since May"),))
    summary = run(post, a_post("2"))
    assert (summary.posts, summary.added, summary.changed, summary.unchanged) == (2, 2, 0, 0)
    indexed = run.store.indexed()["1"]
    assert indexed.stored.post == post
    assert indexed.stored.content_hash == content_hash(post)
    assert len(indexed.passages) == len(indexed.terms) > 2
    assert summary.passages == len(indexed.passages) + 1
    texts = [passage_text(post, passage) for passage in indexed.passages]
    assert indexed.vectors.dtype == np.float32
    assert np.min(np.sum(indexed.vectors * HashEmbedder().embed_passages(texts), axis=1)) > 0.9999
    assert [terms.indices for terms in indexed.terms] == [(len(text),) for text in texts]


def test_a_second_run_over_the_same_posts_embeds_and_writes_nothing(run: Run) -> None:
    first = run(a_post("1"), a_post("2"))
    run.store.events.clear()
    embedder = CountingEmbedder()
    second = run(a_post("1"), a_post("2"), embedder=embedder)
    assert (second.unchanged, second.written, second.generation) == (2, False, first.generation)
    assert embedder.read == []
    assert run.store.events == ["lock", "unlock"]


def test_a_changed_post_is_embedded_again_and_the_others_are_not(run: Run) -> None:
    run(a_post("1"), a_post("2"))
    embedder = CountingEmbedder()
    summary = run(a_post("1", "tea now"), a_post("2"), a_post("3"), embedder=embedder)
    assert (summary.added, summary.changed, summary.unchanged, summary.embedded) == (1, 1, 1, 2)
    assert sorted(embedder.read) == ["coffee number 3", "tea now"]
    assert run.store.indexed()["1"].stored.post.text == "tea now"


def test_posts_that_are_not_offered_stay(run: Run) -> None:
    run(a_post("1"), a_post("2"), a_post("3"))
    summary = run(a_post("2", "tea now"), a_post("4"))
    assert sorted(run.store.indexed()) == ["1", "2", "3", "4"]
    assert (summary.posts, summary.carried, summary.added, summary.changed) == (4, 2, 1, 1)
    assert "2 not offered and kept" in str(summary)


def test_a_like_more_is_a_change_that_embeds_nothing(run: Run) -> None:
    run(a_post("1"))
    summary = run(replace(a_post("1"), likes=5))
    assert (summary.changed, summary.embedded) == (1, 0)
    assert run.store.indexed()["1"].stored.post.likes == 5


def test_two_posts_of_one_text_are_embedded_once(run: Run) -> None:
    summary = run(a_post("1", "same words"), a_post("2", "same words"))
    assert (summary.posts, summary.embedded) == (2, 1)


def test_another_model_rebuilds_all_even_where_no_post_changed(run: Run) -> None:
    run(a_post("1"), a_post("2"))
    embedder = CountingEmbedder(name="other")
    summary = run(a_post("1"), embedder=embedder)
    assert (summary.unchanged, summary.carried, summary.written, summary.embedded) == (1, 1, True, 2)
    assert run.store.generations()[-1].identity == embedder.identity


def test_going_back_to_the_model_before_embeds_nothing(run: Run) -> None:
    run(a_post("1"))
    run(a_post("1"), embedder=CountingEmbedder(name="other"))
    assert run(a_post("1")).embedded == 0


def test_the_new_generation_and_the_one_before_are_kept(run: Run) -> None:
    for number in range(4):
        run(a_post(str(number)))
    assert [info.name for info in run.store.generations()] == ["0003", "0004"]
    assert run.store.current() == "0004"


def test_the_second_line_of_an_id_is_rejected_with_where_the_first_stood(run: Run) -> None:
    summary = run(a_post("1", "first"), a_post("2"), a_post("1", "second"))
    assert (summary.posts, summary.rejected) == (2, 1)
    assert run.store.indexed()["1"].stored.post.text == "first"
    assert "posts.jsonl:3: field 'id' is '1', as in posts.jsonl:1: expected each id once" in run.shown.getvalue()


def test_rejected_lines_do_not_keep_the_others_out(run: Run) -> None:
    summary = run(BAD, a_post("1"), BAD)
    assert (summary.added, summary.rejected) == (1, 2)
    rejects = (run.folder / "rejects" / "now.rejects.jsonl").read_text().splitlines()
    assert json.loads(rejects[0])["field"] == "likes"


def test_where_no_line_is_a_post_an_empty_index_refuses_and_a_filled_one_stays(run: Run) -> None:
    with pytest.raises(FixableError, match="all 2 lines were rejected"):
        run(BAD, BAD)
    assert run.store.current() is None
    first = run(a_post("1"))
    summary = run(BAD)
    assert (summary.generation, summary.rejected, summary.carried) == (first.generation, 1, 1)


def test_an_interrupted_run_leaves_the_old_generation_and_is_resumed_without_embedding_twice(run: Run) -> None:
    run(a_post("old"))
    posts = [a_post(str(number)) for number in range(3 * EMBEDDED_AT_ONCE)]
    interrupted = CountingEmbedder(dies_after=2 * EMBEDDED_AT_ONCE)
    with pytest.raises(KeyboardInterrupt):
        run(*posts, embedder=interrupted)
    assert run.store.events[-2:] == ["discard 0002", "unlock"]
    assert list(run.store.indexed()) == ["old"]
    resumed = CountingEmbedder()
    summary = run(*posts, embedder=resumed)
    assert summary.added == len(posts)
    assert sorted(interrupted.read + resumed.read) == sorted(post.text for post in posts)


def test_nothing_staged_is_left_behind(run: Run) -> None:
    run(a_post("1"))
    with pytest.raises(KeyboardInterrupt):
        run(a_post("2"), embedder=CountingEmbedder(dies_after=0))
    assert sorted(path.name for path in run.folder.iterdir()) == ["embeddings.sqlite"]


def test_what_a_killed_run_staged_is_not_indexed(run: Run) -> None:
    (run.folder / "staging.sqlite").write_bytes(b"half a database")
    assert run(a_post("1")).posts == 1


def test_a_vector_is_the_same_whichever_run_made_it(run: Run, tmp_path_factory: pytest.TempPathFactory) -> None:
    run(a_post("1"))
    run(a_post("1"), a_post("2"))
    fresh = Run(tmp_path_factory.mktemp("fresh"))
    fresh(a_post("2"), a_post("1"))
    for post_id in ("1", "2"):
        np.testing.assert_array_equal(run.store.indexed()[post_id].vectors, fresh.store.indexed()[post_id].vectors)


def test_a_folder_that_cannot_be_is_told_with_the_mend(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FixableError, match="file/data cannot be written"):
        Run(tmp_path / "file" / "data")(a_post("1"))


def test_texts_are_embedded_in_order_of_length_so_that_little_is_padded(run: Run) -> None:
    embedder = CountingEmbedder()
    run(
        a_post("1", "a long text, longer than the others"),
        a_post("2", "short"),
        a_post("3", "a bit longer"),
        embedder=embedder,
    )
    assert embedder.read == ["short", "a bit longer", "a long text, longer than the others"]
