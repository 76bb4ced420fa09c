"""What search.py measures: Stipple as people run it, and its peers, each in a process of its own."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from benchmarks.load import Asked, Search, ask

ROOT = Path(__file__).resolve().parents[1]
STIPPLE = (sys.executable, "-c", "import sys; from stipple.cli import main; sys.exit(main())")


def reindex(data_dir: Path, posts: Path) -> None:
    """`stipple reindex`; what was embedded before is not embedded again."""
    run = [*STIPPLE, "reindex", str(posts), "--quiet"]
    subprocess.run(run, check=True, env=_environment(data_dir), cwd=ROOT, stdout=sys.stderr)


class Served:
    """`stipple serve` on a free port, asked over HTTP by threads of this process."""

    def __init__(self, data_dir: Path) -> None:
        self._environment = _environment(data_dir)
        run = [*STIPPLE, "serve", "--host", "127.0.0.1", "--port", "0"]
        self._server = subprocess.Popen(run, env=self._environment, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self._server.stdout is not None, "it was asked for"
        line = self._server.stdout.readline()
        address = next((word for word in line.split() if word.startswith("http://")), None)
        if address is None:
            raise SystemExit(f"stipple serve did not start: {line!r}")
        self._address = urlsplit(address).netloc

    def ask(self, queries: Sequence[str], clients: int) -> Asked:
        return ask(self._client, queries, clients)

    def judge(self, folder: Path) -> tuple[str, float]:
        """The folder's name and nDCG@10, by `stipple eval retrieval`."""
        run = [*STIPPLE, "eval", "retrieval", str(folder)]
        done = subprocess.run(run, check=True, env=self._environment, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        measured = json.loads(done.stdout.splitlines()[-1])
        return measured["dataset"], measured["fused"]["nDCG@10"]

    def close(self) -> None:
        self._server.terminate()
        self._server.wait(timeout=30)

    def _client(self) -> Search:
        """One client that keeps its connection. httpx would take as much of the processor as the search does."""
        connection = http.client.HTTPConnection(self._address, timeout=60)

        def search(query: str) -> bytes:
            connection.request("GET", f"/api/search?limit=10&q={quote(query)}")
            response = connection.getresponse()
            body = response.read()
            if response.status != 200:
                raise RuntimeError(f"{response.status} for {query!r}: {body[:200]!r}")
            return body

        return search


class Peer:
    """peers.py, which says when its index stands and then asks itself what it is told to."""

    def __init__(self, name: str, posts: Path, data_dir: Path, embed: str) -> None:
        run = [sys.executable, str(ROOT / "benchmarks" / "peers.py"), name, "--posts", str(posts)]
        run += ["--cache", str(data_dir / "embeddings.sqlite"), "--embed", embed]
        self._name = name
        self._process = subprocess.Popen(
            run, env=_environment(data_dir), cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._next_line()  # it is ready

    def ask(self, queries: Sequence[str], clients: int) -> Asked:
        return Asked(**self._told({"queries": list(queries), "clients": clients}))

    def judge(self, folder: Path) -> tuple[str, float]:
        """The folder's name and nDCG@10 of an index of its posts, embedded by the peer."""
        said = self._told({"judged": str(folder)})
        return said["dataset"], said["nDCG@10"]

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(timeout=30)

    def _told(self, wish: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None, "it was asked for"
        self._process.stdin.write(json.dumps(wish) + "\n")
        self._process.stdin.flush()
        return self._next_line()

    def _next_line(self) -> dict[str, Any]:
        assert self._process.stdout is not None, "it was asked for"
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{self._name} ended; what it said last stands above")
        said: dict[str, Any] = json.loads(line)
        return said


def _environment(data_dir: Path) -> dict[str, str]:
    return os.environ | {
        "STIPPLE_DATA_DIR": str(data_dir), "STIPPLE_LLM": "none", "STIPPLE_LOG_LEVEL": "warning",
    }  # fmt: skip
