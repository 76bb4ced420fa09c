"""The bundled model through the real path: in this process, and behind a real llama_cpp.server."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.answering.generation import GenerateRequest, Piece
from app.answering.generation.cancellation import Stop
from app.answering.generation.endpoint.generator import EndpointGenerator, EndpointLimits
from app.answering.generation.factory import SMOLLM2, model_path
from app.answering.generation.llama.generator import LlamaGenerator, LlamaOptions
from app.commands.doctor import answering_model
from app.models.gguf_file import open_gguf
from retrieval.errors import FixableError
from retrieval.settings import Settings
from tests.app.answering.generation.llama import llama_server
from tests.app.answering.generation.real_path import QUESTION, an_index, answered_by, assert_checked

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return an_index(tmp_path_factory.mktemp("index"))


@pytest.fixture(scope="module")
def generator() -> Iterator[LlamaGenerator]:
    loaded = LlamaGenerator(open_gguf(SMOLLM2_PATH), "smollm2", frozenset({"en"}), LlamaOptions(2048))
    yield loaded
    loaded.close()


SMOLLM2_PATH = model_path(Settings(llm=SMOLLM2, _env_file=None))
LONG = "Posts: " + "A flat white at Blue Door is 28 yuan, and oat milk is 3 yuan more there. " * 70


def test_it_is_left_at_once_even_while_it_reads_a_long_prompt_and_is_none_the_worse(generator: LlamaGenerator) -> None:
    short, long = (GenerateRequest("Be brief.", "How much is it?", 6), GenerateRequest("Be brief.", LONG, 64))
    expected = list(generator.generate(short, threading.Event()))
    assert any(piece.answer for piece in expected)
    stop = Stop()
    pieces: list[Piece] = []
    reading = threading.Thread(target=lambda: pieces.extend(generator.generate(long, stop)))
    reading.start()
    time.sleep(0.2)  # it takes seconds to read that
    stop.set()
    reading.join(120)
    assert not reading.is_alive()
    assert pieces == []
    assert list(generator.generate(short, threading.Event())) == expected


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A real `python -m llama_cpp.server` with the bundled model."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable, "-m", llama_server.__name__, "--model", str(SMOLLM2_PATH), "--host", "127.0.0.1",
        "--port", str(port), "--n_ctx", "2048", "--verbose", "false",
    ]  # fmt: skip
    # pydantic-settings would read our variables for it: it has names as common as HOST and PORT.
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ))
    url = f"http://127.0.0.1:{port}/v1"
    try:
        for _ in range(900):
            assert process.poll() is None, "the server ended by itself"
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"{url}/models", timeout=5).is_success:
                    break
            time.sleep(0.2)
        yield url
    finally:
        process.terminate()
        process.wait(20)


def test_it_answers_behind_a_real_server_under_the_same_checks(server: str, index: Path) -> None:
    endpoint = EndpointGenerator(
        server, "", "", None, EndpointLimits(context_tokens=2048, thinking_tokens=0, read_timeout_s=200)
    )
    assert endpoint.discover().models
    answer = answered_by(endpoint, index, QUESTION, llm_max_tokens=48)
    assert_checked(answer)
    assert "28 yuan" in " ".join(sentence.text for sentence in answer.sentences)


def test_an_asker_who_leaves_the_server_is_gone_and_the_next_one_is_served(server: str) -> None:
    endpoint = EndpointGenerator(
        server, "", "", None, EndpointLimits(context_tokens=2048, thinking_tokens=0, read_timeout_s=200)
    )
    list(endpoint.generate(GenerateRequest("", "Say hello.", 4), Stop()))
    stop = Stop()
    pieces = endpoint.generate(GenerateRequest("", "Tell me a very long story.", 400), stop)
    next(pieces)
    stop.set()
    assert list(pieces) == []
    assert any(piece.answer for piece in endpoint.generate(GenerateRequest("", "Say hello.", 8), Stop()))


def test_doctor_finds_the_server_well_and_names_a_model_that_it_does_not_have(server: str, tmp_path: Path) -> None:
    finding = answering_model(Settings(data_dir=tmp_path, llm=server, _env_file=None))
    assert finding.mark == "ok  "
    assert "context 4,096 tokens assumed: the endpoint does not report it" in finding.says
    with pytest.raises(FixableError, match="has no model gpt-9; it offers") as caught:
        answering_model(Settings(data_dir=tmp_path, llm=server, llm_model="gpt-9", _env_file=None))
    assert caught.value.fix == "correct STIPPLE_LLM_MODEL"
