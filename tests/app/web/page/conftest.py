from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from app.web.api import suggestion_routes
from app.web.page.routes import install
from tests.app.web.page.scenes import all_scenes
from tests.app.web.page.scripted import ScriptedServices


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
