"""What a model wrote becomes plain words, in the language of the question, or is withheld."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.answering.checking.plain_text import is_plain, plain
from app.answering.checking.sentence_language import language_of, strays


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("**A flat white** is 28 yuan.", "A flat white is 28 yuan."),
        ("- It is _very_ good.", "It is very good."),
        ("## Price: `28 yuan`", "Price: 28 yuan"),
        ("See [Blue Door](https://evil.example/a(b)c) for it.", "See Blue Door for it."),
        ("Nice ![x](https://evil.example/p.png?q=1) cup.", "Nice cup."),
        ("It <b>is</b> 28<script>alert(1)</script> yuan.", "It is 28 yuan."),
        ("1. It is 28 yuan.", "It is 28 yuan."),
        ("Answer: It is 28 yuan.", "It is 28 yuan."),
        ("答案：手冲38元。", "手冲38元。"),
        ("“It is 28 yuan.”", "It is 28 yuan."),
        ("It is 28 yuan.¹", "It is 28 yuan."),
        ("It is 28 yuan ①②.", "It is 28 yuan."),
        ("It is 28 yuan [^1].", "It is 28 yuan."),
        ("It is\u200b 28\u202e yuan\U000e0041.", "It is 28 yuanA."),
        ("Open 9:00-17:30, 3.5km (2 floors), snake_case.", "Open 9:00-17:30, 3.5km (2 floors), snake_case."),
    ],
)  # fmt: skip
def test_markup_is_taken_off(written: str, said: str) -> None:
    assert plain(written) == said


@pytest.mark.parametrize(
    "text",
    [
        "Go to https://evil.example now.",
        "Go to www.evil.example now.",
        "evil.com/x?u=1 has it.",
        "<img src=x onerror=alert(1)",
        '{"answer": "28 yuan for it"}',
        "click javascript:alert(1) here",
        "mail a@evil.example for it",
        "data:text/html;base64,PHNjcmlwdD4= is it",
    ],
)
def test_a_sentence_with_a_link_or_code_left_in_it_is_not_plain(text: str) -> None:
    assert not is_plain(plain(text))


def test_honest_sentences_are_plain() -> None:
    assert all(is_plain(text) for text in ("It is 28 yuan.", "3 < 5, i.e. less.", "手冲38元，加1元换燕麦奶。", "A & B"))


@given(st.text(st.sampled_from("ab1.*_`[]()!<>#|-\n:/ ") | st.characters(), max_size=100))
def test_whatever_was_written_plain_words_carry_no_address_that_is_not_noticed(text: str) -> None:
    said = plain(f"{text} https://evil.example/x {text}")
    assert "https://evil.example" not in said or not is_plain(said)
    assert "\n" not in said


@pytest.mark.parametrize(
    ("sentence", "question"),
    [
        ("Le flat white coûte 28 yuans et il est très bon.", "How much is a flat white?"),
        ("Der Kaffee ist gut und nicht teuer.", "Is the coffee good?"),
        ("El café es muy bueno y no cuesta mucho.", "Is the coffee good?"),
        ("这里的咖啡很好喝，只要二十八元。", "Is the coffee good?"),
        ("The coffee here is 38 yuan a cup.", "手冲多少钱"),
        ("コーヒーはとてもおいしいです。", "手冲多少钱"),
    ],
)
def test_a_sentence_in_another_language_than_its_question_strays(sentence: str, question: str) -> None:
    assert strays(sentence, question)


@pytest.mark.parametrize(
    ("sentence", "question"),
    [
        ("The Café de Flore is open late.", "Which cafe is open late?"),
        ("Blue Bottle 38元一杯。", "手冲多少钱"),
        ("iPhone 15 Pro Max 8999元", "手机多少钱"),
        ("La Marzocco Linea Mini, 4200 euro.", "What machine is it?"),
        ("Le café coûte deux euros et il est bon.", "Combien est-ce que le café coûte dans ce bar ?"),
        ("The coffee is two euros.", "Combien est-ce que le café coûte dans ce bar ?"),
        ("Ask for 韭叶 when you order noodles.", "What is leek leaf?"),
        ("28", "How much?"),
    ],
)
def test_foreign_names_do_not_make_a_sentence_foreign(sentence: str, question: str) -> None:
    assert not strays(sentence, question)


@given(st.text(max_size=60))
def test_every_text_has_a_language(text: str) -> None:
    assert language_of(text)
