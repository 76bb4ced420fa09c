"""Marks, sentences cut from a stream, and support."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.answering.citations import SentenceCutter, SupportChecker, numbers_agree, split_marks, word_support
from app.answering.types import Evidence
from retrieval.embedding import HashEmbedder


def an_evidence(text: str, mark: int = 1) -> Evidence:
    return Evidence(mark, f"post-{mark}", "text", None, 0, len(text), text, 0.9)


def cut(pieces: list[str]) -> list[str]:
    cutter = SentenceCutter()
    whole = [sentence for piece in pieces for sentence in cutter.feed(piece)]
    return whole + cutter.rest()


@pytest.mark.parametrize(
    ("raw", "text", "marks"),
    [
        ("It is 28 yuan [2][2, 3].", "It is 28 yuan.", (2, 3)),
        ("拿铁28元【1】。", "拿铁28元。", (1,)),
        ("去大理［2，3］", "去大理", (2, 3)),
        ("no mark [a] here", "no mark [a] here", ()),
        ("[0] is a mark like any other", "is a mark like any other", (0,)),
        ("year [2024] is no mark", "year [2024] is no mark", ()),
    ],
)
def test_marks_are_taken_out_and_numbered_in_reading_order(raw: str, text: str, marks: tuple[int, ...]) -> None:
    assert split_marks(raw) == (text, marks)


@pytest.mark.parametrize(
    ("reply", "sentences"),
    [
        ("It opens at nine. [1] Cash only. [2]", ["It opens at nine. [1]", "Cash only. [2]"]),
        ("It opens at nine [1]. Cash only [2].", ["It opens at nine [1].", "Cash only [2]."]),
        ("九点开门。[1]只收现金。【2】", ["九点开门。[1]", "只收现金。【2】"]),
        ("It costs 3.5 euros. Really?", ["It costs 3.5 euros.", "Really?"]),
        ("first\nsecond", ["first", "second"]),
        ("no end", ["no end"]),
        ("", []),
    ],
)
def test_a_reply_is_cut_into_sentences_with_the_marks_that_follow_them(reply: str, sentences: list[str]) -> None:
    assert cut([reply]) == sentences


@given(st.text(st.sampled_from("ab1. 。[]【】,\n!"), max_size=60), st.lists(st.integers(1, 5)))
def test_however_a_stream_is_cut_into_pieces_the_sentences_are_the_same(reply: str, sizes: list[int]) -> None:
    pieces, rest = [], reply
    for size in sizes:
        pieces.append(rest[:size])
        rest = rest[size:]
    assert cut([*pieces, rest]) == cut(list(reply))


def test_a_half_seen_mark_never_flashes() -> None:
    cutter = SentenceCutter()
    assert cutter.feed("It opens at nine. [") == []
    assert cutter.feed("1") == []
    assert cutter.feed("] Then") == ["It opens at nine. [1]"]


@pytest.mark.parametrize(
    ("sentence", "evidence", "agree"),
    [
        ("a latte is 28 yuan", "latte 28元", True),
        ("a latte is 36.50 yuan", "latte 28元", False),
        ("rent is 1200", "rent 1,200 a month", True),
        ("no number", "28", True),
    ],
)
def test_every_number_of_a_sentence_must_stand_in_the_evidence(sentence: str, evidence: str, agree: bool) -> None:
    assert numbers_agree(sentence, evidence) is agree


def test_words_support_in_both_languages() -> None:
    assert word_support("The latte costs 28 yuan.", "their latte costs 28 yuan, cash only") == 1.0
    assert word_support("拿铁28元", "这里的拿铁28元一杯") == 1.0
    assert word_support("The moon is cheese", "their latte costs 28 yuan") == 0.0


class TestSupportChecker:
    checker = SupportChecker(HashEmbedder(256))

    def test_a_mark_that_is_borne_out_becomes_a_citation_with_the_exact_quote(self) -> None:
        evidence = [an_evidence("The latte costs 28 yuan."), an_evidence("We walked the dog in the rain.", 2)]
        (citation,) = self.checker.citations("The latte costs 28 yuan.", (1,), evidence, 0.6)
        assert (citation.mark, citation.quote) == (1, "The latte costs 28 yuan.")

    def test_a_mark_that_points_at_the_wrong_post_is_put_right(self) -> None:
        evidence = [an_evidence("The latte costs 28 yuan."), an_evidence("We walked the dog in the rain.", 2)]
        (citation,) = self.checker.citations("The latte costs 28 yuan.", (2,), evidence, 0.6)
        assert citation.mark == 1

    def test_a_mark_that_points_nowhere_is_ignored(self) -> None:
        (citation,) = self.checker.citations("Latte 28 yuan.", (9, 0), [an_evidence("Latte 28 yuan.")], 0.6)
        assert citation.mark == 1

    def test_a_sentence_that_no_evidence_supports_has_no_citation(self) -> None:
        assert self.checker.citations("The moon is made of cheese.", (1,), [an_evidence("Latte 28 yuan.")], 0.6) == ()

    def test_a_number_that_stands_nowhere_takes_all_support(self) -> None:
        assert (
            self.checker.citations("The latte costs 82 yuan.", (1,), [an_evidence("The latte costs 28 yuan.")], 0.1)
            == ()
        )

    def test_a_name_that_stands_nowhere_takes_all_support(self) -> None:
        evidence = [an_evidence("Old Gear Garage is in Changning since January.")]
        assert self.checker.citations("Old Gear Garage is in Changning since January.", (1,), evidence, 0.6)
        assert not self.checker.citations("Old Gear Garage is in Pudong since January.", (1,), evidence, 0.1)

    def test_a_name_may_stand_in_the_posts_title(self) -> None:
        text = "A flat white costs 28 yuan."
        evidence = [Evidence(1, "p", "text", None, 0, len(text), text, 0.9, title="Coffee at the Blue Door")]
        assert self.checker.citations("A flat white at the Blue Door costs 28 yuan.", (1,), evidence, 0.5)

    def test_a_negation_on_one_side_weighs_against_the_claim(self) -> None:
        said, denied = an_evidence("Dogs are allowed inside."), an_evidence("Dogs are not allowed inside.", 2)
        support = self.checker.supports("Dogs are not allowed inside.", [said, denied])
        assert support[1] > support[0] + 0.2

    def test_without_evidence_there_is_nothing_to_cite(self) -> None:
        assert self.checker.citations("Anything.", (1,), [], 0.0) == ()
