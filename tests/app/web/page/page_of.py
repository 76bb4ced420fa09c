"""What comes back for a question: the whole page, or its stream."""

from __future__ import annotations

from tests.app.web.page.conftest import Served
from tests.app.web.page.read_html import Html, read_html
from tests.app.web.test_sse import parsed


def whole(served: Served, question: str, **parameters: str) -> Html:
    """The page that a browser without JavaScript ends up with."""
    answer = served.get("/search", q=question, js="off", **parameters)
    assert answer.status_code == 200
    return read_html(answer.text)


def streamed(served: Served, question: str, **parameters: str) -> list[tuple[str, str]]:
    answer = served.get("/answer/stream", q=question, **parameters)
    assert answer.headers["content-type"].startswith("text/event-stream")
    return parsed(answer.text)


def stream_of(page: Html) -> str:
    return page.by_id("answer").attributes["sse-connect"]
