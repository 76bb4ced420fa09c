"""Stipple over HTTP beside txtai's hybrid search and bm25s with jieba, in one run on the same posts and queries.

    python benchmarks/search.py --posts FILE… --size 5000 [--queries FILE] [--judged DIR…] [--work DIR]

Stipple is what people run: `stipple reindex`, then `stipple serve` in a process of its own, asked over HTTP; each
query is asked once, so that no cache helps, and beside that a few again and again. The peers are called as libraries,
each in a process of its own, one after another. Prints a table and, last, one JSON line. See README.md.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.load import MANY_CLIENTS, ONE_CLIENT, WARM_UP, Search, distinct_queries, measure, read_posts  # noqa: E402  # found by the path above

STIPPLE = (sys.executable, "-c", "import sys; from stipple.cli import main; sys.exit(main())")
MEASURED = ("stipple", "txtai", "bm25s")


def main() -> None:
    args = _arguments()
    with tempfile.TemporaryDirectory(prefix="stipple-bench-") as temporary:
        work = args.work or Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        posts = read_posts(args.posts, args.size)
        typed = args.queries.read_text("utf-8").splitlines() if args.queries else []
        asked = distinct_queries(posts, typed, WARM_UP + ONE_CLIENT + MANY_CLIENTS)
        posts_path, asked_path = work / f"posts-{args.size}.jsonl", work / "asked.json"
        with posts_path.open("w", encoding="utf-8") as file:
            for post in posts:
                line = {"id": post.id, "title": post.title, "text": post.text, "tags": post.tags, "author": post.author}
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
        asked_path.write_text(json.dumps(asked, ensure_ascii=False), "utf-8")

        data_dir = work / f"stipple-{args.size}"
        figures: dict[str, dict[str, Any]] = {}
        for system in args.systems:
            print(f"measuring {system} …", file=sys.stderr, flush=True)
            if system == "stipple":
                figures[system] = _stipple(data_dir, posts_path, asked, args.clients, args.judged)
            else:
                figures[system] = _peer(system, data_dir, posts_path, asked_path, args.clients, args.judged)
    result = {"posts": args.size, "clients": args.clients, "systems": figures, **_circumstances()}
    print(_table(result))
    print(json.dumps(result))


def _stipple(data_dir: Path, posts: Path, asked: list[str], clients: int, judged: list[Path]) -> dict[str, Any]:
    environment = os.environ | {
        "STIPPLE_DATA_DIR": str(data_dir), "STIPPLE_LLM": "none", "STIPPLE_LOG_LEVEL": "warning",
    }  # fmt: skip
    subprocess.run(
        [*STIPPLE, "reindex", str(posts), "--quiet"], check=True, env=environment, cwd=ROOT, stdout=sys.stderr
    )
    with _serving(environment) as address:
        figures = measure(lambda: _client(address), asked, clients)
    for folder in judged:
        run = [*STIPPLE, "eval", "retrieval", str(folder)]
        said = subprocess.run(run, check=True, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True).stdout
        measured = json.loads(said.splitlines()[-1])
        figures.setdefault("nDCG@10", {})[measured["dataset"]] = measured["fused"]["nDCG@10"]
    return figures


@contextmanager
def _serving(environment: dict[str, str]) -> Iterator[str]:
    """The address of `stipple serve` on a free port of this machine."""
    run = [*STIPPLE, "serve", "--host", "127.0.0.1", "--port", "0"]
    server = subprocess.Popen(run, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None, "it was asked for"
        line = server.stdout.readline()
        address = next((word for word in line.split() if word.startswith("http://")), None)
        if address is None:
            raise SystemExit(f"stipple serve did not start: {line!r}")
        yield urlsplit(address).netloc
    finally:
        server.terminate()
        server.wait(timeout=30)


def _client(address: str) -> Search:
    """One client that keeps its connection. httpx would take as much of the processor as the search does."""
    connection = http.client.HTTPConnection(address, timeout=60)

    def search(query: str) -> bytes:
        connection.request("GET", f"/api/search?limit=10&q={quote(query)}")
        response = connection.getresponse()
        body = response.read()
        if response.status != 200:
            raise RuntimeError(f"{response.status} for {query!r}: {body[:200]!r}")
        return body

    return search


def _peer(
    name: str, data_dir: Path, posts: Path, asked: Path, clients: int, judged: list[Path]
) -> dict[str, Any]:  # fmt: skip
    from retrieval.model_files import bundled_folder
    from retrieval.settings import load_settings

    settings = load_settings()
    folder = bundled_folder() if settings.embedding_model == "all-MiniLM-L6-v2" else settings.embedding_model
    run = [sys.executable, str(ROOT / "benchmarks" / "peers.py"), name, "--posts", str(posts), "--asked", str(asked)]
    run += ["--cache", str(data_dir / "embeddings.sqlite"), "--clients", str(clients), "--model", str(folder)]
    run += ["--judged", *map(str, judged)]
    said = subprocess.run(run, check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True).stdout
    figures: dict[str, Any] = json.loads(said.splitlines()[-1])
    return figures


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
    return "\n".join(lines)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--posts", type=Path, nargs="+", required=True, help="JSON Lines with id, title, text or body")
    parser.add_argument("--size", type=int, default=5000, help="how many of them")
    parser.add_argument("--queries", type=Path, help="queries that people typed, one a line")
    parser.add_argument("--judged", type=Path, nargs="*", default=[], help="judged folders for nDCG@10")
    parser.add_argument("--clients", type=int, default=16, help="clients that ask at once")
    parser.add_argument("--work", type=Path, help="where indexes and embeddings are kept for the next run")
    parser.add_argument("--systems", nargs="+", choices=MEASURED, default=MEASURED)
    return parser.parse_args()


if __name__ == "__main__":
    main()
