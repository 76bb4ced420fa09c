"""From marks to citations: kept, put right, joined by others, or withheld."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from app.answering.checking.citations import SupportChecker
from app.answering.types import Evidence
from retrieval.models.cross_encoder import RerankPool
from retrieval.models.embedding import HashEmbedder

LEAST = 0.5


def an_evidence(text: str, mark: int = 1, start: int = 0, title: str = "") -> Evidence:
    return Evidence(mark, f"post-{mark}", "text", None, start, start + len(text), text, 0.9, title)


@pytest.fixture(params=[True, False], ids=["meaning", "words"])
def checker(request: pytest.FixtureRequest) -> SupportChecker:
    """With an embedder that knows the language, and with one that does not."""
    return SupportChecker(HashEmbedder(256, languages=None if request.param else frozenset({"xx"})))


def marks(checker: SupportChecker, sentence: str, written: Sequence[int], *evidence: Evidence) -> list[int]:
    return [citation.mark for citation in checker.citations(sentence, tuple(written), evidence, LEAST)]


LATTE, DOG = an_evidence("The latte costs 28 yuan."), an_evidence("We walked the dog in the rain.", 2)


def test_a_mark_that_is_borne_out_becomes_a_citation_with_the_exact_quote(checker: SupportChecker) -> None:
    (citation,) = checker.citations("The latte costs 28 yuan.", (1,), [LATTE, DOG], LEAST)
    assert (citation.mark, citation.quote) == (1, "The latte costs 28 yuan.")
    assert (citation.start, citation.end, citation.post_id) == (LATTE.start, LATTE.end, "post-1")
    assert LEAST <= citation.support <= 1


def test_a_mark_that_points_at_the_wrong_post_is_put_right(checker: SupportChecker) -> None:
    assert marks(checker, "The latte costs 28 yuan.", [2], LATTE, DOG) == [1]


@pytest.mark.parametrize("written", [[], [9, 0]])
def test_marks_that_point_nowhere_are_ignored(checker: SupportChecker, written: list[int]) -> None:
    assert marks(checker, "The latte costs 28 yuan.", written, LATTE) == [1]


def test_several_posts_are_cited_when_several_say_it(checker: SupportChecker) -> None:
    again = an_evidence("The latte costs 28 yuan.", 3)
    assert marks(checker, "The latte costs 28 yuan.", [1, 3], LATTE, DOG, again) == [1, 3]
    assert marks(checker, "The latte costs 28 yuan.", [], LATTE, DOG, again) == [1, 3]


def test_of_posts_that_say_it_as_well_the_one_that_was_marked_is_cited(checker: SupportChecker) -> None:
    again = an_evidence("The latte costs 28 yuan.", 3)
    assert marks(checker, "The latte costs 28 yuan.", [3], LATTE, DOG, again) == [3]


def test_two_posts_that_support_a_sentence_only_together_are_both_cited(checker: SupportChecker) -> None:
    price = an_evidence("The latte at Blue Door costs 28 yuan.")
    hours = an_evidence("Blue Door opens at nine every morning.", 2)
    sentence = "The latte at Blue Door costs 28 yuan and it opens at nine every morning."
    assert marks(checker, sentence, [1], price, hours, an_evidence("The moat is lit until eleven.", 3)) == [1, 2]
    assert marks(checker, sentence, [1], price) == []


@pytest.mark.parametrize(
    "sentence", ["The moon is made of cheese.", "The latte costs 82 yuan.", "The latte doesn't cost 28 yuan."]
)
def test_what_no_evidence_supports_has_no_citation(checker: SupportChecker, sentence: str) -> None:
    assert marks(checker, sentence, [1], LATTE, DOG) == []


def test_a_name_in_the_place_of_another_takes_all_support(checker: SupportChecker) -> None:
    evidence = an_evidence("Old Gear Garage is in Changning since January.")
    assert marks(checker, "Old Gear Garage is in Changning since January.", [1], evidence) == [1]
    assert marks(checker, "Old Gear Garage is in Pudong since January.", [1], evidence) == []


def test_a_name_may_stand_in_the_posts_title(checker: SupportChecker) -> None:
    evidence = an_evidence("A flat white costs 28 yuan.", title="Coffee at the Blue Door")
    assert marks(checker, "A flat white at the Blue Door costs 28 yuan.", [1], evidence) == [1]


def test_what_stands_in_neighbouring_sentences_is_supported_and_the_one_with_the_number_quoted(
    checker: SupportChecker,
) -> None:
    post = [an_evidence("Blue Door is a small cafe.", 1, 0), an_evidence("A flat white there costs 28 yuan.", 1, 30)]
    (citation,) = checker.citations("A flat white at Blue Door costs 28 yuan.", (1,), post[::-1], LEAST)
    assert citation.quote == "A flat white there costs 28 yuan."


def test_a_number_of_another_thing_in_the_same_post_does_not_count(checker: SupportChecker) -> None:
    post = an_evidence("A flat white is 28 yuan. Oat milk is 3 yuan more.")
    assert marks(checker, "A flat white is 28 yuan.", [1], post) == [1]
    assert marks(checker, "A flat white is 3 yuan.", [1], post) == []


def test_chinese_is_checked_by_its_words(checker: SupportChecker) -> None:
    camp = an_evidence("营地停车费三十元一晚，洗手间很干净。")
    assert marks(checker, "营地停车费一晚30元。", [1], camp) == [1]
    assert marks(checker, "营地停车费一晚50元。", [1], camp) == []


def test_without_evidence_there_is_nothing_to_cite(checker: SupportChecker) -> None:
    assert checker.citations("Anything.", (1,), [], 0.0) == ()


class Entailment:
    """Says of every premise how likely it entails the claim; waits for `gate` first, or fails."""

    def __init__(self, probability: float, gate: threading.Event | None = None, fails: bool = False) -> None:
        self.probability, self.gate, self.fails = probability, gate, fails
        self.asked: list[tuple[str, tuple[str, ...]]] = []

    def scores(self, query: str, passages: Sequence[str]) -> list[float]:
        self.asked.append((query, tuple(passages)))
        if self.gate is not None:
            self.gate.wait(10)
        if self.fails:
            raise RuntimeError("out of memory")
        return [self.probability] * len(passages)


def with_nli(model: Entailment, budget_s: float = 5) -> tuple[SupportChecker, RerankPool]:
    pool = RerankPool(model, budget_s, failed="the NLI model failed")
    return SupportChecker(HashEmbedder(256), pool), pool


def test_an_nli_model_withholds_what_does_not_follow() -> None:
    model = Entailment(0.02)
    checker, pool = with_nli(model)
    assert marks(checker, "The latte costs 28 yuan.", [1], LATTE) == []
    assert model.asked == [("The latte costs 28 yuan.", ("The latte costs 28 yuan.",))]
    pool.close()


def test_an_nli_model_lets_pass_what_is_said_in_other_words_but_no_other_number() -> None:
    checker, pool = with_nli(Entailment(0.98))
    assert marks(checker, "You pay 28 yuan for coffee with milk.", [1], LATTE) == [1]
    assert marks(checker, "You pay 82 yuan for coffee with milk.", [1], LATTE) == []
    pool.close()


@pytest.mark.parametrize("fails", [True, False], ids=["fails", "late"])
def test_where_the_nli_model_fails_or_is_late_the_other_checks_decide(fails: bool) -> None:
    gate = threading.Event()
    checker, pool = with_nli(Entailment(0.0, None if fails else gate, fails), budget_s=5 if fails else 0.05)
    assert marks(checker, "The latte costs 28 yuan.", [1], LATTE) == [1]
    assert marks(checker, "The latte costs 82 yuan.", [1], LATTE) == []
    gate.set()
    pool.close()
