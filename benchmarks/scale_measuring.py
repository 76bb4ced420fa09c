"""What scale.py computes with: points written, searched and weighed in real shards of Qdrant Edge, several sizes.

    python benchmarks/scale_measuring.py --sizes 10000 30000 100000 300000
    python benchmarks/scale_measuring.py --posts posts.jsonl --count 20000

Each size and number format in a process of its own; processor time beside wall time, since the machine may do other
work. Vectors: 64 random directions mixed into 384 dimensions, with noise; text's vectors have about as many that count.
With --posts: what a real run over that file costs, without the model (vectors as in indexing_memory.py) and of it.
Random vectors of 384 free dimensions are harder for HNSW than any text's. One JSON line last.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

DIMENSION, INNER, BATCH, ASKED, LIMIT = 384, 64, 1_000, 300, 100


def vectors(count: int, seed: int) -> Any:
    mix = np.random.default_rng(1).standard_normal((INNER, DIMENSION)).astype(np.float32) / INNER**0.5
    random = np.random.default_rng(seed)
    rows = random.standard_normal((count, INNER), dtype=np.float32) @ mix
    rows += 0.1 * random.standard_normal((count, DIMENSION), dtype=np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def disk_bytes(folder: Path) -> int:
    return sum(file.stat().st_blocks * 512 for file in folder.rglob("*") if file.is_file())


def measure(size: int, quantized: bool) -> dict[str, Any]:
    """One shard: what writing, building and asking cost."""
    import qdrant_edge as qdrant

    quantization = qdrant.ScalarQuantizationConfig(qdrant.ScalarType.Int8, always_ram=True) if quantized else None
    points: dict[str, Any] = {"n": size, "quantized": quantized}
    with tempfile.TemporaryDirectory() as folder:
        config = qdrant.EdgeConfig(
            vectors={"dense": qdrant.EdgeVectorParams(size=DIMENSION, distance=qdrant.Distance.Cosine)},
            quantization_config=quantization, wal_enabled=False, max_search_threads=1,
        )  # fmt: skip
        shard = qdrant.EdgeShard.create(folder, config)
        upserting = process_s = 0.0
        for at in range(0, size, BATCH):
            rows = [
                qdrant.Point(at + place, {"dense": row.tolist()}, {"post_id": str(at + place)})
                for place, row in enumerate(vectors(min(BATCH, size - at), at + 2))
            ]
            started, cpu = time.perf_counter(), time.process_time()
            shard.update(qdrant.UpdateOperation.upsert_points(rows))
            upserting += time.perf_counter() - started
            process_s += time.process_time() - cpu
        started, cpu = time.perf_counter(), time.process_time()
        shard.optimize()
        shard.flush()
        points |= {"upsert_s": upserting, "upsert_cpu_s": process_s}
        points |= {"build_s": time.perf_counter() - started, "build_cpu_s": time.process_time() - cpu}
        points |= {"disk_bytes": disk_bytes(Path(folder)), "peak_rss_bytes": _peak_bytes()}

        def ask(row: Any, exact: bool = False) -> list[int]:
            request = qdrant.QueryRequest(
                limit=LIMIT, query=qdrant.Query.Nearest(row.tolist(), using="dense"),
                params=qdrant.SearchParams(hnsw_ef=128, exact=exact), with_payload=False,
            )  # fmt: skip
            return [int(one.id) for one in shard.query(request)]

        asked, waits, cpus = vectors(ASKED, 1_000_003), [], []
        for row in asked[:50]:
            ask(row)
        for row in asked:
            started, cpu = time.perf_counter(), time.process_time()
            ask(row)
            waits.append(1_000 * (time.perf_counter() - started))
            cpus.append(1_000 * (time.process_time() - cpu))
        same = [len(set(ask(row)[:10]) & set(ask(row, exact=True)[:10])) / 10 for row in asked[:50]]
        points |= {"query_ms": _percentiles(waits), "query_cpu_ms": _percentiles(cpus), "recall_10": np.mean(same)}
        shard.close()
    return {key: float(f"{value:.4g}") if isinstance(value, float) else value for key, value in points.items()}


def measure_run(file: Path, count: int, moves: list[str]) -> dict[str, Any]:
    """A run of `stipple reindex` over the first posts of a file: processor time and bytes a post, and the model's."""
    from benchmarks.indexing_measures import Timed, fill
    from benchmarks.indexing_memory import Stored
    from retrieval.models.factory import load_embedder
    from retrieval.settings import Settings

    with tempfile.TemporaryDirectory() as folder:
        some, data = Path(folder, "posts.jsonl"), Path(folder, "data")
        with file.open("rb") as lines, some.open("wb") as chosen:
            chosen.writelines(line for _, line in zip(range(count), lines, strict=False))
        made_up = Stored()
        started, made = time.process_time(), Timed(made_up)
        run = fill([str(some)], moves, data, made)
        cpu = time.process_time() - started - made.seconds
        kinds = {"index": "index", "cache": "embeddings.sqlite*"}
        stored = {
            kind: sum(
                one.stat().st_blocks * 512
                for path in data.glob(pattern)
                for one in (path, *path.rglob("*"))
                if one.is_file()
            )
            for kind, pattern in kinds.items()
        }
        catalog = sum(one.stat().st_size for one in data.rglob("posts.sqlite"))
    embedder = load_embedder(Settings(threads=1, _env_file=None))
    embedder.embed_passages(["warm"] * 64)
    posts, passages = run["posts"], run["passages"]
    return {
        "file": file.name, "posts": posts, "passages": passages, "other_cpu_s_a_post": float(f"{cpu / posts:.4g}"),
        "index_bytes_a_post": round(stored["index"] / posts), "catalog_bytes_a_post": round(catalog / posts),
        "cache_bytes_a_post": round(stored["cache"] / posts), "peak_mb": run["peak_mb"],
        "embed_cpu_s_a_passage": float(f"{_embedding(embedder, file, count, moves):.4g}"),
    }  # fmt: skip


def _embedding(embedder: Any, file: Path, count: int, moves: list[str]) -> float:
    """Processor seconds for a passage on one thread, over 1,024 posts evenly taken, in batches of like length."""
    import io
    from itertools import islice

    from indexer.readers.formats.jsonl import Offered
    from indexer.readers.mapping.mapping_file import mapping_of
    from indexer.readers.record_reader import ReadOptions
    from indexer.readers.sources import find_sources, read_posts
    from retrieval.text.passages import cut_passages, passage_text

    texts = []
    options = ReadOptions(mapping=mapping_of(moves), ignore_unknown=True)
    read = read_posts(find_sources([str(file)]), io.BytesIO(), options)
    for found in islice(read, 0, count, max(1, count // 1_024)):
        if isinstance(found, Offered):
            post = found.post
            texts += [passage_text(post, one) for one in cut_passages(post, embedder.count_tokens, embedder.window)]
    texts.sort(key=len)
    started = time.process_time()
    for at in range(0, len(texts), 256):
        embedder.embed_passages(texts[at : at + 256])
    return (time.process_time() - started) / len(texts)


def _percentiles(values: list[float]) -> list[float]:
    """p50, p90, p99."""
    return [float(f"{np.percentile(values, share):.4g}") for share in (50, 90, 99)]


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 30_000, 100_000, 300_000])
    parser.add_argument("--formats", nargs="+", choices=("float32", "int8"), default=["float32", "int8"])
    parser.add_argument("--posts", type=Path, help="a post file, instead of shards")
    parser.add_argument("--count", type=int, default=20_000, help="posts of it")
    parser.add_argument("--map", dest="moves", action="append", default=[], help="as `stipple reindex --map`")
    parser.add_argument("--child", nargs=2, metavar=("SIZE", "FORMAT"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        print(json.dumps(measure(int(args.child[0]), args.child[1] == "int8")))
        return 0
    if args.posts:
        print(json.dumps({"runs": [measure_run(args.posts, args.count, args.moves)]}))
        return 0
    found = []
    for form in args.formats:
        for size in args.sizes:
            command = [sys.executable, __file__, "--child", str(size), form]
            child = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            found.append(json.loads(child.stdout.splitlines()[-1]) | {"load_1_min": round(os.getloadavg()[0], 1)})
            print(json.dumps(found[-1]), file=sys.stderr, flush=True)
    print(json.dumps({"shards": found}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
