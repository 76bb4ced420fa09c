"""The commands that ask the index: serve, search, ask, doctor; those that measure are in eval_cli."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from typing import Any

from app.commands import eval_cli, feedback_cli
from retrieval.errors import FixableError, IndexLocked
from retrieval.settings import Settings

Subparsers = Any  # argparse names this type only privately


def add_commands(subparsers: Subparsers) -> None:
    serve = subparsers.add_parser("serve", help="answer people over HTTP: the page and the JSON API")
    serve.add_argument("--host", help="address to listen on (STIPPLE_HOST)")
    serve.add_argument("--port", type=int, help="port to listen on, 0 for a free one (STIPPLE_PORT)")
    serve.set_defaults(run=_serve)

    search = subparsers.add_parser("search", help="find posts for a query")
    search.add_argument("query")
    search.add_argument("--limit", type=int, default=10, choices=range(1, 51), metavar="1..50")
    _add_filters(search)
    search.set_defaults(run=_search)

    ask = subparsers.add_parser("ask", help="answer a question from the posts")
    ask.add_argument("question")
    _add_filters(ask)
    ask.set_defaults(run=_ask)

    eval_cli.add_commands(subparsers)
    feedback_cli.add_commands(subparsers)

    doctor = subparsers.add_parser("doctor", help="check models, index, port and disk, and say how to mend them")
    doctor.set_defaults(run=_doctor)


def _add_filters(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--author", action="append", default=[], help="only this author's posts; may be repeated")
    parser.add_argument("--tag", action="append", default=[], help="only posts with this tag; may be repeated")
    parser.add_argument("--language", action="append", default=[], help="only posts in this language, such as zh")
    parser.add_argument("--since", help="only posts from this date on, YYYY-MM-DD")
    parser.add_argument("--until", help="only posts before this date, YYYY-MM-DD")
    parser.add_argument("--min-likes", type=int, help="only posts with at least so many likes")
    parser.add_argument("--json", action="store_true", help="print the API's JSON instead of text")


def _serve(args: argparse.Namespace, settings: Settings) -> int:
    import uvicorn

    from app.garbage import spare_what_is_loaded
    from app.listen_socket import bind
    from app.main import create_app
    from app.services import Services
    from app.web.logs import configure_logs

    host, port = args.host or settings.host, settings.port if args.port is None else args.port
    # Bound before the models load: a port in use is said at once.
    listener = bind(host, port)
    configure_logs(settings)
    app = create_app(settings, Services.build(settings, getattr(args, "make_intake", None)))
    spare_what_is_loaded()
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=5))
    address = listener.getsockname()
    print(f"Stipple answers on http://{address[0]}:{address[1]}/ (API: /docs)", flush=True)
    server.run(sockets=[listener])
    return 0 if server.started else 1


def _search(args: argparse.Namespace, settings: Settings) -> int:
    found = _asked(args, settings, "search")
    if args.json:
        print(json.dumps(found, ensure_ascii=False))
        return 0
    for hit in found["hits"]:
        _print_hit(hit)
    print(f"{len(found['hits'])} of {found['total']} posts", file=sys.stderr)
    _print_notes(found)
    return 0


def _ask(args: argparse.Namespace, settings: Settings) -> int:
    answer = _asked(args, settings, "answer")
    if args.json:
        print(json.dumps(answer, ensure_ascii=False))
        return 0
    for sentence in answer["sentences"]:
        marks = "".join(f"[{citation['mark']}]" for citation in sentence["citations"])
        print(f"“{sentence['text']}” {marks}" if answer["kind"] == "quoted" else f"{sentence['text']} {marks}")
    if answer["note"]:
        print(answer["note"])
    print()
    cited = {citation["mark"] for sentence in answer["sentences"] for citation in sentence["citations"]}
    for hit in answer["hits"]:
        if not cited or hit["rank"] in cited:
            _print_hit(hit)
    _print_notes(answer)
    return 0


def _print_notes(found: dict[str, Any]) -> None:
    for note in found["notes"]:
        print(f"note: {note['message']}", file=sys.stderr)


def _print_hit(hit: dict[str, Any]) -> None:
    post = hit["post"]
    date = (post["created_at"] or "")[:10]
    by = " ".join(part for part in (f"@{post['author']}" if post["author"] else "", date) if part)
    text = " ".join((post["title"] + "  " + hit["passage"]["text"]).split())
    print(f"[{hit['rank']}] {text[:160]}{'…' if len(text) > 160 else ''}\n    {by}  {post['id']}  {post['url']}")


def _asked(args: argparse.Namespace, settings: Settings, what: str) -> dict[str, Any]:
    """What the API gives for these arguments: from this process, or from the server that holds the index open."""
    from pydantic import ValidationError

    from app.web.api.requests import AnswerIn, SearchIn

    filters = {name: getattr(args, name) for name in ("author", "tag", "language")}
    filters |= {name: value for name in ("since", "until", "min_likes") if (value := getattr(args, name)) is not None}
    try:
        wanted: SearchIn | AnswerIn = (
            SearchIn(q=args.query, limit=args.limit, **filters)
            if what == "search"
            else AnswerIn(question=args.question, **filters)
        )
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]).replace("_", "-")
        raise FixableError(f"--{name} is {first['input']!r:.80}: {first['msg']}", f"stipple {what} --help") from None
    try:
        return asyncio.run(_from_this_process(wanted, settings, getattr(args, "make_intake", None)))
    except IndexLocked as locked:
        return _from_server(wanted, settings, locked)


async def _from_this_process(wanted: Any, settings: Settings, make_intake: Any) -> dict[str, Any]:
    from app.answering.types import Done, Question
    from app.services import Services
    from app.web.api.answer_responses import AnswerOut
    from app.web.api.requests import SearchIn
    from app.web.api.responses import SearchOut, understanding
    from app.web.api.search_routes import BlankQueryError, asked_for, understood
    from retrieval.types import SearchQuery

    searching = isinstance(wanted, SearchIn)
    try:
        asked_for(wanted.q if searching else wanted.question, "the query")
    except BlankQueryError as error:
        raise FixableError(str(error), "put it in quotation marks after the command") from None
    services = Services.build(settings.model_copy(update={"llm": "none"}) if searching else settings, make_intake)
    if services.writer_problem is not None:
        print(f"note: {services.writer_problem.problem}\nto fix: {services.writer_problem.fix}", file=sys.stderr)
    try:
        typed, asked = await understood(services, wanted)
        said = understanding(typed, asked)
        if searching:
            page = await services.search(SearchQuery(asked.text, asked.filters, wanted.limit))
            return SearchOut.from_domain(page).model_copy(update={"query": typed} | said).model_dump(mode="json")
        async for event in services.answer(Question(asked.text, asked.filters)):
            if isinstance(event, Done):
                answer = AnswerOut.from_domain(event.answer).model_copy(update={"question": typed} | said)
                return answer.model_dump(mode="json")
        raise AssertionError("the answer ended without Done")
    finally:
        await services.close()


def _from_server(wanted: Any, settings: Settings, locked: IndexLocked) -> dict[str, Any]:
    import httpx

    from app.web.api.requests import SearchIn

    base = f"http://{settings.host}:{settings.port}/api/"
    values = wanted.model_dump(mode="json", exclude_none=True)
    try:
        if isinstance(wanted, SearchIn):
            response = httpx.get(base + "search", params=values, timeout=settings.llm_timeout_s + 10)
        else:
            response = httpx.post(base + "answer", json=values, timeout=settings.llm_timeout_s + 10)
        found: dict[str, Any] = response.json()
    except (httpx.HTTPError, ValueError):
        raise locked from None
    if response.is_error:
        raise FixableError(
            f"the server at {base} refused: {found.get('message', response.reason_phrase)}", "see its log"
        )
    return found


def _doctor(args: argparse.Namespace, settings: Settings) -> int:  # noqa: ARG001  # every command has this signature
    from app.commands.doctor import examine

    worst = 0
    for finding in examine(settings):
        print(f"{finding.mark}  {finding.part}: {finding.says}")
        if finding.fix:
            print(f"      to fix: {finding.fix}")
        worst = max(worst, finding.mark == "bad ")
    return worst
