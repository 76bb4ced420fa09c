"""The commands that read the index: serve, search, ask, doctor; `eval` is in eval_cli."""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

from app.commands import eval_cli, feedback_cli
from retrieval.errors import FixableError
from retrieval.settings import Settings

if TYPE_CHECKING:
    from retrieval.ingestion import MakeIngestion

Subparsers = Any  # argparse names this type only privately
# Objects made, less those freed, before the youngest are collected. A search makes some thousands, which are all gone
# at its end; Python's default of 700 would look for cycles among them several times a search.
_YOUNGEST = 20_000


def add_commands(subparsers: Subparsers, make_ingestion: MakeIngestion | None = None) -> None:
    """Add the commands; without `make_ingestion`, a server takes no posts in."""
    serve = subparsers.add_parser("serve", help="serve the page and the JSON API over HTTP")
    serve.add_argument("--host", help="address to listen on (STIPPLE_HOST)")
    serve.add_argument("--port", type=int, help="port to listen on; 0 takes a free one (STIPPLE_PORT)")
    serve.set_defaults(run=partial(_serve, make_ingestion=make_ingestion))

    search = subparsers.add_parser("search", help="find posts for a query")
    search.add_argument("query")
    search.add_argument("--limit", type=int, default=10, choices=range(1, 51), metavar="1..50")
    _add_filters(search)
    search.set_defaults(run=partial(_search, make_ingestion=make_ingestion))

    ask = subparsers.add_parser("ask", help="answer a question from the posts")
    ask.add_argument("question")
    _add_filters(ask)
    ask.set_defaults(run=partial(_ask, make_ingestion=make_ingestion))

    eval_cli.add_commands(subparsers)
    feedback_cli.add_commands(subparsers)

    doctor = subparsers.add_parser("doctor", help="check models, index, port and disk, and say how to fix problems")
    doctor.set_defaults(run=_doctor)


def _add_filters(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--author", action="append", default=[], help="only this author's posts; may be repeated")
    parser.add_argument("--tag", action="append", default=[], help="only posts with this tag; may be repeated")
    parser.add_argument("--language", action="append", default=[], help="only posts in this language, such as zh")
    parser.add_argument("--since", help="only posts from this date on, YYYY-MM-DD")
    parser.add_argument("--until", help="only posts before this date, YYYY-MM-DD")
    parser.add_argument("--min-likes", type=int, help="only posts with at least this many likes")
    parser.add_argument("--json", action="store_true", help="print the API's JSON instead of text")


def _serve(args: argparse.Namespace, settings: Settings, make_ingestion: MakeIngestion | None) -> int:
    import uvicorn

    from app.listen_socket import bind
    from app.main import create_app
    from app.running_server import announced
    from app.services import Services
    from app.web.auth import Access
    from app.web.http_protocol import server_options
    from app.web.logs import configure_logs

    host, port = args.host or settings.host, settings.port if args.port is None else args.port
    # Bound before the models load, so that a port in use is reported at once.
    listener = bind(host, port)
    configure_logs(settings)
    settings = settings.model_copy(update={"host": host})
    Access.read(settings)  # before the models load, so that what is missing is said at once
    app = create_app(settings, Services.build(settings, make_ingestion))
    keep_out_of_garbage_collection()
    server = uvicorn.Server(uvicorn.Config(app, **server_options(settings.most_connections)))
    address = listener.getsockname()
    print(f"Stipple answers on http://{address[0]}:{address[1]}/ (API: /docs)", flush=True)
    with announced(settings.data_dir, address[0], address[1]) as app.state.server_token:
        server.run(sockets=[listener])
    return 0 if server.started else 1


def keep_out_of_garbage_collection() -> None:
    """Keep the objects that are loaded now out of garbage collection. Call it once models and index are loaded.

    Libraries and models are about a million objects; looking through them took a tenth of the time of searching, a
    tenth of a second at a time in which no request was answered.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNGEST, *gc.get_threshold()[1:])


def _search(args: argparse.Namespace, settings: Settings, make_ingestion: MakeIngestion | None) -> int:
    found = _asked(args, settings, "search", make_ingestion)
    if args.json:
        print(json.dumps(found, ensure_ascii=False))
        return 0
    for hit in found["hits"]:
        _print_hit(hit)
    print(f"{len(found['hits'])} of {found['total']} posts", file=sys.stderr)
    _print_notes(found)
    return 0


def _ask(args: argparse.Namespace, settings: Settings, make_ingestion: MakeIngestion | None) -> int:
    answer = _asked(args, settings, "answer", make_ingestion)
    if args.json:
        print(json.dumps(answer, ensure_ascii=False))
        return 0
    for sentence in answer["sentences"]:
        marks = "".join(f"[{citation['mark']}]" for citation in sentence["citations"])
        quote = f"{_source(sentence, answer['hits'])}“{sentence['text']}”" if sentence["quoted"] else sentence["text"]
        print(_clean(f"{quote} {marks}"))
    if answer["note"]:
        print(_clean(answer["note"]))
    print()
    cited = {citation["mark"] for sentence in answer["sentences"] for citation in sentence["citations"]}
    for hit in answer["hits"]:
        if not cited or hit["rank"] in cited:
            _print_hit(hit)
    _print_notes(answer)
    return 0


def _source(sentence: dict[str, Any], hits: list[dict[str, Any]]) -> str:
    """What names the post of a quote, before its words: its title, or its author and day."""
    citation = sentence["citations"][0]
    post = hits[citation["mark"] - 1]["post"]
    named = (post["title"] if citation["part"] != "title" else "") or _by(post)
    return f"{named}: " if named else ""


def _by(post: dict[str, Any]) -> str:
    date = (post["created_at"] or "")[:10]
    return " ".join(part for part in (f"@{post['author']}" if post["author"] else "", date) if part)


def _clean(text: str) -> str:
    """The text as a terminal may show it: what controls it, or hides letters, becomes a space."""
    return "".join(one if one.isprintable() else " " for one in text)


def _print_notes(found: dict[str, Any]) -> None:
    for note in found["notes"]:
        print(_clean(f"note: {note['message']}"), file=sys.stderr)


def _print_hit(hit: dict[str, Any]) -> None:
    post = hit["post"]
    text = " ".join((post["title"] + "  " + hit["passage"]["text"]).split())
    print(_clean(f"[{hit['rank']}] {text[:160]}{'…' if len(text) > 160 else ''}"))
    print(_clean(f"    {_by(post)}  {post['id']}  {post['url']}"))


def _asked(
    args: argparse.Namespace, settings: Settings, what: str, make_ingestion: MakeIngestion | None
) -> dict[str, Any]:
    """The JSON API's response to these arguments, from this process or from the server that has the index open."""
    from pydantic import ValidationError

    from app.running_server import running_server
    from app.web.api.requests import AnswerIn, SearchIn

    filters = {name: getattr(args, name) for name in ("author", "tag", "language")}
    filters |= {name: value for name in ("since", "until", "min_likes") if (value := getattr(args, name)) is not None}
    try:
        wanted: SearchIn | AnswerIn = (
            SearchIn(q=args.query, limit=args.limit, **filters)
            if what == "search"
            else AnswerIn(question=args.question, followups=False, **filters)
        )
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]).replace("_", "-")
        raise FixableError(f"--{name} is {first['input']!r:.80}: {first['msg']}", f"stipple {what} --help") from None
    server = running_server(settings.data_dir)
    if server is not None:
        return _from_server(wanted, settings, server)
    return asyncio.run(_from_this_process(wanted, settings, make_ingestion))


async def _from_this_process(wanted: Any, settings: Settings, make_ingestion: MakeIngestion | None) -> dict[str, Any]:
    from app.web.api.requests import SearchIn, visible_text

    searching = isinstance(wanted, SearchIn)
    if not visible_text(wanted.q if searching else wanted.question):  # before the models load
        raise FixableError("the query is blank: say what to look for", "put it in quotation marks after the command")
    print("no server has this index open: loading the models …", file=sys.stderr, flush=True)
    from app.services import Services  # takes seconds itself
    from app.web.api.answer_routes import answer_question
    from app.web.api.search_routes import search_posts

    services = Services.build(settings.model_copy(update={"llm": "none"}) if searching else settings, make_ingestion)
    if services.writer_problem is not None:
        print(f"note: {services.writer_problem.problem}\nto fix: {services.writer_problem.fix}", file=sys.stderr)
    try:
        found = await (search_posts(services, wanted) if searching else answer_question(services, wanted))
        return found.model_dump(mode="json")
    finally:
        await services.close()


def _from_server(wanted: Any, settings: Settings, server: str) -> dict[str, Any]:
    import httpx

    from app.readers import local_headers
    from app.running_server import server_token
    from app.web.api.requests import SearchIn

    base = f"{server}api/"
    headers = local_headers(settings.data_dir, server_token(settings.data_dir))
    values = wanted.model_dump(mode="json", exclude_none=True)
    try:
        if isinstance(wanted, SearchIn):
            response = httpx.get(base + "search", params=values, headers=headers, timeout=settings.llm_timeout_s + 10)
        else:
            response = httpx.post(base + "answer", json=values, headers=headers, timeout=settings.llm_timeout_s + 10)
        found: dict[str, Any] = response.json()
    except (httpx.HTTPError, ValueError) as error:
        raise FixableError(f"the server at {server} did not answer: {error}", "see its log, or stop it") from None
    if response.status_code == 401:
        raise FixableError(
            f"the server at {server} does not let this command read",
            f"run it as the user who owns {settings.data_dir}, or stop the server",
        )
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
