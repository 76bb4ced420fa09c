from __future__ import annotations

import sys
from datetime import UTC, date, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.query_filters import MOST_VALUES, both
from retrieval.query_language import parse_query
from retrieval.query_pieces import ParsedQuery, without_piece
from retrieval.types import Filters, Near

TODAY = date(2026, 3, 1)
# Whatever may mean something, in any order, and what may not.
SIGNS = [
    "from:", "FROM：", "作者:", "tag:", "#", "＃", "lang:zh", "语言：", "since:2026-01", "until:", "起:", "2026-13",
    "likes>", "赞>",
    "100", ">=", "near:", "附近：上海,10km", "31.2,121.4", ",5km", '"', "“", "”", "「", "」", "-", "－", " ", "\n",
    "咖啡", "cafe",
    "é", "🍜", "https://", "(", ")", ",", "，", ".", "@mo", "\u200b", "\x00", "\ud800",
]  # fmt: skip
ANY_TEXT = st.text() | st.lists(st.sampled_from(SIGNS), max_size=30).map("".join)


def filters_of(typed: str) -> Filters:
    parsed = parse_query(typed, today=TODAY)
    assert parsed.mistakes == ()
    return parsed.filters


def codes(parsed: ParsedQuery) -> list[str]:
    return [mistake.code for mistake in parsed.mistakes]


# --- any text at all ---


@given(ANY_TEXT)
def test_every_text_is_a_query_whose_spans_lie_in_it(typed: str) -> None:
    parsed = parse_query(typed, today=TODAY)
    spans = [(piece.start, piece.end) for piece in parsed.pieces]
    for start, end in [*spans, *((mistake.start, mistake.end) for mistake in parsed.mistakes)]:
        assert 0 <= start < end <= len(typed)
    assert all(one[1] <= following[0] for one, following in pairwise(spans)), "pieces do not overlap"
    for mistake in parsed.mistakes:
        assert mistake.said("zh") == mistake.message_zh != mistake.message == mistake.said("en")


@given(ANY_TEXT)
def test_a_text_without_pieces_stays_as_it_is_and_asks_nothing_of_posts(typed: str) -> None:
    parsed = parse_query(typed)
    if not parsed.pieces:
        assert (parsed.text, parsed.filters) == (typed, Filters())
    else:
        assert not parsed.filters.is_empty()
        assert len(parsed.text) <= len(typed) + len(parsed.pieces)


@given(st.text(st.characters(categories=["L", "N", "Zs", "So"]) | st.sampled_from(".,!?;'/&%$，。！？、…")))
def test_plain_words_and_punctuation_are_text_alone(typed: str) -> None:
    assert parse_query(typed) == ParsedQuery(typed, Filters())


@given(ANY_TEXT)
def test_taking_out_piece_after_piece_leaves_none(typed: str) -> None:
    for _ in range(len(typed) + 1):
        parsed = parse_query(typed)
        if not parsed.pieces:
            return
        shorter = without_piece(typed, parsed.pieces[0])
        assert len("".join(shorter.split())) < len("".join(typed.split()))
        typed = shorter
    raise AssertionError("pieces without end")


@pytest.mark.parametrize(
    "piece", [*SIGNS, "-a ", "#a ", '" ', '"a" ', "likes>a ", "near:x ", "from:x ", "a", "咖", "-「", "#「"]
)
def test_5000_characters_of_anything_are_read_in_steps_that_grow_with_their_number(piece: str) -> None:
    """Counted in calls, of Python's functions and of C's: the same on every machine."""
    few, many = (_calls((piece * length)[:length]) for length in (1250, 5000))
    assert many <= 4 * few + 200
    assert many < 20 * 5000


def _calls(typed: str) -> int:
    calls = 0

    def count(frame: object, event: str, argument: object) -> None:  # what a profiler is given
        nonlocal calls
        calls += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        parse_query(typed)
    finally:
        sys.setprofile(before)
    return calls


# --- what is text ---


@pytest.mark.parametrize(
    "typed",
    [
        "wi-fi password", "9:30 opening", "ratio 1:15 pour over", "C# tutorial", "#", "# heading",
        "the #1 place", "F#m chord",
        "https://posts.example/p?from:mo#top", "www.site.example/#a", '27" monitor', "5'10\" tall",
        "- a list", "--force",
        "-5 degrees", "sleeping bag -10", "a -- b", "咖啡-星巴克", "likes", "more likes > comments",
        "I like: cats", "foo:bar",
        "not-from:bob", "12:00-14:00", "上海附近:咖啡", "大理到丽江", '""', "“”", "说好的赞", "起", "re:invent",
        "(-: :-)", "::", ">100",
    ],
)  # fmt: skip
def test_what_only_looks_like_an_operator_is_text(typed: str) -> None:
    assert parse_query(typed) == ParsedQuery(typed, Filters())


# --- operators ---


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("from:mo", Filters(authors=("mo",))),
        ("From:@mo", Filters(authors=("mo",))),
        ('from:"Mo Chen"', Filters(authors=("Mo Chen",))),
        ("from:mo,ann from:jo", Filters(authors=("mo", "ann", "jo"))),
        ("author:kiki.in.transit", Filters(authors=("kiki.in.transit",))),
        ("作者：小满在路上", Filters(authors=("小满在路上",))),
        ("(from:mo)", Filters(authors=("mo",))),
        ("#coffee", Filters(tags=("coffee",))),
        ("＃咖啡", Filters(tags=("咖啡",))),
        ("#上海咖啡#", Filters(tags=("上海咖啡",))),
        ("#咖啡#上海", Filters(tags=("咖啡", "上海"))),
        ("#coffee, #tea.", Filters(tags=("coffee", "tea"))),
        ('#"road bike"', Filters(tags=("road bike",))),
        ("tag:#coffee", Filters(tags=("coffee",))),
        ("标签:咖啡、手冲", Filters(tags=("咖啡", "手冲"))),
        ("tag:2026", Filters(tags=("2026",))),
        ("lang:zh", Filters(languages=("zh",))),
        ("lang:zh-CN", Filters(languages=("zh",))),
        ("language:EN,cn", Filters(languages=("en", "zh"))),
        ("语言：中文", Filters(languages=("zh",))),
        ("likes>100", Filters(min_likes=101)),
        ("likes>=100", Filters(min_likes=100)),
        ("likes:>100", Filters(min_likes=101)),
        ("likes:100", Filters(min_likes=100)),
        ("likes > 100", Filters(min_likes=101)),
        ("likes>1,000", Filters(min_likes=1001)),
        ("likes≥1.5k", Filters(min_likes=1500)),
        ("likes<100", Filters(max_likes=99)),
        ("likes<=0", Filters(max_likes=0)),
        ("likes=7", Filters(min_likes=7, max_likes=7)),
        ("likes:10..20", Filters(min_likes=10, max_likes=20)),
        ("likes>10 likes>20 likes<50", Filters(min_likes=21, max_likes=49)),
        ("赞>100", Filters(min_likes=101)),
        ("点赞＞＝２万", Filters(min_likes=20_000)),
        ("near:31.2,121.4,5km", Filters(near=Near(31.2, 121.4, 5))),
        ("near:31.2, -121.4, 500 m", Filters(near=Near(31.2, -121.4, 0.5))),
        ("near:31.2,121.4", Filters(near=Near(31.2, 121.4, 10))),
        ('near:"Shanghai,10km"', Filters(near=Near(31.23, 121.47, 10))),
        ('near:"new york",5km', Filters(near=Near(40.71, -74.01, 5))),
        ("near:Shanghai", Filters(near=Near(31.23, 121.47, 10))),
        ("附近：上海，10公里", Filters(near=Near(31.23, 121.47, 10))),
        ("near:臺北,2mi", Filters(near=Near(25.03, 121.57, 2 * 1.609344))),
        ('"flat white"', Filters(phrases=("flat white",))),
        ("“手冲咖啡”", Filters(phrases=("手冲咖啡",))),
        ("「手冲咖啡」", Filters(phrases=("手冲咖啡",))),
        ("-oat", Filters(without=("oat",))),
        ("-oat,", Filters(without=("oat",))),
        ("－星巴克", Filters(without=("星巴克",))),
        ("-wi-fi", Filters(without=("wi-fi",))),
        ('-"oat milk"', Filters(without=("oat milk",))),
        ("-「燕麦奶」", Filters(without=("燕麦奶",))),
        ("-#ad", Filters(without_tags=("ad",))),
        ("-tag:ad", Filters(without_tags=("ad",))),
        ("-from:bob", Filters(without_authors=("bob",))),
        ("-作者:bob,ann", Filters(without_authors=("bob", "ann"))),
    ],
)  # fmt: skip
def test_an_operator_asks_for_what_it_says(typed: str, expected: Filters) -> None:
    assert filters_of(typed) == expected
    assert filters_of(f"where {typed} now") == expected


@pytest.mark.parametrize(
    ("typed", "since", "until"),
    [
        ("since:2026", "2026-01-01", None),
        ("since:2026-01", "2026-01-01", None),
        ("since:2026/1/5", "2026-01-05", None),
        ("起：2026年1月", "2026-01-01", None),
        ("until:2026", None, "2027-01-01"),
        ("until:2026-02", None, "2026-03-01"),
        ("until:2025-12", None, "2026-01-01"),
        ("until:2026-02-28", None, "2026-03-01"),
        ("止：2025年12月31日", None, "2026-01-01"),
        ("since:2025 until:2025", "2025-01-01", "2026-01-01"),
        ("since:2025-01 since:2025-03", "2025-03-01", None),
        ("until:9999", None, None),
    ],
)
def test_a_day_a_month_or_a_year_is_taken_whole(typed: str, since: str | None, until: str | None) -> None:
    def midnight(day: str | None) -> datetime | None:
        return None if day is None else datetime.fromisoformat(day).replace(tzinfo=UTC)

    filters = filters_of(typed)
    assert (filters.since, filters.until) == (midnight(since), midnight(until))


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("#coffee from:mo", ""),
        ("#coffee, from:mo!", ""),
        ("quiet cafe #study in Dali likes>10", "quiet cafe in Dali"),
        ('dali "flat white" cheap -oat', "dali flat white cheap"),
        ("上海“手冲”推荐 赞>10", "上海 手冲 推荐"),
        ("上海咖啡点赞>100", "上海咖啡"),
        ("咖啡#上海", "咖啡"),
        ("  two  spaces  ", "  two  spaces  "),
        ("#a 🍜", "🍜"),
    ],
)
def test_what_remains_is_what_is_looked_for(typed: str, text: str) -> None:
    assert parse_query(typed).text == text


# --- mistakes ---


@pytest.mark.parametrize(
    ("typed", "code", "piece"),
    [
        ("cafe likes>abc", "bad_likes", "likes>abc"),
        ("likes:-5", "bad_likes", "likes:-5"),
        ("likes<0", "bad_likes", "likes<0"),
        ("likes:20..10", "bad_likes", "likes:20..10"),
        ("赞>很多", "bad_likes", "赞>很多"),
        ("since:2026-13", "bad_date", "since:2026-13"),
        ("until:yesterday", "bad_date", "until:yesterday"),
        ("since:2025-02-30", "bad_date", "since:2025-02-30"),
        ("起:0000", "bad_date", "起:0000"),
        ('an "exact phrase', "unbalanced_quote", '"'),
        ("「手冲", "unbalanced_quote", "「"),
        ('-"oat milk', "unbalanced_quote", '"'),
        ('from:"mo', "unbalanced_quote", '"'),
        ("from: mo", "empty_value", "from:"),
        ("from:@ x", "empty_value", "from:@"),
        ("lang:klingon", "unknown_language", "lang:klingon"),
        ("lang:zh,xx", "unknown_language", "lang:zh,xx"),
        ("near:Atlantis,10km", "unknown_place", "near:Atlantis,10km"),
        ("near:91,0,5km", "bad_near", "near:91,0,5km"),
        ("near:31.2,121.4,0km", "bad_near", "near:31.2,121.4,0km"),
        ('near:"Shanghai,10 parsecs"', "bad_near", 'near:"Shanghai,10 parsecs"'),
        ("near:上海,99999km", "bad_near", "near:上海,99999km"),
        ("-lang:zh", "cannot_exclude", "-lang:zh"),
        ("-likes>5", "cannot_exclude", "-likes>5"),
    ],
)
def test_a_mistake_is_explained_and_taken_as_text(typed: str, code: str, piece: str) -> None:
    parsed = parse_query(typed, today=TODAY)
    (mistake,) = parsed.mistakes
    assert (mistake.code, typed[mistake.start : mistake.end]) == (code, piece)
    assert parsed.text == typed
    assert parsed.filters.is_empty()
    assert "text" in mistake.message
    assert "按文字搜索" in mistake.message_zh


def test_a_mistake_leaves_the_other_pieces_alone() -> None:
    parsed = parse_query('#coffee likes>abc "flat white" "')
    assert codes(parsed) == ["bad_likes", "unbalanced_quote"]
    assert parsed.text == 'likes>abc flat white "'
    assert parsed.filters == Filters(tags=("coffee",), phrases=("flat white",))


def test_the_future_is_no_mistake_but_noted() -> None:
    parsed = parse_query("since:2026-04", today=TODAY)
    assert codes(parsed) == ["future"]
    assert parsed.filters.since == datetime(2026, 4, 1, tzinfo=UTC)
    assert codes(parse_query("since:2026-03-01 until:2030", today=TODAY)) == []


@pytest.mark.parametrize("typed", ["since:2026 until:2025", "until:2025-05 since:2025-06-01", "likes>10 likes<5"])
def test_bounds_that_leave_nothing_are_noted_and_hold(typed: str) -> None:
    parsed = parse_query(typed)
    assert codes(parsed) == ["empty_range"]
    assert len(parsed.pieces) == 2


def test_of_two_places_the_last_holds() -> None:
    parsed = parse_query("near:上海 near:Dali,3km")
    assert codes(parsed) == ["repeated"]
    assert parsed.near == Near(25.69, 100.16, 3)


def test_more_values_than_a_filter_takes_are_text() -> None:
    typed = " ".join(f"#tag{n}" for n in range(MOST_VALUES + 10))
    parsed = parse_query(typed)
    assert len(parsed.filters.tags) == MOST_VALUES
    assert codes(parsed) == ["too_many"]
    assert parsed.text == " ".join(f"#tag{n}" for n in range(MOST_VALUES, MOST_VALUES + 10))


def test_a_long_piece_is_not_repeated_whole() -> None:
    (mistake,) = parse_query("since:" + "9" * 1000).mistakes
    assert len(mistake.message) < 200


# --- with parameters beside it ---


def test_what_two_places_ask_for_is_joined_and_the_stricter_bound_holds() -> None:
    early, late = datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
    one = Filters(authors=("mo",), tags=("a",), since=early, min_likes=5, near=Near(1, 1, 1), phrases=("x",))
    other = Filters(authors=("mo", "jo"), since=late, until=late, min_likes=3, max_likes=9, near=Near(2, 2, 2))
    assert both(one, other) == Filters(
        authors=("mo", "jo"), tags=("a",), since=late, until=late, min_likes=5, max_likes=9, near=Near(2, 2, 2),
        phrases=("x",),
    )  # fmt: skip
    assert both(one, Filters()) == both(Filters(), one) == one


def test_a_phrase_that_is_taken_out_leaves_its_words() -> None:
    typed = 'dali "flat white" #coffee'
    phrase, tag = parse_query(typed).pieces
    assert without_piece(typed, phrase) == "dali flat white #coffee"
    assert without_piece(typed, tag) == 'dali "flat white"'
