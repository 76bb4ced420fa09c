"""Completions match what is typed, without duplicates; past, liked and new ones come first."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.suggest.past_queries import PastPhrases, PastQuery, carries
from retrieval.suggest.phrases import compact, folded_phrase, pinyin_keys, typed_prefix
from retrieval.suggest.post_phrases import PostPhrases
from retrieval.suggest.suggester import LONGEST_TYPED, Suggester, Suggestion
from retrieval.types import Comment, Post

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def a_post(title: str, *tags: str, likes: int = 0, age_days: int | None = 0, text: str = "") -> Post:
    created_at = None if age_days is None else NOW - timedelta(days=age_days)
    return Post(title or text, title, text, tags=tags, likes=likes, created_at=created_at)


def a_suggester(*posts: Post, asked: dict[str, int] | None = None) -> Suggester:
    past = PastPhrases(PastQuery(text, count, NOW.date()) for text, count in (asked or {}).items())
    return Suggester(PostPhrases(posts), past)


def texts(suggester: Suggester, typed: str, limit: int = 8) -> list[str]:
    return [suggestion.text for suggestion in suggester.suggest(typed, limit)]


SAMPLE = (
    a_post("上海 brunch 推荐", "上海", "brunch", likes=30),
    a_post("Best coffee in Dali", "coffee", "dali", likes=10),
    a_post("咖啡馆学习", "咖啡", "自习"),
    a_post("Coffee gear for beginners", "Coffee", "gear"),
    a_post("臺北夜市", "台北", "brewery"),
    a_post("", "上海", "bike repair"),
)
ASKED = {"coffee beans": 3, "上海 bagel": 1, "COFFEE": 2}


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("咖", {"咖啡", "咖啡馆学习"}),
        ("咖啡", {"咖啡馆学习"}),
        ("馆", {"咖啡馆学习"}),
        ("cof", {"COFFEE", "coffee beans", "Best coffee in Dali", "Coffee gear for beginners"}),
        ("ＣＯＦ", {"COFFEE", "coffee beans", "Best coffee in Dali", "Coffee gear for beginners"}),
        ("#bre", {"brewery"}),
        ("台北夜", {"臺北夜市"}),
        ("台", {"台北", "臺北夜市"}),
        ("kafei", {"咖啡", "咖啡馆学习"}),
        ("kfg", {"咖啡馆学习"}),
        ("tai bei", {"台北", "臺北夜市"}),
        ("dali cof", {"Best coffee in Dali", "dali coffee"}),
        ("offee", set()),
        ("?!", set()),
        ("  ", set()),
        ("", set()),
        ("c" * (LONGEST_TYPED + 1), set()),
    ],
)
def test_a_prefix_is_completed_in_any_script(typed: str, expected: set[str]) -> None:
    assert set(texts(a_suggester(*SAMPLE, asked=ASKED), typed)) == expected


def test_of_several_words_the_last_is_completed_beside_the_others() -> None:
    found = texts(a_suggester(*SAMPLE, asked=ASKED), "上海 b")
    assert set(found[:2]) == {"上海 brunch 推荐", "上海 bagel"}
    assert found[2:] == ["上海 brunch", "上海 bike repair"], (
        "tags that a post carries beside 上海; 台北's brewery is none"
    )
    assert "上海 bike repair" in texts(a_suggester(*SAMPLE), "上海 ")


def test_the_words_before_the_last_stay_as_typed_without_signs_before_them() -> None:
    dali = a_suggester(a_post("Dali", "bread"))
    assert texts(dali, "DALI b") == ["DALI bread"]
    assert texts(dali, "- Dali ") == ["Dali bread"]
    assert texts(dali, "#Dali b") == ["dali bread"]


def test_a_word_before_the_last_is_a_whole_one() -> None:
    assert texts(a_suggester(a_post("", "dalian", "bread")), "dali b") == []


def test_phrases_that_read_the_same_are_one_with_the_uses_and_likes_of_all() -> None:
    found = a_suggester(*SAMPLE, asked=ASKED).suggest("coffee")
    assert "coffee" not in {folded_phrase(one.text) for one in found}, "it is typed already"
    found = a_suggester(*SAMPLE, asked=ASKED).suggest("cof")
    assert found[0] == Suggestion("COFFEE", "query")


def test_past_queries_that_read_the_same_are_one() -> None:
    past = a_suggester(asked={"tea now": 2, "TEA  now": 2, "tea then": 3})
    assert texts(past, "tea") == ["TEA now", "tea then"]


def test_each_tells_where_it_comes_from() -> None:
    kinds = {one.text: one.kind for one in a_suggester(*SAMPLE, asked=ASKED).suggest("c")}
    assert kinds["coffee beans"] == kinds["COFFEE"] == "query"
    assert kinds["Coffee gear for beginners"] == "title"
    assert a_suggester(*SAMPLE).suggest("cof")[0] == Suggestion("coffee", "tag")


def test_the_asked_the_liked_and_the_new_come_first() -> None:
    liked = a_suggester(a_post("tea one"), a_post("tea two", likes=50), a_post("tea three", likes=5))
    assert texts(liked, "tea") == ["tea two", "tea three", "tea one"]
    newest = a_suggester(a_post("tea one", age_days=400), a_post("tea two", age_days=None), a_post("tea three"))
    assert texts(newest, "tea") == ["tea three", "tea one", "tea two"]
    asked = a_suggester(a_post("tea one", likes=5), asked={"tea now": 2, "tea then": 30})
    assert texts(asked, "tea") == ["tea then", "tea now", "tea one"]


def test_what_begins_so_comes_before_what_holds_it_later_unless_that_is_far_more_liked() -> None:
    assert texts(a_suggester(a_post("green tea", likes=2), a_post("tea")), "te") == ["tea", "green tea"]
    assert texts(a_suggester(a_post("green tea", likes=200), a_post("tea")), "te") == ["green tea", "tea"]


def test_a_tag_that_many_posts_carry_does_not_need_likes() -> None:
    many = [a_post(f"post {number}", "teahouse") for number in range(40)]
    assert texts(a_suggester(*many, a_post("tea", likes=20)), "te")[0] == "teahouse"


WORDS = st.text("abc 咖啡大理馆臺Ａ#'b-😀", max_size=12)
POSTS = st.lists(
    st.builds(
        lambda title, tags, likes: a_post(title, *tags, likes=likes),
        WORDS,
        st.lists(WORDS, max_size=4),
        st.integers(0, 99),
    ),
    max_size=8,
)


def fits(typed: str, text: str) -> bool:
    """As documented: a word begins with it, or it has all the words, or its pinyin begins with it."""
    prefix, folded = typed_prefix(typed), folded_phrase(text)
    pinyin = any(key.startswith(compact(prefix)) for key in pinyin_keys(folded))
    return all(word in folded for word in prefix.split()) or (prefix.isascii() and pinyin)


@settings(max_examples=300, deadline=None)  # the pinyin dictionary is read in some example
@given(POSTS, st.dictionaries(WORDS, st.integers(1, 9), max_size=5), WORDS, st.integers(1, 5))
def test_every_suggestion_fits_what_is_typed_and_none_comes_twice(
    posts: list[Post], asked: dict[str, int], typed: str, limit: int
) -> None:
    found = texts(a_suggester(*posts, asked=asked), typed, limit)
    assert len(found) <= limit
    assert len({folded_phrase(text) for text in found}) == len(found)
    assert all(fits(typed, text) for text in found), (typed, found)


@settings(deadline=None)
@given(st.text())
def test_nothing_that_can_be_typed_makes_it_fail(typed: str) -> None:
    a_suggester(*SAMPLE, asked=ASKED).suggest(typed)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("flat white price", True),
        ("Flat whites?", True),
        ("flat earth theory", False),
        ("oat milk", True),
        ("zanzibar", False),
        ("zanzibar milk", False),
        ("大理咖啡", True),
        ("上海咖啡", False),
        ("the", True),
        ("?!", False),
        ("", False),
    ],
)
def test_a_query_is_borne_out_by_a_post_that_mentions_most_of_it(query: str, expected: bool) -> None:
    post = Post(
        "1", "The flat white", "28 yuan, 在大理的咖啡馆", tags=("milk",), comments=(Comment("a", "Oat costs 3 more"),)
    )
    assert carries(query, post) is expected


def test_a_past_query_of_long_ago_counts_less() -> None:
    past = [PastQuery("tea then", 5, date(2023, 1, 1)), PastQuery("tea now", 2, date(2026, 11, 1))]
    assert texts(Suggester(PostPhrases(()), PastPhrases(past)), "tea") == ["tea now", "tea then"]


TITLES = st.sampled_from(["coffee", "Coffee beans", "咖啡馆", "bike repair", ""])
TAGS = st.sampled_from(["COFFEE Bar", "咖啡", "上海 brunch", "brunch", "roast"])
DRAWN = st.lists(st.tuples(TITLES, st.lists(TAGS, max_size=3), st.booleans()), max_size=12)


@given(DRAWN, st.sampled_from(["c", "coffee b", "咖", "kf", "b", "r", "上海 b", "coffee "]))
def test_without_some_posts_it_suggests_what_the_others_would(
    drawn: list[tuple[str, list[str], bool]], typed: str
) -> None:
    posts = [
        Post(f"p{number}", title, "x", tags=tuple(dict.fromkeys(tags)), created_at=NOW)
        for number, (title, tags, _) in enumerate(drawn)
    ]
    asked = [PastQuery(f"coffee {post.id}", 1, NOW.date(), post.id) for post in posts]
    gone = {post.id for post, (*_, goes) in zip(posts, drawn, strict=True) if goes}
    left = Suggester(
        PostPhrases(post for post in posts if post.id not in gone),
        PastPhrases(query for query in asked if query.post_id not in gone),
    )
    whole = Suggester(PostPhrases(posts), PastPhrases(asked))

    def read(suggester: Suggester) -> set[str]:
        return {folded_phrase(one.text) for one in suggester.suggest(typed, 100)}

    assert read(whole.without(gone)) == read(left)
    assert read(whole.without(gone).without(gone)) == read(left)
    assert read(whole.without([])) == read(whole)
