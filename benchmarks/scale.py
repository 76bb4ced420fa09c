"""What a million, a hundred million and ten billion posts take: a model of machines, hours and waits.

    python benchmarks/scale.py                          from the figures measured in scale_inputs.json
    python benchmarks/scale.py --inputs other.json --ram-gb 256 --cores 32 --replicas 3

Nothing here was run at those sizes. What goes in is measured (scale_measuring.py; benchmarks/LOG.md), how it grows is
this file's arithmetic, and tails over many shards are drawn at random:

- Building HNSW of n passages takes a n ln n processor seconds, or a n^b: both are fitted and printed, since what was
  measured grows faster than the first. Searching the vectors of a shard takes a + b ln n. The largest error at the
  measured points is printed; beyond the largest measured shard everything is extrapolation.
- A shard's wait is lognormal through the p50 and p99 of processor time that were measured, and now and then longer by a
  stall, which is an assumption (`--stall`, `--stall-ms`); a search waits for the slowest of its shards. Hedged: what is
  not back at a shard's p99 is asked of a second replica too, and the earlier one counts. Terms, queues, networks and
  cold caches are not in it: real searches cost more.
- A machine holds whole shards, as many as fit into its memory.
- A machine is down a share of the time (`--down`), independently of others; a shard is, when all its replicas are.

Prints tables, and one JSON line last. Defaults of machines are a choice, not a measurement.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

SIZES = (1_000_000, 100_000_000, 10_000_000_000)
DRAWS = 20_000
GB = 1e9


@dataclass(frozen=True, slots=True)
class Growth:
    """How a cost grows with the passages of a shard: a + b * f(n), with the largest relative error of the fit."""

    a: float
    b: float
    shape: str
    error: float

    def __call__(self, n: float) -> float:
        return self.a + self.b * _shape(self.shape, n)


def _shape(name: str, n: float) -> float:
    if name == "n ln n":
        return n * math.log(n)
    return math.log(n) if name == "ln n" else n ** float(name.removeprefix("n^"))


def power(points: list[tuple[float, float]]) -> str:
    """The exponent b of a n^b, by a line through the logarithms, as a shape."""
    slope, _ = np.polyfit(np.log([n for n, _ in points]), np.log([cost for _, cost in points]), 1)
    return f"n^{slope:.3f}"


def fitted(points: list[tuple[float, float]], shape: str, constant: bool) -> Growth:
    """Least squares of relative errors: the small shards count as much as the large ones."""
    columns = [[_shape(shape, n) / cost, *([1 / cost] if constant else [])] for n, cost in points]
    found, *_ = np.linalg.lstsq(np.array(columns), np.ones(len(points)), rcond=None)
    growth = Growth(float(found[1]) if constant else 0.0, float(found[0]), shape, 0.0)
    worst = max(abs(growth(n) / cost - 1) for n, cost in points)
    return Growth(growth.a, growth.b, shape, worst)


def waits(p50: float, p99: float, shards: int, stall: float, stall_ms: float) -> dict[str, float]:
    """p50 and p99 of a search that waits for `shards` shards, in ms; as they are, and hedged."""
    sigma = math.log(p99 / p50) / 2.326  # the standard normal's 99th percentile
    random = np.random.default_rng(7)

    def asked() -> Any:
        return p50 * np.exp(sigma * random.standard_normal(DRAWS)) + stall_ms * (random.random(DRAWS) < stall)

    plain, hedged = np.zeros(DRAWS), np.zeros(DRAWS)
    for _ in range(shards):
        once, again = asked(), p99 + asked()
        plain = np.maximum(plain, once)
        hedged = np.maximum(hedged, np.where(once > p99, np.minimum(once, again), once))
    return {
        f"{name}_{share}": round(float(np.percentile(values, int(share[1:]))), 2)
        for name, values in (("plain", plain), ("hedged", hedged))
        for share in ("p50", "p99")
    }


def model(posts: int, inputs: dict[str, Any], args: argparse.Namespace) -> dict[str, Any]:
    """Everything about one number of posts."""
    run, shard_points = inputs["run"], inputs["shards"]
    plain = [one for one in shard_points if not one["quantized"]]
    built = [(one["n"], one["build_cpu_s"]) for one in plain]
    builds = [fitted(built, shape, constant=False) for shape in ("n ln n", power(built))]
    half = fitted([(one["n"], one["query_cpu_ms"][0]) for one in plain], "ln n", constant=True)
    tail = fitted([(one["n"], one["query_cpu_ms"][2]) for one in plain], "ln n", constant=True)
    passages = posts * run["passages"] / run["posts"]

    vector_bytes = args.dimension * (1 if args.quantized else 4)
    resident = vector_bytes + inputs["resident_bytes_a_passage"]
    on_disk = posts * run["index_bytes_a_post"] * args.generations
    if args.quantized:
        on_disk += passages * vector_bytes * args.generations
    shards = max(1, math.ceil(passages / args.shard_passages))
    each = passages / shards
    together = math.floor(args.ram_gb * GB * args.ram_share / (each * resident))  # shards of a machine
    assert together, "one shard does not fit into a machine's memory: give fewer --shard-passages"
    by_ram = shards * args.replicas / together
    by_disk = on_disk * args.replicas / (args.disk_gb * GB * 0.8)
    machines = max(args.replicas, math.ceil(by_ram), math.ceil(by_disk))

    p50, p99 = half(each), max(tail(each), half(each) * 1.01)
    search_cpu_ms = shards * p50
    embed_h = passages * run["embed_cpu_s_a_passage"] / 3600
    build_h = [round(shards * build(each) * args.replicas / 3600, 2) for build in builds]
    driver_h = posts * run["other_cpu_s_a_post"] / 3600
    lost = args.down**args.replicas
    return {
        "posts": posts, "passages": round(passages), "ram_gb": round(passages * resident / GB, 1),
        "disk_gb": round(on_disk / GB, 1), "machines": machines, "needs": "RAM" if by_ram >= by_disk else "disk",
        "shards": shards, "embed_core_h": round(embed_h, 2), "build_core_h": build_h,
        "one_process_h": round(driver_h, 2), "embed_cores_for_a_day": math.ceil(embed_h / 24),
        "search_cpu_ms": round(search_cpu_ms, 2),
        "searches_per_s": round(machines * args.cores / (search_cpu_ms / 1000)),
        "shard_wait_ms": [round(p50, 2), round(p99, 2)], "wait_ms": waits(p50, p99, shards, args.stall, args.stall_ms),
        "some_shard_missing": float(f"{1 - (1 - lost) ** shards:.2g}"),
        "catalog_gb": round(posts * run["catalog_bytes_a_post"] / GB, 1),
        "cache_gb": round(posts * run["cache_bytes_a_post"] / GB, 1),
        "fit": {f"build {one.shape}": one.error for one in builds} | {"p50": half.error, "p99": tail.error},
    }  # fmt: skip


def limits(inputs: dict[str, Any], args: argparse.Namespace) -> list[tuple[str, float, str]]:
    """At how many posts each part of today's design is full, on one of the machines."""
    run = inputs["run"]
    each = run["passages"] / run["posts"]
    disk = args.disk_gb * GB * 0.8
    resident = args.dimension * 4 + inputs["resident_bytes_a_passage"]
    shares = {"other": run["other_cpu_s_a_post"], "embedding": run["embed_cpu_s_a_passage"] * each}
    found = [
        ("embedding on one machine within a day", 86_400 * args.cores / shares["embedding"], "Ray, or GPUs"),
        ("all but embedding within a day, one core", 86_400 / shares["other"], "a run for each part of the posts"),
        (
            "embedded store, vectors in memory",
            args.ram_gb * GB * args.ram_share / (resident * each),
            "a Qdrant cluster",
        ),
        ("disk: two generations, cache, catalog, staging", disk / _disk_a_post(run), "disks of a cluster"),
    ]
    return sorted(found, key=lambda one: one[1])


def _disk_a_post(run: dict[str, Any]) -> float:
    # The staging file holds each post once while a run lasts, about as the catalog does.
    return float(2 * run["index_bytes_a_post"] + run["cache_bytes_a_post"] + run["catalog_bytes_a_post"])


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_cell, value))
    return f"{value:,}" if isinstance(value, int | float) else str(value)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=Path, default=Path(__file__).with_name("scale_inputs.json"))
    parser.add_argument("--cores", type=int, default=16, help="of a machine")
    parser.add_argument("--ram-gb", type=float, default=64)
    parser.add_argument("--ram-share", type=float, default=0.7, help="of it for vectors and their graph")
    parser.add_argument("--disk-gb", type=float, default=1_000)
    parser.add_argument("--replicas", type=int, default=2)
    parser.add_argument("--generations", type=int, default=2, help="beside one another while the posts are reindexed")
    parser.add_argument("--shard-passages", type=int, default=5_000_000)
    parser.add_argument("--dimension", type=int, default=384)
    parser.add_argument("--down", type=float, default=0.001, help="share of time that a machine is down")
    parser.add_argument("--stall", type=float, default=0.001, help="share of a shard's answers that are held up")
    parser.add_argument("--stall-ms", type=float, default=50, help="how long")
    parser.add_argument("--quantized", action="store_true", help="int8 vectors in memory, float32 on disk")
    args = parser.parse_args()
    inputs = json.loads(args.inputs.read_text("utf-8"))
    rows = [model(posts, inputs, args) for posts in SIZES]

    names = {
        "passages": "passages", "ram_gb": "vectors and graph in memory, GB", "disk_gb": "disk, GB, one replica",
        "machines": "machines", "needs": "set by", "shards": "shards", "embed_core_h": "embedding, core hours",
        "embed_cores_for_a_day": "cores that embed it in a day", "build_core_h": "HNSW of all replicas, core hours",
        "one_process_h": "all but embedding, one core, hours", "search_cpu_ms": "one search of vectors, processor ms",
        "searches_per_s": "such searches/s at full load, at most", "some_shard_missing": "searches that lack a shard",
    }  # fmt: skip
    print("| | " + " | ".join(f"{posts:,} posts" for posts in SIZES) + " |\n|---|" + "---|" * len(SIZES))
    for key, name in names.items():
        cells = [_cell(row[key]) for row in rows]
        print(f"| {name} | " + " | ".join(cells) + " |")
    for key, name in (("plain", "wait for the slowest shard"), ("hedged", "the same, hedged")):
        cells = [f"{row['wait_ms'][f'{key}_p50']} / {row['wait_ms'][f'{key}_p99']}" for row in rows]
        print(f"| {name}, p50 / p99 ms | " + " | ".join(cells) + " |")
    print("\n| full at, on one machine | posts | instead |\n|---|---|---|")
    for what, posts, instead in limits(inputs, args):
        print(f"| {what} | {posts:,.0f} | {instead} |")
    fit = ", ".join(f"{name} {100 * error:.0f} %" for name, error in rows[0]["fit"].items())
    print(f"\nlargest error of the fits at the measured points: {fit}")
    print(json.dumps({"scale": rows, "machine": {key: str(value) for key, value in vars(args).items()}}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
