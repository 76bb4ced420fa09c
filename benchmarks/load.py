"""Queries and clients: what is asked, how many ask at once, and how long each one waits."""

from __future__ import annotations

import json
import statistics
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from retrieval.types import Post

Search = Callable[[str], object]
WARM_UP, ONE_CLIENT, MANY_CLIENTS, REPEATED = 80, 300, 800, 20
ONE_CLIENTS_BLOCK, MANY_CLIENTS_BLOCK = 25, 200


class Asked(NamedTuple):
    """How long each query of a block waited, in no order, and how long all of them took."""

    waits_ms: Sequence[float]
    seconds: float


Ask = Callable[[Sequence[str], int], Asked]  # these queries, by so many clients at once


def read_posts(paths: Sequence[Path], size: int) -> list[Post]:
    """The first `size` posts of JSON Lines files, whatever their fields for the text are called."""
    posts: dict[str, Post] = {}
    for path in paths:
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                raw: dict[str, Any] = json.loads(line)
                title = " ".join((raw.get("title") or "").split())[:1000]
                text = (raw.get("text") or raw.get("body") or "").replace("\0", "")
                if not (title or text.strip()):
                    continue
                post_id = str(raw.get("id") or raw.get("_id"))
                posts[post_id] = Post(post_id, title, text, raw.get("author") or "", tuple(raw.get("tags") or ()))
                if len(posts) == size:
                    return list(posts.values())
    raise SystemExit(f"the files hold {len(posts):,} posts, fewer than --size {size:,}")


def distinct_queries(posts: Sequence[Post], typed: Iterable[str], count: int) -> list[str]:
    """Half from those typed by people, half the beginnings of posts (six characters of Chinese, four words)."""
    found: dict[str, None] = {}
    people, beginnings = iter(typed), _beginnings(posts)
    while len(found) < count:
        before = len(found)
        for source in (people, beginnings):
            query = next(source, "").strip()
            if query:
                found[query] = None
        if len(found) == before and next(beginnings, None) is None and next(people, None) is None:
            raise SystemExit(f"there are {len(found):,} distinct queries, fewer than {count:,}: give --queries")
    return list(found)[:count]


def _beginnings(posts: Sequence[Post]) -> Iterator[str]:
    step = max(1, len(posts) // 3000)
    for post in [post for at in range(step) for post in posts[at::step]]:
        words = (post.title or post.text).split()
        if words:
            yield words[0][:6] if ord(words[0][0]) > 0x2E80 else " ".join(words[:4])[:60]


def in_turns(systems: Mapping[str, Ask], queries: Sequence[str], clients: int) -> dict[str, dict[str, Any]]:
    """Each system's waits with one client and with many, no query asked twice; then of a few asked again and again.

    All systems are up at once and asked block by block, in an order that changes with each block, so that a machine
    that grows slower or faster meanwhile does so for all of them. While one is asked, the others wait.
    """
    warm_up, left = list(queries[:WARM_UP]), queries[WARM_UP:]
    one, many = left[:ONE_CLIENT], left[ONE_CLIENT : ONE_CLIENT + MANY_CLIENTS]
    for system in systems.values():
        system(warm_up[: WARM_UP // 2], 1)
    between = iter(warm_up[WARM_UP // 2 :])
    single = _blocks(systems, one, ONE_CLIENTS_BLOCK, 1, between)
    crowd = _blocks(systems, many, MANY_CLIENTS_BLOCK, clients, between)
    repeated = _blocks(systems, list(one[:REPEATED]) * (ONE_CLIENT // REPEATED), ONE_CLIENTS_BLOCK, 1, between)
    return {
        name: {
            "p50_ms": _at(single[name], 0.5),
            "p99_ms": _at(single[name], 0.99),
            "repeated_p50_ms": _at(repeated[name], 0.5),
            f"clients_{clients}": {
                "searches_per_s": round(len(many) / sum(block.seconds for block in crowd[name]), 1),
                "p50_ms": _at(crowd[name], 0.5),
                "p99_ms": _at(crowd[name], 0.99),
            },
            "blocks_p50_ms": [_at([block], 0.5) for block in single[name]],
        }
        for name in systems
    }


def _blocks(
    systems: Mapping[str, Ask], queries: Sequence[str], size: int, clients: int, between: Iterator[str]
) -> dict[str, list[Asked]]:
    asked: dict[str, list[Asked]] = {name: [] for name in systems}
    names = list(systems)
    for start in range(0, len(queries), size):
        first = [next(between)]  # not counted: meanwhile the others pushed this system out of the processor's caches
        for name in names:
            systems[name](first, 1)
            asked[name].append(systems[name](queries[start : start + size], clients))
        names = [*names[1:], names[0]]
    return asked


def ask(make_client: Callable[[], Search], queries: Sequence[str], clients: int) -> Asked:
    """Ask each query once, by so many clients at a time.

    Args:
        make_client: Called once in each client's thread.
    """
    waits: list[float] = []
    failures: list[BaseException] = []
    left, lock = iter(queries), threading.Lock()

    def client() -> None:
        try:
            search = make_client()
            while True:
                with lock:
                    query = next(left, None)
                if query is None:
                    return
                started = time.perf_counter()
                search(query)
                waits.append((time.perf_counter() - started) * 1000)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=client) for _ in range(clients)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return Asked(waits, time.perf_counter() - started)


def _at(blocks: Sequence[Asked], share: float) -> float:
    waits = [wait for block in blocks for wait in block.waits_ms]
    return round(statistics.quantiles(waits, n=1000, method="inclusive")[round(share * 1000) - 1], 2)
