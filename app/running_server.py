"""The server that has an index open, found by commands through the index's own folder and by no guess at a port."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

HEADER = "X-Stipple-Server"
_FILE = "server.json"
_ANSWERS_WITHIN_S = 2.0
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # what a server listens on, not where to listen


@contextmanager
def announced(data_dir: Path, host: str, port: int) -> Iterator[str]:
    """Say in the data directory where its server is, as long as it runs.

    Yields:
        What the server's /healthz must carry as HEADER: another server may have taken the port over since.
    """
    address, token, file = _EVERYWHERE.get(host, host), secrets.token_hex(8), data_dir / _FILE
    url = f"http://[{address}]:{port}/" if ":" in address else f"http://{address}:{port}/"
    with suppress(OSError):  # nobody but commands needs it: they open the index themselves then, or say that it is open
        data_dir.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"url": url, "token": token}), encoding="utf-8")
    try:
        yield token
    finally:
        if _read(file).get("token") == token:
            file.unlink(missing_ok=True)


def running_server(data_dir: Path) -> str | None:
    """The URL of the server that has this data directory's index open; None where none answers."""
    said = _read(data_dir / _FILE)
    url, token = said.get("url"), said.get("token")
    if not url or not token:
        return None
    try:
        found = httpx.get(f"{url}healthz", timeout=_ANSWERS_WITHIN_S).headers.get(HEADER)
    except (httpx.HTTPError, httpx.InvalidURL):
        return None
    return url if found is not None and secrets.compare_digest(found.encode(), token.encode()) else None


def server_token(data_dir: Path) -> str:
    """The token of the server that this folder names; "" if it names none."""
    return _read(data_dir / _FILE).get("token", "")


def _read(file: Path) -> dict[str, str]:
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {name: value for name, value in said.items() if isinstance(value, str)} if isinstance(said, dict) else {}
