"""The page: a search box, an answer that streams in, and the posts it stands on.

The page is whole at once but for the answer: the posts are there, and the answer's events (/answer/stream) change it
piece by piece. A mark n leads to the element `post-n`. The posts shown are those of the search; the answer searches for
itself, and where it saw others (a new generation came between) its first event replaces all cards with its own. Each
sentence brings the cards it cites anew, with its quotes marked. With "js=off" all this happens before the page leaves.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Container, Sequence
from dataclasses import replace
from typing import Protocol, cast

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.staticfiles import StaticFiles
from starlette.types import Scope

from app.answering.types import (
    Answer,
    AnswerEvent,
    AnswerSentence,
    Done,
    HitsFound,
    Question,
    SentenceReady,
    SentenceWithheld,
)
from app.web import contexts
from app.web.answers import answer_shown, citations, sentence_shown
from app.web.asked import HITS_PER_PAGE, LARGEST_OFFSET, Asked, BadParameter
from app.web.cards import Card, LinkShown, arranged, card, fingerprint
from app.web.labels import EXAMPLES, LABELS, POST_LANGUAGES, Labels, Ui, choose_ui
from app.web.rendering import STATIC, assets, page, render
from app.web.sse import EventStream, close, event
from retrieval.errors import FixableError
from retrieval.query_pieces import ParsedQuery
from retrieval.text import fold
from retrieval.types import Filters, Hit, SearchPage, SearchQuery, Sort

router = APIRouter(include_in_schema=False)
_MOST_NOTES = 3
_MOST_TAGS = 8


class Finder(Protocol):
    """What the page needs of `app.state.services`."""

    async def understand(self, typed: str, given: Filters | None = None) -> ParsedQuery: ...

    async def search(self, query: SearchQuery) -> SearchPage: ...

    def answer(self, question: Question) -> AsyncIterator[AnswerEvent]: ...


class _Static(StaticFiles):
    """Files whose address changes with their content."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["X-Content-Type-Options"] = "nosniff"
        versioned = scope["query_string"].startswith(b"v=")
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if versioned else "no-cache"
        return response


def install(app: FastAPI) -> None:
    """Put the page and its files into an application.

    Raises:
        FixableError: A library of the page is not there, because the package was not built.
    """
    assets()
    app.include_router(router)
    app.mount("/static", _Static(directory=STATIC), name="static")


@router.get("/")
async def home(request: Request) -> Response:
    """The search box on an empty page."""
    try:
        asked = Asked.read(request.query_params.multi_items())
    except BadParameter as bad:
        return _refused(request, bad)
    return _home(request, asked)


@router.get("/search")
async def search(request: Request) -> Response:
    """The answer and the posts; the empty page where nothing was asked."""
    try:
        asked = Asked.read(request.query_params.multi_items())
    except BadParameter as bad:
        return _refused(request, bad)
    if not asked.text:
        return _home(request, asked)
    ui, labels = _words(request, asked)
    finder = _finder(request)
    parsed = await finder.understand(asked.text, asked.filters())
    try:
        found = await finder.search(asked.query(parsed))
        # Filters alone ask for posts, and nothing that an answer could say.
        answered = asked.offset == 0 and bool(found.hits) and bool(parsed.text) and asked.in_order_of_answers
        answer = await _whole_answer(finder, asked.question(parsed)) if answered and not asked.scripted else None
    except FixableError as error:
        return error_page(request, 503, labels.failed.format(problem=error.problem))
    hits = arranged(answer.hits, found.hits) if answer is not None else found.hits
    streams = answered and asked.scripted
    return page(
        contexts.SearchResultPage(
            frame=_frame(request, asked, asked.text, unscripted=streams),
            notes=tuple(mistake.said(ui) for mistake in parsed.mistakes[:_MOST_NOTES]),
            chips=(*asked.chips(), *asked.typed_chips(parsed.pieces)),
            sorts=_sorts(asked, labels) if found.hits else (),
            tags=_tags(found, asked),
            folding="" if asked.fold else asked.folding(True),
            languages=POST_LANGUAGES,
            stream=asked.address("/answer/stream", shown=fingerprint(hits)) if streams else "",
            answer=answer_shown(answer, labels) if answer is not None else None,
            cards=_cards(hits, answer.sentences if answer is not None else (), asked, labels, ui),
            first_page=replace(asked, offset=0).address() if asked.offset else "",
            more=_more(asked, len(answer.hits) if answer is not None else 0, found.total),
        )
    )


@router.get("/answer/stream")
async def stream(request: Request) -> Response:
    """The answer's events: any number of "status" and "sentence", then "end", then "close"; each but the last is HTML.

    Also a request that cannot be answered gets events, since a browser shows nothing of another response.
    """
    try:
        asked = Asked.read(request.query_params.multi_items())
    except BadParameter as bad:
        labels = page_words(request)
        return EventStream(_refusal(labels, bad.message(labels)))
    ui, labels = _words(request, asked)
    if not asked.text:
        return EventStream(_refusal(labels, labels.no_posts))
    return EventStream(_events(_finder(request), asked, labels, ui, request.query_params.get("shown", "")))


def error_page(request: Request, status_code: int, message: str) -> Response:
    """A page that says in one sentence why there is no other; what was typed stays in the search box."""
    return page(contexts.ErrorPage(frame=_frame(request, _salvaged(request), ""), message=message), status_code)


def page_words(request: Request) -> Labels:
    """The words in which to tell this reader of an error."""
    return _words(request, _salvaged(request))[1]


async def _events(finder: Finder, asked: Asked, labels: Labels, ui: Ui, shown: str) -> AsyncGenerator[str, None]:
    hits: Sequence[Hit] = ()
    lang = ""
    sentences: list[AnswerSentence] = []
    withheld = 0
    parsed = await finder.understand(asked.text, asked.filters())
    happenings = finder.answer(asked.question(parsed))
    try:
        async for happened in happenings:
            match happened:
                case HitsFound():
                    hits, lang = happened.hits, "" if happened.language == "und" else happened.language
                    status = contexts.StatusFragment(labels, labels.reading(len(hits)))
                    if not shown.startswith(fingerprint(hits)):
                        found = await finder.search(asked.query(parsed))
                        all_hits = arranged(hits, found.hits)
                        cards = _cards(all_hits, (), asked, labels, ui)
                        status = replace(status, cards=cards, more=_more(asked, len(hits), found.total))
                    yield event("status", render(status))
                case SentenceReady(sentence):
                    sentences.append(sentence)
                    cited = {citation.mark for citation in sentence.citations}
                    cards = _cards(hits, sentences, asked, labels, ui, only=cited)
                    shown_sentence = sentence_shown(sentence, hits, labels)
                    yield event("sentence", render(contexts.SentenceFragment(labels, shown_sentence, lang, cards)))
                case SentenceWithheld():
                    withheld += 1
                    words = f"{labels.reading(len(hits))} {labels.withheld_so_far(withheld)}"
                    yield event("status", render(contexts.StatusFragment(labels, words)))
                case Done(answer):
                    yield event("end", render(contexts.EndFragment(labels, answer_shown(answer, labels))))
    except FixableError as error:
        words = labels.failed.format(problem=error.problem)
        again = replace(asked, offset=0).address()
        yield event("status", render(contexts.StatusFragment(labels, words, failed=True, again=again)))
    finally:
        await close(happenings)
    yield event("close", "")


async def _refusal(labels: Labels, words: str) -> AsyncGenerator[str, None]:
    yield event("status", render(contexts.StatusFragment(labels, words, failed=True)))
    yield event("close", "")


async def _whole_answer(finder: Finder, question: Question) -> Answer:
    happenings = finder.answer(question)
    try:
        async for happened in happenings:
            if isinstance(happened, Done):
                return happened.answer
    finally:
        await close(happenings)
    raise AssertionError("an answer's last event is Done")


def _cards(
    hits: Sequence[Hit],
    sentences: Sequence[AnswerSentence],
    asked: Asked,
    labels: Labels,
    ui: Ui,
    only: Container[int] | None = None,
) -> tuple[Card, ...]:
    """The hits' cards, with the sentences' quotes marked; of the numbers in `only`, where it is given."""
    quotes = citations(sentences)
    return tuple(
        card(number, hit, [quote for quote in quotes if quote.mark == number], asked, labels, ui)
        for number, hit in enumerate(hits, start=asked.offset + 1)
        if only is None or number in only
    )


def _sorts(asked: Asked, labels: Labels) -> tuple[contexts.Choice, ...]:
    names: dict[Sort, str] = {
        "relevance": labels.sort_relevance, "newest": labels.sort_newest, "most_liked": labels.sort_most_liked,
    }  # fmt: skip
    return tuple(
        contexts.Choice(name, "" if sort == asked.sort else asked.sorted_by(sort)) for sort, name in names.items()
    )


def _tags(found: SearchPage, asked: Asked) -> tuple[tuple[LinkShown, str], ...]:
    """The most frequent tags that several of the posts found have, but those asked for, each with their number."""
    chosen = {fold(tag).casefold() for tag in asked.tags}
    counts = [one for one in found.facets.get("tags", ()) if one.posts > 1 and fold(one.value).casefold() not in chosen]
    return tuple((LinkShown(one.value, asked.tagged(one.value)), f"{one.posts:,}") for one in counts[:_MOST_TAGS])


def _more(asked: Asked, answering: int, total: int) -> str:
    """Address of the hits after those on this page, of which an answer saw `answering`; "" where there are none, or
    none may be asked for.

    Posts that the answer alone saw, for it heeds no number of posts per author, are not counted: the next page would
    begin too late.
    """
    following = asked.offset + max(answering, HITS_PER_PAGE)
    return replace(asked, offset=following).address() if following < total and following <= LARGEST_OFFSET else ""


def _home(request: Request, asked: Asked) -> Response:
    ui, _ = _words(request, asked)
    plain = Asked(ui=asked.ui, scripted=asked.scripted)
    examples = tuple((text, replace(plain, text=text).address()) for text in EXAMPLES[ui])
    return page(contexts.HomePage(frame=_frame(request, plain, ""), examples=examples))


def _refused(request: Request, bad: BadParameter) -> Response:
    return error_page(request, 400, bad.message(page_words(request)))


def _salvaged(request: Request) -> Asked:
    """What can be read of an address in any case."""
    asked = Asked.read(pair for pair in request.query_params.multi_items() if pair[0] in ("ui", "js"))
    return replace(asked, text=request.query_params.get("q", ""))


def _frame(request: Request, asked: Asked, title: str, *, unscripted: bool = False) -> contexts.Frame:
    ui, labels = _words(request, asked)
    path = request.url.path
    other: Ui = "zh" if ui == "en" else "en"
    return contexts.Frame(
        labels=labels,
        ui=ui,
        title=title,
        assets=assets(),
        asked=asked,
        home=asked.home(),
        other_ui=replace(asked, ui=other).address(path if path in ("/", "/search") else "/"),
        unscripted=replace(asked, scripted=False).address() if unscripted else "",
    )


def _words(request: Request, asked: Asked) -> tuple[Ui, Labels]:
    """The page's language and its words: as the address says, else as the browser prefers."""
    ui = asked.ui or choose_ui(request.headers.get("accept-language", ""))
    return ui, LABELS[ui]


def _finder(request: Request) -> Finder:
    return cast("Finder", request.app.state.services)
