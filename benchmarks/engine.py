"""The writing engine beside plain llama-cpp-python behind a lock, and beside llama.cpp's own batching server.

    python benchmarks/engine.py --model qwen.gguf --data stipple-data --askers 1 4 16

Each system loads the same file with the same threads in a process of its own, one after the other, and is asked the
same prompts in the same order: those that Stipple makes of the judged questions of sample_posts, which `--data` must
hold as an index (`stipple reindex sample_posts`). At each number of askers all ask at once, `--rounds` times (one
asker: eight times), and no prompt comes twice.

    plain      `llama_cpp.Llama.create_chat_completion(stream=True)` behind a lock
    stipple    the engine: prompts read in turn, what they begin with read once, replies written in batches; exact
    xllamacpp  llama.cpp's server with as many slots, over HTTP on loopback (`pip install xllamacpp`; optional)

First token and whole reply are counted from when the asker asks, waiting included. Memory is what the processes of the
system have resident in the end: their own, and the mapped file. With `--searches 4` the measuring process meanwhile
searches the index so many times a second, and before that without any system: `search` is p50 / p99.

The last line on standard output is JSON. Other work on the machine distorts all of it; see `load_1_min`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import httpx
import numpy as np

from app.answering.generation import GenerateRequest, Piece
from app.answering.generation.llama.generator import LlamaGenerator, LlamaOptions
from app.answering.generation.llama.gguf_loader import without_amx
from app.answering.types import Question
from app.models.gguf_file import open_gguf
from app.services import Services
from retrieval.models.factory import load_embedder
from retrieval.settings import Settings, changed, load_settings
from retrieval.stores.factory import open_store
from retrieval.types import SearchQuery

QUESTIONS = Path(__file__).resolve().parents[1] / "sample_posts" / "queries.jsonl"
ALONE_ROUNDS = 8
HEAD = """\
| system | askers | first token p50 / p95, s | whole p50 / p95, s | all, s | characters/s | MB own + file \
| prompt tokens reused | search p50 / p99 |
|---|---|---|---|---|---|---|---|---|"""
Write = Callable[[GenerateRequest], Iterator[str]]


class System(NamedTuple):
    """Writes a reply piece by piece, from any thread; the processes that do; and figures of its own."""

    write: Write
    processes: Callable[[], list[int]]
    figures: Callable[[], dict[str, Any]]
    close: Callable[[], None]


def plain(model: Path, threads: int, context: int, _: int) -> System:
    """What people do: the library's own class, with a lock around it since it has one state."""
    from llama_cpp import Llama

    with without_amx():
        llama = Llama(
            str(model), n_ctx=context, n_threads=threads, n_threads_batch=threads, verbose=False, flash_attn=True
        )
    lock = threading.Lock()

    def write(request: GenerateRequest) -> Iterator[str]:
        messages: list[Any] = [{"role": "system", "content": request.system}, {"role": "user", "content": request.user}]
        with lock:
            stream: Any = llama.create_chat_completion(
                messages, temperature=0.0, repeat_penalty=1.05, max_tokens=request.max_tokens, stream=True
            )
            for chunk in stream:
                yield chunk["choices"][0]["delta"].get("content") or ""

    return System(write, lambda: [os.getpid()], dict, llama.close)


def stipple(model: Path, threads: int, context: int, parallel: int) -> System:
    options = LlamaOptions(context, threads, parallel=parallel)
    generator = LlamaGenerator(open_gguf(model), model.stem, None, options)

    def write(request: GenerateRequest) -> Iterator[str]:
        return (piece.answer for piece in generator.generate(request, threading.Event()))

    def figures() -> dict[str, Any]:
        made = generator.figures()
        return {"read": made.read_tokens, "reused": made.reused_tokens, "written": made.written_tokens}

    def processes() -> list[int]:
        return [pid for pid in (generator.figures().pid,) if pid is not None]

    return System(write, processes, figures, generator.close)


def xllamacpp(model: Path, threads: int, context: int, parallel: int) -> System:
    """llama.cpp's server in a wheel; it takes HTTP requests, as its own clients send them."""
    import xllamacpp as bindings  # type: ignore[import-not-found]  # optional

    params = bindings.CommonParams()
    params.model.path, params.n_ctx, params.n_parallel = str(model), context, parallel
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    params.kv_unified, params.no_extra_bufts, params.port, params.verbosity = True, True, 0, 0
    server = bindings.Server(params)  # lives as long as something refers to it
    client = httpx.Client(
        base_url=server.listening_address,
        timeout=3600,
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
    )

    def write(request: GenerateRequest) -> Iterator[str]:
        messages = [{"role": "system", "content": request.system}, {"role": "user", "content": request.user}]
        body = {
            "messages": messages, "temperature": 0.0, "repeat_penalty": 1.05, "max_tokens": request.max_tokens,
            "stream": True,
        }  # fmt: skip
        with client.stream("POST", "/v1/chat/completions", json=body) as response:
            for line in response.iter_lines():
                if line.startswith("data: {"):
                    chunk = json.loads(line.removeprefix("data: "))
                    yield (chunk["choices"][0]["delta"].get("content") or "") if chunk["choices"] else ""

    def close() -> None:
        nonlocal server
        client.close()
        server = None

    return System(write, lambda: [os.getpid()], dict, close)


SYSTEMS = {"plain": plain, "stipple": stipple, "xllamacpp": xllamacpp}


class Capturing:
    """A generator that only notes what it is asked."""

    name, languages, context_tokens, thinking_tokens, parallel = "capturing", None, 4096, 0, 1

    def __init__(self, model: Path) -> None:
        from llama_cpp import Llama

        self._tokenizer: Any = Llama(str(model), vocab_only=True, verbose=False)
        self.requests: list[GenerateRequest] = []

    def count_tokens(self, text: str) -> int:
        return len(self._tokenizer.tokenize(text.encode(), add_bos=False))

    def generate(self, request: GenerateRequest, stop: threading.Event) -> Iterator[Piece]:  # noqa: ARG002  # as its protocol says
        self.requests.append(request)
        yield Piece("")

    def figures(self) -> None:
        """There is no process."""

    def close(self) -> None:
        self._tokenizer.close()


async def prompts(services: Services, capturing: Capturing, count: int) -> list[GenerateRequest]:
    """What the model is asked for as many questions of the sample posts, none of them twice."""
    questions = [json.loads(line) for line in QUESTIONS.read_text("utf-8").splitlines()]
    for question in questions:
        if len(capturing.requests) >= count:
            return capturing.requests[:count]
        if question.get("answerable"):
            async with services.answer(Question(question["text"])) as events:
                _ = [event async for event in events]
    raise SystemExit(f"the sample posts make {len(capturing.requests)} prompts, fewer than {count}")


def ask(system: System, requests: Sequence[GenerateRequest], askers: int) -> dict[str, Any]:
    """All requests by so many askers at once, each asking its next when it has its reply."""
    waiting, taking = list(requests[::-1]), threading.Lock()
    firsts: list[float] = []
    wholes: list[float] = []

    def asker(_: int) -> int:
        characters = 0
        while True:
            with taking:
                if not waiting:
                    return characters
                request = waiting.pop()
            asked, first = time.perf_counter(), 0.0
            for piece in system.write(request):
                first = first or (time.perf_counter() - asked if piece else 0.0)
                characters += len(piece)
            firsts.append(first)
            wholes.append(time.perf_counter() - asked)

    began = time.perf_counter()
    with ThreadPoolExecutor(askers) as pool:
        characters = sum(pool.map(asker, range(askers)))
    seconds = time.perf_counter() - began
    return {
        "askers": askers, "replies": len(wholes), "seconds": seconds, "characters": characters,
        "first": spread(firsts), "whole": spread(wholes), "memory": memory(system.processes()), **system.figures(),
    }  # fmt: skip


def spread(seconds: Sequence[float]) -> dict[str, float]:
    values = np.array(seconds or [float("nan")])
    return {
        "p50": float(np.percentile(values, 50)),
        "p95": float(np.percentile(values, 95)),
        "p99": float(np.percentile(values, 99)),
    }


def memory(pids: Sequence[int]) -> dict[str, int]:
    """Megabytes resident now: the processes' own, and all."""
    own = whole = 0
    for pid in pids:
        with suppress(OSError):
            fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
            own += int(fields["RssAnon"].split()[0]) // 1024
            whole += int(fields["VmRSS"].split()[0]) // 1024
    return {"anonymous_mb": own, "resident_mb": whole}


def one_system(name: str, chosen: argparse.Namespace) -> None:
    """In a process of its own: load, write one reply that is not counted, then measure; a JSON line for each number."""
    requests = [GenerateRequest(*one) for one in json.loads(sys.stdin.read())]
    system = SYSTEMS[name](chosen.model, chosen.threads, chosen.context, chosen.parallel)
    for _ in system.write(GenerateRequest("", "Say hello.", 4)):
        pass
    for askers in chosen.askers:
        mine, requests = requests[: count_of(askers, chosen.rounds)], requests[count_of(askers, chosen.rounds) :]
        print(json.dumps(ask(system, mine, askers)), flush=True)
    system.close()


def count_of(askers: int, rounds: int) -> int:
    return ALONE_ROUNDS if askers == 1 else askers * rounds


async def searched(services: Services, a_second: float, texts: Sequence[str], done: Callable[[], bool]) -> list[float]:
    """Seconds that each of the searches took, begun at a steady rate whether the last one is done or not."""
    took: list[float] = []

    async def search(text: str) -> None:
        began = time.perf_counter()
        await services.search(SearchQuery(text))
        took.append(time.perf_counter() - began)

    async with asyncio.TaskGroup() as running:
        for number in range(1_000_000):
            if done():
                break
            running.create_task(search(texts[number % len(texts)]))
            await asyncio.sleep(1 / a_second)
    return took


async def measure(chosen: argparse.Namespace) -> None:
    settings: Settings = changed(load_settings(), {"data_dir": chosen.data, "llm_max_tokens": chosen.max_tokens})
    capturing = Capturing(chosen.model)
    services = Services(settings, open_store(settings), load_embedder(settings), capturing)
    await services.start()
    total = sum(count_of(askers, chosen.rounds) for askers in chosen.askers)
    asked = await prompts(services, capturing, total)
    given = json.dumps([(one.system, one.user, one.max_tokens) for one in asked])
    texts = [json.loads(line)["text"] for line in QUESTIONS.read_text("utf-8").splitlines()]
    report: dict[str, Any] = {
        "model": chosen.model.name, "threads": chosen.threads, "parallel": chosen.parallel,
        "prompt_characters": sum(len(one.system + one.user) for one in asked) // len(asked),
        "load_1_min": os.getloadavg()[0], "systems": {},
    }  # fmt: skip
    if chosen.searches:
        end = time.monotonic() + 10
        report["search_alone"] = spread(
            await searched(services, chosen.searches, texts, lambda: time.monotonic() > end)
        )
    for name in chosen.systems:
        command = [sys.executable, __file__, "--one", name, *sys.argv[1:]]
        process = await asyncio.create_subprocess_exec(*command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        running = asyncio.create_task(process.communicate(given.encode()))
        found: dict[str, Any] = {}
        if chosen.searches:
            found["search"] = spread(await searched(services, chosen.searches, texts, running.done))
        out, _ = await running
        if process.returncode:
            print(f"{name} ended with code {process.returncode}", file=sys.stderr)
            continue
        found["at"] = [json.loads(line) for line in out.decode().splitlines() if line.startswith("{")]
        report["systems"][name] = found
        print("\n".join(rows(name, found)), flush=True)
    await services.close()
    print(json.dumps(report))


def rows(name: str, found: dict[str, Any]) -> Iterator[str]:
    for one in found["at"]:
        first, whole, used = one["first"], one["whole"], one["memory"]
        search = found.get("search")
        beside = f" | {search['p50'] * 1000:.0f} / {search['p99'] * 1000:.0f} ms" if search else ""
        reused = f" | {one['reused']:,} of {one['reused'] + one['read']:,}" if "reused" in one else " | "
        yield (
            f"| {name} | {one['askers']} | {first['p50']:.2f} / {first['p95']:.2f} | {whole['p50']:.2f} / "
            f"{whole['p95']:.2f} | {one['seconds']:.1f} | {one['characters'] / one['seconds']:.1f} | "
            f"{used['anonymous_mb']} + {used['resident_mb'] - used['anonymous_mb']}{reused}{beside} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="a GGUF file")
    parser.add_argument("--data", type=Path, default=Path("stipple-data"), help="data folder with sample_posts indexed")
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=["plain", "stipple"])
    parser.add_argument("--askers", nargs="+", type=int, default=[1, 4, 16])
    parser.add_argument("--rounds", type=int, default=1, help="replies to each of several askers")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--context", type=int, default=4096)
    parser.add_argument("--parallel", type=int, default=4, help="replies written at once")
    parser.add_argument("--max-tokens", type=int, default=96)
    parser.add_argument("--searches", type=float, default=0.0, help="searches a second meanwhile")
    parser.add_argument("--one", choices=SYSTEMS, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one:
        one_system(chosen.one, chosen)
        return
    print(HEAD, flush=True)
    asyncio.run(measure(chosen))


if __name__ == "__main__":
    main()
