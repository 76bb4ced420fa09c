"""What all pages share: their language and frame, and the error page."""

from __future__ import annotations

from dataclasses import replace

import structlog
from fastapi import Request, Response

from app.web.page import contexts
from app.web.page.html_response import assets, page
from app.web.page.page_request import PageRequest
from app.web.page.words.labels import LABELS, Labels, Ui, choose_ui
from app.web.visitor import visitor
from retrieval.errors import FixableError

_log = structlog.get_logger()


def frame(request: Request, asked: PageRequest, title: str, *, unscripted: bool = False) -> contexts.Frame:
    """The frame of a page."""
    ui, labels = words_of(request, asked)
    path = request.url.path
    here = path in ("/", "/search") or path.startswith("/post/")
    other: Ui = "zh" if ui == "en" else "en"
    return contexts.Frame(
        labels=labels,
        ui=ui,
        title=title,
        assets=assets(),
        asked=asked,
        home=asked.home(),
        other_ui=replace(asked, ui=other).address(path if here else "/"),
        unscripted=replace(asked, scripted=False).address() if unscripted else "",
        signed_in=visitor().by == "session",
    )


def error_page(request: Request, status_code: int, message: str) -> Response:
    """A page with one sentence about an error; the query stays in the search box."""
    return page(contexts.ErrorPage(frame=frame(request, salvaged(request), ""), message=message), status_code)


def failure(labels: Labels, error: FixableError) -> str:
    """Why there is no answer, in the page's words: the problem for admins alone; others hear that the log has it."""
    _log.warning("cannot answer", problem=error.problem, fix=error.fix)
    return labels.failed.format(problem=error.problem) if visitor().is_admin else labels.failed_unsaid


def page_words(request: Request) -> Labels:
    """The words for an error, in this reader's language."""
    return words_of(request, salvaged(request))[1]


def words_of(request: Request, asked: PageRequest) -> tuple[Ui, Labels]:
    """The page's language and its words: as the address says, else as the browser prefers."""
    ui = asked.ui or choose_ui(request.headers.get("accept-language", ""))
    return ui, LABELS[ui]


def salvaged(request: Request) -> PageRequest:
    """What of an address can be read even if a parameter is not valid."""
    asked = PageRequest.read(pair for pair in request.query_params.multi_items() if pair[0] in ("ui", "js"))
    return replace(asked, text=request.query_params.get("q", ""))
