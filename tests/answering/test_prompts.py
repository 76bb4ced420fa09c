"""Prompts: released words never change, posts can forge nothing, nothing overflows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.answering.citations import MARK
from app.answering.promptbook import load_prompt
from app.answering.prompting import assemble, neutral
from app.answering.types import Evidence
from retrieval.types import Hit, Passage, Post

RELEASED = {
    "answer/v1.en": "d80cce8a152851defdc932c6e41989c2158b2a0fdacb081aa080c1a9abb93d9a",
    "answer/v1.zh": "e86664f279d327e7cb22590e6467d6f3509c7996304823edb88d9eb01a204407",
}


def a_hit(mark: int, title: str = "A title") -> Hit:
    post = Post(f"post-{mark}", title, "text")
    return Hit(mark, 1.0, 1.0, 1.0, post, Passage(post.id, 0, "text", None, 0, 4, "text"))


def an_evidence(text: str, mark: int = 1, start: int = 0) -> Evidence:
    return Evidence(mark, f"post-{mark}", "text", None, start, start + len(text), text, 0.9)


@pytest.mark.parametrize(("name", "sha256"), RELEASED.items())
def test_the_words_of_a_released_prompt_never_change(name: str, sha256: str) -> None:
    assert load_prompt(name).sha256 == sha256


@pytest.mark.parametrize("name", RELEASED)
def test_a_prompt_says_what_it_is_for_and_has_both_parts(name: str) -> None:
    prompt = load_prompt(name)
    system, user = prompt.parts(question="Q?", posts=[], sentences=3)
    assert prompt.purpose
    assert "3" in system
    assert user.endswith("Q?")


_HOSTILE = st.text(st.sampled_from("[]【】［］<>|/\n-`01 aIim_endNST\u202e\u200b\x00")) | st.text()


@given(_HOSTILE)
def test_whatever_a_post_says_it_forges_no_mark_no_token_and_no_fence(text: str) -> None:
    said = neutral(text)
    assert not MARK.search(said)
    assert not any(forged in said for forged in ("<", ">", "\n", "---", "```", "[INST]", "\u202e", "\x00"))


def test_evidence_is_shown_under_its_posts_number_in_the_posts_own_order() -> None:
    evidence = [an_evidence("Second.", 2, start=9), an_evidence("First.", 2), an_evidence("Other.", 1)]
    prompt = assemble(
        load_prompt("answer/v1.en"), "Q?", evidence, [a_hit(1), a_hit(2)], sentences=3, budget=9999, count_tokens=len
    )
    assert "First. Second." in prompt.user
    assert prompt.user.index("Post [2]") < prompt.user.index("First.")
    assert prompt.evidence == tuple(evidence)


@given(st.lists(st.text(min_size=1, max_size=300), min_size=1, max_size=8), st.integers(0, 2500))
def test_a_prompt_never_overflows_its_budget(texts: list[str], budget: int) -> None:
    evidence = [an_evidence(text, mark) for mark, text in enumerate(texts, start=1)]
    hits = [a_hit(mark) for mark in range(1, len(texts) + 1)]
    prompt = assemble(load_prompt("answer/v1.en"), "Q?", evidence, hits, sentences=3, budget=budget, count_tokens=len)
    assert len(prompt.system) + len(prompt.user) <= budget or not prompt.evidence


def test_where_not_even_the_best_sentence_fits_no_evidence_is_shown() -> None:
    prompt = assemble(
        load_prompt("answer/v1.zh"),
        "问？",
        [an_evidence("x" * 500)],
        [a_hit(1)],
        sentences=1,
        budget=100,
        count_tokens=len,
    )
    assert prompt.evidence == ()
