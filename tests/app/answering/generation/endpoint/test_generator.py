"""An OpenAI-compatible endpoint that behaves: what it is asked, and how its replies and counts are understood."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from app.answering.generation import GenerateRequest, Piece
from app.answering.generation.endpoint.generator import EndpointGenerator
from app.answering.generation.endpoint.token_estimate import estimate_tokens
from app.answering.writing.model_queue import ModelQueue, QueueFull
from tests.app.answering.generation.endpoint.endpoints import (
    KEY,
    LIMITS,
    Endpoint,
    Reply,
    generator_for,
    refuses,
    says,
    written,
)


def test_a_reply_is_streamed_with_key_model_and_limits(serve: Callable[..., Endpoint]) -> None:
    endpoint = serve(says("A flat white ", "is 28 元. [1]"))
    assert written(generator_for(endpoint, thinking_tokens=0)) == "A flat white is 28 元. [1]"
    [body] = endpoint.asked
    assert (body["model"], body["max_tokens"], body["stream"], body["temperature"]) == ("tiny", 64, True, 0)
    assert body["messages"] == [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "你好?"}]
    assert endpoint.headers[0]["Authorization"] == f"Bearer {KEY}"


def test_an_endpoint_that_does_not_stream_is_understood(serve: Callable[..., Endpoint]) -> None:
    whole = {"choices": [{"message": {"role": "assistant", "content": "28 yuan."}, "finish_reason": "stop"}]}
    endpoint = serve(refuses(200, json.dumps(whole)))
    assert written(generator_for(endpoint)) == "28 yuan."


def test_a_field_that_it_does_not_know_is_left_out_from_then_on(serve: Callable[..., Endpoint]) -> None:
    endpoint = serve(
        refuses(400, '{"error": {"message": "Unsupported parameter: \'max_tokens\'. Use \'max_completion_tokens\'."}}'),
        refuses(400, '{"error": {"message": "\'temperature\' does not support 0"}}'),
        says("28 yuan."),
    )
    generator = generator_for(endpoint)
    assert written(generator) == written(generator) == "28 yuan."
    assert {"max_tokens", "temperature"}.isdisjoint(endpoint.asked[-1])
    assert endpoint.asked[-1]["max_completion_tokens"] > 64
    assert len(endpoint.asked) == 4


def test_a_reply_that_says_why_it_ends_needs_no_done(serve: Callable[..., Endpoint]) -> None:
    def ends(to: Reply) -> None:
        to.start()
        to.say("28 yuan.")
        to.finish(done=False)

    assert written(generator_for(serve(ends))) == "28 yuan."


def test_several_are_answered_at_once_and_no_more_than_the_setting_says(serve: Callable[..., Endpoint]) -> None:
    def slow(to: Reply) -> None:
        time.sleep(0.05)
        says("28 yuan.")(to)

    endpoint = serve(slow)
    model_queue = ModelQueue(generator_for(endpoint, parallel=3), waiting=5)

    async def ask() -> str:
        stream = model_queue.stream(GenerateRequest("", "x", 64), 300.0)
        return "".join([piece.answer async for piece in stream if isinstance(piece, Piece)])

    async def many() -> list[str | BaseException]:
        return await asyncio.gather(*(ask() for _ in range(50)), return_exceptions=True)

    answers = asyncio.run(many())
    assert answers.count("28 yuan.") == 8
    assert sum(isinstance(answer, QueueFull) for answer in answers) == 42
    assert 1 < endpoint.most_at_once <= 3
    model_queue.close()


def test_the_context_is_what_the_endpoint_says_else_the_setting(serve: Callable[..., Endpoint]) -> None:
    vllm = serve(
        says("x"), models={"data": [{"id": "other", "max_model_len": 1}, {"id": "tiny", "max_model_len": 8192}]}
    )
    generator = EndpointGenerator(vllm.url, "tiny", "", None, LIMITS)
    assert (generator.discover().context_tokens, generator.context_tokens) == (8192, 8192)
    llama = serve(says("x"), properties={"default_generation_settings": {"n_ctx": 2048}})
    generator = generator_for(llama)
    generator.discover()
    assert generator.context_tokens == 2048
    silent = generator_for(serve(says("x"), models=None), context_tokens=3000)
    silent.discover()
    assert silent.context_tokens == 3000


def test_what_the_endpoint_counts_corrects_our_estimate(serve: Callable[..., Endpoint]) -> None:
    def counts(to: Reply) -> None:
        to.start()
        to.say("28")
        to.finish(done=False)
        to.event({"choices": [], "usage": {"prompt_tokens": 1000}})
        to.send("data: [DONE]\n\n")

    generator = generator_for(serve(counts))
    before = generator.count_tokens("hello world")
    written(generator)
    assert generator.count_tokens("hello world") > before


@given(st.text(max_size=100), st.text(max_size=100))
def test_an_estimate_of_two_texts_is_not_more_than_that_of_each(one: str, other: str) -> None:
    assert estimate_tokens(one + other) <= estimate_tokens(one) + estimate_tokens(other)
    assert (estimate_tokens(one) == 0) == (one.strip(" ") == "")
