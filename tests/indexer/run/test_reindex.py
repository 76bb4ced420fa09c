"""A run: what is embedded, written and kept."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from indexer.run.reindex import RunOptions
from retrieval.errors import FixableError
from retrieval.models.embedding import HashEmbedder
from retrieval.text.content_hash import content_hash
from retrieval.text.passages import passage_text
from retrieval.types import Comment
from tests.indexer.runs import BAD, CountingEmbedder, Run, a_post, many


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
    assert "2 not in the input and kept" in str(summary)


def test_a_like_more_is_a_change_that_embeds_nothing(run: Run) -> None:
    run(a_post("1"))
    summary = run(replace(a_post("1"), likes=5))
    assert (summary.recounted, summary.changed, summary.embedded) == (1, 0, 0)
    assert run.store.indexed()["1"].stored.post.likes == 5


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


def test_a_folder_that_cannot_be_is_reported_with_the_fix(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FixableError, match="file/data cannot be written"):
        Run(tmp_path / "file" / "data")(a_post("1"))


def test_where_little_changed_a_copy_is_changed_and_else_a_new_one_is_written(run: Run) -> None:
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


def test_a_copy_and_a_new_generation_hold_the_same(tmp_path: Path) -> None:
    held = []
    for copies in (True, False):
        run = Run(tmp_path / str(copies), copies)
        run(*many(30))
        run(*many(30)[3:], a_post("1", "tea"), replace(a_post("2"), likes=3), options=RunOptions(prune=True))
        held.append({key: (one.stored, one.vectors.tolist()) for key, one in run.store.indexed().items()})
    assert held[0] == held[1]
    assert "0" not in held[0]
