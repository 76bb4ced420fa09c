"""A server that two clients search all the time, that can be killed and started again."""

from __future__ import annotations

import signal
import threading
import time
from pathlib import Path
from typing import Any

import httpx

from benchmarks.hashed import serving
from benchmarks.serving import wait_ready
from benchmarks.world import QUERY


class Server:
    """The server's process, and two clients that ask it all the time."""

    def __init__(self, data: Path, port: int, key: str) -> None:
        self._data, self._port = data, port
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, headers={"X-API-Key": key})
        self.asked, self.failed, self.problems = 0, 0, list[str]()
        self._up, self._ending, self._lock = threading.Event(), threading.Event(), threading.Lock()
        self._starts = 0
        self.start()
        self._clients = [threading.Thread(target=self._ask, daemon=True) for _ in range(2)]
        for one in self._clients:
            one.start()

    def start(self) -> None:
        self._process = serving(self._data, self._port)
        wait_ready(self.client, self._process)
        self._starts += 1
        self._up.set()

    def kill(self) -> None:
        self._up.clear()
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def close(self) -> None:
        self._ending.set()
        for one in self._clients:
            one.join()
        self._process.terminate()
        self._process.wait()

    def put(self, posts: list[dict[str, Any]]) -> dict[str, Any]:
        response = self.client.put("/api/posts", json=posts)
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    def _ask(self) -> None:
        client, connected = httpx.Client(), 0
        while not self._ending.is_set():
            self._up.wait(1)
            start = self._starts
            if start != connected:  # connections that were kept lead to a server that is gone
                client.close()
                client, connected = httpx.Client(base_url=f"http://127.0.0.1:{self._port}", timeout=60), start
            try:
                response = client.get("/api/search", params={"q": QUERY})
                hits = [hit["post"]["id"] for hit in response.json().get("hits", [])]
                problem = (
                    "" if response.status_code == 200 and "evergreen" in hits else f"{response.status_code} {hits}"
                )
            except httpx.TransportError as error:
                problem = repr(error)
            if problem and (not self._up.is_set() or start != self._starts):
                continue  # it was down, or went down meanwhile
            with self._lock:
                self.asked += 1
                self.failed += bool(problem)
                if problem:
                    self.problems.append(problem)
            time.sleep(0.01)
