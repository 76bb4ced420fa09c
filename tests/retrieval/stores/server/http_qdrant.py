"""A stand-in for a Qdrant server: its REST API over real HTTP, in front of qdrant-client's local mode.

It answers what Stipple asks, and fails as Qdrant's documentation describes. It accepts what local mode lacks (shards,
quantization, HNSW), and `asked` records all requests. To run it by hand until its input ends: `python -m
tests.retrieval.stores.server.http_qdrant 6333`.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any

from pydantic import BaseModel
from qdrant_client import QdrantClient, models

VERSION = "1.19.0"


@dataclass(frozen=True)
class Asked:
    """One received request."""

    method: str
    path: str
    key: str | None
    body: Any


@dataclass(frozen=True)
class Trouble:
    """An answer that the next matching request gets instead of its own.

    Attributes:
        status: 0 closes the connection without an answer.
        body: Sent as it is, instead of `said` in Qdrant's format.
        only, method: Part of the path, and the method, that it applies to.
        done: Whether the request is carried out all the same, and only the answer is lost.
    """

    status: int
    said: str = "said why"
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    only: str = ""
    method: str = ""
    done: bool = False


class LocalQdrant:
    """Answers requests, without HTTP.

    Attributes:
        created, indexed: The requested configuration and payload indexes of each collection.
        statuses: The status returned to the next requests about a collection.
    """

    def __init__(self) -> None:
        warnings.filterwarnings("ignore", message="Payload indexes have no effect in the local Qdrant")
        warnings.filterwarnings("ignore", message="Local mode performs exact")
        self.client = QdrantClient(":memory:")
        self.created: dict[str, dict[str, Any]] = {}
        self.indexed: dict[str, dict[str, Any]] = {}
        self.statuses: list[str] = []
        self._lock = Lock()

    def collections(self) -> set[str]:
        return {one.name for one in self.client.get_collections().collections}

    def answer(self, method: str, path: str, body: Any) -> Any:
        """The `result` of one request.

        Raises:
            KeyError: There is no such path.
            ValueError: Qdrant refuses it.
        """
        with self._lock:
            match method, path.strip("/").split("/"):
                case "GET", ["cluster"]:
                    return self.cluster()
                case "GET", ["collections"]:
                    return self.client.get_collections()
                case "GET", ["aliases"]:
                    return self.client.get_aliases()
                case "POST", ["collections", "aliases"]:
                    return self.client.update_collection_aliases(_read(models.ChangeAliasesOperation, body).actions)
                case "GET", ["collections", name]:
                    return self._info(name)
                case _, ["collections", name]:
                    return self._collection(method, name, body)
                case "PUT", ["collections", name, "index"]:
                    self.indexed.setdefault(name, {})[body["field_name"]] = body["field_schema"]
                    return _acknowledged()
                case _, ["collections", name, *rest] if "points" in rest:
                    if name not in self.collections() | self._aliases():
                        raise KeyError(name)
                    return self._points(method, name, rest[1:], body)
        raise KeyError(path)

    def cluster(self) -> dict[str, Any]:
        """What it says of the nodes beside it."""
        return {"status": "disabled"}

    def _aliases(self) -> set[str]:
        return {one.alias_name for one in self.client.get_aliases().aliases}

    def _info(self, name: str) -> dict[str, Any]:
        try:
            said = self.client.get_collection(name).model_dump(mode="json", exclude_none=True)
        except ValueError as error:
            raise KeyError(name) from error
        if self.statuses:
            said["status"] = self.statuses.pop(0)
        indexed = self.indexed.get(name, {})
        said["payload_schema"] = {field: {"data_type": kind, "points": 0} for field, kind in indexed.items()}
        return said

    def _collection(self, method: str, name: str, body: Any) -> Any:
        there = self.collections()
        if method == "DELETE":
            self.created.pop(name, None)
            self.indexed.pop(name, None)
            return self.client.delete_collection(name) if name in there else False
        if method == "PUT":
            if name in there:
                raise ValueError(f"Wrong input: Collection `{name}` already exists!")
            given = _read(models.CreateCollection, body)
            self.created[name] = body
            return self.client.create_collection(
                name, given.vectors, sparse_vectors_config=given.sparse_vectors, metadata=given.metadata
            )
        if name not in there:
            raise KeyError(name)
        given = _read(models.UpdateCollection, body)
        return self.client.update_collection(name, metadata=given.metadata) if given.metadata is not None else True

    def _points(self, method: str, name: str, rest: list[str], body: Any) -> Any:
        client = self.client
        match method, rest:
            case "PUT", []:
                return client.upsert(name, _read(models.PointsList, body).points)
            case "POST", []:
                asked = _read(models.PointRequest, body)
                return client.retrieve(
                    name, asked.ids, with_payload=_or(asked.with_payload, True), with_vectors=asked.with_vector or False
                )
            case "POST", ["delete"]:
                return client.delete(name, models.PointIdsList(points=body["points"]))
            case "POST", ["payload"]:
                asked = _read(models.SetPayload, body)
                return client.set_payload(name, asked.payload, asked.points)
            case "POST", ["batch"]:
                return client.batch_update_points(name, _read(models.UpdateOperations, body).operations)
            case "POST", ["count"]:
                return client.count(name, _read(models.CountRequest, body).filter, exact=True)
            case "POST", ["scroll"]:
                asked = _read(models.ScrollRequest, body)
                points, place = client.scroll(
                    name, asked.filter, asked.limit or 10, asked.order_by, asked.offset,
                    with_payload=_or(asked.with_payload, True), with_vectors=asked.with_vector or False,
                )  # fmt: skip
                return {"points": [_json(one) for one in points], "next_page_offset": place}
            case "POST", ["query", "batch"]:
                return client.query_batch_points(name, _read(models.QueryRequestBatch, body).searches)
        raise KeyError("/".join(rest))


class HttpQdrant(LocalQdrant):
    """A server on a free local port.

    Attributes:
        trouble: Used one by one, each for the first request that it matches.
        key: Required `api-key` header; "" requires none.
        before: Called with the path of each request before it is answered, for tests that need something to happen
            then.
    """

    def __init__(self, port: int = 0) -> None:
        super().__init__()
        self.asked: list[Asked] = []
        self.trouble: list[Trouble] = []
        self.key, self.version = "", VERSION
        self.before: Callable[[str], None] = lambda path: None
        self._down = False
        self._server: _Server | None = None
        self.start(port)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, port: int = 0) -> None:
        """Listen, on the previous port if there was one."""
        self._down = False
        self._server = _Server(self, port or getattr(self, "port", 0))
        self.port = self._server.server_port
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def stop(self) -> None:
        """Refuse connections, and answer on none of the open ones."""
        self._down = True
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def trouble_for(self, method: str, path: str) -> Trouble | None:
        if self._down:
            return Trouble(0)
        for at, one in enumerate(self.trouble):
            if one.only in path and one.method in ("", method):
                return self.trouble.pop(at)
        return None


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, store: HttpQdrant, port: int) -> None:
        self.store = store
        super().__init__(("127.0.0.1", port), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        store = self.server.store
        path = self.path.partition("?")[0]
        length = int(self.headers["Content-Length"] or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        store.before(path)
        trouble = store.trouble_for(self.command, path)
        if trouble is not None and trouble.status == 0:
            if trouble.done:
                store.answer(self.command, path, body)
            self.close_connection = True
            return
        key = self.headers["api-key"]
        store.asked.append(Asked(self.command, path, key, body))
        if trouble is not None:
            if trouble.body:
                self._raw(trouble.status, trouble.body.encode(), "text/html", trouble.headers)
            else:
                self._say(trouble.status, _error(trouble.said), trouble.headers)
        elif store.key and key != store.key:
            self._raw(401, b"Must provide an API key or an Authorization bearer token", "text/plain")
        elif path == "/readyz":
            self._raw(200, b"all shards are ready", "text/plain")
        elif path == "/":
            self._say(200, {"title": "qdrant - vector search engine", "version": store.version})
        else:
            try:
                self._say(200, {"result": _json(store.answer(self.command, path, body)), "status": "ok", "time": 0.0})
            except KeyError as error:
                self._say(404, _error(f"Not found: Collection `{error.args[0]}` doesn't exist!"))
            except ValueError as error:
                self._say(400, _error(f"Wrong input: {error}"))

    do_PUT = do_POST = do_PATCH = do_DELETE = do_GET  # noqa: N815  # the base class's names

    def _say(self, status: int, said: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> None:
        self._raw(status, json.dumps(said).encode(), "application/json", headers or {})

    def _raw(self, status: int, body: bytes, kind: str, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def http_qdrant() -> Iterator[HttpQdrant]:
    server = HttpQdrant()
    try:
        yield server
    finally:
        server.stop()
        server.client.close()


def _read(model: type[Any], body: Any) -> Any:
    return model.model_validate(body)


def _json(said: Any) -> Any:
    if isinstance(said, BaseModel):
        return said.model_dump(mode="json", exclude_none=True)
    return (
        [_json(one) for one in said] if isinstance(said, list) else said if not isinstance(said, dict) else dict(said)
    )


def _or(given: Any, otherwise: Any) -> Any:
    return otherwise if given is None else given


def _acknowledged() -> dict[str, Any]:
    return {"operation_id": 0, "status": "completed"}


def _error(said: str) -> dict[str, Any]:
    return {"status": {"error": said}, "time": 0.0}


if __name__ == "__main__":
    standing = HttpQdrant(int(sys.argv[1]))
    print(f"listening at {standing.url}; ends with its standard input", flush=True)
    sys.stdin.read()
