"""Mapping files: what they say is done, and errors in them are reported with their line."""

from __future__ import annotations

import io
import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.readers.formats.jsonl import Offered
from indexer.readers.mapping.mapping_file import parse_mapping
from indexer.readers.paths import PathError, parse_path, reach, value_at
from indexer.readers.record_kinds import FileContext
from indexer.readers.record_reader import ReadOptions
from indexer.readers.sources import find_sources, read_posts
from indexer.rejects import Rejected
from retrieval.errors import FixableError
from retrieval.types import Comment, Image, Place

FORUM = """
[post]
id = { template = "forum-{nr}" }
title = "subject"
text = { template = "{body}\\n\\n{signature}", html = true }
author = { path = "user.name", default = "somebody" }
tags = { path = "labels", split = [",", "/"] }
language = { constant = "zh" }
created_at = { path = "at", date = "%d/%m/%Y %H:%M", zone = "Asia/Shanghai" }
likes = "votes.up"
url = { template = "https://forum.example/t/{nr}" }
images = { path = "media[*]", url = "src", alt = "caption" }
place = { name = "where", latitude = "geo[0]", longitude = "geo[1]" }
comments = { path = "answers[*]", text = { path = "body", html = true }, author = "by", likes = "up" }

[[drop]]
path = "state"
equals = ["hidden", "spam"]

[[drop]]
path = "votes.up"
below = 0
"""
POST = '[post]\nid = "id"\ntext = "body"\nauthor = "name"\n'
RECORD = {
    "nr": 7, "subject": "Coffee", "body": "<p>25 <b>yuan</b></p>", "signature": None, "user": {"name": "@mo"},
    "labels": "coffee, dali/stalls", "at": "05/03/2024 08:00", "votes": {"up": "12"}, "where": "Dali",
    "geo": ["25.69", 100.16],
    "media": [{"src": "https://i.example/1.jpg", "caption": "a cup"}, {"caption": "no address"}],
    "answers": [{"body": "<i>closed</i>", "by": "bo", "up": 3}, {"body": ""}], "mail": "mo@posts.example",
}  # fmt: skip


def read(
    tmp_path: Path, toml: str, *records: object, name: str = "a.jsonl"
) -> tuple[list[Offered | Rejected], list[str]]:
    path = tmp_path / name
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    notes: list[str] = []
    options = ReadOptions(mapping=parse_mapping(toml))
    return list(read_posts(find_sources([str(path)]), io.BytesIO(), options=options, tell=notes.append)), notes


def test_a_mapping_makes_a_post_of_what_it_names_and_of_nothing_else(tmp_path: Path) -> None:
    [found], _ = read(tmp_path, FORUM, RECORD)
    assert isinstance(found, Offered), str(found)
    post = found.post
    assert (post.id, post.title, post.text, post.author) == ("forum-7", "Coffee", "25 yuan", "mo")
    assert (post.tags, post.language, post.likes) == (("coffee", "dali", "stalls"), "zh", 12)
    assert post.created_at == datetime(2024, 3, 5, tzinfo=UTC)
    assert post.url == "https://forum.example/t/7"
    assert post.images == (Image("https://i.example/1.jpg", "a cup"),)
    assert post.place == Place("Dali", 25.69, 100.16)
    assert post.comments == (Comment("bo", "closed", 3),)
    assert "posts.example" not in repr(post)


def test_records_are_dropped_by_conditions_and_counted(tmp_path: Path) -> None:
    records = [RECORD | {"state": "spam"}, RECORD | {"votes": {"up": -2}}, RECORD | {"nr": 8}]
    found, notes = read(tmp_path, FORUM, *records)
    assert [one.post.id for one in found if isinstance(one, Offered)] == ["forum-8"]
    assert notes == [
        f"{tmp_path}/a.jsonl: skipped: records with state equals an array (1), records with votes.up below 0 (1)"
    ]


def test_a_date_that_is_not_as_the_mapping_says_costs_the_date_and_is_not_read_in_another_way(tmp_path: Path) -> None:
    [found], notes = read(tmp_path, FORUM, RECORD | {"at": "2024-05-03"})
    assert isinstance(found, Offered)
    assert found.post.created_at is None
    assert "not written as %d/%m/%Y" in found.lost[0]
    assert any("the post is read without it" in note for note in notes)


def test_counts_and_lists_in_one_string_are_read(tmp_path: Path) -> None:
    toml = """
        [post]
        id = "id"
        text = "text"
        likes = "likes"
        tags = { path = "tags", split = "," }
        images = { path = "pictures", split = "," }
        """
    record = {
        "id": "1",
        "text": "a",
        "likes": "3.4万",
        "tags": "x,y",
        "pictures": "https://a.example/1,https://a.example/2",
    }
    [found], _ = read(tmp_path, toml, record)
    assert isinstance(found, Offered)
    assert (found.post.likes, found.post.tags, len(found.post.images)) == (34_000, ("x", "y"), 2)


@pytest.mark.parametrize("path", ['"text"', '"text[*].text"', '{ template = "{text}" }'])
def test_a_text_in_parts_is_joined_as_its_author_wrote_it(path: str, tmp_path: Path) -> None:
    parts: list[object] = [
        {"type": "plain", "text": "meet at "},
        {"type": "bold", "text": "pier 4"},
        {"type": "plain", "text": ", "},
        {"type": "text_link", "text": "map", "href": "https://m.example/4"},
    ]
    [found], _ = read(tmp_path, f'[post]\nid = "id"\ntext = {path}\n', {"id": "1", "text": parts})
    assert isinstance(found, Offered)
    assert found.post.text == "meet at pier 4, map (https://m.example/4)"


def test_a_record_that_may_be_private_is_passed_over_unless_the_mapping_decides(tmp_path: Path) -> None:
    toml, record = '[post]\nid = "id"\ntext = "text"\n', {"id": "1", "text": "a", "visibility": "friends"}
    found, notes = read(tmp_path, toml, record)
    assert (found, len(notes)) == ([], 1)
    assert notes[0].endswith("skipped: posts whose 'visibility' is 'friends' (1)")
    decided = toml + '[[drop]]\npath = "visibility"\nequals = "me"\n'
    assert len(read(tmp_path, decided, record)[0]) == 1


def test_records_deep_in_a_document_are_found_by_their_path(tmp_path: Path) -> None:
    toml = 'records = "result.rows"\n[post]\nid = "key"\ntext = "body"\n'
    document = {"result": {"total": 2, "rows": [{"key": "a", "body": "x"}, {"key": "b", "body": "y"}]}}
    found, _ = read(tmp_path, toml, document, name="a.json")
    assert [one.post.id for one in found if isinstance(one, Offered)] == ["a", "b"]


def test_elements_of_any_xml_can_be_mapped(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text('<notes><note nr="1"><body>hi <b>x</b></body><at>2024-05-12</at></note></notes>')
    mapping = parse_mapping(
        'records = "note"\n[post]\nid = "nr"\ntext = ["body"]\n'.replace('["body"]', '"body.#text"')
    )
    [found] = read_posts(find_sources([str(tmp_path / "a.xml")]), io.BytesIO(), options=ReadOptions(mapping=mapping))
    assert isinstance(found, Offered)
    assert found.post.id == "1"


def test_a_query_joins_what_sqlite_keeps_apart(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "a.sqlite")
    database.executescript(
        "CREATE TABLE p (id, body, user); CREATE TABLE u (id, name);"
        "INSERT INTO p VALUES (1, 'hello', 5); INSERT INTO u VALUES (5, 'mo');"
    )
    database.close()
    toml = 'query = "SELECT p.id, body, name FROM p JOIN u ON u.id = p.user"\n' + POST
    path = str(tmp_path / "a.sqlite")
    [found] = read_posts(find_sources([path]), io.BytesIO(), options=ReadOptions(mapping=parse_mapping(toml)))
    assert isinstance(found, Offered)
    assert found.post.author == "mo"
    broken = parse_mapping(toml.replace("FROM p", "FROM nowhere"))
    with pytest.raises(FixableError, match="no such table: nowhere"):
        list(read_posts(find_sources([path]), io.BytesIO(), options=ReadOptions(mapping=broken)))
    writing = parse_mapping('query = "DELETE FROM p"\n[post]\nid = "id"\ntext = "body"\n')
    with pytest.raises(FixableError, match=r"readonly|gives no rows"):
        list(read_posts(find_sources([path]), io.BytesIO(), options=ReadOptions(mapping=writing)))


GOOD = '[post]\nid = "nr"\ntext = "body"\n'


@pytest.mark.parametrize(
    ("toml", "problem", "fix"),
    [
        ("[post\n", "mapping.toml:1: this is not valid TOML", "correct it there"),
        ("", "there is no [post]", "write [post]"),
        ('fromat = "csv"\n' + GOOD, "mapping.toml:1: 'fromat' is unknown", "did you mean 'format'?"),
        ('format = "pdf"\n' + GOOD, "mapping.toml:1: the format 'pdf' is unknown", "it may be one of jsonl"),
        ('encoding = "klingon"\n' + GOOD, "the encoding 'klingon' is unknown", "gb18030"),
        ('id = "nr"\n' + GOOD, "mapping.toml:1: 'id' is unknown", "write it under [post]"),
        ('[post]\ntext = "body"\n', "[post] has no 'id'", "which field"),
        ('[post]\nid = "nr"\n', "[post] has neither 'text' nor 'title'", "which field"),
        (GOOD + 'autor = "user"\n', "mapping.toml:4: a post has no field 'autor'", "did you mean 'author'?"),
        (GOOD + "likes = 3\n", "mapping.toml:4: 'likes' is neither a path nor a table", "constant"),
        (GOOD + 'likes = "a..b"\n', "mapping.toml:4: 'likes' has an invalid path", "media[0].url"),
        (GOOD + 'likes = { pth = "a" }\n', "'likes' has an unknown option 'pth'", "did you mean 'path'?"),
        (GOOD + 'likes = { path = "a", constant = 3 }\n', "says where it comes from in several ways", "one of"),
        (GOOD + 'url = { template = "x{a" }\n', "an unmatched brace", "{{ and }}"),
        (
            GOOD + 'created_at = { path = "a", zone = "Mars/Olympus" }\n',
            "unknown time zone 'Mars/Olympus'",
            "Asia/Shanghai",
        ),
        (GOOD + 'created_at = { path = "a", date = "%Q" }\n', "date format '%Q'", "%d/%m/%Y"),
        (GOOD + 'tags = { path = "a", split = 3 }\n', "a 'split' that is neither", 'split = ","'),
        (
            GOOD + '[[drop]]\npath = "a"\nequal = 1\n',
            "mapping.toml:4: this [[drop]] has an unknown option 'equal'",
            "'equals'",
        ),
        (GOOD + '[[drop]]\npath = "a"\n', "mapping.toml:4: this [[drop]] needs a path and one test", "equals"),
    ],
)
def test_an_invalid_mapping_is_reported_with_its_line_and_what_may_be_meant(toml: str, problem: str, fix: str) -> None:
    with pytest.raises(FixableError) as raised:
        parse_mapping(toml)
    assert problem in raised.value.problem
    assert fix in raised.value.fix


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a", 1), ("b.c", [2, {"d": 3}]), ("b.c[0]", 2), ("b.c[-1].d", 3), ("b.c[*].d", [3]), ("e[*]", [4, 5]),
        ("e[9]", None), ("a.b", None), ("nothing", None), ("e[*].x", []),
    ],
)  # fmt: skip
def test_paths_reach_what_stands_at_their_end(path: str, found: object) -> None:
    assert reach({"a": 1, "b": {"c": [2, {"d": 3}]}, "e": [4, 5]}, parse_path(path)) == found


@given(
    st.text("ab.[]*-0 9", max_size=12),
    st.recursive(st.none() | st.integers(), lambda x: st.lists(x) | st.dictionaries(st.sampled_from("ab"), x)),
)
def test_no_path_fails_on_any_value(path: str, value: object) -> None:
    try:
        steps = parse_path(path)
    except PathError:
        return
    reach(value, steps)
    value_at(value, *steps)


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*sorted(RECORD), "name", "up", "src", "body"]), inner, max_size=5)
    ),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from(sorted(RECORD)), ANY, max_size=9))
def test_no_record_makes_a_mapping_fail(record: dict[str, object]) -> None:
    list(parse_mapping(FORUM).read(record, FileContext("a")))
