from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, Page

from app.web.api import suggestion_routes
from app.web.page.routes import install
from tests.app.web.page.scenes import all_scenes
from tests.app.web.page.scripted import ScriptedServices

# Chromium says so of an error page that is asked for itself.
EXPECTED = ("the server responded with a status of 503", "the server responded with a status of 404")


@dataclass(frozen=True)
class Served:
    """The page, served on a loopback port from the stand-in."""

    url: str
    services: ScriptedServices

    def get(self, path: str, **parameters: str) -> httpx.Response:
        language = {"Accept-Language": "en"}
        return httpx.get(self.url + path, params=parameters or None, headers=language, timeout=30)


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    app = FastAPI(openapi_url=None)
    install(app)
    app.include_router(suggestion_routes.router)
    services = ScriptedServices(all_scenes(), tmp_path_factory.mktemp("kept"))
    app.state.services = services
    listening = socket.create_server(("127.0.0.1", 0))
    # wsproto and websockets warn on import in some releases; the page needs neither.
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", ws="none", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="page under test")
    thread.start()
    give_up = time.monotonic() + 20
    while not server.started:
        assert time.monotonic() < give_up, "the server did not start"
        time.sleep(0.01)
    yield Served(f"http://127.0.0.1:{listening.getsockname()[1]}", services)
    server.should_exit = True
    thread.join(timeout=20)
    listening.close()
    assert not thread.is_alive(), "the server did not stop"


@pytest.fixture
def open_page(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Opens pages in contexts of their own; at the end, none may have complained on its console."""
    contexts, complaints = [], list[str]()

    def complain(words: str) -> None:
        if not any(expected in words for expected in EXPECTED):
            complaints.append(words)

    def open_one(**options: Any) -> Page:
        context = chromium.new_context(**{"locale": "en-GB", "reduced_motion": "reduce", **options})
        context.set_default_timeout(20_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complain(message.text))
        page.on("pageerror", lambda error: complain(str(error)))
        page.on("dialog", lambda dialog: complain(f"dialog: {dialog.message}"))
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert complaints == []
