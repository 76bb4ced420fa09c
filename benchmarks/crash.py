"""Kills reindexes, and the server, at random moments, while people search; then counts what was lost or doubled.

    python benchmarks/crash.py --posts 2000 --kills 50

Each round changes the post file (edits, counters, new posts, posts that are gone; every fifth round a large change that
writes a generation anew), starts a reindex in a process of its own, puts posts over the API meanwhile, and kills the
reindex with SIGKILL after a random time, drawn up to a little longer than one takes. Then the same reindex runs to its
end, and the index is compared with what it must hold: every post of the file and every one that the API accepted since
the last time the file named it, each once, in its last version, with as many passages as its catalog says. Every fifth
round the server is killed too, right after a batch was accepted, and started again. Two clients search all the time;
a search has failed when it is not answered with 200, or without the post that no round changes. Those sent while the
server is down are not counted.

Embeddings are hashed trigrams: what is tried are files, locks and the journal, and a model would only make it slower.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import httpx

EVERGREEN = {"id": "evergreen", "text": "The lighthouse keeper waters an evergreen every morning", "likes": 1}
QUERY = "lighthouse keeper evergreen"
WORDS = (
    "harbour",
    "coffee",
    "bicycle",
    "garden",
    "lantern",
    "market",
    "noodle",
    "orchard",
    "pebble",
    "river",
    "teapot",
)


def serve(data: Path, port: int) -> None:
    """A server as `stipple serve` makes it, but for the embedder."""
    import uvicorn

    from app.main import create_app
    from app.services import Services
    from app.web.logs import configure_logs
    from indexer.intake import JournalIntake
    from retrieval.embedding import HashEmbedder
    from retrieval.settings import Settings
    from retrieval.stores.opening import open_store
    from retrieval.terms import TermWeigher

    settings = Settings(data_dir=data, llm="none", log_level="error", _env_file=None)  # type: ignore[call-arg]
    configure_logs(settings)
    store, embedder = open_store(settings), HashEmbedder()
    intake = JournalIntake(settings, store, embedder, TermWeigher())
    app = create_app(settings, Services(settings, store, embedder, None, None, intake))
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="error", access_log=False)


def run_reindex(data: Path, posts: Path, anew: bool) -> None:
    """`stipple reindex --prune`, but for the embedder, which takes a little time for each batch."""
    from indexer.cli import add_commands, reindex_into
    from indexer.readers.sources import find_sources
    from retrieval.embedding import HashEmbedder
    from retrieval.settings import Settings
    from retrieval.stores.opening import open_store
    from retrieval.terms import TermWeigher

    parser = argparse.ArgumentParser()
    add_commands(parser.add_subparsers())
    given = ["reindex", str(posts), "--quiet", "--json", "--prune", "--prune-up-to", "1000000"]
    args = parser.parse_args([*given, "--anew"] if anew else given)
    settings = Settings(data_dir=data, _env_file=None)  # type: ignore[call-arg]
    sys.exit(
        reindex_into(open_store(settings), HashEmbedder(), TermWeigher(), find_sources(args.paths), args, settings)
    )


class Server:
    """The server's process, and two clients that ask it all the time."""

    def __init__(self, data: Path, port: int, key: str) -> None:
        self._data, self._port = data, port
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, headers={"X-API-Key": key})
        self.asked, self.failed, self.problems = 0, 0, list[str]()
        self._up, self._ending, self._lock = threading.Event(), threading.Event(), threading.Lock()
        self._starts = 0
        self.start()
        self._clients = [threading.Thread(target=self._ask, daemon=True) for _ in range(2)]
        for one in self._clients:
            one.start()

    def start(self) -> None:
        given = [sys.executable, __file__, "--serve", str(self._data), "--port", str(self._port)]
        self._process = subprocess.Popen(given)
        deadline = time.monotonic() + 120
        while True:
            try:
                if self.client.get("/readyz").status_code == 200:
                    break
            except httpx.TransportError:
                pass
            assert self._process.poll() is None, "the server did not start"
            assert time.monotonic() < deadline, "the server does not get ready"
            time.sleep(0.1)
        self._starts += 1
        self._up.set()

    def kill(self) -> None:
        self._up.clear()
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def close(self) -> None:
        self._ending.set()
        for one in self._clients:
            one.join()
        self._process.terminate()
        self._process.wait()

    def put(self, posts: list[dict[str, Any]]) -> dict[str, Any]:
        response = self.client.put("/api/posts", json=posts)
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    def _ask(self) -> None:
        client, connected = httpx.Client(), 0
        while not self._ending.is_set():
            self._up.wait(1)
            start = self._starts
            if start != connected:  # connections that were kept lead to a server that is gone
                client.close()
                client, connected = httpx.Client(base_url=f"http://127.0.0.1:{self._port}", timeout=60), start
            try:
                response = client.get("/api/search", params={"q": QUERY})
                hits = [hit["post"]["id"] for hit in response.json().get("hits", [])]
                problem = (
                    "" if response.status_code == 200 and "evergreen" in hits else f"{response.status_code} {hits}"
                )
            except httpx.TransportError as error:
                problem = repr(error)
            if problem and (not self._up.is_set() or start != self._starts):
                continue  # it was down, or went down meanwhile
            with self._lock:
                self.asked += 1
                self.failed += bool(problem)
                if problem:
                    self.problems.append(problem)
            time.sleep(0.01)


class World:
    """What the index must hold: the posts of the file, and what was accepted since the file was read last."""

    def __init__(self, count: int, chance: random.Random) -> None:
        self.chance, self.made = chance, 0
        self.file: dict[str, dict[str, Any]] = {"evergreen": EVERGREEN}
        for _ in range(count):
            self.add(self.file)
        self.accepted: dict[str, dict[str, Any]] = {}

    def add(self, posts: dict[str, dict[str, Any]]) -> dict[str, Any]:
        self.made += 1
        post = {"id": f"p{self.made}", "text": self.words(), "likes": self.chance.randrange(9)}
        posts[post["id"]] = post
        return post

    def words(self) -> str:
        return ". ".join(" ".join(self.chance.choices(WORDS, k=8)) for _ in range(self.chance.choice((1, 1, 2, 30))))

    def turn(self, share: float) -> None:
        """Change about this share of the file."""
        ids = [one for one in self.file if one != "evergreen"]
        for one in self.chance.sample(ids, max(1, int(share * len(ids)))):
            match self.chance.randrange(4):
                case 0:
                    self.file[one] = self.file[one] | {"likes": self.chance.randrange(1_000)}
                case 1:
                    del self.file[one]
                case 2:
                    self.add(self.file)
                case _:
                    self.file[one] = self.file[one] | {"text": self.words()}

    def write(self, path: Path) -> None:
        path.write_text("".join(json.dumps(post) + "\n" for post in self.file.values()), "utf-8")

    def compared(self, data: Path) -> tuple[int, int, int]:
        """Posts that are lost, doubled or too many, and in another version, in the index as it is."""
        from indexer.post_door import to_post
        from retrieval.settings import Settings
        from retrieval.stores.opening import open_store
        from retrieval.text import content_hash

        wanted = {one: content_hash(to_post(post)) for one, post in (self.file | self.accepted).items()}
        held = [
            (one.post.id, one.content_hash)
            for one in open_store(Settings(data_dir=data, _env_file=None)).stored_posts()
        ]  # type: ignore[call-arg]
        ids = [post_id for post_id, _ in held]
        lost, extra = wanted.keys() - set(ids), len(ids) - len(set(ids)) + len(set(ids) - wanted.keys())
        other = sum(1 for post_id, content in held if post_id in wanted and wanted[post_id] != content)
        return len(lost), extra, other


FACTS = ("killed_while_running", "server_kills", "accepted_during_reindex")


def measure(posts: int, kills: int, seed: int, work: Path) -> dict[str, Any]:
    from app.keys import Keys

    chance = random.Random(seed)
    world, data, file = World(posts, chance), work / "data", work / "posts.jsonl"
    world.write(file)
    key = Keys(data / "keys.sqlite").add("crash", "write")

    def reindex(anew: bool = False) -> subprocess.Popen[bytes]:
        given = [sys.executable, __file__, "--reindex", str(data), "--file", str(file), *(["--anew"] if anew else [])]
        return subprocess.Popen(given, stdout=subprocess.DEVNULL)

    assert reindex().wait() == 0
    longest_s = {}
    for large in (True, False):
        world.turn(0.4 if large else 0.02)
        world.write(file)
        started = time.monotonic()
        assert reindex().wait() == 0
        longest_s[large] = 1.1 * (time.monotonic() - started)
    server = Server(data, free_port(), key)
    totals: Counter[str] = Counter()
    stages: Counter[str] = Counter()
    for number in range(1, kills + 1):
        large = number % 5 == 0
        world.turn(0.4 if large else 0.02)
        world.write(file)
        # Whatever was accepted before, and the file does not name, is deleted: --prune.
        world.accepted.clear()
        uncertain = _killed(reindex(anew=number % 10 == 0), server, world, longest_s[large], totals)
        stages[_last_stage(data)] += 1
        during = _rerun(reindex(anew=number % 10 == 0), server, world, data)
        totals["accepted_during_reindex"] += len(during)
        if number % 5 == 3:
            during += (batch := [world.add({}) for _ in range(5)])
            server.put(batch)
            server.kill()
            totals["server_kills"] += 1
            server.start()
        world.accepted |= {post["id"]: post for post in during}
        _settle(server, world, data, uncertain)
        found = dict(zip(("lost", "doubled", "stale"), world.compared(data), strict=True))
        totals.update(found)
        print(
            f"round {number:3}: {found}; {server.asked:,} searches, {server.failed} failed", file=sys.stderr, flush=True
        )
    server.close()
    return {
        "benchmark": "crash", "posts": posts, "rounds": kills, "killed_while": stages,
        **{name: totals[name] for name in (*FACTS, "lost", "doubled", "stale")},
        "searches": server.asked, "failed_searches": server.failed, "problems": server.problems[:5],
    }  # fmt: skip


def _killed(
    running: subprocess.Popen[bytes], server: Server, world: World, longest_s: float, totals: Counter[str]
) -> list[dict[str, Any]]:
    """Kill a reindex after a random time; returns what was accepted meanwhile.

    The rerun with --prune deletes it, or takes it over, whether it had been made by then or not: either is right.
    """
    kill_at = time.monotonic() + world.chance.uniform(0, longest_s)
    time.sleep(world.chance.uniform(0, longest_s / 4))
    accepted = [world.add({}) for _ in range(3)]
    server.put(accepted)
    time.sleep(max(0.0, kill_at - time.monotonic()))
    if running.poll() is None:
        running.send_signal(signal.SIGKILL)
        totals["killed_while_running"] += 1
    running.wait()
    return accepted


def _rerun(running: subprocess.Popen[bytes], server: Server, world: World, data: Path) -> list[dict[str, Any]]:
    """The same reindex to its end; returns what was accepted once it had read the stored posts."""
    during: list[dict[str, Any]] = []
    while running.poll() is None:
        if _past_reading(data) and len(during) < 30:
            post = world.add({})
            server.put([post])
            during.append(post)
        time.sleep(0.05)
    assert running.returncode == 0, "the rerun failed"
    return during


def _settle(server: Server, world: World, data: Path, uncertain: list[dict[str, Any]]) -> None:
    """Wait until the server reads the new generation and has made what it accepted; of what may be deleted or kept,
    learn which.
    """
    from retrieval.settings import Settings
    from retrieval.stores.opening import open_store

    current = open_store(Settings(data_dir=data, _env_file=None)).current()  # type: ignore[call-arg]
    deadline = time.monotonic() + 60
    while server.client.get("/api/search", params={"q": QUERY}).json().get("generation") != current:
        assert time.monotonic() < deadline, "the server does not follow"
        time.sleep(0.1)
    while any(server.client.get(f"/api/posts/{one}").status_code != 200 for one in world.accepted):
        if time.monotonic() > deadline:
            break  # it is counted as lost
        time.sleep(0.1)
    for post in uncertain:
        if server.client.get(f"/api/posts/{post['id']}").status_code == 200:
            world.accepted[post["id"]] = post


def _last_stage(data: Path) -> str:
    from indexer.runs import Runs

    runs = Runs(data).last(1)
    return f"{runs[0].stage}" if runs and runs[0].state in {"died", "running"} else "not running"


def _past_reading(data: Path) -> bool:
    from indexer.runs import Runs

    runs = Runs(data).last(1)
    return bool(runs) and runs[0].state == "running" and runs[0].stage != "reading"


def free_port() -> int:
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--posts", type=int, default=2_000)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--work", type=Path, help="where the index is made (default: a new folder, deleted afterwards)")
    for hidden in ("--serve", "--reindex", "--file"):
        parser.add_argument(hidden, type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--anew", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        serve(args.serve, args.port)
        return
    if args.reindex:
        run_reindex(args.reindex, args.file, args.anew)
        return
    with tempfile.TemporaryDirectory(dir=args.work) as work:
        figures = measure(args.posts, args.kills, args.seed, Path(work))
    for name in ("rounds", *FACTS, "searches"):
        print(f"{name.replace('_', ' '):26} {figures[name]:>8,}")
    for name in ("lost", "doubled", "stale", "failed_searches"):
        print(f"{name.replace('_', ' '):26} {figures[name]:>8,}   bar: 0")
    print(json.dumps(figures | {"load_1_min": round(os.getloadavg()[0], 1)}))


if __name__ == "__main__":
    main()
