"""How fast an index is filled: beside txtai and Chroma, what is not embedding, runs that change little, and memory.

    python benchmarks/indexing.py --posts stackexchange_small.jsonl --map text=body --peers txtai chroma
    python benchmarks/indexing.py --posts hackernews.jsonl zh_reviews.jsonl --map … --size 100000
    python benchmarks/indexing.py --memory 1000000

Each figure comes from a process of its own, on the same processor threads (`--threads`).

- posts/s: from the first line read to a generation that can be searched, without loading the model. The peers get the
  same texts (title, text and tags of each post) and the same model: txtai `Embeddings(path=…).index(…)` with its
  defaults, Chroma `collection.upsert(…)` in batches of 1,000 with the embeddings of sentence-transformers'
  `encode(texts)`. Chroma is looked for in this Python, or in the one that `--chroma-python` names.
- cosine: lowest and mean cosine of stored vectors against the same model in float32, on 500 passages.
- passages and tokens: ours are cut so that each word of a post is read, with some overlap; the peers read the first 256
  tokens of a post and drop the rest. Both counts are given, so that posts/s can be told from work/s.
- other than embedding: what the first run took beyond embedding alone. Reading and writing go on while the model works
  and take processor time from it, so that the time for which it was busy is more than embedding costs. Every eighth
  batch is therefore embedded again after the run, with nothing beside it, and the busy time scaled by what that took.
  The share in which the model was idle is given too.
- second run: the same file again. 1 % changed: every hundredth post with another text, then the same file.
- `--memory N`: N posts are streamed, their vectors made from random numbers as if they were stored; peak memory (RSS,
  pages of mapped files included) above that of the process before it began, and the highest anonymous memory seen.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

_DIMENSION = 384


class Timed:
    """An embedder, and how long it worked; it keeps every eighth batch."""

    def __init__(self, embedder: Any) -> None:
        self._embedder, self.seconds, self.passages = embedder, 0.0, 0
        self._kept: list[tuple[Sequence[str], float]] = []
        self._batches = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._embedder, name)

    def embed_passages(self, texts: Sequence[str]) -> Any:
        started = time.perf_counter()
        vectors = self._embedder.embed_passages(texts)
        seconds = time.perf_counter() - started
        self.seconds += seconds
        self.passages += len(texts)
        self._batches += 1
        if self._batches % 8 == 0:
            self._kept.append((texts, seconds))
        return vectors

    def alone_s(self) -> float:
        """How long all of it takes when nothing else goes on, by the batches that were kept."""
        busy_s = sum(seconds for _, seconds in self._kept)
        if not busy_s:
            return self.seconds
        started = time.perf_counter()
        for texts, _ in self._kept:
            self._embedder.embed_passages(texts)
        return self.seconds * (time.perf_counter() - started) / busy_s


class Stored:
    """Vectors as if they lay on disk: random numbers that a text stands for."""

    languages, window = None, 254

    def __init__(self) -> None:
        from retrieval.store import Identity

        self.identity = Identity("stored@0", _DIMENSION)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text) // 4 + 1 for text in texts]

    def embed_passages(self, texts: Sequence[str]) -> Any:
        seeds = [int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") for text in texts]
        # Around some of 200 topics, as posts are: numbers that are like nothing else take twice as long to link.
        topics = np.random.default_rng(0).standard_normal((200, _DIMENSION), dtype=np.float32)
        rows = [
            topics[seed % 200] + 0.7 * np.random.default_rng(seed).standard_normal(_DIMENSION, dtype=np.float32)
            for seed in seeds
        ]
        vectors = np.stack(rows) if rows else np.zeros((0, _DIMENSION), np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def fill(paths: Sequence[str], moves: Sequence[str], data: Path, embedder: Any) -> dict[str, Any]:
    """One run of `stipple reindex`."""
    from indexer.progress import QuietProgress
    from indexer.readers.mapping import parse_move
    from indexer.readers.sources import find_sources, read_posts
    from indexer.reindex import reindex
    from indexer.rejects import RejectsLog
    from retrieval.settings import Settings
    from retrieval.stores.opening import open_store
    from retrieval.terms import TermWeigher

    settings = Settings(data_dir=data, _env_file=None)  # type: ignore[call-arg]
    timed, progress, started = Timed(embedder), QuietProgress(StringIO()), time.perf_counter()
    offered = read_posts(find_sources(paths), sys.stdin.buffer, [parse_move(move) for move in moves], True)
    with RejectsLog(data / "rejects.jsonl", progress.saying) as rejects:
        summary = reindex(
            open_store(settings), timed, TermWeigher(), offered, data_dir=data, progress=progress, rejects=rejects
        )
    seconds, peak_mb = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    alone_s = timed.alone_s()
    return {
        "posts": summary.posts, "passages": summary.passages, "added": summary.added, "changed": summary.changed,
        "unchanged": summary.unchanged, "rejected": summary.rejected, "seconds": round(seconds, 2),
        "embedding_s": round(timed.seconds, 2), "embedding_alone_s": round(alone_s, 2),
        "posts_per_s": round((summary.added + summary.changed) / seconds, 1),
        "passages_per_s": round(timed.passages / seconds, 1), "peak_mb": round(peak_mb),
    }  # fmt: skip


def child_fill(args: argparse.Namespace) -> dict[str, Any]:
    from retrieval.embedding import load_embedder
    from retrieval.settings import Settings

    settings = Settings(data_dir=args.data, threads=args.threads, _env_file=None)  # type: ignore[call-arg]
    embedder = load_embedder(settings)
    embedder.embed_passages(["warm"] * 64)
    return fill([str(path) for path in args.posts], args.moves, args.data, embedder)


def child_cosine(args: argparse.Namespace) -> dict[str, Any]:
    """Stored vectors against float32."""
    from itertools import islice

    from indexer.embedding_cache import EmbeddingCache
    from retrieval.embedding import load_embedder
    from retrieval.settings import Settings
    from retrieval.stores.opening import open_store
    from retrieval.text import cut_passages, passage_text

    settings = Settings(data_dir=args.data, _env_file=None)  # type: ignore[call-arg]
    identity = load_embedder(settings).identity
    exact = load_embedder(settings.model_copy(update={"embedding_dtype": "float32"}))
    texts = [
        passage_text(stored.post, passage)
        for stored in islice(open_store(settings).stored_posts(), 500)
        for passage in cut_passages(stored.post, exact.count_tokens, exact.window)[:1]
    ]
    with EmbeddingCache(args.data / "embeddings.sqlite", identity) as cache:
        kept = cache.get([cache.key(text) for text in texts])
        vectors = np.stack([kept[cache.key(text)] for text in texts])
    cosines = np.sum(vectors * exact.embed_passages(texts), axis=1)
    return {"lowest_cosine": round(float(cosines.min()), 5), "mean_cosine": round(float(cosines.mean()), 6)}


def child_tokens(args: argparse.Namespace) -> dict[str, Any]:
    """How much there is to read: of our passages, and of what the peers read of each post."""
    from indexer.readers.jsonl import Offered
    from indexer.readers.mapping import parse_move
    from indexer.readers.sources import find_sources, read_posts
    from retrieval.embedding import load_embedder
    from retrieval.settings import Settings
    from retrieval.text import cut_passages, passage_text

    embedder = load_embedder(Settings(_env_file=None))  # type: ignore[call-arg]
    sources, moves = find_sources([str(path) for path in args.posts]), [parse_move(move) for move in args.moves]
    posts = [one.post for one in read_posts(sources, sys.stdin.buffer, moves, True) if isinstance(one, Offered)]
    ours = [
        passage_text(post, passage)
        for post in posts
        for passage in cut_passages(post, embedder.count_tokens, embedder.window)
    ]
    theirs = [min(count, embedder.window) for count in embedder.count_tokens([text for _, text in texts_of(args)])]
    return {"passages": len(ours), "tokens": sum(embedder.count_tokens(ours)), "peers_tokens": sum(theirs)}


def texts_of(args: argparse.Namespace) -> list[tuple[str, str]]:
    """Id, and title, text and tags, of each post."""
    from benchmarks.peers import text_of
    from indexer.readers.jsonl import Offered
    from indexer.readers.mapping import parse_move
    from indexer.readers.sources import find_sources, read_posts

    sources, moves = find_sources([str(path) for path in args.posts]), [parse_move(move) for move in args.moves]
    offered = read_posts(sources, sys.stdin.buffer, moves, True)
    return [(one.post.id, text_of(one.post)) for one in offered if isinstance(one, Offered)]


def child_txtai(args: argparse.Namespace) -> dict[str, Any]:
    import torch
    from txtai import Embeddings

    from retrieval.embedding import bundled_folder

    torch.set_num_threads(args.threads)
    texts = texts_of(args)
    embeddings = Embeddings(path=str(bundled_folder()), method="sentence-transformers", hybrid=True, gpu=False)
    embeddings.index([("warm", "warm", None)])
    started = time.perf_counter()
    embeddings.index((post_id, text, None) for post_id, text in texts)
    return _rate(len(texts), started)


def child_chroma(args: argparse.Namespace) -> dict[str, Any]:
    import chromadb
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(args.threads)
    texts = [tuple(one) for one in json.loads((args.data / "texts.json").read_text("utf-8"))]
    model = SentenceTransformer(str(args.model), local_files_only=True)
    model.encode(["warm"] * 64)
    client = chromadb.PersistentClient(str(args.data / "chroma"))
    collection = client.create_collection("posts", embedding_function=None)
    started = time.perf_counter()
    for at in range(0, len(texts), 1_000):
        some = texts[at : at + 1_000]
        vectors = model.encode([text for _, text in some])
        collection.upsert([post_id for post_id, _ in some], embeddings=vectors, documents=[text for _, text in some])
    return _rate(len(texts), started)


def child_memory(args: argparse.Namespace) -> dict[str, Any]:
    """Stream posts through everything but a model."""
    posts = args.data / "posts.jsonl"
    with posts.open("w", encoding="utf-8") as file:
        for line in made_up(args.memory):
            file.write(line)
    import retrieval.stores.edge
    import retrieval.terms  # noqa: F401  # what is loaded once is not what posts take

    before_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures = fill([str(posts)], [], args.data / "index-of-many", Stored())
    return figures | {"before_mb": round(before_mb), "above_mb": round(figures["peak_mb"] - before_mb)}


def made_up(count: int) -> Iterator[str]:
    """Short posts, as lines: 20 words of a vocabulary in which few are frequent and many rare."""
    random = np.random.default_rng(7)
    words = [f"{first}{middle}{last}" for first in "bcdfghklmnprst" for middle in ("a", "e", "ai", "o", "u") for last in
             ("ner", "sel", "din", "gle", "ton", "ry", "mp", "st", "lk", "ve")]  # fmt: skip
    for number in range(count):
        chosen = np.minimum((random.pareto(0.8, 20) * 3).astype(int), len(words) ** 2 - 1)
        text = " ".join(
            words[one % len(words)] + (words[one // len(words)] if one >= len(words) else "") for one in chosen
        )
        yield (
            json.dumps({"id": f"p{number}", "text": text, "author": f"a{number % 5000}", "tags": [words[number % 300]]})
            + "\n"
        )


def _rate(posts: int, started: float) -> dict[str, Any]:
    seconds = time.perf_counter() - started
    return {"posts": posts, "seconds": round(seconds, 2), "posts_per_s": round(posts / seconds, 1)}


def run(
    child: str, args: argparse.Namespace, data: Path, posts: Sequence[Path], python: str = sys.executable
) -> dict[str, Any]:
    """One figure, from a process of its own."""
    from retrieval.embedding import bundled_folder

    given = [python, __file__, "--child", child, "--data", str(data), "--threads", str(args.threads)]
    given += ["--model", str(bundled_folder()), "--memory", str(args.memory), "--posts", *map(str, posts)]
    for move in args.moves:
        given += ["--map", move]
    environment = os.environ | {"OMP_NUM_THREADS": str(args.threads), "TOKENIZERS_PARALLELISM": "false"}
    anonymous_mb = 0
    with subprocess.Popen(given, stdout=subprocess.PIPE, env=environment, text=True) as process:
        while process.poll() is None:
            anonymous_mb = max(anonymous_mb, _anonymous_mb(process.pid))
            time.sleep(0.1)
        said = process.stdout.read() if process.stdout else ""
    if process.returncode:
        raise SystemExit(f"{child} ended with {process.returncode}")
    figures: dict[str, Any] = json.loads(said.splitlines()[-1]) | {"anonymous_mb": anonymous_mb}
    print(f"{child:10} {json.dumps(figures)}", file=sys.stderr, flush=True)
    return figures


def _anonymous_mb(pid: int) -> int:
    """Memory of a process that is not a file's, in MB; 0 where the system does not tell."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) // 1024 for line in lines if line.startswith("RssAnon")), 0)


def sized(posts: Sequence[Path], size: int | None, folder: Path) -> Path:
    """The first lines of the files, as one file; ids stay unique."""
    whole = folder / "posts.jsonl"
    with whole.open("w", encoding="utf-8") as written:
        lines = (line for path in posts for line in path.open(encoding="utf-8"))
        for number, line in enumerate(lines):
            if number == size:
                break
            written.write(line.rstrip("\n") + "\n")
    return whole


def changed(whole: Path, moves: Sequence[str]) -> Path:
    """Every hundredth post with another text."""
    field = next((move.partition("=")[2] for move in moves if move.startswith("text=")), "text")
    other = whole.with_name("changed.jsonl")
    with whole.open(encoding="utf-8") as lines, other.open("w", encoding="utf-8") as written:
        for number, line in enumerate(lines):
            if number % 100 == 0:
                raw = json.loads(line)
                raw[field] = f"{raw.get(field) or ''} And it was edited."
                written.write(json.dumps(raw, ensure_ascii=False) + "\n")
            else:
                written.write(line)
    return other


CHILDREN = {
    "fill": child_fill, "cosine": child_cosine, "txtai": child_txtai, "chroma": child_chroma, "memory": child_memory,
    "tokens": child_tokens,
}  # fmt: skip


def measure(args: argparse.Namespace, work: Path) -> dict[str, Any]:
    figures: dict[str, Any] = {"benchmark": "indexing", "threads": args.threads}
    if args.posts:
        whole, data = sized(args.posts, args.size, work), work / "data"
        first = run("fill", args, data, [whole])
        second = run("fill", args, data, [whole])
        third = run("fill", args, data, [changed(whole, args.moves)])
        figures |= {"files": [path.name for path in args.posts], "stipple": first} | run("cosine", args, data, [whole])
        figures["model_idle"] = round(1 - first["embedding_s"] / first["seconds"], 3)
        figures["other_than_embedding"] = round(1 - first["embedding_alone_s"] / first["seconds"], 3)
        figures["read"] = run("tokens", args, data, [whole])
        figures |= {"second_run": second, "second_run_share": round(second["seconds"] / first["seconds"], 4)}
        figures |= {"changed_run": third, "changed_run_share": round(third["seconds"] / first["seconds"], 4)}
        if args.peers:
            args.posts = [whole]
            (work / "texts.json").write_text(json.dumps(texts_of(args)), "utf-8")
        for peer in args.peers:
            python = args.chroma_python if peer == "chroma" and args.chroma_python else sys.executable
            figures[peer] = run(peer, args, work, [whole], python)
    if args.memory:
        figures["memory"] = run("memory", args, work, [])
    return figures | {"load_1_min": round(os.getloadavg()[0], 1)}


def table(figures: dict[str, Any]) -> Iterator[str]:
    if "stipple" in figures:
        first = figures["stipple"]
        took = f"{first['posts']:,} posts in {first['seconds']:,} s"
        yield f"{'stipple, posts/s':34} {first['posts_per_s']:>9,}   ({took})"
        for peer in ("txtai", "chroma"):
            if peer in figures:
                times = first["posts_per_s"] / figures[peer]["posts_per_s"]
                theirs = figures[peer]["posts_per_s"]
                yield f"{peer + ', posts/s':34} {theirs:>9,}   stipple is {times:.2f} times as fast; bar: 2"
        read, rows = figures["read"], [("stipple", first, figures["read"]["passages"], figures["read"]["tokens"])]
        rows += [
            (peer, figures[peer], figures[peer]["posts"], read["peers_tokens"])
            for peer in ("txtai", "chroma")
            if peer in figures
        ]
        for name, figure, passages, tokens in rows:
            per_s = [round(count / figure["seconds"]) for count in (passages, tokens)]
            yield f"{name + ', passages and tokens/s':34} {per_s[0]:>9,}   {per_s[1]:,} (of {tokens:,} tokens)"
        yield f"{'lowest cosine against float32':34} {figures['lowest_cosine']:>9}   bar: .999"
        yield f"{'other than embedding':34} {figures['other_than_embedding']:>9.1%}   bar: 15 %"
        yield f"{'the model idle':34} {figures['model_idle']:>9.1%}"
        yield f"{'second run, of the first':34} {figures['second_run_share']:>9.2%}   bar: 3 %"
        yield f"{'1 % changed, of the first':34} {figures['changed_run_share']:>9.2%}   bar: 5 %"
    if "memory" in figures:
        memory = figures["memory"]
        yield f"{'memory above the process, MB':34} {memory['above_mb']:>9,}   ({memory['posts']:,} posts; bar: 2,000)"
        yield f"{'of it anonymous, MB':34} {memory['anonymous_mb']:>9,}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--posts", type=Path, nargs="*", default=[])
    parser.add_argument("--map", dest="moves", action="append", default=[], metavar="NEW=OLD")
    parser.add_argument("--size", type=int, help="read so many posts only")
    parser.add_argument("--peers", nargs="*", default=[], choices=["txtai", "chroma"])
    parser.add_argument("--chroma-python", help="a Python that has chromadb and sentence-transformers")
    parser.add_argument("--memory", type=int, default=0, metavar="N")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--work", type=Path, help="where indexes are made (default: a new folder, deleted afterwards)")
    for hidden in ("--data", "--model"):
        parser.add_argument(hidden, type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--child", choices=CHILDREN, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        print(json.dumps(CHILDREN[args.child](args)))
        return
    with tempfile.TemporaryDirectory(dir=args.work) as work:
        figures = measure(args, Path(work))
    print("\n".join(table(figures)))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
