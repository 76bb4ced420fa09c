from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, MutableMapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.web.sse import EventStream, event


def parsed(stream: str) -> list[tuple[str, str]]:
    """Events as a browser takes them, after the HTML standard's 9.2.6."""
    events, name, data = [], "", list[str]()
    for line in stream.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        if line == "":
            if data:
                events.append((name or "message", "\n".join(data)))
            name, data = "", []
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            name = value
        elif field == "data":
            data.append(value)
    return events


@given(st.lists(st.text(max_size=40), max_size=4))
def test_data_of_any_lines_arrives_whole(texts: list[str]) -> None:
    stream = "".join(event("sentence", text) for text in texts)
    unix = [text.replace("\r\n", "\n").replace("\r", "\n") for text in texts]
    assert parsed(stream) == [("sentence", text) for text in unix]


def test_a_line_separator_that_only_python_knows_is_left_alone() -> None:
    assert event("e", "a\u2028b\x0bc") == "event: e\ndata: a\u2028b\x0bc\n\n"


def test_half_a_character_costs_that_character_and_not_the_stream() -> None:
    assert event("e", "a\ud800b") == "event: e\ndata: a?b\n\n"


@pytest.mark.parametrize("name", ["", "a\nb", "a\rdata: forged"])
def test_a_name_that_would_start_another_field_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="name of an event"):
        event(name, "")


class Slow:
    """Two events with silence between them; knows whether it was closed."""

    def __init__(self, silence_s: float) -> None:
        self.silence_s, self.closed = silence_s, False

    async def events(self) -> AsyncGenerator[str, None]:
        try:
            yield event("one", "")
            await asyncio.sleep(self.silence_s)
            yield event("two", "")
        finally:
            await asyncio.sleep(0)
            self.closed = True


def sent_by(events: AsyncGenerator[str, None], every_s: float) -> list[str]:
    """What an asker gets who stays to the end."""
    sent: list[str] = []

    async def serve() -> None:
        async def receive() -> dict[str, Any]:
            await asyncio.sleep(60)
            return {"type": "http.disconnect"}

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message.get("body", b"").decode())

        scope: dict[str, Any] = {"type": "http", "asgi": {"spec_version": "2.4"}, "extensions": {}}
        await EventStream(events, every_s)(scope, receive, send)

    asyncio.run(asyncio.wait_for(serve(), 10))
    return sent


def test_silence_is_filled_with_comments_that_are_no_events() -> None:
    sent = sent_by(Slow(0.1).events(), 0.02)
    assert sent.count(": still here\n\n") >= 2
    assert parsed("".join(sent)) == [("one", ""), ("two", "")]


def test_what_the_events_raise_comes_through() -> None:
    async def failing() -> AsyncGenerator[str, None]:
        yield event("one", "")
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        sent_by(failing(), 1)


@pytest.mark.parametrize("every_s", [0.01, 15])
@pytest.mark.parametrize("version", ["2.3", "2.4"])
def test_an_asker_who_leaves_ends_the_events_at_once(version: str, every_s: float) -> None:
    slow = Slow(60)

    async def serve() -> None:
        sent: list[bytes] = []

        async def receive() -> dict[str, Any]:
            while not sent:
                await asyncio.sleep(0.001)
            return {"type": "http.disconnect"}

        async def send(message: MutableMapping[str, Any]) -> None:
            body = message.get("body")
            if body:
                if sent:
                    raise OSError("nobody is there")
                sent.append(b"first")

        scope: dict[str, Any] = {"type": "http", "asgi": {"spec_version": version}, "extensions": {}}
        response = EventStream(slow.events(), every_s)
        if version == "2.3":
            await response(scope, receive, send)
            return
        # Servers of this version tell it by a failing send; here the asker is given up from outside.
        task = asyncio.ensure_future(response(scope, receive, send))
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.wait({task})

    asyncio.run(asyncio.wait_for(serve(), 5))
    assert slow.closed
