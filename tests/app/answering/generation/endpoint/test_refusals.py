"""An endpoint that refuses, is down, or says nothing: each ends in a clear state, and the key is never told."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from dataclasses import replace

import pytest
import structlog

from app.answering.generation.endpoint.generator import EndpointGenerator
from app.answering.generation.protocol import ModelFailed, PromptTooLong
from tests.app.answering.generation.endpoint.endpoints import (
    KEY,
    LIMITS,
    Endpoint,
    generator_for,
    refuses,
    says,
    written,
)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_passing_refusal_is_waited_out(serve: Callable[..., Endpoint], status: int) -> None:
    endpoint = serve(refuses(status, '{"error": {"message": "Loading model"}}', Retry_After="0"), says("28 yuan."))
    assert written(generator_for(endpoint)) == "28 yuan."
    assert len(endpoint.asked) == 2


def test_a_wait_that_is_too_long_is_not_waited(serve: Callable[..., Endpoint]) -> None:
    endpoint = serve(refuses(429, '{"error": {"message": "quota"}}', Retry_After="3600"))
    with pytest.raises(ModelFailed, match="answers 429: quota") as caught:
        written(generator_for(endpoint))
    assert "STIPPLE_LLM_PARALLEL" in caught.value.fix
    assert len(endpoint.asked) == 1


def test_a_refusal_that_stays_is_given_up(serve: Callable[..., Endpoint]) -> None:
    endpoint = serve(refuses(503, "<html><h1>Bad gateway</h1></html>", Retry_After="0"))
    with pytest.raises(ModelFailed, match="answers 503: Bad gateway"):
        written(generator_for(endpoint))
    assert len(endpoint.asked) == 2


@pytest.mark.parametrize(
    ("status", "fix"), [(401, "STIPPLE_LLM_API_KEY"), (403, "API_KEY"), (404, "STIPPLE_LLM_MODEL")]
)
def test_a_lasting_refusal_is_not_repeated_and_hides_the_key(
    serve: Callable[..., Endpoint], status: int, fix: str
) -> None:
    endpoint = serve(refuses(status, json.dumps({"error": {"message": f"no: {KEY}"}})))
    with pytest.raises(ModelFailed) as caught:
        written(generator_for(endpoint))
    assert fix in caught.value.fix
    assert KEY not in str(caught.value)
    assert len(endpoint.asked) == 1


def test_a_prompt_longer_than_its_context_is_named_so(serve: Callable[..., Endpoint]) -> None:
    told = refuses(400, '{"error": {"message": "This model\'s maximum context length is 512 tokens"}}')
    with pytest.raises(PromptTooLong):
        written(generator_for(serve(told)))
    endpoint = serve(says("x"), models={"data": [{"id": "tiny", "max_model_len": 700}]})
    with pytest.raises(PromptTooLong, match="context of 700"):
        written(generator_for(endpoint), max_tokens=690)
    assert endpoint.asked == []


def test_an_endpoint_that_is_down_is_named_and_then_left_alone_for_a_while() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    generator = EndpointGenerator(url, "", "", None, replace(LIMITS, retries=0))
    with pytest.raises(ModelFailed, match="cannot be reached") as caught:
        written(generator)
    assert "start the endpoint" in caught.value.fix
    with pytest.raises(ModelFailed, match="not tried again"):
        written(generator)


def test_an_endpoint_that_is_silent_is_not_waited_for_for_ever(serve: Callable[..., Endpoint]) -> None:
    endpoint = serve(lambda to: to.endpoint.left.wait(20) and None)
    with pytest.raises(ModelFailed, match=r"silent for 0\.3 s") as caught:
        written(generator_for(endpoint, read_timeout_s=0.3))
    assert "READ_TIMEOUT" in caught.value.fix


def test_no_log_line_holds_the_key(serve: Callable[..., Endpoint]) -> None:
    endpoint = serve(refuses(503, f"busy {KEY}", Retry_After="0"), refuses(400, f"temperature {KEY}"), says("28"))
    with structlog.testing.capture_logs() as lines:
        written(generator_for(endpoint, retries=2))
    assert lines
    assert KEY not in repr(lines)
    assert KEY not in repr(generator_for(endpoint).__dict__["_at"].shown)
