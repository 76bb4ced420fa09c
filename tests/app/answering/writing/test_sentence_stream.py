"""Sentences cut out of a stream, each with its marks."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.answering.writing.sentence_stream import LONGEST_SENTENCE, SentenceCutter


def cut(pieces: list[str]) -> list[str]:
    cutter = SentenceCutter()
    whole = [sentence for piece in pieces for sentence in cutter.feed(piece)]
    return whole + cutter.rest()


@pytest.mark.parametrize(
    ("reply", "sentences"),
    [
        ("It opens at nine. [1] Cash only. [2]", ["It opens at nine. [1]", "Cash only. [2]"]),
        ("It opens at nine [1]. Cash only [2].", ["It opens at nine [1].", "Cash only [2]."]),
        ("It opens at nine. (1) Cash only.", ["It opens at nine. (1)", "Cash only."]),
        ("九点开门。[1]只收现金。【2】", ["九点开门。[1]", "只收现金。【2】"]),
        ("It costs 3.5 euros. Really?", ["It costs 3.5 euros.", "Really?"]),
        ("first\nsecond", ["first", "second"]),
        ("no end", ["no end"]),
        ("", []),
        (
            "Dr. Wu opens at 9 a.m. on Monday. Closed at 5 p.m. Bring e.g. cash.",
            ["Dr. Wu opens at 9 a.m. on Monday.", "Closed at 5 p.m.", "Bring e.g. cash."],
        ),
        ("The answer is no. See No. 5.", ["The answer is no.", "See No. 5."]),
        ("J. Smith lives in the U.S. now. Yes.", ["J. Smith lives in the U.S. now.", "Yes."]),
        ("Wait... what? Well… it is fine. Hmm... Yes.", ["Wait... what?", "Well… it is fine.", "Hmm...", "Yes."]),
        ("等等……还没完。好了。", ["等等……还没完。", "好了。"]),
        ("他说：“九点开门。别迟到！”然后走了。", ["他说：“九点开门。别迟到！”", "然后走了。"]),
        ("“好吃。”老板说。下一句。", ["“好吃。”老板说。", "下一句。"]),
        ("“没有说完。下一句。", ["“没有说完。", "下一句。"]),
        ('He said "It opens at nine." Then left.', ['He said "It opens at nine."', "Then left."]),
        ("1. Pour slowly. [1]\n2. Wait.\n- one\n- two", ["1. Pour slowly. [1]", "2. Wait.", "- one", "- two"]),
        ("**It opens at nine.** Then *close*.", ["**It opens at nine.**", "Then *close*."]),
        ("It opens at nine.\n[1]\n[2] is about tea.", ["It opens at nine.\n[1]", "[2] is about tea."]),
        ("Nine. [1](https://a.example/b.c) Ten.", ["Nine. [1](https://a.example/b.c)", "Ten."]),
    ],
)
def test_a_reply_is_cut_into_sentences_with_the_marks_that_follow_them(reply: str, sentences: list[str]) -> None:
    assert cut([reply]) == sentences


@given(
    st.text(st.sampled_from('abA1. 。[]【】,\n!?…“”「」"*()†-^:e.g帖'), max_size=60),
    st.lists(st.integers(1, 7), max_size=40),
)
@example("a…[1]b", [2, 1])
@example("a.\n[1] b", [4, 1, 1])
def test_however_a_stream_is_cut_into_pieces_the_sentences_are_the_same(reply: str, sizes: list[int]) -> None:
    pieces, rest = [], reply
    for size in sizes:
        pieces.append(rest[:size])
        rest = rest[size:]
    sentences = cut([reply])
    assert cut([*pieces, rest]) == cut(list(reply)) == sentences
    assert "".join("".join(sentences).split()) == "".join(reply.split())


@pytest.mark.parametrize(
    "mark", ["[1]", "【12】", "[1, 2]", "[Post 1]", "【1†source】", "[[1]](https://a.example)", "(1)"]
)
def test_a_half_seen_mark_never_flashes(mark: str) -> None:
    cutter = SentenceCutter()
    assert cutter.feed("It opens at nine. ") == []
    assert [sentence for character in mark for sentence in cutter.feed(character)] == []
    assert cutter.feed(" Then more") == [f"It opens at nine. {mark}"]


@pytest.mark.parametrize("unit", ["word ", "字", "[", "[1]", "“", "a.", "(1 ", "e.g. ", "…a"])
def test_a_line_without_end_is_broken_into_pieces_that_a_reader_can_hold(unit: str) -> None:
    reply = unit * (10_000 // len(unit))
    sentences = cut([reply])
    assert max(map(len, sentences)) <= LONGEST_SENTENCE
    assert "".join("".join(sentences).split()) == "".join(reply.split())
