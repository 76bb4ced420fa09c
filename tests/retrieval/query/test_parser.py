"""The meaning of a query's operators, and what remains text."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from retrieval.query.filters import both
from retrieval.query.parser import parse_query
from retrieval.query.pieces import ParsedQuery, without_piece
from retrieval.types import Filters, Near

TODAY = date(2026, 3, 1)


def filters_of(typed: str) -> Filters:
    parsed = parse_query(typed, today=TODAY)
    assert parsed.mistakes == ()
    return parsed.filters


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
