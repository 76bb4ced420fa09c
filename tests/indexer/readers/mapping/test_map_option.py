"""Reading posts out of exports whose fields are called otherwise."""

import pytest

from indexer.readers.mapping.map_option import Move, apply_moves, parse_move


def test_a_value_moves_and_takes_the_place_of_what_was_there() -> None:
    line: dict[str, object] = {"body": "new", "text": "old", "likes": 1}
    assert apply_moves(line, [Move("text", "body")]) == {"text": "new", "likes": 1}


def test_a_path_reaches_into_objects() -> None:
    line: dict[str, object] = {"user": {"name": "bo", "page": "https://posts.example/u/bo"}}
    moves = [Move("author", "user.name"), Move("url", "user.page")]
    assert apply_moves(line, moves) == {"author": "bo", "url": "https://posts.example/u/bo"}


def test_a_name_with_a_dot_is_a_name_before_it_is_a_path() -> None:
    line: dict[str, object] = {"user.name": "bo", "user": {"name": "mo"}}
    assert apply_moves(line, [Move("author", "user.name")]) == {"author": "bo", "user": {"name": "mo"}}


@pytest.mark.parametrize("absent", [{}, {"body": None}, {"user": "bo"}])
def test_where_the_old_field_is_absent_the_line_keeps_its_own(absent: dict[str, object]) -> None:
    moves = [Move("text", "body"), Move("author", "user.name")]
    assert apply_moves({"text": "own", **absent}, moves) == {"text": "own"}


def test_two_fields_can_change_places() -> None:
    line: dict[str, object] = {"title": "a", "text": "b"}
    assert apply_moves(line, [Move("title", "text"), Move("text", "title")]) == {"title": "b", "text": "a"}


@pytest.mark.parametrize("text", ["text", "text=", "=body", "txt=body", "nonsense=body"])
def test_a_move_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not NEW=OLD|has no field"):
        parse_move(text)


def test_a_misspelt_field_is_recognised() -> None:
    with pytest.raises(ValueError, match="did you mean 'text'"):
        parse_move("txt=body")
