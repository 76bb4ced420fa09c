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
import time
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.hashed import reindexing
from benchmarks.searched_server import Server
from benchmarks.serving import free_port
from benchmarks.world import QUERY, World

FACTS = ("killed_while_running", "server_kills", "accepted_during_reindex")


def measure(posts: int, kills: int, seed: int, work: Path) -> dict[str, Any]:
    from app.api_keys import Keys

    chance = random.Random(seed)
    world, data, file = World(posts, chance), work / "data", work / "posts.jsonl"
    world.write(file)
    key = Keys(data / "keys.sqlite").add("crash", "write")

    def reindex(anew: bool = False) -> subprocess.Popen[bytes]:
        return reindexing(data, file, anew)

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
    from retrieval.stores.factory import open_store

    current = open_store(Settings(data_dir=data, _env_file=None)).current()
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
    from indexer.run.run_history import RunHistory

    runs = RunHistory(data).last(1)
    return f"{runs[0].stage}" if runs and runs[0].state in {"died", "running"} else "not running"


def _past_reading(data: Path) -> bool:
    from indexer.run.run_history import RunHistory

    runs = RunHistory(data).last(1)
    return bool(runs) and runs[0].state == "running" and runs[0].stage != "reading"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--posts", type=int, default=2_000)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--work", type=Path, help="where the index is made (default: a new folder, deleted afterwards)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.work) as work:
        figures = measure(args.posts, args.kills, args.seed, Path(work))
    for name in ("rounds", *FACTS, "searches"):
        print(f"{name.replace('_', ' '):26} {figures[name]:>8,}")
    for name in ("lost", "doubled", "stale", "failed_searches"):
        print(f"{name.replace('_', ' '):26} {figures[name]:>8,}   bar: 0")
    print(json.dumps(figures | {"load_1_min": round(os.getloadavg()[0], 1)}))


if __name__ == "__main__":
    main()
