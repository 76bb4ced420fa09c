"""A run: what is embedded, what is written, what stays, and what an interruption leaves."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from indexer.embedding_cache import EmbeddingCache
from indexer.engines.engine import EmbeddingEngine
from indexer.filling import EMBEDDED_AT_ONCE, WINDOW, Filling
from indexer.journal import Journal
from indexer.progress import QuietProgress
from indexer.readers.jsonl import Offered
from indexer.readers.jsonl import offered as offered_line
from indexer.readers.records import Record
from indexer.reindex import Wishes, reindex
from indexer.rejects import Rejected, RejectsLog
from indexer.summary import Summary
from retrieval.embedding import HashEmbedder
from retrieval.errors import FixableError
from retrieval.store import StoredPost, TermWeights, Vectors
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


PLAIN = Wishes()


class Run:
    """An index in a folder, and the runs over it."""

    def __init__(self, folder: Path, copies: bool = True) -> None:
        self.folder, self.store, self.shown = folder, MemoryStore(copies), io.StringIO()

    def __call__(
        self,
        *found: Post | Rejected,
        embedder: HashEmbedder | None = None,
        engine: EmbeddingEngine | None = None,
        wishes: Wishes = PLAIN,
    ) -> Summary:
        offered = [
            Offered(one, "posts.jsonl", line, b"{}") if isinstance(one, Post) else one
            for line, one in enumerate(found, start=1)
        ]
        progress = QuietProgress(self.shown)
        with RejectsLog(self.folder / "rejects" / "now.rejects.jsonl", progress.saying) as rejects:
            return reindex(
                self.store, embedder or CountingEmbedder(), LengthWeigher(), offered,
                data_dir=self.folder, progress=progress, rejects=rejects, engine=engine, wishes=wishes,
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
    assert (summary.recounted, summary.changed, summary.embedded) == (1, 0, 0)
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
    assert sorted(path.name for path in run.folder.iterdir()) == ["embeddings.sqlite", "journal.sqlite"]


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


def many(count: int, **fields: object) -> list[Post]:
    return [replace(a_post(str(number)), **fields) for number in range(count)]  # type: ignore[arg-type]


def test_where_little_changed_a_copy_is_changed_and_else_all_is_written_anew(run: Run) -> None:
    run(*many(20))
    run.store.events.clear()
    summary = run(*many(20)[4:], a_post("0", "tea"), replace(a_post("1"), likes=3), a_post("new"))
    assert (summary.posts, summary.added, summary.changed, summary.recounted, summary.carried) == (21, 1, 1, 1, 2)
    assert run.store.events[:2] == ["lock", "copy 0001"]
    posts = run.store.indexed()
    assert (posts["0"].stored.post.text, posts["1"].stored.post.likes, posts["2"].stored.post.likes) == ("tea", 3, 0)
    run.store.events.clear()
    run(*many(9, text="tea"))
    assert "copy 0002" not in run.store.events


def test_a_copy_and_a_generation_written_anew_hold_the_same(tmp_path: Path) -> None:
    held = []
    for copies in (True, False):
        run = Run(tmp_path / str(copies), copies)
        run(*many(30))
        run(*many(30)[3:], a_post("1", "tea"), replace(a_post("2"), likes=3), wishes=Wishes(prune=True))
        held.append({key: (one.stored, one.vectors.tolist()) for key, one in run.store.indexed().items()})
    assert held[0] == held[1]
    assert "0" not in held[0]


def test_pruning_deletes_what_is_not_offered(run: Run) -> None:
    run(*many(10))
    summary = run(*many(8), wishes=Wishes(prune=True))
    assert (summary.deleted, summary.carried, summary.posts) == (2, 0, 8)
    assert "2 not offered and deleted" in str(summary)
    assert sorted(run.store.indexed()) == sorted(str(number) for number in range(8))


def test_pruning_more_than_a_fifth_has_to_be_confirmed_by_the_number(run: Run) -> None:
    run(*many(10))
    with pytest.raises(FixableError, match="would delete 3 of 10 posts, and may delete 2") as raised:
        run(*many(7), wishes=Wishes(prune=True))
    assert "--prune-up-to 3" in raised.value.fix
    assert len(run.store.indexed()) == 10
    assert run(*many(7), wishes=Wishes(prune=True, most_pruned=3)).posts == 7


def test_nothing_is_pruned_where_lines_were_rejected(run: Run) -> None:
    run(*many(10))
    with pytest.raises(FixableError, match="1 lines were rejected"):
        run(*many(9), BAD, wishes=Wishes(prune=True))
    assert len(run.store.indexed()) == 10


def test_a_dry_run_says_what_would_be_done_and_does_nothing(run: Run) -> None:
    first = run(*many(10))
    run.store.events.clear()
    embedder = CountingEmbedder()
    wishes = Wishes(dry_run=True, prune=True)
    summary = run(a_post("0", "tea"), replace(a_post("1"), likes=1), a_post("new"), embedder=embedder, wishes=wishes)
    assert (summary.added, summary.changed, summary.recounted, summary.deleted) == (1, 1, 1, 8)
    assert (summary.written, summary.generation, summary.posts) == (True, first.generation, 10)
    assert str(summary).startswith("nothing was done")
    assert embedder.read == []
    assert run.store.events == ["lock", "unlock"]


def test_a_generation_is_written_anew_when_asked_though_nothing_changed(run: Run) -> None:
    run(*many(5))
    summary = run(*many(2), embedder=CountingEmbedder(dies_after=0), wishes=Wishes(anew=True))
    assert (summary.posts, summary.written, summary.generation, summary.embedded) == (5, True, "0002", 0)


def stored(post: Post) -> StoredPost:
    return StoredPost(post, content_hash(post))


def test_what_the_journal_accepts_during_a_run_is_in_the_new_generation(run: Run) -> None:
    run(*many(10))

    class Accepting(CountingEmbedder):
        def embed_passages(self, texts: Sequence[str]) -> Vectors:
            with Journal(run.folder / "journal.sqlite") as journal:
                if "late" in texts or journal.last():
                    return super().embed_passages(texts)
                journal.put([stored(a_post("late")), stored(a_post("0", "accepted last"))])
                journal.forget(["3", "1"], "command")
                journal.put([stored(a_post("3", "back again"))])
            return super().embed_passages(texts)

    run(*many(10), a_post("0", "offered"), a_post("x", "y"), embedder=Accepting())
    held = {key: one.stored.post.text for key, one in run.store.indexed().items()}
    assert (held["late"], held["0"], held["3"]) == ("coffee number late", "accepted last", "back again")
    assert "1" not in held
    with Journal(run.folder / "journal.sqlite") as journal:
        assert run.store.reached() == {journal.id: journal.last()}


@pytest.mark.parametrize("anew", [False, True])
def test_what_the_journal_accepted_before_a_run_gives_way_to_what_is_offered(anew: bool, run: Run) -> None:
    run(*many(20))
    with Journal(run.folder / "journal.sqlite") as journal:
        journal.put([stored(a_post("0", "accepted")), stored(a_post("1", "accepted")), stored(a_post("new"))])
        journal.forget(["4"], "command")
    summary = run(a_post("0", "offered"), a_post("4"), wishes=Wishes(anew=anew))
    held = {key: one.stored.post.text for key, one in run.store.indexed().items()}
    assert (held["0"], held["1"], held["new"]) == ("offered", "accepted", "coffee number new")
    assert "4" not in held
    assert (summary.forgotten, summary.posts) == (1, 20)


def test_a_forgotten_post_stays_out_until_it_is_allowed_again(run: Run) -> None:
    run(*many(5), replace(a_post("by ann"), author="Ann"))
    with Journal(run.folder / "journal.sqlite") as journal:
        journal.forget(["2", "by ann"], "command", authors=["ann"])
    ann = [replace(a_post(post_id), author="ANN") for post_id in ("by ann", "never seen")]
    summary = run(*many(5), *ann)
    assert (summary.forgotten, summary.posts) == (3, 4)
    assert "3 forgotten before and kept out" in str(summary)
    summary = run(*many(5), *ann, wishes=Wishes(allow_forgotten=True))
    assert (summary.forgotten, summary.posts) == (0, 7)
    assert run(*many(5), *ann).forgotten == 0


def opted_out(post_id: str) -> Rejected:
    found = offered_line(Record(1, {"id": post_id, "opt_out": True}, b'{"id": 1}'), "posts.jsonl")
    assert isinstance(found, Rejected)
    return found


def test_a_post_whose_author_opts_out_is_forgotten_and_no_words_of_the_line_are_kept(run: Run) -> None:
    run(*many(5))
    assert opted_out("3").raw == b""
    summary = run(a_post("3", "changed"), opted_out("3"), opted_out("never there"), wishes=Wishes(dry_run=True))
    assert len(run.store.indexed()) == 5
    summary = run(a_post("3", "changed"), opted_out("3"), opted_out("never there"))
    assert (summary.forgotten, summary.rejected, summary.posts) == (2, 0, 4)
    assert run(opted_out("3"), *many(5)).forgotten == 2  # the flag, and the post
    assert sorted(run.store.indexed()) == ["0", "1", "2", "4"]
    assert not run(opted_out("3")).written


def test_a_text_that_several_posts_share_is_embedded_once_and_has_one_vector(run: Run) -> None:
    embedder = CountingEmbedder()
    run(*many(3 * WINDOW, text="what everybody says"), a_post("other"), embedder=embedder)
    assert sorted(embedder.read) == ["coffee number other", "what everybody says"]
    assert len({one.vectors.tobytes() for one in run.store.indexed().values()}) == 2


class AheadEngine:
    """Reads all batches before it embeds the first, as an engine with many workers may."""

    def __init__(self, dies_at: int | None = None) -> None:
        self.sizes: list[int] = []
        self._dies_at = dies_at

    def embed(self, batches: Iterable[Sequence[str]]) -> Iterator[Vectors]:
        for number, texts in enumerate(list(batches)):
            if number == self._dies_at:
                raise FixableError("the workers are gone", "start them again")
            self.sizes.append(len(texts))
            yield HashEmbedder().embed_passages(texts)


def test_an_engine_that_reads_ahead_gives_the_same_index(tmp_path: Path) -> None:
    posts = [a_post(str(number), f"coffee number {number // 2} of {number % 7}") for number in range(2 * WINDOW + 5)]
    here, elsewhere = Run(tmp_path / "here"), Run(tmp_path / "elsewhere")
    engine = AheadEngine()
    here(*posts)
    elsewhere(*posts, engine=engine)
    assert max(engine.sizes) == EMBEDDED_AT_ONCE
    assert here.store.indexed().keys() == elsewhere.store.indexed().keys()
    for post_id, one in here.store.indexed().items():
        np.testing.assert_array_equal(one.vectors, elsewhere.store.indexed()[post_id].vectors)


def test_an_engine_that_goes_away_ends_the_run_and_what_it_embedded_is_kept(run: Run) -> None:
    posts = [a_post(str(number)) for number in range(3 * EMBEDDED_AT_ONCE)]
    with pytest.raises(FixableError, match="the workers are gone"):
        run(*posts, engine=AheadEngine(dies_at=2))
    assert run.store.current() is None
    assert run(*posts).embedded == EMBEDDED_AT_ONCE
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("reindex")]


class Told(QuietProgress):
    """What was said of the embedding."""

    def __init__(self) -> None:
        super().__init__(io.StringIO())
        self.embedded: list[tuple[int, int]] = []

    def embedding(self, passages: int, expected: int) -> None:
        self.embedded.append((passages, expected))


def test_embedding_is_told_of_before_the_first_vectors_are_there(tmp_path: Path) -> None:
    told, embedder = Told(), CountingEmbedder(dies_after=0)
    posts = [StoredPost(post, content_hash(post)) for post in (Post("a", "", "one"), Post("b", "", "two"))]
    with EmbeddingCache(tmp_path / "embeddings.sqlite", embedder.identity) as cache, pytest.raises(KeyboardInterrupt):
        Filling(embedder, LengthWeigher(), cache, told, expected_posts=2).fill(posts, lambda _: None)
    assert told.embedded == [(0, 2)]
