"""What tells public from private, and that what is unknown is not public."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.posts.audience import audience_fields, hindrance

PUBLIC: list[dict[str, object]] = [
    {"text": "a"}, {"visibility": "public"}, {"Visibility": "PUBLIC"}, {"privacy": {"value": "EVERYONE"}},
    {"status": "publish"}, {"状态": "已发布"}, {"可见范围": "公开"}, {"is_private": False}, {"isPrivate": "否"},
    {"draft": 0}, {"published": "2024-05-12"}, {"is_public": "是"}, {"password": ""}, {"wp:status": "publish"},
    {"audience": ["public"]}, {"protected": None}, {"author": {"name": "mo", "protected": False}},
]  # fmt: skip
PRIVATE: list[dict[str, object]] = [
    {"visibility": "friends"}, {"visibility": "followers_only"}, {"VISIBILITY": "??"}, {"privacy": {"value": "SELF"}},
    {"privacy": {"kind": "x"}}, {"status": "draft"}, {"status": "archived-2019"}, {"post-status": "pending"},
    {"状态": "草稿"}, {"可见范围": "仅自己可见"}, {"公開範囲": "フォロワー"}, {"is_private": True},
    {"isPrivate": "maybe"},
    {"是否私密": "是"}, {"draft": "yes"}, {"published": False}, {"public": "no"}, {"is_public": 0}, {"password": "x"},
    {"x:post_password": "x"}, {"密码": "1"}, {"audience": ["public", "friends"]}, {"visibility": 3}, {"visible": False},
    {"is_dm": 1}, {"recipient_id": "7"}, {"user": {"protected": True}}, {"account": {"isPrivate": "1"}},
    {"lj:security": "usemask"},
]  # fmt: skip


@pytest.mark.parametrize("record", PUBLIC, ids=str)
def test_what_says_nothing_or_says_that_all_may_read_it_is_public(record: dict[str, object]) -> None:
    assert hindrance(record) == ""


@pytest.mark.parametrize("record", PRIVATE, ids=str)
def test_what_is_not_known_to_be_for_all_is_not_public_in_any_language_case_and_spelling(
    record: dict[str, object],
) -> None:
    assert hindrance(record).startswith("posts ")


@given(st.text(min_size=1, max_size=30).filter(lambda text: text.strip(" _-.") != ""))
def test_a_word_for_readers_that_nobody_has_heard_of_is_not_public(word: str) -> None:
    known = {"public", "publish", "published", "everyone", "all", "open", "公开"}
    if not any(letter in "".join(known) for letter in word.casefold()):
        assert hindrance({"visibility": word}) != "" or not any(map(str.isalnum, word))


def test_the_reason_names_the_field_and_never_a_secret() -> None:
    assert hindrance({"audience": "close friends"}) == "posts whose 'audience' is 'close friends'"
    assert "hunter2" not in hindrance({"post_password": "hunter2"})


def test_who_has_decided_about_a_field_is_believed() -> None:
    assert hindrance({"status": "resolved"}, {"status"}) == ""
    assert audience_fields(["id", "status", "发布状态", "text"]) == ["status", "发布状态"]
