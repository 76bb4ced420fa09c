"""Switches the embedding model of an index under a server that answers, and counts the requests that failed.

    python benchmarks/switch.py --posts posts.jsonl --size 2000 --clients 4

The posts are indexed by the bundled model and served by `stipple serve`. While clients search and ask all the time,
over connections that they keep, `stipple reindex` runs with another model: the bundled one without its last three
layers, a real transformer whose vectors cannot be compared with the first one's. Then the clients go on for a while,
a post is put and must be found, and `stipple rollback` brings the first index back. A request has failed when it is
not answered with 200, or has no hits.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from itertools import count, islice
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import httpx
import numpy as np

from benchmarks.serving import free_port, wait_ready

QUERIES = ("cheap noodles", "哪里 安静", "battery", "好用 便宜", "how to learn", "coffee", "物流 快", "python")
_AFTER_S = 10.0
_PAUSE_S = 0.05  # of a client between two requests: the reindex steps aside for those, and would not end under more


def shallower(folder: Path, layers: int) -> Path:
    """The bundled model with its first layers alone, saved to a folder."""
    from sentence_transformers import SentenceTransformer

    from retrieval.models.files import bundled_folder

    model = SentenceTransformer(str(bundled_folder()), local_files_only=True)
    encoder: Any = model[0].auto_model
    encoder.encoder.layer = encoder.encoder.layer[:layers]
    encoder.config.num_hidden_layers = layers
    model.save(str(folder))
    return folder


def stipple(data: Path, *given: str, model: str = "", wait: bool = True) -> subprocess.Popen[str]:
    """A command of Stipple's in a process of its own, by the model of the settings or another."""
    environment = os.environ | {"STIPPLE_DATA_DIR": str(data), "STIPPLE_LLM": "none", "STIPPLE_LOG_LEVEL": "warning"}
    if model:
        environment["STIPPLE_EMBEDDING_MODEL"] = model
    command = [sys.executable, "-c", "import sys; from stipple.cli import main; sys.exit(main())", *given]
    process = subprocess.Popen(command, env=environment, text=True, stdout=subprocess.DEVNULL)
    if wait and process.wait():
        sys.exit(f"stipple {' '.join(given)} ended with {process.returncode}")
    return process


class Clients:
    """Searches, and a question for nine of them; what failed, and how long searches took, by what else was going on."""

    def __init__(self, url: str, clients: int) -> None:
        self._url, self._ending, self._lock = url, threading.Event(), threading.Lock()
        self.asked, self.failed, self.problems = 0, 0, list[str]()
        self.phase = "before"
        self.took_ms: dict[str, list[float]] = {}
        self._threads = [threading.Thread(target=self._ask, args=(number,), daemon=True) for number in range(clients)]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, number: int) -> None:
        with httpx.Client(base_url=self._url, timeout=60) as client:
            for turn in count(number):
                if self._ending.is_set():
                    return
                query, phase = QUERIES[turn % len(QUERIES)], self.phase
                started = time.perf_counter()
                try:
                    if turn % 10 == 9:
                        response = client.post("/api/answer", json={"question": query})
                    else:
                        response = client.get("/api/search", params={"q": query})
                    body = response.json()
                    problem = "" if response.status_code == 200 and body.get("hits", True) else response.text[:300]
                except httpx.TransportError as error:
                    problem = repr(error)
                took_ms = 1000 * (time.perf_counter() - started)
                with self._lock:
                    self.asked += 1
                    self.failed += bool(problem)
                    if problem:
                        self.problems.append(problem)
                    elif turn % 10 != 9:
                        self.took_ms.setdefault(phase, []).append(took_ms)
                time.sleep(_PAUSE_S)


def measure(posts: Path, size: int, clients: int, work: Path) -> dict[str, Any]:
    data, offered = work / "data", work / "posts.jsonl"
    with posts.open(encoding="utf-8") as lines, offered.open("w", encoding="utf-8") as file:
        file.writelines(islice(lines, size))
    other = shallower(work / "three-layers", 3)
    stipple(data, "reindex", str(offered), "--quiet")
    key = _key(data)
    port = free_port()
    server = stipple(data, "serve", "--port", str(port), wait=False)
    url = f"http://127.0.0.1:{port}"
    try:
        return {"posts": size, "clients": clients} | _switched(data, offered, other, url, clients, key, server)
    finally:
        server.terminate()
        server.wait()


def _switched(
    data: Path, offered: Path, other: Path, url: str, clients: int, key: str, server: subprocess.Popen[str]
) -> dict[str, Any]:
    with httpx.Client(base_url=url, timeout=60, headers={"X-API-Key": key}) as client:
        wait_ready(client, server)
        first = str(client.get("/api/search", params={"q": QUERIES[0]}).json()["generation"])
        asking = Clients(url, clients)
        time.sleep(_AFTER_S)
        started = time.monotonic()
        asking.phase = "during the reindex"
        stipple(data, "reindex", str(offered), "--quiet", model=str(other))
        reindexed_s = time.monotonic() - started
        asking.phase = "while switching"
        second, switched_s = _next(client, first)
        asking.phase = "after"
        client.put("/api/posts", json=[{"id": "put-since", "text": "zyzzyva beetles sleep in the lighthouse"}])
        time.sleep(_AFTER_S)
        hits = client.get("/api/search", params={"q": "zyzzyva beetles"}).json()["hits"]
        found = bool(hits) and hits[0]["post"]["id"] == "put-since"
        stipple(data, "rollback")
        third, back_s = _next(client, second)
        time.sleep(_AFTER_S)
        asking.end()
    for problem in asking.problems[:10]:
        print("failed:", problem)
    return {
        "requests": asking.asked,
        "failed": asking.failed,
        "reindex_s": round(reindexed_s, 1),
        "switched_after_s": round(switched_s, 1),
        "put_post_found": found,
        "rolled_back": third == first,
        "rolled_back_after_s": round(back_s, 1),
        "search_p50_p99_ms": {name: _spread(times) for name, times in asking.took_ms.items()},
    }


def _next(client: httpx.Client, before: str) -> tuple[str, float]:
    """The generation that is read after another, and the seconds until it was."""
    started = time.monotonic()
    while True:
        name = str(client.get("/api/search", params={"q": QUERIES[0]}).json().get("generation", before))
        if name != before:
            return name, time.monotonic() - started
        assert time.monotonic() - started < 120, f"{before} is still read"
        time.sleep(0.05)


def _key(data: Path) -> str:
    from app.api_keys import Keys

    return Keys(data / "keys.sqlite").add("switch", "write")


def _spread(times: list[float]) -> list[float]:
    return [round(float(np.percentile(times, share)), 1) for share in (50, 99)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--posts", type=Path, required=True, help="posts as docs/posts.md describes them, as JSONL")
    parser.add_argument("--size", type=int, default=2000)
    parser.add_argument("--clients", type=int, default=4)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        result = measure(args.posts, args.size, args.clients, Path(work))
    for name, value in result.items():
        print(f"{name:22} {value}")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
