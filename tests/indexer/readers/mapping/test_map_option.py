"""`--map`: posts from exports whose fields have other names."""

import pytest

from indexer.readers.mapping.mapping_file import mapping_of, parse_map_option
from indexer.readers.record_kinds import FileContext, PostRecord


def mapped(line: dict[str, object], *options: str) -> dict[str, object]:
    [record] = mapping_of(options).read(line, FileContext("a"))
    assert isinstance(record, PostRecord)
    return record.post


def test_a_value_moves_and_takes_the_place_of_what_was_there() -> None:
    assert mapped({"body": "new", "text": "old", "likes": 1}, "text=body") == {"text": "new", "likes": 1}


def test_a_value_moves_as_it_is() -> None:
    assert mapped({"body": 5, "when": "31.12.2024"}, "text=body", "created_at=when") == {
        "text": 5, "created_at": "31.12.2024",
    }  # fmt: skip


def test_a_path_reaches_into_objects() -> None:
    line: dict[str, object] = {"user": {"name": "bo", "page": "https://posts.example/u/bo"}}
    assert mapped(line, "author=user.name", "url=user.page") == {"author": "bo", "url": "https://posts.example/u/bo"}


def test_a_name_with_a_dot_is_a_name_before_it_is_a_path() -> None:
    line: dict[str, object] = {"user.name": "bo", "user": {"name": "mo"}}
    assert mapped(line, "author=user.name") == {"author": "bo", "user": {"name": "mo"}}


@pytest.mark.parametrize("absent", [{}, {"body": None}, {"user": "bo"}])
def test_where_the_old_field_is_absent_the_line_keeps_its_own(absent: dict[str, object]) -> None:
    assert mapped({"text": "own", **absent}, "text=body", "author=user.name") == {"text": "own"}


def test_two_fields_can_change_places() -> None:
    assert mapped({"title": "a", "text": "b"}, "title=text", "text=title") == {"title": "b", "text": "a"}


@pytest.mark.parametrize(("line", "text"), [({"a": "x", "b": "y"}, "y"), ({"a": "x", "b": None}, "x")])
def test_of_two_for_one_field_the_later_one_that_is_there_counts(line: dict[str, object], text: str) -> None:
    assert mapped(line, "text=a", "text=b") == {"text": text}


@pytest.mark.parametrize("text", ["text", "text=", "=body", "txt=body", "nonsense=body"])
def test_an_option_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not NEW=OLD|has no field"):
        parse_map_option(text)


def test_a_misspelt_field_is_recognised() -> None:
    with pytest.raises(ValueError, match="did you mean 'text'"):
        parse_map_option("txt=body")
