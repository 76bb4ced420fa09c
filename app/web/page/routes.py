"""The page: a search box, an answer that streams in, and the posts it stands on.

The page is whole at once but for the answer: the posts are there, and the answer's events (/answer/stream) change it
piece by piece. A mark n leads to the element `post-n`. The posts shown are those of the search; the answer searches for
itself, and where it saw others (a new generation came between) its first event replaces all cards with its own. Each
sentence brings the cards it cites anew, with its quotes marked. With "js=off" all this happens before the page leaves.

A question that goes on with a conversation has its id and the turn's number in its address ("c" and "t"). The earlier
turns stand above; a turn that is kept already is shown as it stands, and not asked again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.staticfiles import StaticFiles
from starlette.types import Scope

from app.conversations.standalone.context import Understood
from app.conversations.turns import Turn
from app.web.page import contexts, forms
from app.web.page.answer_stream import answer_events, refusal_events
from app.web.page.html_response import STATIC, assets, page
from app.web.page.page_answer import Finder, Placed, completed, placed, whole_answer
from app.web.page.page_layout import error_page, frame, page_words, words_of
from app.web.page.page_request import Asked, BadParameter
from app.web.page.views.answer import AnswerShown, answer_shown
from app.web.page.views.cards import Card, LinkShown, arranged, fingerprint
from app.web.page.views.conversation_view import Talk, Thread, hits_again, kept_turn, next_questions, talk, thread
from app.web.page.views.post_list import cards_of, more, sorts, tags
from app.web.page.words.labels import EXAMPLES, POST_LANGUAGES, Labels, Ui
from app.web.sse import EventStream
from retrieval.errors import FixableError
from retrieval.query.pieces import ParsedQuery
from retrieval.types import SearchPage

__all__ = ["error_page", "install", "page_words", "router"]
router = APIRouter(include_in_schema=False)
_MOST_NOTES = 3


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
    app.include_router(forms.router)
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
    ui, labels = words_of(request, asked)
    finder = _finder(request)
    try:
        place = await placed(finder, asked, labels)
        parsed = await finder.understand(asked.text, place.asked.filters())
        kept = kept_turn(place.turns, place.asked, parsed.filters)
        if kept is not None and asked.offset == 0 and asked.in_order_of_answers:
            return await _kept_page(request, finder, place, parsed, kept, labels, ui)
        return await _new_page(request, finder, place, parsed, labels, ui)
    except FixableError as error:
        return error_page(request, 503, labels.failed.format(problem=error.problem))


@router.get("/answer/stream")
async def stream(request: Request) -> Response:
    """The answer's events; see `answer_stream`.

    Also a request that cannot be answered gets events, since a browser shows nothing of another response.
    """
    try:
        asked = Asked.read(request.query_params.multi_items())
    except BadParameter as bad:
        labels = page_words(request)
        return EventStream(refusal_events(labels, bad.message(labels)))
    ui, labels = words_of(request, asked)
    if not asked.text:
        return EventStream(refusal_events(labels, labels.no_posts))
    return EventStream(answer_events(_finder(request), asked, labels, ui, request.query_params.get("shown", "")))


async def _new_page(
    request: Request, finder: Finder, place: Placed, parsed: ParsedQuery, labels: Labels, ui: Ui
) -> Response:
    """The page of a question that was not asked yet, or of more posts for one that was."""
    asked = place.asked
    asks = asked.offset == 0 and asked.in_order_of_answers
    earlier = tuple(turn for turn in place.turns if asks or turn.number < asked.turn)
    wanted, understood = completed(parsed, earlier, place.posts or {})
    found = await finder.search(asked.query(wanted))
    # Filters alone ask for posts, and nothing that an answer could say.
    answered = asks and bool(found.hits) and bool(parsed.text)
    notes = [place.note] if place.note else []
    above = thread(earlier, place.posts or {}, asked, labels)
    if not answered or asked.scripted:
        stream = asked.address("/answer/stream", shown=fingerprint(found.hits)) if answered else ""
        cards = cards_of(found.hits, (), asked, labels, ui)
        shown = _Shown(cards, more(asked, 0, found.total), _completed(understood), above, stream)
        return _result(request, asked, parsed, found, notes, labels, ui, shown)
    whole = await whole_answer(finder, asked, parsed, labels)
    then = asked.within(whole.kept.conversation, whole.kept.number)
    hits = arranged(whole.answer.hits, found.hits)
    shown = _Shown(
        cards=cards_of(hits, whole.answer.sentences, asked, labels, ui),
        more=more(asked, len(whole.answer.hits), found.total),
        understood=_completed(whole.understood),
        thread=above,
        answer=answer_shown(whole.answer, labels, thinking=asked.thinking),
        talk=talk(whole.kept.answer_id, then, None, labels),
        followups=next_questions(whole.followups, then),
    )
    return _result(request, asked, parsed, found, [*notes, *([whole.note] if whole.note else [])], labels, ui, shown)


async def _kept_page(
    request: Request, finder: Finder, place: Placed, parsed: ParsedQuery, turn: Turn, labels: Labels, ui: Ui
) -> Response:
    """The page of a question that was answered already, with what of the answer stands now."""
    asked, posts = place.asked.within(place.asked.conversation, turn.number), place.posts or {}
    question = turn.answer.question
    found = await finder.search(asked.query(replace(parsed, text=question.text, filters=question.filters)))
    shown_before = set(turn.shown)
    hits = [*hits_again(turn, posts, found.hits), *(hit for hit in found.hits if hit.post.id not in shown_before)]
    shown = _Shown(
        cards=cards_of(hits, turn.answer.sentences, asked, labels, ui),
        more=more(asked, len(turn.shown), found.total),
        understood=_completed(turn.understood),
        thread=thread([one for one in place.turns if one.number < turn.number], posts, asked, labels),
        answer=answer_shown(turn.answer, labels, hits, turn.withdrawn),
        talk=talk(turn.answer_id, asked, await finder.converser.verdict(turn.answer_id), labels),
        followups=next_questions([one.question for one in turn.followups], asked),
    )
    return _result(request, asked, parsed, found, [], labels, ui, shown)


@dataclass(frozen=True, slots=True)
class _Shown:
    """What the pages of new and of kept questions differ in; see contexts.SearchResultPage."""

    cards: tuple[Card, ...]
    more: str
    understood: str
    thread: Thread | None
    stream: str = ""
    answer: AnswerShown | None = None
    talk: Talk | None = None
    followups: tuple[LinkShown, ...] = ()


def _result(
    request: Request,
    asked: Asked,
    parsed: ParsedQuery,
    found: SearchPage,
    notes: Sequence[str],
    labels: Labels,
    ui: Ui,
    shown: _Shown,
) -> Response:
    return page(
        contexts.SearchResultPage(
            frame=frame(request, asked, asked.text, unscripted=bool(shown.stream)),
            notes=(*notes, *(mistake.said(ui) for mistake in parsed.mistakes[:_MOST_NOTES])),
            chips=(*asked.chips(), *asked.typed_chips(parsed.pieces)),
            sorts=sorts(asked, labels) if found.hits else (),
            tags=tags(found, asked),
            folding="" if asked.fold else asked.folding(True),
            languages=POST_LANGUAGES,
            stream=shown.stream,
            answer=shown.answer,
            understood=shown.understood,
            thread=shown.thread,
            talk=shown.talk,
            followups=shown.followups,
            cards=shown.cards,
            first_page=replace(asked, offset=0).address() if asked.offset else "",
            more=shown.more,
        )
    )


def _completed(understood: Understood) -> str:
    """The question as it was completed; "" where it was not."""
    return understood.question if understood.from_context else ""


def _home(request: Request, asked: Asked) -> Response:
    ui, labels = words_of(request, asked)
    plain = Asked(ui=asked.ui, scripted=asked.scripted)
    examples = tuple((text, replace(plain, text=text).address()) for text in EXAMPLES[ui])
    note = labels.deleted if request.query_params.get("deleted") == "1" else ""
    return page(contexts.HomePage(frame=frame(request, plain, ""), examples=examples, note=note))


def _refused(request: Request, bad: BadParameter) -> Response:
    return error_page(request, 400, bad.message(page_words(request)))


def _finder(request: Request) -> Finder:
    return cast("Finder", request.app.state.services)
