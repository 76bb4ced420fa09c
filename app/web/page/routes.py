"""The page: a search box, an answer that streams in, and the posts that it is made from.

The page is complete at once but for the answer: the posts are there, and the answer's events (/answer/stream) change
the page piece by piece. One search finds the posts: the answer is made from the first of them, so that mark n leads to
the element `post-n`. The address of the stream names that search; if it is no longer kept, the stream searches again,
and its first event replaces all cards. Each sentence replaces the cards that it cites, with its quotes marked. With
"js=off" all this happens before the page is sent.

A question that continues a conversation has its id and the turn's number in its address ("c" and "t"). The earlier
turns are above it; a turn that is kept already is shown as it is valid now, and not asked again.

A post has a page of its own, "/post/ID", of which scripts take the middle into a panel. With "narrow=1" a page of posts
is only the posts, which scripts show beside an answer that stays.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.staticfiles import StaticFiles
from starlette.types import Scope

from app.conversations.standalone.context import StandaloneQuestion
from app.conversations.turns import Turn
from app.web.page import contexts, forms
from app.web.page.answer_stream import answer_events, refusal_events
from app.web.page.html_response import STATIC, assets, page
from app.web.page.page_answer import (
    ConversationPlace,
    PageServices,
    completed,
    conversation_place,
    conversation_question,
    whole_answer,
)
from app.web.page.page_layout import error_page, failure, frame, page_words, words_of
from app.web.page.page_request import BadParameter, PageRequest
from app.web.page.views.answer import AnswerShown, answer_shown
from app.web.page.views.cards import Card, LinkShown
from app.web.page.views.conversation_view import (
    AnswerActions,
    ConversationView,
    answer_actions,
    conversation_view,
    kept_hits,
    kept_turn,
    next_questions,
)
from app.web.page.views.post_list import begins_with, cards_of, more, sorts, tags
from app.web.page.views.post_view import neighbour, post_shown
from app.web.page.views.quoted import read_quotes
from app.web.page.words.labels import EXAMPLES, POST_LANGUAGES, Labels, Ui
from app.web.sse import EventStream
from retrieval.errors import FixableError
from retrieval.query.pieces import ParsedQuery
from retrieval.types import SearchPage

__all__ = ["error_page", "install", "page_words", "router"]
router = APIRouter(include_in_schema=False)
_MOST_NOTES = 3
_MOST_LIKE_IT = 6


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
        FixableError: A library of the page is missing, because the package was not built.
    """
    assets()
    app.include_router(router)
    app.include_router(forms.router)
    app.mount("/static", _Static(directory=STATIC), name="static")


@router.get("/")
async def home(request: Request) -> Response:
    """The search box on an empty page."""
    try:
        asked = PageRequest.read(request.query_params.multi_items())
    except BadParameter as bad:
        return _refused(request, bad)
    return _home(request, asked)


@router.get("/search")
async def search(request: Request) -> Response:
    """The answer and the posts; the empty page if nothing was asked."""
    try:
        asked = PageRequest.read(request.query_params.multi_items())
    except BadParameter as bad:
        return _refused(request, bad)
    if not asked.text:
        return _home(request, asked)
    ui, labels = words_of(request, asked)
    services = _services(request)
    try:
        place = await conversation_place(services, asked, labels)
        query = await services.read_query(asked.text, place.asked.filters())
        if request.query_params.get("narrow") == "1":
            return await _narrowed(services, place, query, labels, ui)
        kept = kept_turn(place.turns, place.asked, query.filters)
        if kept is not None and asked.offset == 0 and asked.in_order_of_answers:
            return await _kept_page(request, services, place, query, kept, labels, ui)
        return await _new_page(request, services, place, query, labels, ui)
    except FixableError as error:
        return error_page(request, 503, failure(labels, error))


@router.get("/post/{post_id:path}")
async def post(request: Request, post_id: str) -> Response:
    """A post's own page: all that is stored of it, and posts like it."""
    try:
        asked = PageRequest.read(request.query_params.multi_items())
    except BadParameter as bad:
        return _refused(request, bad)
    ui, labels = words_of(request, asked)
    services = _services(request)
    try:
        found = (await asyncio.to_thread(services.posts, [post_id])).get(post_id)
        if found is None:
            return error_page(request, 404, labels.post_gone)
        alike = await services.like(found, _MOST_LIKE_IT)
    except FixableError as error:
        return error_page(request, 503, labels.failed.format(problem=error.problem))
    quotes = read_quotes(request.query_params.getlist("quote"))
    shown = post_shown(found, quotes, asked, labels, ui)
    return page(
        contexts.PostPage(
            frame=frame(request, asked, str(shown.heading.striptags())),
            post=shown,
            neighbours=tuple(neighbour(one, asked, labels, ui) for one in alike),
            back=asked.address() if asked.text else "",
        )
    )


@router.get("/answer/stream")
async def stream(request: Request) -> Response:
    """The answer's events; see `answer_stream`.

    A request that cannot be answered gets events too: a browser shows nothing of any other response.
    """
    try:
        asked = PageRequest.read(request.query_params.multi_items())
    except BadParameter as bad:
        labels = page_words(request)
        return EventStream(refusal_events(labels, bad.message(labels)))
    ui, labels = words_of(request, asked)
    if not asked.text:
        return EventStream(refusal_events(labels, labels.no_posts))
    return EventStream(answer_events(_services(request), asked, labels, ui, request.query_params.get("search", "")))


async def _narrowed(
    services: PageServices, place: ConversationPlace, query: ParsedQuery, labels: Labels, ui: Ui
) -> Response:
    """The posts alone of a question with one more tag."""
    asked = place.asked
    completed_query, _ = completed(query, place.turns, place.posts or {})
    found = await services.search(asked.query(completed_query.text, completed_query.filters, 0))
    return page(
        contexts.NarrowedFragment(
            labels=labels,
            heading=labels.tagged.format(tag=" #".join(asked.tags)),
            cards=cards_of(found.hits, (), asked, labels, ui),
            back=replace(asked, tags=()).address(),
            whole=asked.address(),
        )
    )


async def _new_page(
    request: Request, services: PageServices, place: ConversationPlace, query: ParsedQuery, labels: Labels, ui: Ui
) -> Response:
    """The page of a question that was not asked yet, or of more posts for one that was."""
    asked, posts = place.asked, place.posts or {}
    first = asked.offset == 0 and asked.in_order_of_answers
    # Filters alone ask for posts, and for nothing that an answer could say.
    answers = first and bool(query.text)
    notes = [place.note] if place.note else []
    turns = tuple(turn for turn in place.turns if first or turn.number < asked.turn)
    earlier = conversation_view(turns, posts, asked, labels)
    if answers and not asked.scripted:
        question, note = await conversation_question(services, asked, query, labels)
        notes += [note] if note else []
        standalone, wanted, filters = question.standalone, question.question.text, question.question.filters
    else:
        completed_query, standalone = completed(query, turns, posts)
        wanted, filters = completed_query.text, completed_query.filters
    found = await services.search(asked.query(wanted, filters, services.answer_hits))
    cards = cards_of(found.hits, (), asked, labels, ui)
    shown = _Shown(cards, more(asked, found), _if_completed(standalone), earlier)
    if answers and found.hits:
        if asked.scripted:
            stream = asked.address("/answer/stream", search=services.recent_searches.keep(found))
            shown = replace(shown, stream=stream, sources=cards[: services.answer_hits])
        else:
            whole = await whole_answer(services, question, found)
            notes += [labels.not_kept] if whole.kept.failed and labels.not_kept not in notes else []
            kept = asked.within(whole.kept.conversation, whole.kept.number)
            hits = found.hits if begins_with(found.hits, whole.answer.hits) else whole.answer.hits
            cards = cards_of(hits, whole.answer.sentences, kept, labels, ui)
            shown = replace(
                shown,
                cards=cards,
                sources=cards[: len(whole.answer.hits)],
                answer=answer_shown(whole.answer, labels, asked=kept, thinking=asked.thinking),
                actions=answer_actions(whole.kept.answer_id, kept, None, labels),
                followups=next_questions(whole.followups, kept),
            )
    return _result(request, asked, query, found, notes, labels, ui, shown)


async def _kept_page(
    request: Request,
    services: PageServices,
    place: ConversationPlace,
    query: ParsedQuery,
    turn: Turn,
    labels: Labels,
    ui: Ui,
) -> Response:
    """The page of a question that was answered already, with what is still valid of the answer."""
    asked, posts = place.asked.within(place.asked.conversation, turn.number), place.posts or {}
    question = turn.answer.question
    found = await services.search(asked.query(question.text, question.filters, services.answer_hits))
    kept = kept_hits(turn, posts, found.hits)
    hits = [*kept, *(hit for hit in found.hits if hit.post.id not in turn.shown)]
    cards = cards_of(hits, turn.answer.sentences, asked, labels, ui)
    shown = _Shown(
        cards=cards,
        sources=tuple(one for one in cards if one.number <= len(kept)),
        more=more(asked, found),
        understood=_if_completed(turn.standalone),
        conversation=conversation_view([one for one in place.turns if one.number < turn.number], posts, asked, labels),
        answer=answer_shown(turn.answer, labels, hits, turn.withdrawn, asked=asked),
        actions=answer_actions(turn.answer_id, asked, await services.converser.verdict(turn.answer_id), labels),
        followups=next_questions([one.question for one in turn.followups], asked),
    )
    return _result(request, asked, query, found, [], labels, ui, shown)


@dataclass(frozen=True, slots=True)
class _Shown:
    """Where the pages of new and of kept questions differ; see contexts.SearchResultPage."""

    cards: tuple[Card, ...]
    more: str
    understood: str
    conversation: ConversationView | None
    sources: tuple[Card, ...] = ()
    stream: str = ""
    answer: AnswerShown | None = None
    actions: AnswerActions | None = None
    followups: tuple[LinkShown, ...] = ()


def _result(
    request: Request,
    asked: PageRequest,
    query: ParsedQuery,
    found: SearchPage,
    notes: Sequence[str],
    labels: Labels,
    ui: Ui,
    shown: _Shown,
) -> Response:
    return page(
        contexts.SearchResultPage(
            frame=frame(request, asked, asked.text, unscripted=bool(shown.stream)),
            notes=(*notes, *(mistake.text(ui) for mistake in query.mistakes[:_MOST_NOTES])),
            chips=(*asked.chips(), *asked.typed_chips(query.pieces)),
            sorts=sorts(asked, labels) if found.hits else (),
            tags=tags(found, asked),
            folding="" if asked.fold else asked.folding(True),
            languages=POST_LANGUAGES,
            stream=shown.stream,
            answer=shown.answer,
            understood=shown.understood,
            conversation=shown.conversation,
            sources=shown.sources,
            actions=shown.actions,
            followups=shown.followups,
            cards=shown.cards,
            first_page=replace(asked, offset=0).address() if asked.offset else "",
            more=shown.more,
        )
    )


def _if_completed(standalone: StandaloneQuestion) -> str:
    """The question as it was completed; "" if it was not."""
    return standalone.question if standalone.was_completed else ""


def _home(request: Request, asked: PageRequest) -> Response:
    ui, labels = words_of(request, asked)
    plain = PageRequest(ui=asked.ui, scripted=asked.scripted)
    examples = tuple((text, replace(plain, text=text).address()) for text in EXAMPLES[ui])
    note = labels.deleted if request.query_params.get("deleted") == "1" else ""
    return page(contexts.HomePage(frame=frame(request, plain, ""), examples=examples, note=note))


def _refused(request: Request, bad: BadParameter) -> Response:
    return error_page(request, 400, bad.message(page_words(request)))


def _services(request: Request) -> PageServices:
    return cast("PageServices", request.app.state.services)
