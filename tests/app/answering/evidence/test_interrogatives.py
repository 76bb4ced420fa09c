"""Questions in posts are told apart from statements, and do not count as answers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.answering.evidence.answerability import assess
from app.answering.evidence.interrogatives import asks
from app.answering.evidence.selector import EvidenceSelector
from app.answering.evidence.sentence_units import sentences_of
from retrieval.models.embedding import HashEmbedder
from retrieval.text.terms import TermWeigher
from retrieval.types import Comment, Hit, Passage, Post

QUESTIONS = (
    "苍山露营晚上冷吗?怕冷星人求助",
    "舒适温标10℃的睡袋够不够啊",
    "怕冷星人求助🥶",
    "新手求助：睡袋怎么选",
    "300以内的手磨求推荐",
    "有没有人住过古城里的青旅",
    "请问周末要不要预约",
    "想问下营地能不能带狗",
    "有人知道几点关门吗！！",
    "豆子卖不卖呀",
    "那周末呢",
    "要带多厚的睡袋呢",
    "冬天冷吗😢 #大理 #露营求助",
    "票怎么买",
    "在线等，挺急的",
    "看动画算学习嗎",
    "Is it cold at night up there?",
    "does anyone know if it gets cold at night",
    "Anyone been to Heron Bend lately",
    "Looking for advice on sleeping bags",
    "hi all, can someone recommend a vet in Dali",
    "any tips for a first night in a tent",
    "I was wondering whether dogs are allowed.",
    "how much is a flat white there",
    "where do we go instead then",
    "Any help would be appreciated!",
    "is a bag rated to 5 degrees ok or not",
    "asking for a very sad spaniel",
)
STATEMENTS = (
    "晚上只有4度，带厚睡袋。",
    "够不够看天气，我那天8度。",
    "味道真的不错不错",
    "店员会问你喜欢酸的还是苦的",
    "不管冷不冷都要带羽绒服",
    "遇到问题可以向前台求助",
    "营地要求推车停在外面",
    "有人说晚上很冷",
    "时不时有野猫来",
    "听说有没有预约都能进",
    "想吃什么就点什么",
    "周一店休！我就是周一去的那个倒霉蛋",
    "多少有点贵",
    "谁都能进",
    "It was 4 degrees at night.",
    "Can confirm Tuesdays closed, stood outside like a lemon",
    "Whether it is cold depends on the wind.",
    "Anyone with a student card pays half.",
    "was there Sunday, 8:30 too",
    "Do the loop early and have the soup.",
    "Tips are appreciated but not required.",
    "It doesn't open at 4:30 any more?!",
    "When you get there, ask for the key.",
    "Please help yourself to tea.",
    "How to get there: line 10, exit B.",
    'The guard asked "is that your dog?"',
)
SELECTOR = EvidenceSelector(HashEmbedder(256), TermWeigher())


@pytest.mark.parametrize("sentence", QUESTIONS)
def test_a_question_and_a_request_for_help_ask(sentence: str) -> None:
    assert asks(sentence)


@pytest.mark.parametrize("sentence", STATEMENTS)
def test_what_only_speaks_of_a_question_states(sentence: str) -> None:
    assert not asks(sentence)


@given(st.sampled_from(QUESTIONS), st.sampled_from(["", "！", "~~", " 🥶🙏", "\n#求助 #大理", "…", " #help", "\n\n"]))
def test_signs_pictures_and_tags_behind_a_question_change_nothing(sentence: str, behind: str) -> None:
    assert asks(sentence + behind)


@given(st.lists(st.sampled_from(QUESTIONS), min_size=1, max_size=4), st.sampled_from(STATEMENTS))
def test_a_piece_with_a_statement_in_it_does_not_ask(questions: list[str], statement: str) -> None:
    assert asks("\n".join(questions))
    assert not asks("\n".join([*questions, statement]))


def a_hit(post: Post, rank: int) -> Hit:
    return Hit(rank, 1.0, 1.0, 1.0, post, Passage(post.id, 0, "text", None, 0, len(post.text), post.text))


@given(
    st.lists(st.lists(st.sampled_from([*QUESTIONS, *STATEMENTS]), max_size=4), min_size=1, max_size=3),
    st.sampled_from(["苍山露营晚上冷吗", "Is it cold at night?", "总结一下露营的步骤"]),
)
def test_no_evidence_asks_however_questions_and_statements_follow_one_another(
    posts: list[list[str]], question: str
) -> None:
    hits = [
        a_hit(Post(str(n), "冷吗？", "\n".join(said), comments=(Comment("a", "求推荐"),)), n)
        for n, said in enumerate(posts, 1)
    ]
    found = SELECTOR.select(question, hits)
    assert not any(asks(one.text) for one in found)
    assert not any(line in QUESTIONS for one in found for line in one.text.split("\n"))


@given(st.lists(st.sampled_from(QUESTIONS), min_size=1, max_size=5))
def test_where_posts_only_ask_the_question_is_declined(questions: list[str]) -> None:
    hits = [a_hit(Post(str(n), one, one), n) for n, one in enumerate(questions, start=1)]
    found = SELECTOR.select(questions[0], hits)
    assert found == []
    assert assess(questions[0], found, hits, threshold=0.0, known=True).outcome == "declined"


def test_a_few_words_with_a_question_mark_stay_with_what_they_are_about() -> None:
    post = Post("p", "", "Sour? Grind finer. Is a burr grinder worth it? Yes, for filter coffee it is.")
    assert [one.text for one in sentences_of(post, 1)] == [
        "Sour? Grind finer.",
        "Is a burr grinder worth it?",
        "Yes, for filter coffee it is.",
    ]
