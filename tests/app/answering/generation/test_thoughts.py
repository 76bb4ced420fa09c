"""Thoughts of reasoning models are told apart from their answers, however the text arrives."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.answering.generation.thoughts import TAGS, ThoughtSplitter


def split(*pieces: str, inside: bool = False) -> tuple[str, str]:
    splitter = ThoughtSplitter(inside=inside)
    splits = [splitter.feed(piece) for piece in pieces] + [splitter.rest()]
    return "".join(one.answer for one in splits), "".join(one.thought for one in splits)


@pytest.mark.parametrize(
    ("reply", "answer", "thought"),
    [
        ("<think>hm [1]</think>It is 28 yuan. [1]", "It is 28 yuan. [1]", "hm [1]"),
        ("<think>\n\n</think>\n\n一杯28元。[1]", "\n\n一杯28元。[1]", "\n\n"),
        ("<thinking>先看第一条</thinking>28元", "28元", "先看第一条"),
        ("<Think>hm</THINK>yes", "yes", "hm"),
        ("[THINK]hm[/THINK]yes [1]", "yes [1]", "hm"),
        ("<seed:think>嗯</seed:think>好", "好", "嗯"),
        ("◁think▷嗯◁/think▷好", "好", "嗯"),
        ("<|channel>thought\nhm<channel|>yes", "yes", "thought\nhm"),
        ("<think>never closed, for ever and ever", "", "never closed, for ever and ever"),
        ("one <think>hm</think>two", "one two", "hm"),
        ("<think>hm</think><answer>yes</answer>", "yes", "hm"),
        (
            "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>yes<|return|>",
            "yes",
            "hm",
        ),
        ("<|channel|>final<|message|>yes", "yes", ""),
        ("<|start|>assistant<|message|>yes", "yes", ""),
        ("<|channel|>commentary to=functions.x <|constrain|>json<|message|>{}<|call|>", "", "{}"),
        ("<|channel|>analysis<|message|>never closed", "", "never closed"),
        ("<|channel|>analysis", "", ""),
        ("analysisWe need the price.assistantfinal28 yuan", "28 yuan", "We need the price."),
        ("analysis我们看价格assistantfinal28元", "28元", "我们看价格"),
        ("analysis shows 28 yuan", "analysis shows 28 yuan", ""),
        ("analysis", "analysis", ""),
        ("a < b, [1] and </b>", "a < b, [1] and </b>", ""),
        ("cut off in a tag <thi", "cut off in a tag ", ""),
        ("yes<|im_end|>", "yes", ""),
        ("", "", ""),
    ],
)
def test_every_way_of_marking_a_thought_is_known(reply: str, answer: str, thought: str) -> None:
    assert split(reply) == (answer, thought)


def test_a_thought_whose_opening_tag_stood_in_the_template_is_a_thought() -> None:
    assert split("hm, 28</think>It is 28 yuan.", inside=True) == ("It is 28 yuan.", "hm, 28")
    assert split("hm, without an end", inside=True) == ("", "hm, without an end")


def test_a_closing_tag_without_its_opening_one_is_reported_and_not_shown() -> None:
    splitter = ThoughtSplitter()
    assert splitter.feed("hm</think>yes").answer == "hmyes"
    assert splitter.stray


@pytest.mark.parametrize(
    ("begun", "closing"),
    [
        ("<think>hm", "</think>"),
        ("[THINK]hm", "[/THINK]"),
        ("<|channel|>analysis<|message|>hm", "<|end|><|start|>assistant<|channel|>final<|message|>"),
        ("<|start|>assistant", "<|channel|>final<|message|>"),
        ("yes", ""),
    ],
)
def test_the_splitter_knows_how_the_thought_that_it_is_in_can_be_ended(begun: str, closing: str) -> None:
    splitter = ThoughtSplitter()
    splitter.feed(begun)
    assert splitter.closing == closing
    assert splitter.feed(closing + "28").answer == "28"
    assert not splitter.thinking


def test_no_tag_begins_another_one() -> None:
    for one in TAGS:
        assert not any(other != one and other.lower().startswith(one.lower()) for other in TAGS)


_TAGGED = st.lists(
    st.one_of(
        st.sampled_from(TAGS),
        st.sampled_from(
            ["analysis", "assistantfinal", "<", "</", "<|", "[", "◁", "final", "hm", "价格", "[1]", "<th", "ink>"]
        ),
        st.text(max_size=4),
    ),
    max_size=12,
).map("".join)


@given(_TAGGED, st.data())
def test_however_the_reply_is_cut_the_answer_and_the_thought_are_the_same(reply: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(reply)), max_size=8)))
    pieces = [reply[start:end] for start, end in zip([0, *cuts], [*cuts, len(reply)], strict=True)]
    assert split(*pieces) == split(reply) == split(*reply)


@given(_TAGGED)
def test_no_tag_is_ever_in_a_piece_of_the_answer_or_of_the_thought(reply: str) -> None:
    splitter = ThoughtSplitter()
    for split in [*(splitter.feed(reply[at : at + 5]) for at in range(0, len(reply), 5)), splitter.rest()]:
        assert not any(tag.lower() in shown.lower() for shown in (split.answer, split.thought) for tag in TAGS)


@given(
    st.text(st.characters(exclude_characters="<[◁"), max_size=200).filter(lambda text: not text.startswith("analysis"))
)
def test_a_text_without_tags_passes_unchanged(text: str) -> None:
    assert split(*text) == (text, "")
