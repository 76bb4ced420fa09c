"""Two hundred people ask one server at once: does anybody wait too long, and does memory stay?

    stipple serve &            # with STIPPLE_TRUSTED_PROXIES=127.0.0.1 and the index and model to be measured
    python benchmarks/askers.py --url http://127.0.0.1:8000 --pid $! --queries queries.txt

Each asker has an address of their own (X-Forwarded-For, which the server must believe of loopback), asks one question
after the other, every third as a search. A request counts as one wait until its response has ended. /healthz is asked
ten times a second meanwhile. Prints a table and one line of JSON; exits 1 where a bar is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import httpx

LONGEST_WAIT_S, MOST_GROWTH, HEALTHZ_P99_S = 30.0, 0.10, 0.2
ALLOWED = {200, 429, 503}


@dataclass
class Seen:
    """What the askers saw: waits in seconds."""

    waits: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    healthz: list[float] = field(default_factory=list)
    without_retry: int = 0


async def ask(client: httpx.AsyncClient, number: int, queries: list[str], until: float, seen: Seen) -> None:
    chance = random.Random(number)
    headers = {"X-Forwarded-For": f"198.18.{number // 250}.{number % 250 + 1}"}
    while time.monotonic() < until:
        query, started = chance.choice(queries), time.monotonic()
        try:
            if chance.random() < 1 / 3:
                response = await client.get("/api/search", params={"q": query}, headers=headers)
            else:
                response = await client.post("/api/answer", json={"question": query}, headers=headers)
        except httpx.HTTPError:
            seen.statuses[0] += 1
            continue
        seen.waits.append(time.monotonic() - started)
        seen.statuses[response.status_code] += 1
        if response.status_code in (429, 503):
            wait_s = response.headers.get("retry-after")
            seen.without_retry += wait_s is None
            await asyncio.sleep(min(float(wait_s or 1), 5.0))


async def watch(client: httpx.AsyncClient, until: float, seen: Seen) -> None:
    while time.monotonic() < until:
        started = time.monotonic()
        await client.get("/healthz")
        seen.healthz.append(time.monotonic() - started)
        await asyncio.sleep(0.1)


async def run(url: str, askers: int, seconds: float, queries: list[str], seen: Seen) -> None:
    limits = httpx.Limits(max_connections=askers + 2)
    async with httpx.AsyncClient(base_url=url, timeout=120, limits=limits) as client:
        until = time.monotonic() + seconds
        asking = [ask(client, number, queries, until, seen) for number in range(askers)]
        await asyncio.gather(watch(client, until, seen), *asking)


def resident_bytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


def share(values: list[float], part: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * part))] if values else 0.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--pid", type=int, required=True, help="process of the server, for its memory")
    parser.add_argument("--queries", type=Path, required=True, help="one question a line")
    parser.add_argument("--askers", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60.0)
    args = parser.parse_args()
    queries = [line.strip() for line in args.queries.read_text("utf-8").splitlines() if line.strip()]
    warm = Seen()
    asyncio.run(run(args.url, 4, 5.0, queries, warm))  # what the first questions load is not growth
    before, seen = resident_bytes(args.pid), Seen()
    asyncio.run(run(args.url, args.askers, args.seconds, queries, seen))
    growth = resident_bytes(args.pid) / before - 1
    found = {
        "askers": args.askers,
        "requests": sum(seen.statuses.values()),
        "statuses": {str(status): count for status, count in sorted(seen.statuses.items())},
        "wait_s_p50": round(share(seen.waits, 0.5), 2),
        "wait_s_longest": round(max(seen.waits, default=0.0), 2),
        "healthz_s_p99": round(share(seen.healthz, 0.99), 3),
        "memory_growth": round(growth, 3),
        "without_retry_after": seen.without_retry,
    }
    for name, value in found.items():
        print(f"{name:20} {value}")
    print(json.dumps(found))
    kept = (
        set(seen.statuses) <= ALLOWED
        and seen.without_retry == 0
        and found["wait_s_longest"] <= LONGEST_WAIT_S
        and growth <= MOST_GROWTH
        and found["healthz_s_p99"] <= HEALTHZ_P99_S
    )
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
