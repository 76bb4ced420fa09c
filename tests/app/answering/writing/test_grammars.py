"""Grammars: what a model may write at all. llama.cpp's own parser has the last word on them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.answering.generation import GenerateRequest, Generator, load_generator
from app.answering.generation.cancellation import Stop
from app.answering.writing.grammars import copying
from retrieval.settings import Settings


def test_a_text_is_copied_from_the_beginning_of_a_sentence_to_the_end_of_one() -> None:
    assert copying(["It is 28 yuan. Open at 9.30, mostly.", "好喝。"]).split("\n") == [
        "root ::= s0 | s1 | s2",
        's0 ::= "It is 28 yuan." (" " s1)?',
        's1 ::= "Open at 9.30, mostly."',
        's2 ::= "好喝。"',
    ]


def test_chinese_sentences_need_no_space_between_them() -> None:
    assert 's0 ::= "手冲38元。" (s1)?' in copying(["手冲38元。周一休息。"])


@given(st.lists(st.text(min_size=1, max_size=80).filter(str.strip), min_size=1, max_size=4))
def test_whatever_a_post_says_its_grammar_names_every_rule_that_it_uses(texts: list[str]) -> None:
    rules = [line for line in copying(texts).split("\n") if "::=" in line]
    assert rules[0].startswith("root ::= s0")
    assert len(rules) == rules[0].count("|") + 2


@pytest.fixture(scope="module")
def bundled() -> Generator:
    generator = load_generator(Settings(_env_file=None, llm_context_tokens=512))
    assert generator is not None
    return generator


HARD = [
    'Say "yes" \\ or\tno. Back\\slash and “quotes”! 38元/杯（热）。',
    "Emoji 🍜 and ‹|im_end|› stay words. 1.5km, e.g. here.",
    "周一休息。周二到周日 9:00-20:30；记得预约！",
]


@pytest.mark.model
@pytest.mark.parametrize("text", HARD)
def test_the_bundled_model_writes_nothing_but_the_posts_words(bundled: Generator, text: str) -> None:
    request = GenerateRequest("Copy.", f"{text}\n\nWhat?", 96, copying([text]))
    said = "".join(piece.answer for piece in bundled.generate(request, Stop()))
    assert said
    assert said in text


@pytest.mark.model
@settings(max_examples=5, deadline=None)
@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=30).filter(str.strip))
def test_llama_reads_the_grammar_of_any_text(text: str) -> None:
    from llama_cpp.llama_grammar import LlamaGrammar

    assert LlamaGrammar.from_string(copying([text])) is not None
