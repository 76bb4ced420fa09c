"""Hashtags as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.posts.hashtags import hashtags
from indexer.posts.validation import to_post


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("夜里的 #河边散步# 真舒服 #周末", ["河边散步", "周末"]),
        ("#面包#新店#排队 十点就没了", ["面包", "新店", "排队"]),
        ("＃旅行＃第三天", ["旅行"]),
        ("#骑行[话题]# #路线[话题]#", ["骑行", "路线"]),
        ("昨晚去了#音乐节，很挤", ["音乐节"]),
        ("best #brunch, #Brunch and #5k-run!", ["brunch", "Brunch", "5k-run"]),
        ("C# and F#, see https://a.example/x#part, &#39; and the #1 place", []),
        ("# a heading", []),
    ],
)
def test_hashtags_are_read_as_they_are_meant(text: str, tags: list[str]) -> None:
    assert hashtags(text) == tags


@given(st.text(st.sampled_from("#＃ab 大理，[]\n"), max_size=60))
def test_a_hashtag_is_a_part_of_the_text_without_signs(text: str) -> None:
    for tag in hashtags(text):
        assert tag in text
        assert not set(tag) & set("#＃ \n")


def test_tags_of_the_text_come_after_those_listed_and_only_once() -> None:
    post = to_post({"id": "a", "title": "#早餐", "text": "在#Dali #dali #古城", "tags": ["dali", "吃"]})
    assert post.tags == ("dali", "吃", "早餐", "古城")
