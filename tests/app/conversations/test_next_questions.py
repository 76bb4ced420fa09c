"""Questions to go on with: made of what posts hold and nobody asked, and shown only when the index answers them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from app.answering.types import Answer, Evidence, Question
from app.conversations.followups.fact_kinds import name_in, price_question, priced_items
from app.conversations.followups.followup_finder import FollowUps
from app.conversations.followups.next_questions import alike, candidates
from retrieval.types import Comment, Place, Post
from tests.app.conversations.kept import a_hit, an_answer

OWL = Post(
    "owl", "Alley Owl, Yuyuan Road: the upstairs",
    "Second floor of Alley Owl has a long table, sockets at every seat. Americano 22 yuan, refill for 10.\n"
    "They open at 8:00 on weekdays. Nearest metro Jiangsu Road, 6 min walk.", "jo", place=Place("Yuyuan Road"),
    comments=(Comment("ann", "closed on Mondays"),),
)  # fmt: skip
DEER = Post(
    "deer", "鹿角咖啡搬家了！别再去永康路扑空",
    "鹿角咖啡2026年2月搬到乌鲁木齐中路了\n新店大了一倍，手冲38元一杯\n每天10点开门，卖完收工\n周一店休", "小满",
    language="zh", place=Place("乌鲁木齐中路"),
)  # fmt: skip
HOWTO = Post("v60", "手冲水温到底多少度？", "浅烘用96度，深烘86到88度就够了。", "阿木", language="zh")


def of(language: str, *posts: Post, question: str = "quiet cafe to study") -> Answer:
    hits = tuple(a_hit(post, rank) for rank, post in enumerate(posts, start=1))
    return an_answer(question, language=language, sentences=(), hits=hits)


@dataclass
class Index:
    """Answers what holds one of its words with the first of its sentences that does."""

    sentences: tuple[str, ...]
    asked: list[Question] = field(default_factory=list)

    def evidence_for(self, question: Question) -> Sequence[Evidence]:
        self.asked.append(question)
        best = [one for one in self.sentences if any(word in one for word in question.text.strip("?").split())]
        return [Evidence(1, "owl", "text", None, 0, len(one), one, 0.9) for one in best]


def test_questions_ask_for_what_the_posts_tell_and_nobody_asked_in_the_language_of_the_question() -> None:
    english = [one.question for one in candidates("quiet cafe to study", of("en", OWL, DEER))]
    assert english[:2] == ["How much is an americano at Alley Owl?", "When does Alley Owl open and close?"]
    chinese = [one.question for one in candidates("水温 咖啡馆", of("zh", DEER, HOWTO))]
    assert chinese[0] == "鹿角咖啡的手冲多少钱？"
    assert "鹿角咖啡几点开门、几点关门？" in chinese
    assert "手冲水温到底多少度？" in chinese


def test_what_was_asked_or_shown_is_not_suggested_again() -> None:
    asked = "When does Alley Owl open?"
    found = [one.question for one in candidates(asked, of("en", OWL), ["How much is an americano at Alley Owl?"])]
    assert found
    assert not any(alike(one, asked) or "americano" in one for one in found)
    assert all(one.question != asked for one in candidates("x", of("en", OWL), [asked]))


def test_what_others_asked_of_the_same_posts_is_suggested_and_of_other_posts_is_not() -> None:
    past = [("alley owl refill", "owl"), ("red door terrace", "red"), ("鹿角咖啡 豆子", "owl")]
    found = [one.question for one in candidates("quiet cafe", of("en", OWL), past=past)]
    assert "alley owl refill" in found
    assert not {"red door terrace", "鹿角咖啡 豆子"} & set(found)


@pytest.mark.parametrize("title", ["", "Best cafe <script>alert(1)</script>?", "a\u202eb\u202e?", "x" * 500 + "?"])
def test_a_strange_title_makes_no_question_that_is_long_or_holds_what_cannot_be_seen(title: str) -> None:
    post = replace(OWL, id="odd", title=title, text="nothing here")
    for one in candidates("cafe", of("en", post)):
        assert len(one.question) <= 90
        assert one.question.isprintable()


def test_only_what_the_index_answers_with_something_new_is_shown() -> None:
    index = Index(("Americano 22 yuan, refill for 10.", "They open at 8:00 on weekdays, says Alley."))
    found = FollowUps(index, wanted=3).find("quiet cafe to study", of("en", OWL))
    assert [one.post_id for one in found] == ["owl"] * len(found)
    assert 1 <= len(found) <= 2
    assert FollowUps(Index(()), wanted=3).find("quiet cafe to study", of("en", OWL)) == []


def test_looking_stops_when_its_time_is_over() -> None:
    clock = iter([0.0, 1.0, 2.0, 3.0, 4.0])
    index = Index(())
    assert FollowUps(index, wanted=3, budget_s=1.5, clock=lambda: next(clock)).find("cafe", of("en", OWL)) == []
    assert len(index.asked) == 1


def test_an_answer_without_posts_suggests_nothing() -> None:
    assert FollowUps(Index(("x",)), wanted=3).find("cafe", an_answer(hits=(), sentences=())) == []


def test_prices_are_read_with_the_thing_that_costs_them() -> None:
    assert list(priced_items("Flat white is 28 yuan, pour over 35. Galão went up to 2.20 €.")) == ["flat white"]
    assert list(priced_items("手冲32元一杯，合计260元，从32涨到38元")) == ["手冲"]


def test_only_a_name_that_the_post_itself_uses_is_taken_from_its_title() -> None:
    assert (name_in(OWL), name_in(DEER), name_in(HOWTO)) == ("Alley Owl", "鹿角咖啡", "")


def test_a_price_is_asked_for_as_one_speaks() -> None:
    assert price_question("oat cookies", "Blue Door", "en") == "How much are oat cookies at Blue Door?"


def test_of_a_question_that_names_a_place_what_other_places_tell_is_beside_the_point() -> None:
    other = replace(OWL, id="heron", title="Paper Heron, the terrace", text="Paper Heron sells tea. Open 9 to 5.")
    found = [one.question for one in candidates("Is Alley Owl quiet?", of("en", OWL, other))]
    assert found
    assert not any("Heron" in one for one in found)
