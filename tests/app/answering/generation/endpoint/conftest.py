"""An endpoint that a test gives its replies."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import pytest

from tests.app.answering.generation.endpoint.endpoints import Endpoint, serving


@pytest.fixture
def serve() -> Iterator[Callable[..., Endpoint]]:
    with contextlib.ExitStack() as stack:
        yield lambda *replies, **fields: stack.enter_context(serving(Endpoint(list(replies), **fields)))
