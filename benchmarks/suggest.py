"""How long a suggestion takes, and what the suggester weighs: python -m benchmarks.suggest POSTS.jsonl... --size 100000

Posts are JSON lines with `title`, `tags`, `likes`, `created_at` and `text` or `body`, whatever else they hold; where
one has no title, the beginning of its text stands in, so that every post weighs something. What is typed: phrases of
the posts, and lines of --queries, key by key (1 to 12 keys), and a tag followed by the first letter of another.
Prints a table, then one JSON line: wall-clock times, and beside them processor time, which a busy machine adds less to.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np

from retrieval.suggest.past_queries import PastPhrases, PastQuery
from retrieval.suggest.post_phrases import PostPhrases
from retrieval.suggest.suggester import Suggester
from retrieval.types import Post

_MOST_KEYS = 12


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("posts", nargs="+", type=Path)
    parser.add_argument("--size", type=int, default=100_000, help="posts to build from (default: 100,000)")
    parser.add_argument("--queries", type=Path, help="lines that were asked before, and are typed")
    parser.add_argument("--typed", type=int, default=4000, help="prefixes to time of each kind")
    args = parser.parse_args()
    chance = random.Random(7)
    posts = _read(args.posts)
    chance.shuffle(posts)
    posts = posts[: args.size]
    asked = args.queries.read_text("utf-8").splitlines() if args.queries else []

    before, started = _resident_mb(), time.perf_counter()
    built = PostPhrases(posts)
    build_s = time.perf_counter() - started
    past = PastPhrases(PastQuery(text, chance.randint(1, 50), date(2026, 1, 1)) for text in asked[:10_000])
    suggester = Suggester(built, past)

    phrases = chance.sample(built.texts, min(args.typed, len(built.texts)))
    tags = [tag for post in posts for tag in post.tags]
    kinds = {
        "phrases": _key_by_key(phrases, args.typed, chance),
        "queries": _key_by_key(asked[10_000:], args.typed, chance),
        "two words": [f"{chance.choice(tags)} {chance.choice(tags)[:1]}" for _ in range(args.typed if tags else 0)],
    }
    timed = {kind: [_timed(suggester, text) for text in typed] for kind, typed in kinds.items() if typed}
    rows = {kind: _summary(times) for kind, times in timed.items()}
    rows["all"] = _summary([taken for times in timed.values() for taken in times])
    print(
        f"{len(posts):,} posts, {len(built.texts):,} phrases, {len(built.index):,} words; {len(past.texts):,} queries"
    )
    print(f"built in {build_s:.1f} s; {built.size_bytes / len(posts):.0f} bytes a post", end="; ")
    print(f"resident {_resident_mb() - before:+.0f} MB, 57 of them pypinyin's")
    names = {"p50": "p50 ms", "p99": "p99 ms", "max": "max ms", "cpu_p99": "CPU p99", "cpu_max": "CPU max"}
    print(f"{'typed':<10} {'n':>7} {' '.join(f'{title:>8}' for title in names.values())} {'found':>6}")
    for kind, row in rows.items():
        print(f"{kind:<10} {row['n']:>7,} {' '.join(f'{row[name]:>8.3f}' for name in names)} {row['found']:>6.0%}")
    facts = {"posts": len(posts), "phrases": len(built.texts), "build_s": round(build_s, 1)}
    weight = {
        "bytes_per_post": round(built.size_bytes / len(posts)),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
    }
    print(json.dumps({"benchmark": "suggest", **facts, **weight, "ms": rows}))


def _read(paths: Sequence[Path]) -> list[Post]:
    return [_post(json.loads(line)) for path in paths for line in path.read_text("utf-8").split("\n") if line.strip()]


def _post(line: dict[str, Any]) -> Post:
    text = line.get("text") or line.get("body") or ""
    created_at = None
    for shape in ("%Y-%m-%dT%H:%M:%S", "%m/%d/%Y %H:%M"):
        try:
            created_at = datetime.strptime(str(line.get("created_at", ""))[:19], shape).replace(tzinfo=UTC)
            break
        except ValueError:
            continue
    likes = line.get("likes") or 0
    return Post(
        str(line.get("id", "")), line.get("title") or text[:80], "", tags=tuple(line.get("tags") or ()),
        created_at=created_at, likes=max(0, int(likes)),
    )  # fmt: skip


def _key_by_key(texts: Sequence[str], most: int, chance: random.Random) -> list[str]:
    typed = {text[:keys] for text in texts for keys in range(1, min(len(text), _MOST_KEYS) + 1)}
    return chance.sample(sorted(typed), min(most, len(typed)))


def _timed(suggester: Suggester, text: str) -> tuple[float, float, bool]:
    """Wall-clock and processor milliseconds, and whether anything was suggested."""
    started, busy = time.perf_counter(), time.thread_time()
    found = bool(suggester.suggest(text))
    return (time.perf_counter() - started) * 1000, (time.thread_time() - busy) * 1000, found


def _summary(times: Sequence[tuple[float, float, bool]]) -> dict[str, float]:
    wall, cpu, found = (np.array(column, float) for column in zip(*times, strict=True))
    p50, p99 = np.percentile(wall, [50, 99])
    figures = {"p50": p50, "p99": p99, "max": wall.max(), "cpu_p99": np.percentile(cpu, 99), "cpu_max": cpu.max()}
    return {"n": len(times), "found": round(found.mean(), 4), **{k: round(float(v), 4) for k, v in figures.items()}}


def _resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6


if __name__ == "__main__":
    main()
