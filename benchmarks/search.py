"""Stipple over HTTP beside txtai's hybrid search and bm25s with jieba, in one run on the same posts and queries.

    python benchmarks/search.py --posts FILE… --size 5000 [--queries FILE] [--judged DIR…] [--work DIR]

Stipple is what people run: `stipple reindex`, then `stipple serve` in a process of its own, asked over HTTP; each
query is asked once, so that no cache helps, and beside that a few again and again. The peers are called as libraries,
each in a process of its own. All are up at once and asked in turns, a block of queries each. Prints a table and, last,
one JSON line. See README.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.load import MANY_CLIENTS, ONE_CLIENT, WARM_UP, distinct_queries, in_turns, read_posts  # noqa: E402  # found by the path above
from benchmarks.peer_embedder import HOWS  # noqa: E402  # found by the path above
from benchmarks.systems import Peer, Served, reindex  # noqa: E402  # found by the path above

MEASURED = ("stipple", "txtai", "bm25s")


def main() -> None:
    args, circumstances = _arguments(), _circumstances()
    with tempfile.TemporaryDirectory(prefix="stipple-bench-") as temporary:
        work = args.work or Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        posts = read_posts(args.posts, args.size)
        typed = args.queries.read_text("utf-8").splitlines() if args.queries else []
        asked = distinct_queries(posts, typed, WARM_UP + ONE_CLIENT + MANY_CLIENTS)
        posts_path = work / f"posts-{args.size}.jsonl"
        with posts_path.open("w", encoding="utf-8") as file:
            for post in posts:
                line = {"id": post.id, "title": post.title, "text": post.text, "tags": post.tags, "author": post.author}
                file.write(json.dumps(line, ensure_ascii=False) + "\n")

        data_dir = work / f"stipple-{args.size}"
        reindex(data_dir, posts_path)  # the peers take their vectors from what it keeps
        with ExitStack() as stack:
            systems: dict[str, Served | Peer] = {}
            for name in args.systems:
                print(f"starting {name} …", file=sys.stderr, flush=True)
                system = Served(data_dir) if name == "stipple" else Peer(name, posts_path, data_dir, args.embed)
                stack.callback(system.close)
                systems[name] = system
            print("asking them in turns …", file=sys.stderr, flush=True)
            figures = in_turns({name: one.ask for name, one in systems.items()}, asked, args.clients)
            for name, one in systems.items():
                for folder in args.judged:
                    dataset, value = one.judge(folder)
                    figures[name].setdefault("nDCG@10", {})[dataset] = value
    result = {"posts": args.size, "clients": args.clients, "embed": args.embed, "systems": figures, **circumstances}
    if {"stipple", "txtai"} <= figures.keys():
        result["of_txtai"] = compared(figures["stipple"], figures["txtai"], args.clients)
    print(_table(result))
    print(json.dumps(result))


def compared(own: dict[str, Any], other: dict[str, Any], clients: int) -> dict[str, Any]:
    """Shares of another system's p50 and of its searches a second. `p50_between`: the middle 95 % of what the share
    would be of other blocks of queries, drawn from these a thousand times with replacement.
    """
    blocks = list(zip(own["blocks_p50_ms"], other["blocks_p50_ms"], strict=True))
    draw = random.Random(0)
    drawn = [draw.choices(blocks, k=len(blocks)) for _ in range(1000)]
    shares = sorted(median(a for a, _ in one) / median(b for _, b in one) for one in drawn)
    crowd = f"clients_{clients}"
    return {
        "p50": round(own["p50_ms"] / other["p50_ms"], 3),
        "p50_between": [round(shares[25], 3), round(shares[974], 3)],
        "searches_per_s": round(own[crowd]["searches_per_s"] / other[crowd]["searches_per_s"], 2),
    }


def _circumstances() -> dict[str, Any]:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    packages = ("txtai", "bm25s", "jieba", "qdrant-edge-py", "sentence-transformers", "torch")
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit.stdout.strip(),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
        "load_1_min": round(os.getloadavg()[0], 2),
        "versions": {package: version(package) for package in packages},
    }


def _table(result: dict[str, Any]) -> str:
    crowd = f"clients_{result['clients']}"
    names = sorted({name for figures in result["systems"].values() for name in figures.get("nDCG@10", {})})
    heads = ["p50 ms", "p99 ms", "repeated", f"{result['clients']}: /s", "p50 ms", "p99 ms", *names]
    lines = [f"{result['posts']:,} posts, one client, then {result['clients']}; {result['machine']}"]
    lines.append(f"{'':8}" + "".join(f"{head:>{max(10, len(head) + 2)}}" for head in heads))
    for system, own in result["systems"].items():
        many = own[crowd]
        cells = [own["p50_ms"], own["p99_ms"], own["repeated_p50_ms"], many["searches_per_s"], many["p50_ms"]]
        cells += [many["p99_ms"], *(own.get("nDCG@10", {}).get(name, "") for name in names)]
        widths = [max(10, len(head) + 2) for head in heads]
        lines.append(f"{system:8}" + "".join(f"{cell!s:>{width}}" for cell, width in zip(cells, widths, strict=True)))
    if "of_txtai" in result:
        share = result["of_txtai"]
        low, high = share["p50_between"]
        lines.append(
            f"stipple's p50 is {share['p50']:.3f} of txtai's ({low:.3f} to {high:.3f} as blocks of queries differ), "
            f"its searches/s {share['searches_per_s']:.2f} times"
        )
    return "\n".join(lines)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--posts", type=Path, nargs="+", required=True, help="JSON Lines with id, title, text or body")
    parser.add_argument("--size", type=int, default=5000, help="how many of them")
    parser.add_argument("--queries", type=Path, help="queries that people typed, one a line")
    parser.add_argument("--judged", type=Path, nargs="*", default=[], help="judged folders for nDCG@10")
    parser.add_argument("--embed", choices=HOWS, default=HOWS[0], help="by what txtai embeds (peer_embedder.py)")
    parser.add_argument("--clients", type=int, default=16, help="clients that ask at once")
    parser.add_argument("--work", type=Path, help="where indexes and embeddings are kept for the next run")
    parser.add_argument("--systems", nargs="+", choices=MEASURED, default=MEASURED)
    return parser.parse_args()


if __name__ == "__main__":
    main()
