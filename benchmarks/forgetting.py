"""How long a forgotten post can still be met with, under load, and what is left of it on disk.

    python benchmarks/forgetting.py --posts 2000 --forget 100

A server is asked by two clients all the time. Each post to be forgotten says words that no other says; it was searched
for, suggested, and cited in a saved conversation before. A third is forgotten by DELETE, a third by `opt_out` in a PUT,
a third by one `stipple forget` in another process. For those of the first kind the time is taken, from sending the
request until the post is met with nowhere: search by its words, the post by its id, suggestions, its conversation. Of
the others all are looked for a second after the request was sent, or the command had ended. Then everything is pruned,
and every file of the data folder is searched for the words, as UTF-8 and UTF-16, and inside whatever in it unpacks as
gzip, zlib or zstd.

Embeddings are hashed trigrams, as in crash.py.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.hashed import reindexing
from benchmarks.searched_server import Server
from benchmarks.serving import free_port
from benchmarks.world import EVERGREEN, WORDS

SYLLABLES = ("ba", "de", "fi", "go", "lu", "ma", "ne", "po", "ri", "su", "ta", "vo")


def own_words(number: int) -> str:
    """Two words that stand in one post alone."""
    chance = random.Random(number)
    return " ".join("zq" + "".join(chance.choices(SYLLABLES, k=4)) for _ in range(2))


def hidden_words(number: int) -> str:
    """Two more, which nobody asks for: questions are kept in conversations, and may hold the others."""
    return own_words(10_000 + number)


def a_post(number: int) -> dict[str, Any]:
    words = own_words(number)
    text = f"The {words} costs {number} yuan. It opens at nine, and {hidden_words(number)} is its owner."
    return {
        "id": f"secret {number}",
        "title": f"{words} at last",
        "text": text,
        "tags": [words.split()[0], hidden_words(number).split()[0]],
    }


class Meeting:
    """Where one post can be met with."""

    def __init__(self, server: Server, number: int) -> None:
        self._client, self._number, self._words = server.client, number, own_words(number)
        question = f"How much does the {self._words} cost?"
        answer = self._client.post("/api/answer", json={"question": question, "conversation": "new"}).json()
        self._conversation: str = answer["conversation"]

    def places(self) -> set[str]:
        """Where it is met with now."""
        found = set()
        hits = self._client.get("/api/search", params={"q": self._words, "limit": 50}).json()["hits"]
        if any(hit["post"]["id"] == f"secret {self._number}" for hit in hits):
            found.add("search")
        if self._client.get(f"/api/posts/secret {self._number}").status_code == 200:
            found.add("post")
        if self._words in json.dumps(self._client.get("/api/suggest", params={"q": self._words[:6]}).json()):
            found.add("suggestions")
        kept = self._client.get(f"/api/conversations/{self._conversation}").json()
        if f"costs {self._number} yuan" in json.dumps(kept):
            found.add("conversation")
        return found


def gone_after_s(meeting: Meeting, forget: Callable[[], float]) -> tuple[float, set[str]]:
    """Seconds until the post is met with nowhere, by when that was asked, and where it was met with last."""
    started, last = forget(), set[str]()
    while True:
        asked = time.monotonic()
        places = meeting.places()
        if not places or asked - started > 30:
            return asked - started, last
        last = places


def met_after_1_s(meetings: list[Meeting], forget: Callable[[], float]) -> tuple[int, set[str]]:
    """How many of several posts are met with a second later, and where."""
    started = forget()
    time.sleep(max(0.0, started + 1 - time.monotonic()))
    found = [places for meeting in meetings if (places := meeting.places())]
    return len(found), set().union(*found)


def traces(data: Path, words: list[str]) -> list[str]:
    """The files in which one of the words stands."""
    wanted = [coded for one in words for coded in (one.encode(), one.encode("utf-16-le"))]
    return [
        f"{path.relative_to(data)}"
        for path in sorted(data.rglob("*"))
        if path.is_file() and any(one in data_ for data_ in _unpacked(path.read_bytes()) for one in wanted)
    ]


def _unpacked(data: bytes) -> Iterator[bytes]:
    yield data
    for magic, unpack in ((b"\x1f\x8b", gzip.decompress), (b"\x78", zlib.decompress), (b"\x28\xb5\x2f\xfd", _zstd)):
        at = data.find(magic) if data[:2] != b"\x1f\x8b" else 0
        if 0 <= at < 64:
            try:
                yield unpack(data[at:])
            except (OSError, EOFError, zlib.error, ValueError):
                continue


def _zstd(data: bytes) -> bytes:
    import zstandard

    try:
        return zstandard.ZstdDecompressor().decompressobj().decompress(data)
    except zstandard.ZstdError as error:
        raise ValueError(error) from error


def prune(data: Path) -> None:
    from io import StringIO

    from indexer.progress import QuietProgress
    from indexer.upkeep.old_generations import prune as prune_all
    from retrieval.models.embedding import HashEmbedder
    from retrieval.settings import Settings
    from retrieval.stores.factory import open_store
    from retrieval.text.terms import TermWeigher

    settings = Settings(data_dir=data, _env_file=None)
    prune_all(open_store(settings), HashEmbedder(), TermWeigher(), settings, QuietProgress(StringIO()))


def measure(posts: int, count: int, work: Path) -> dict[str, Any]:
    from app.api_keys import Keys

    data, file = work / "data", work / "posts.jsonl"
    chance = random.Random(5)
    others = [{"id": f"p{n}", "text": " ".join(chance.choices(WORDS, k=12))} for n in range(posts)]
    with file.open("w", encoding="utf-8") as lines:
        lines.writelines(json.dumps(post) + "\n" for post in (EVERGREEN, *others, *map(a_post, range(count))))
    key = Keys(data / "keys.sqlite").add("bench", "write")
    assert reindexing(data, file).wait() == 0, "the reindex failed"
    server = Server(data, free_port(), key)
    time.sleep(5)  # suggestions are built
    meetings = [Meeting(server, number) for number in range(count)]
    known = [meeting.places() for meeting in meetings]
    third = count // 3
    seconds, last = [], set[str]()
    for number in range(third):

        def delete(number: int = number) -> float:
            started = time.monotonic()
            server.client.delete(f"/api/posts/secret {number}").raise_for_status()
            return started

        took, where = gone_after_s(meetings[number], delete)
        seconds.append(took)
        last |= where
    later = sum(one > 1 for one in seconds)

    def opt_out() -> float:
        started = time.monotonic()
        server.put([{"id": f"secret {number}", "opt_out": True} for number in range(third, 2 * third)])
        return started

    def command() -> float:
        ids = [part for number in range(2 * third, count) for part in ("--post", f"secret {number}")]
        environment = os.environ | {"STIPPLE_DATA_DIR": str(data)}
        subprocess.run([sys.executable, "-m", "stipple", "forget", *ids], check=True, env=environment, stdout=2)
        return time.monotonic()

    for forget, some in ((opt_out, meetings[third : 2 * third]), (command, meetings[2 * third :])):
        late, where = met_after_1_s(some, forget)
        later, last = later + late, last | where
    hidden = [hidden_words(number) for number in range(count)]
    before = traces(data, hidden)
    prune(data)
    time.sleep(2)
    left = traces(data, hidden + [f"secret {number}" for number in range(count)])
    server.close()
    seconds.sort()
    return {
        "benchmark": "forgetting", "posts": posts, "forgotten": count,
        "met_before": {place: sum(place in one for one in known) for place in sorted(set().union(*known))},
        "gone_after_s": {"median": round(seconds[len(seconds) // 2], 3), "longest": round(seconds[-1], 3)},
        "later_than_1_s": later, "met_last_in": sorted(last),
        "files_with_traces_before_prune": before, "files_with_traces": left,
        "searches": server.asked, "failed_searches": server.failed, "problems": server.problems[:3],
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--posts", type=int, default=2_000)
    parser.add_argument("--forget", type=int, default=100)
    parser.add_argument("--work", type=Path, help="where the index is made (default: a new folder, deleted afterwards)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.work) as work:
        figures = measure(args.posts, args.forget, Path(work))
    took = figures["gone_after_s"]
    print(f"{'gone after, median and longest, s':36} {took['median']:>8} {took['longest']:>8}")
    print(f"{'posts met with after 1 s':36} {figures['later_than_1_s']:>8}   bar: 0")
    print(f"{'files with traces after prune':36} {len(figures['files_with_traces']):>8}   bar: 0")
    print(f"{'failed searches':36} {figures['failed_searches']:>8}   of {figures['searches']:,}")
    print(json.dumps(figures | {"load_1_min": round(os.getloadavg()[0], 1)}))


if __name__ == "__main__":
    main()
