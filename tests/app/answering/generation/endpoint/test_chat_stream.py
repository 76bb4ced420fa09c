"""A stream that breaks off, or whose asker leaves: each way ends in a clear state."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.answering.generation import GenerateRequest
from app.answering.generation.endpoint.chat_stream import BrokenStreamError, read_line
from app.answering.generation.protocol import ModelFailed
from app.answering.writing.model_queue import ModelQueue
from tests.app.answering.generation.endpoint.endpoints import (
    KEY,
    Endpoint,
    Reply,
    generator_for,
    refuses,
    says,
    written,
)


def broken_json(to: Reply) -> None:
    to.start()
    to.say("A flat white is 28 yuan. ")
    to.send('data: {"choices": [{"delta": {"content": "Oat\n\n')


def error_object(to: Reply) -> None:
    to.start()
    to.say("A flat white is 28 yuan. ")
    to.event({"error": {"message": f"CUDA out of memory, key {KEY}", "code": 500}})


def no_end(to: Reply) -> None:
    to.start()
    to.say("A flat white is 28 yuan. ")
    to.say("Oat milk is 3")


def dropped(to: Reply) -> None:
    to.start(Transfer_Encoding="chunked")
    to.say("A flat white is 28 yuan. ")


def html(to: Reply) -> None:
    to.start(200, "application/json")
    to.send("<html>Sign in</html>")


def other_shape(to: Reply) -> None:
    to.start()
    to.event(["what", "is", "this"])


BEGUN = "A flat white is 28 yuan. "


@pytest.mark.parametrize(
    ("misbehaves", "problem", "kept"),
    [
        (broken_json, "no JSON", BEGUN),
        (error_object, r"CUDA out of memory, key \(the key\)", BEGUN),
        (no_end, "an incomplete reply", BEGUN + "Oat milk is 3"),
        (dropped, "broke", ""),
        (html, "no JSON: <html>", ""),
        (other_shape, "another shape", ""),
    ],
)
def test_a_stream_that_breaks_is_named_keeps_what_came_before_and_is_not_asked_for_twice(
    serve: Callable[..., Endpoint], misbehaves: Callable[[Reply], None], problem: str, kept: str
) -> None:
    endpoint = serve(says("well"), misbehaves)
    generator = generator_for(endpoint, retries=0)
    assert written(generator) == "well"  # from here on it streams
    pieces: list[str] = []
    with pytest.raises(ModelFailed, match=problem) as caught:
        pieces.extend(piece.answer for piece in generator.generate(GenerateRequest("", "x", 64), threading.Event()))
    assert "".join(pieces) == kept
    assert KEY not in str(caught.value)
    assert len(endpoint.asked) == 2


@pytest.mark.parametrize("when", ["before the first token", "in the middle", "while waiting to ask again"])
def test_an_asker_who_leaves_closes_the_connection_at_once(serve: Callable[..., Endpoint], when: str) -> None:
    asked = threading.Event()

    def slow(to: Reply) -> None:
        if when == "while waiting to ask again":
            refuses(429, Retry_After="25")(to)
            asked.set()
            return
        to.start()
        if when == "in the middle":
            to.say("A flat ")
        asked.set()
        to.wait_until_left()

    endpoint = serve(slow)
    model_queue = ModelQueue(generator_for(endpoint), waiting=0)

    async def leave() -> float:
        async def ask() -> None:
            async for _ in model_queue.stream(GenerateRequest("", "x", 64), 300.0):
                pass

        asking = asyncio.create_task(ask())
        await asyncio.to_thread(asked.wait, 60)
        asking.cancel()
        started = time.perf_counter()
        await asyncio.gather(asking, return_exceptions=True)
        return time.perf_counter() - started

    assert asyncio.run(leave()) < 20  # and not the 25 to 60 seconds that the endpoint would have taken
    assert when == "while waiting to ask again" or endpoint.left.wait(60)
    model_queue.close()


@given(st.text(max_size=200))
def test_whatever_a_line_holds_it_is_a_delta_nothing_or_a_broken_stream(line: str) -> None:
    with contextlib.suppress(BrokenStreamError):
        read_line("data: " + line)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["choices", "delta", "content", "error", "usage", "message", "reasoning"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(_json)
def test_whatever_json_a_line_holds_it_is_a_delta_or_a_broken_stream(data: object) -> None:
    with contextlib.suppress(BrokenStreamError):
        read_line("data: " + json.dumps(data))
