"""An OpenAI-compatible endpoint on loopback that behaves as a test tells it to, badly too, and the asking of it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from app.answering.generation import GenerateRequest
from app.answering.generation.endpoint.generator import EndpointGenerator, EndpointLimits

LIMITS = EndpointLimits(read_timeout_s=60.0, connect_timeout_s=30.0, retries=1)
KEY = "sk-very-secret-1234"


@dataclass
class Endpoint:
    """What the server does, and what it saw.

    Attributes:
        replies: What it does with the n-th chat request; the last one ever after.
        models: Body of GET /v1/models; None: it has no such list.
        properties: Body of GET /props; None: it has none.
        asked: Bodies of the chat requests.
        headers: Their headers.
        left: Set when a client was gone before its reply was complete.
    """

    replies: list[Callable[[Reply], None]]
    models: dict[str, Any] | None = field(default_factory=lambda: {"data": [{"id": "tiny"}]})
    properties: dict[str, Any] | None = None
    asked: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    left: threading.Event = field(default_factory=threading.Event)
    url: str = ""
    at_once: int = 0
    most_at_once: int = 0


class Reply:
    """The connection of one chat request."""

    def __init__(self, handler: BaseHTTPRequestHandler, endpoint: Endpoint) -> None:
        self._handler, self.endpoint = handler, endpoint

    def start(self, status: int = 200, content_type: str = "text/event-stream", **headers: str) -> None:
        self._handler.send_response(status)
        self._handler.send_header("Content-Type", content_type)
        for name, value in headers.items():
            self._handler.send_header(name.replace("_", "-"), value)
        self._handler.end_headers()

    def send(self, text: str) -> None:
        self._handler.wfile.write(text.encode())
        self._handler.wfile.flush()

    def event(self, data: object) -> None:
        self.send(f"data: {json.dumps(data, ensure_ascii=False)}\n\n")

    def say(self, text: str, **delta: object) -> None:
        self.event({"choices": [{"index": 0, "delta": {"content": text, **delta}, "finish_reason": None}]})

    def finish(self, reason: str = "stop", *, done: bool = True) -> None:
        self.event({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
        if done:
            self.send("data: [DONE]\n\n")

    def wait_until_left(self, seconds: float = 60) -> None:
        """Go on with comments until the client is gone."""
        for _ in range(int(seconds * 50)):
            if self.endpoint.left.wait(0.02):
                return
            self.send(": still here\n\n")

    def drop(self) -> None:
        """Break the connection without a word of farewell."""
        self._handler.connection.shutdown(2)


def says(*pieces: str) -> Callable[[Reply], None]:
    """A well-behaved reply."""

    def reply(to: Reply) -> None:
        to.start()
        for piece in pieces:
            to.say(piece)
        to.finish()

    return reply


def refuses(status: int, body: str = "", **headers: str) -> Callable[[Reply], None]:
    def reply(to: Reply) -> None:
        to.start(status, "application/json", **headers)
        to.send(body)

    return reply


@contextmanager
def serving(endpoint: Endpoint) -> Iterator[Endpoint]:
    """The endpoint, on a free port of loopback, until the block ends."""
    guard = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = {"/v1/models": endpoint.models, "/props": endpoint.properties}.get(self.path)
            data = json.dumps(body).encode() if body is not None else b"not found"
            self.send_response(200 if body is not None else 404)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with guard:
                number = len(endpoint.asked)
                endpoint.asked.append(body)
                endpoint.headers.append(dict(self.headers))
                endpoint.at_once += 1
                endpoint.most_at_once = max(endpoint.most_at_once, endpoint.at_once)
            try:
                endpoint.replies[min(number, len(endpoint.replies) - 1)](Reply(self, endpoint))
            except OSError:
                endpoint.left.set()
            finally:
                with guard:
                    endpoint.at_once -= 1

        def log_message(self, *_: object) -> None:
            """Quiet."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A client that disconnected is not an error here."""

    server = Server(("127.0.0.1", 0), Handler)
    endpoint.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield endpoint
    finally:
        endpoint.left.set()
        server.shutdown()
        thread.join()
        server.server_close()


def generator_for(endpoint: Endpoint, **limits: Any) -> EndpointGenerator:
    return EndpointGenerator(endpoint.url, "", KEY, None, replace(LIMITS, **limits))


def written(
    generator: EndpointGenerator,
    max_tokens: int = 64,
    thoughts: list[str] | None = None,
) -> str:
    request = GenerateRequest("Be brief.", "你好?", max_tokens)
    pieces = list(generator.generate(request, threading.Event()))
    if thoughts is not None:
        thoughts.extend(piece.thought for piece in pieces)
    return "".join(piece.answer for piece in pieces)
