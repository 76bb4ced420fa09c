"""The file of what people asked: what is kept in it, for how long, and for whom."""

from __future__ import annotations

import sqlite3
import stat
from datetime import date
from pathlib import Path

import pytest

from app.query_log import AnsweredQuery, PastQueries, keepable
from tests.small_index import POSTS

DALI = POSTS[0]


@pytest.mark.parametrize(
    "text",
    [
        "write to mo@example.org",
        "ｍｏ＠example.org",
        "https://posts.example/p/1",
        "posts.example cafe",
        "www cafe.com",
        "call 138 0013 8000",
        "+44 (0)20 7946 0958",
        "１３８００１３８０００",
        "身份证 110101199003078888",
        "加qq 1234567",
        "x" * 61,
        "?!",
        "",
    ],
)
def test_what_looks_like_an_address_or_a_number_of_somebody_is_not_kept(text: str) -> None:
    assert not keepable(text)


@pytest.mark.parametrize(
    "text", ["cafe near me", "手冲咖啡水温", "iPhone 15 under 5000", "14:00 to 16:30", "2026-11", "☕"]
)
def test_other_queries_are_kept(text: str) -> None:
    assert keepable(text)


def test_of_too_many_queries_those_asked_least_and_longest_ago_go(tmp_path: Path) -> None:
    past = PastQueries(tmp_path / "q.sqlite", most=3)
    past.add([AnsweredQuery("flat white", DALI), AnsweredQuery("flat white", DALI)], date(2026, 1, 1))
    past.add([AnsweredQuery("white flat", DALI)], date(2026, 1, 2))
    past.add([AnsweredQuery("blue door", DALI), AnsweredQuery("door blue", DALI)], date(2026, 1, 3))
    assert [query.text for query in past.all()] == ["flat white", "blue door", "door blue"]


def test_the_file_is_for_its_owner_alone_and_holds_no_more_than_it_must(tmp_path: Path) -> None:
    past = PastQueries(tmp_path / "q.sqlite")
    past.add([AnsweredQuery("Flat  White\u202e", DALI)], date(2026, 1, 2))
    assert stat.S_IMODE((tmp_path / "q.sqlite").stat().st_mode) == 0o600
    connection = sqlite3.connect(tmp_path / "q.sqlite")
    rows = connection.execute("SELECT * FROM queries").fetchall()
    connection.close()
    assert rows == [("flat white", "Flat White", 1, "2026-01-02", "dali")]
