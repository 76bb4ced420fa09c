"""Queries and clients: what is asked, how many ask at once, and how long each one waits."""

from __future__ import annotations

import json
import statistics
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from retrieval.types import Post

Search = Callable[[str], object]
WARM_UP, ONE_CLIENT, MANY_CLIENTS, REPEATED = 40, 300, 800, 20


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


def measure(make_client: Callable[[], Search], queries: Sequence[str], clients: int) -> dict[str, Any]:
    """Wait of each query with one client and with many, no query asked twice; then a few asked again and again.

    Args:
        make_client: Called once in each client's thread.
    """
    warm, one = queries[:WARM_UP], queries[WARM_UP : WARM_UP + ONE_CLIENT]
    many = queries[WARM_UP + ONE_CLIENT : WARM_UP + ONE_CLIENT + MANY_CLIENTS]
    _run(make_client, warm, 1)
    single, _ = _run(make_client, one, 1)
    crowd, seconds = _run(make_client, many, clients)
    repeated, _ = _run(make_client, list(one[:REPEATED]) * (ONE_CLIENT // REPEATED), 1)
    return {
        "p50_ms": _at(single, 0.5),
        "p99_ms": _at(single, 0.99),
        "repeated_p50_ms": _at(repeated, 0.5),
        f"clients_{clients}": {
            "searches_per_s": round(len(many) / seconds, 1),
            "p50_ms": _at(crowd, 0.5),
            "p99_ms": _at(crowd, 0.99),
        },
    }


def _run(make_client: Callable[[], Search], queries: Sequence[str], clients: int) -> tuple[list[float], float]:
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
    return waits, time.perf_counter() - started


def _at(waits: Sequence[float], share: float) -> float:
    return round(statistics.quantiles(waits, n=1000, method="inclusive")[round(share * 1000) - 1], 2)
