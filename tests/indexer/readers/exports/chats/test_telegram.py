"""Telegram's result.json: its words."""

from __future__ import annotations

import json
from pathlib import Path

from tests.indexer.readers.exports.test_exports import Read


def a_message(number: int, text: object, **fields: object) -> dict[str, object]:
    return {"id": number, "type": "message", "date": "2024-05-12T15:20:00", "date_unixtime": "1715498400", "from": "Mo",
            "from_id": "user1", "text": text} | fields  # fmt: skip


def read(tmp_path: Path, *messages: dict[str, object]) -> Read:
    path = tmp_path / "result.json"
    path.write_text(json.dumps({"name": "Boats", "type": "public_supergroup", "id": 7, "messages": messages}))
    return Read(path)


def test_a_text_in_parts_is_whole_with_its_links_and_tags(tmp_path: Path) -> None:
    parts = ["Launch at ", {"type": "bold", "text": "pier 4"}, ", ", {"type": "text_link", "text": "map", "href": "https://m.example/4"},
             " ", {"type": "hashtag", "text": "#launch"}]  # fmt: skip
    [post] = read(tmp_path, a_message(1, parts)).posts.values()
    assert (post.text, post.tags) == ("Launch at pier 4, map (https://m.example/4) #launch", ("launch",))
    assert (post.id, post.author) == ("telegram:7/1", "Mo")


def test_answers_are_comments_and_answers_to_them_too(tmp_path: Path) -> None:
    found = read(
        tmp_path, a_message(1, "who has rope"), a_message(2, "I do", reply_to_message_id=1),
        a_message(3, "how long", reply_to_message_id=2), a_message(4, "lost", reply_to_message_id=99),
    )  # fmt: skip
    assert [one.text for one in found.posts["telegram:7/1"].comments] == ["I do", "how long"]
    assert found.posts["telegram:7/4"].text == "lost"


def test_what_others_wrote_is_marked_and_polls_are_words(tmp_path: Path) -> None:
    found = read(
        tmp_path, a_message(1, "storm\ntonight", forwarded_from="Harbour"),
        a_message(2, "", poll={"question": "Sail?", "answers": [{"text": "yes"}, {"text": "no"}]}),
    )  # fmt: skip
    assert found.posts["telegram:7/1"].text == "> Harbour: storm\n> tonight"
    assert found.posts["telegram:7/2"].text == "Sail?\n- yes\n- no"


def test_pictures_without_words_and_notices_are_passed_over_and_counted(tmp_path: Path) -> None:
    notice = {"id": 3, "type": "service", "date": "2024-05-12T15:20:00", "actor_id": "user1", "text": "", "action": "x"}
    found = read(tmp_path, a_message(1, "", photo="photos/1.jpg"), a_message(2, "hi", photo="photos/2.jpg"), notice)
    assert list(found.posts) == ["telegram:7/2"]
    assert found.passed() == "notices of the chat (1), pictures without words (1)"
    assert not found.rejected
