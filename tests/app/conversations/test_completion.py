"""Follow-up questions are understood in context, and questions that stand by themselves are left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.conversations.standalone import chinese_words, english_words
from app.conversations.standalone.completion import complete
from app.conversations.standalone.context import EarlierQuestion, StandaloneQuestion
from tests.app.conversations.dialogues import Dialogue, dialogues

DIALOGUES = dialogues()
ASKED = st.text(st.sampled_from("那它呢在哪多少钱周末狗and it there how much?？ 的咖啡Blue Door")) | st.text(
    max_size=80
)


@pytest.mark.parametrize(
    "dialogue", [one for one in DIALOGUES if one.part == "dev"], ids=lambda one: f"{one.id}: {one.asked}"
)
def test_the_dialogues_that_the_rules_were_made_with_are_understood(dialogue: Dialogue) -> None:
    found = complete(dialogue.asked, dialogue.earlier)
    assert dialogue.understood(), found.question


@pytest.mark.parametrize("language", ["en", "zh"])
def test_dialogues_that_the_rules_were_not_made_with_are_understood_nine_times_of_ten(language: str) -> None:
    held_out = [one for one in DIALOGUES if one.part == "held" and one.language == language]
    assert len(held_out) == 20
    assert sum(one.understood() for one in held_out) >= 18, [one.id for one in held_out if not one.understood()]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_table_is_large_and_half_of_it_is_chinese(language: str) -> None:
    assert sum(one.language == language for one in DIALOGUES) >= 30


@given(ASKED)
def test_without_anything_before_it_a_question_is_what_was_typed(asked: str) -> None:
    assert complete(asked, ()) == StandaloneQuestion(asked)


@given(ASKED, st.lists(st.builds(EarlierQuestion, ASKED, st.lists(ASKED, max_size=2).map(tuple)), max_size=3))
def test_no_text_makes_understanding_fail_or_the_question_empty(asked: str, earlier: list[EarlierQuestion]) -> None:
    found = complete(asked, earlier)
    assert found.question == asked or found.question.strip()
    assert len(found.question) <= max(len(asked), 400)


@pytest.mark.parametrize("dialogue", DIALOGUES, ids=lambda one: one.id)
def test_what_was_understood_stands_by_itself_and_is_understood_the_same_again(dialogue: Dialogue) -> None:
    once = complete(dialogue.asked, dialogue.earlier)
    assert not once.question.startswith(("and ", "那"))


def test_a_long_question_is_never_touched() -> None:
    asked = "and is it open? " * 20
    assert complete(asked, [EarlierQuestion("Where is Blue Door?")]) == StandaloneQuestion(asked)


def test_a_question_in_the_other_language_leans_on_the_one_before_too() -> None:
    assert complete("多少钱？", [EarlierQuestion("Where is Blue Door?", ("Blue Door, the corner cafe",))]).was_completed
    assert "鹿角咖啡" in complete("how much is it?", [EarlierQuestion("鹿角咖啡在哪", ("鹿角咖啡搬家了",))]).question


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Pebble & Pour has moved", "Pebble & Pour"),
        ("Tidewater, Graça: laptop rules", "Tidewater"),
        ("Best cafe in Shanghai!!", ""),
        ("I threw out my espresso machine", ""),
        ("", ""),
    ],
)
def test_an_english_title_gives_the_name_that_it_begins_with(title: str, name: str) -> None:
    assert english_words.name_of_title(title) == name


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("鹿角咖啡搬家了！别再去永康路扑空", "鹿角咖啡"),
        ("深圳加班人的深夜咖啡 十四度", "十四度"),
        ("手冲小白照着做|一次就成功的参数", ""),
        ("", ""),
    ],
)
def test_a_chinese_title_gives_the_name_of_its_shop(title: str, name: str) -> None:
    assert chinese_words.name_of_title(title, "深圳晚上的咖啡店") == name


TOLD = EarlierQuestion(
    "quiet cafe to study in Shanghai",
    ("Alley Owl, Yuyuan Road: the upstairs",),
    "Alley Owl has sockets at every seat. Americano 22 yuan, refill for 10.",
)
TOLD_ZH = EarlierQuestion("鹿角咖啡搬到哪里了？", ("鹿角咖啡搬家了！别再去永康路扑空",), "手冲从32涨到38了，有12个座")


@pytest.mark.parametrize(
    ("asked", "earlier", "understood"),
    [
        ("how much is the americano?", TOLD, "how much is the americano at Alley Owl?"),
        ("how much is cat litter?", TOLD, "how much is cat litter?"),
        ("手冲多少钱", TOLD_ZH, "鹿角咖啡的手冲多少钱？"),
        ("猫粮多少钱", TOLD_ZH, "猫粮多少钱"),
    ],
)
def test_a_question_for_a_thing_that_the_cited_posts_tell_of_is_about_them(
    asked: str, earlier: EarlierQuestion, understood: str
) -> None:
    assert complete(asked, [earlier]).question == understood


@pytest.mark.parametrize(
    ("asked", "earlier", "understood"),
    [
        ("what about Beijing?", [TOLD, EarlierQuestion("when does Alley Owl open?")], "quiet cafe to study in Beijing"),
        (
            "那北京呢",
            [EarlierQuestion("上海有什么安静的咖啡馆"), EarlierQuestion("小方块咖啡几点开门？")],
            "北京有什么安静的咖啡馆？",
        ),
    ],
)
def test_another_city_is_asked_of_the_last_question_about_a_city(
    asked: str, earlier: list[EarlierQuestion], understood: str
) -> None:
    assert complete(asked, earlier).question == understood
