"""Commands find the server of their own index, and no other."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.running_server import HEADER, announced, running_server


@contextmanager
def answering(token: str, port: int = 0) -> Iterator[int]:
    """Something on loopback whose /healthz carries a token."""

    class Answers(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the library's name
            self.send_response(200)
            self.send_header(HEADER, token)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library's name
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_server_is_found_through_the_data_directory_as_long_as_it_runs(tmp_path: Path) -> None:
    with answering("") as port:
        pass  # a port that was free a moment ago
    assert running_server(tmp_path) is None
    with announced(tmp_path, "0.0.0.0", port) as token:  # said, not listened on
        assert running_server(tmp_path) is None  # it does not answer yet
        with answering(token, port):
            assert running_server(tmp_path) == f"http://127.0.0.1:{port}/"
    assert running_server(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_whoever_took_the_port_over_is_not_asked(tmp_path: Path) -> None:
    with answering("another server's") as port, announced(tmp_path, "127.0.0.1", port):
        assert running_server(tmp_path) is None


def test_a_damaged_file_names_no_server(tmp_path: Path) -> None:
    for damage in ("", "[]", "{", '{"url": 5, "token": "x"}', '{"url": "not a url", "token": "x"}'):
        (tmp_path / "server.json").write_text(damage, encoding="utf-8")
        assert running_server(tmp_path) is None
