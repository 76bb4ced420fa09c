"""The writing process dies, hangs, finds another file, loses its server: askers get a reply or an error, and soon."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from pathlib import Path

import pytest

from app.answering.generation import GenerateRequest, ModelFailed, Piece
from app.answering.generation.cancellation import Stop
from app.answering.generation.llama import wire
from app.answering.generation.llama.generator import LlamaGenerator, LlamaOptions
from app.answering.generation.llama.writer_process import WriterProcess
from app.answering.types import Answer, Done, HitsFound, Question
from app.answering.writing.model_queue import ModelQueue, QueueFull
from app.models.gguf_file import open_gguf
from app.services import Services
from retrieval.errors import ModelMissing
from retrieval.models.embedding import HashEmbedder
from retrieval.settings import Settings
from retrieval.stores.factory import open_store
from retrieval.types import SearchQuery
from tests.app.answering.generation.llama.families import FAMILIES, write_family
from tests.app.answering.generation.real_path import QUESTION, an_index, assert_checked

LLAMA = next(family for family in FAMILIES if family.architecture == "llama")
LONG = "A flat white at Blue Door is 28 yuan, and oat milk is 3 yuan more there. " * 18
ENDLESS = GenerateRequest("Answer.", "How much?", 900)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_family(LLAMA, tmp_path_factory.mktemp("models") / "tiny.gguf")


@pytest.fixture
def generator(model: Path) -> Iterator[LlamaGenerator]:
    loaded = a_generator(model)
    yield loaded
    loaded.close()


def a_generator(model: Path) -> LlamaGenerator:
    return LlamaGenerator(open_gguf(model), "tiny", None, LlamaOptions(2048, threads=1, parallel=2))


def a_load(model: Path, memory_bytes: int = 0) -> wire.Load:
    return wire.Load(str(model), "tiny", 2048, 1, 0, 0, 2, 10, memory_bytes)


def until(holds: Callable[[], object], within_s: float = 60) -> None:
    """Wait for another process; a minute is for a machine that is busy."""
    end = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.01)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def pid_of(generator: LlamaGenerator) -> int:
    until(lambda: generator.figures().state == "ready")
    pid = generator.figures().pid
    assert pid is not None
    return pid


def reply(generator: LlamaGenerator, request: GenerateRequest) -> str:
    return "".join(piece.answer for piece in generator.generate(request, threading.Event()))


def test_killed_under_load_again_and_again_it_costs_the_replies_in_flight_and_comes_back(
    generator: LlamaGenerator,
) -> None:
    expected = reply(generator, GenerateRequest("Answer.", "How much?", 8))
    killed: set[int] = set()
    for _ in range(4):
        with ThreadPoolExecutor(8) as askers:
            began = [threading.Event() for _ in range(8)]

            def ask(number: int, began: list[threading.Event] = began) -> str:
                try:
                    said = ""
                    for piece in generator.generate(ENDLESS, threading.Event()):
                        began[number].set()
                        said += piece.answer
                except ModelFailed:
                    return "failed"
                finally:
                    began[number].set()
                return said

            replies = [askers.submit(ask, number) for number in range(8)]
            began[0].wait(60)
            killed.add(pid := pid_of(generator))
            os.kill(pid, signal.SIGKILL)
            assert [one.result(60) for one in replies].count("failed") >= 1
        until(lambda: generator.figures().state == "ready")
    assert len(killed) == 4
    assert generator.figures().restarts == 4
    assert reply(generator, GenerateRequest("Answer.", "How much?", 8)) == expected


def test_whoever_comes_while_it_is_coming_back_is_served_then(model: Path) -> None:
    process = WriterProcess(a_load(model))
    tokens = process.count_tokens("How much?")
    for _ in range(2):
        pid = process.figures().pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        until(lambda: process.figures().state != "ready")
        assert process.count_tokens("How much?") == tokens
    process.close()


def test_answers_in_flight_end_by_quotes_and_searches_go_on(model: Path, tmp_path: Path) -> None:
    chosen = Settings(data_dir=an_index(tmp_path), _env_file=None, llm_max_tokens=900)
    generator = a_generator(model)

    async def ask(services: Services, found: asyncio.Event) -> Answer:
        async with services.answer(Question(QUESTION)) as events:
            async for event in events:
                if isinstance(event, HitsFound):
                    found.set()
                if isinstance(event, Done):
                    return event.answer
        raise AssertionError("an answer ends with Done")

    async def scene() -> list[Answer]:
        services = Services(chosen, open_store(chosen), HashEmbedder(256, languages=frozenset({"en"})), generator)
        await services.start()
        answers: list[Answer] = []
        for _ in range(3):
            found = [asyncio.Event() for _ in range(6)]
            asked = [asyncio.create_task(ask(services, one)) for one in found]
            await asyncio.gather(*(one.wait() for one in found))
            os.kill(await asyncio.to_thread(pid_of, generator), signal.SIGKILL)
            assert (await services.search(SearchQuery("flat white"))).hits
            answers += await asyncio.gather(*asked)
            await asyncio.to_thread(until, lambda: generator.figures().state == "ready")
        figures = services.writing()
        assert figures is not None
        assert figures.engine is not None
        assert figures.engine.restarts == 3
        assert (figures.writing, figures.waiting) == (0, 0)
        await services.close()
        return answers

    answers = asyncio.run(scene())
    assert len(answers) == 18
    for answer in answers:
        assert_checked(answer)
        assert answer.sentences


def test_a_process_that_hangs_is_ended_and_another_one_writes(model: Path) -> None:
    process = WriterProcess(a_load(model), patience_s=0.5)
    pid = process.figures().pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(ModelFailed, match=r"hung: it did not answer for 0\.5 s"):
        process.count_tokens("How much?")
    until(lambda: process.figures().restarts == 1 and process.figures().state == "ready")
    assert not is_alive(pid)
    process.close()


@pytest.mark.parametrize("phase", ["in line", "reading", "writing"])
def test_an_asker_who_leaves_in_any_phase_frees_the_model(model: Path, phase: str) -> None:
    generator = a_generator(model)
    busy = [Stop(), Stop()] if phase == "in line" else []
    others = [generator.generate(ENDLESS, stop) for stop in busy]
    for other in others:
        next(other)  # both turns are taken
    stop, said = Stop(), list[Piece]()
    request = GenerateRequest("", LONG if phase == "reading" else "How much?", 900 if phase == "writing" else 8)
    if phase == "writing":
        pieces = generator.generate(request, stop)
        said.append(next(pieces))
        stop.set()
        assert list(pieces) == []
    else:
        asking = threading.Thread(target=lambda: said.extend(generator.generate(request, stop)))
        asking.start()
        stop.set()
        asking.join(60)
        assert not asking.is_alive()
    for one in busy:
        one.set()
    for other in others:
        assert list(other) == []
    assert reply(generator, GenerateRequest("", "When?", 8))
    until(lambda: generator.figures().writing == generator.figures().reading == generator.figures().waiting == 0)
    generator.close()


def test_of_sixty_askers_at_once_all_are_served_or_told(generator: LlamaGenerator) -> None:
    queue = ModelQueue(generator, waiting=40)

    async def ask(number: int) -> str:
        words = ""
        async with aclosing(queue.stream(GenerateRequest("Answer.", f"Question {number % 5}?", 6), 300)) as pieces:
            async for piece in pieces:
                words += piece.answer if isinstance(piece, Piece) else ""
        return words

    async def many() -> list[str | BaseException]:
        return await asyncio.gather(*(ask(number) for number in range(60)), return_exceptions=True)

    answers = asyncio.run(many())
    assert sum(isinstance(answer, QueueFull) for answer in answers) == 18
    written = [answer for answer in answers if isinstance(answer, str)]
    assert len(written) == 42
    assert all(written)
    figures = queue.figures()
    assert (figures.turns, figures.refused, figures.writing, figures.waiting) == (42, 18, 0, 0)
    queue.close()


def test_a_file_that_is_missing_or_no_model_is_named_when_the_server_starts(tmp_path: Path, model: Path) -> None:
    with pytest.raises(ModelMissing, match=r"gone\.gguf"):
        WriterProcess(a_load(tmp_path / "gone.gguf"))
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(model.read_bytes()[:-1000])
    with pytest.raises(ModelMissing, match=r"cut\.gguf") as caught:
        WriterProcess(a_load(cut))
    assert "download it again" in caught.value.fix


def test_a_file_that_is_spoilt_and_mended_meanwhile_costs_the_answers_meanwhile(tmp_path: Path, model: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(model.read_bytes())
    generator = a_generator(path)
    expected = reply(generator, GenerateRequest("", "How much?", 8))
    write_other(tmp_path).replace(path)  # the process goes on with the file that it has
    assert reply(generator, GenerateRequest("", "How much?", 8)) == expected
    os.kill(pid_of(generator), signal.SIGKILL)
    until(lambda: "no GGUF file" in generator.figures().problem or "not a GGUF" in generator.figures().problem)
    with pytest.raises(ModelFailed, match=r"model\.gguf"):
        reply(generator, ENDLESS)
    path.write_bytes(model.read_bytes())
    until(lambda: generator.figures().state == "ready")
    assert generator.figures().problem == ""
    assert reply(generator, GenerateRequest("", "How much?", 8)) == expected
    generator.close()


def write_other(folder: Path) -> Path:
    other = folder / "other"
    other.write_bytes(b"This is a text, and no model. " * 100)
    return other


def test_memory_beyond_the_limit_is_refused_and_the_server_says_so(model: Path) -> None:
    with pytest.raises(ModelMissing) as caught:
        WriterProcess(a_load(model, memory_bytes=60_000_000))
    assert "STIPPLE_LLM_MEMORY_GB" in caught.value.fix
    process = WriterProcess(a_load(model, memory_bytes=2_000_000_000))
    assert process.count_tokens("How much?") > 0
    process.close()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes through /proc")
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_when_the_server_dies_so_does_the_process_even_while_it_writes(model: Path, end: signal.Signals) -> None:
    program = (
        "import sys, threading\n"
        "from tests.app.answering.generation.llama.test_writer_process import ENDLESS, a_generator\n"
        "from pathlib import Path\n"
        "generator = a_generator(Path(sys.argv[1]))\n"
        "next(generator.generate(ENDLESS, threading.Event()))\n"
        "print(generator.figures().pid, flush=True)\n"
        "while True: list(generator.generate(ENDLESS, threading.Event()))\n"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(model)], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        pid = int(server.stdout.readline())
        assert is_alive(pid)
        server.send_signal(end)
        server.wait(60)
    until(lambda: not is_alive(pid))


def test_closing_ends_it_in_the_middle_of_a_reply_and_twice_is_no_harm(model: Path) -> None:
    generator = a_generator(model)
    pid = pid_of(generator)
    pieces = generator.generate(ENDLESS, threading.Event())
    next(pieces)
    generator.close()
    with pytest.raises(ModelFailed):
        list(pieces)
    assert not is_alive(pid)
    generator.close()
