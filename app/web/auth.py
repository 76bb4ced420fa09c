"""Access: who a request is from, whether they may read, and keys that allow more."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote, urlencode, urlsplit

import structlog
from fastapi import HTTPException, Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api_keys import Key, Keys, Right
from app.readers import EVERYBODY, Account, Readers
from app.web.client_address import Client, Networks, by_https, client_of, is_loopback, through_proxy
from app.web.refusals import refuse
from app.web.visitor import Visitor, is_visiting
from retrieval.errors import FixableError
from retrieval.settings import Settings

Mode = Literal["open", "keys", "password", "accounts", "proxy"]
SIGN_IN = "/sign-in"
# Asked for by load balancers, or needed to sign in; nothing that anybody wrote is in them.
_OPEN = {"/healthz", "/readyz", SIGN_IN}
_OPEN_FOLDER = "/static/"
_HOW = "send it as `Authorization: Bearer KEY`"
_CHALLENGE = {"WWW-Authenticate": "Bearer"}
# Where somebody may be sent on to after signing in. Names of pages, so that it can be nothing else.
_PAGES = {"/", "/search", "/docs"}
_LONGEST_WAY_BACK = 12_000  # written into an address; of those, at most request_bounds.LONGEST_ADDRESS is read
_MOST_NAME = 200
_log = structlog.get_logger()


class Refused(HTTPException):
    """A request without the key that it needs: 401 without a valid key, 403 if its key does not allow this."""


async def key_of(request: Request, keys: Keys, needed: Right) -> Key:
    """The key that a request carries.

    Raises:
        Refused: It carries none, an unknown one, or one that does not allow this.
        FixableError: The keys cannot be read.
    """
    shown = _shown(request)
    try:
        key = await asyncio.to_thread(keys.find, shown) if shown else None
        none_exists = key is None and not await asyncio.to_thread(keys.all)
    except (sqlite3.Error, OSError) as error:
        raise FixableError(f"the keys cannot be read: {error}", "make keys.sqlite readable, or delete it") from error
    if none_exists:
        raise Refused(403, f"this needs a key, and none exists yet: run `stipple keys add --{needed} NAME`")
    if not shown:
        raise Refused(401, f"this needs a {needed} key: {_HOW}", _CHALLENGE)
    if key is None:
        raise Refused(401, "the key is unknown or was revoked", _CHALLENGE)
    if not key.allows(needed):
        raise Refused(403, f"the key {key.name} allows {key.right} only; this needs {needed}")
    return key


@dataclass(frozen=True, slots=True)
class Access:
    """Who may read, as the settings say it.

    Attributes:
        mode: "open": everybody. Else programs with a key, and people as the mode says.
        session_s: Longest that a session lasts.
    """

    mode: Mode
    keys: Keys
    readers: Readers
    proxies: Networks
    reader_header: bytes
    session_s: float

    @classmethod
    def read(cls, settings: Settings) -> Access:
        """
        Raises:
            FixableError: It is not said who may read, or how cannot work.
        """
        mode: Mode
        if settings.readers != "auto":
            mode = settings.readers
        elif settings.read_keys:
            mode = "keys"
        elif is_loopback(settings.host):
            mode = "open"
        else:
            raise FixableError(
                f"others than this machine reach {settings.host}, and STIPPLE_READERS does not say who may read",
                "set STIPPLE_READERS=open for everybody, or password, accounts, proxy or keys (docs/deploying.md)",
            )
        proxies = Networks.read(settings.trusted_proxies, "STIPPLE_TRUSTED_PROXIES")
        if mode == "proxy" and not proxies.networks:
            raise FixableError(
                "STIPPLE_READERS is proxy, and no proxy is declared", "set STIPPLE_TRUSTED_PROXIES to its address"
            )
        header = settings.reader_header.strip().lower()
        if not header or not header.isascii() or not header.replace("-", "").isalnum():
            raise FixableError(
                f"the setting STIPPLE_READER_HEADER is {settings.reader_header!r}, which is no header's name",
                "write it as Remote-User",
            )
        return cls(
            mode, Keys(settings.data_dir / "keys.sqlite"), Readers(settings.data_dir / "readers.sqlite"), proxies,
            header.encode(), settings.session_days * 86400,
        )  # fmt: skip

    @property
    def signs_in(self) -> bool:
        """Whether there is a page to sign in."""
        return self.mode in ("password", "accounts")

    def prepare(self) -> None:
        """Make what commands and sessions are recognised by, and warn where nobody could sign in.

        Raises:
            FixableError: The file of readers cannot be used.
        """
        if self.mode == "open":
            return
        try:
            self.readers.prepare()
            mend = self.nobody_signs_in(self.readers.all())
        except (sqlite3.Error, OSError) as error:
            raise FixableError(
                f"readers.sqlite cannot be used: {error}", "make it writable for this user, or restore it"
            ) from error
        if mend is not None:
            _log.warning("nobody can sign in to read yet", fix=f"{mend}; the server need not be restarted")

    def nobody_signs_in(self, accounts: Sequence[Account]) -> str | None:
        """What to do where people should sign in and none of these could; None where there is nothing to do."""
        if not self.signs_in or any((one.name == EVERYBODY) == (self.mode == "password") for one in accounts):
            return None
        return "run `stipple readers password`" if self.mode == "password" else "run `stipple readers add NAME`"

    def cookie(self, scope: Scope) -> str:
        """The name of the session's cookie. With this prefix browsers take it from HTTPS alone, for this host alone."""
        return "__Host-stipple" if by_https(scope, self.proxies) else "stipple"


class ReadGate:
    """ASGI middleware: says who asks, and lets nobody read who may not. It goes by no list of routes: all are closed.

    Raises:
        FixableError: See Access.read.
    """

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app, self._access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # none of our routes speaks anything else
            await send({"type": "websocket.close", "code": 1008})
            return
        request, is_open = Request(scope), self._access.mode == "open"
        try:
            visitor = await self._visitor(request)
        except (sqlite3.Error, OSError) as error:
            _log.warning("keys or readers cannot be read", problem=str(error), fix="see `stipple doctor`")
            visitor = self._stranger(request)
            if not is_open and not _is_open_to_all(scope["path"]):
                is_visiting(visitor)
                await refuse(scope, receive, send, 503, "unavailable", "nobody can be recognised now; see the log")
                return
        is_visiting(visitor)
        if is_open or visitor.by != "nothing" or _is_open_to_all(scope["path"]):
            await self._app(scope, receive, send if is_open else _unkept(scope, send))
            return
        if (answer := self._way_in(request)) is not None:
            await answer(scope, receive, send)
            return
        message = "the key is unknown or was revoked" if _shown(request) else f"this needs a read key: {_HOW}"
        await refuse(scope, receive, send, 401, "key_needed", message, headers=_CHALLENGE)

    async def _visitor(self, request: Request) -> Visitor:
        """
        Raises:
            sqlite3.Error, OSError: The files cannot be read.
        """
        access, client = self._access, client_of(request.scope, self._access.proxies)
        unlimited = client.at_this_machine
        if shown := _shown(request):
            key = await asyncio.to_thread(access.keys.find, shown)
            if key is not None:
                name = f"key {key.name}"
                return Visitor(name, "" if unlimited else name, "key", key.allows("admin"))
            server = getattr(request.app.state, "server_token", "")
            if await asyncio.to_thread(access.readers.is_local, shown, server):
                return Visitor("a command", "" if unlimited else client.name, "command", is_admin=True)
            return self._stranger(request)
        if access.mode == "proxy":
            named = self._named_by_proxy(request)
            return Visitor(f"reader {named}", f"reader {named}", "proxy") if named else self._stranger(request)
        session = request.cookies.get(access.cookie(request.scope), "") if access.signs_in else ""
        account = await asyncio.to_thread(access.readers.signed_in, session, access.session_s) if session else None
        if account is None or not self._is_of_this_mode(account):
            return self._stranger(request)
        if account.name == EVERYBODY:  # known by the address: all have one name
            return Visitor(f"reader at {client.name}", "" if unlimited else client.name, "session")
        name = f"reader {account.name}"
        return Visitor(name, "" if unlimited else name, "session", account.role == "admin")

    def _is_of_this_mode(self, account: Account) -> bool:
        return (account.name == EVERYBODY) == (self._access.mode == "password")

    def _stranger(self, request: Request) -> Visitor:
        client: Client = client_of(request.scope, self._access.proxies)
        here = client.at_this_machine
        # Where everybody may read, the operator is whoever sits at the machine; else the operator has a key.
        return Visitor(
            "this machine" if here else client.name, "" if here else client.name,
            is_admin=here and self._access.mode == "open",
        )  # fmt: skip

    def _named_by_proxy(self, request: Request) -> str:
        """Whom a declared proxy names; "" if it names nobody, or two, of which one would be the reader's invention."""
        if not through_proxy(request.scope, self._access.proxies):
            return ""
        named = [value for name, value in request.scope["headers"] if name == self._access.reader_header]
        written = named[0].decode("utf-8", "replace").strip() if len(named) == 1 else ""
        return written if written.isprintable() and len(written) <= _MOST_NAME else ""

    def _way_in(self, request: Request) -> Response | None:
        """On to the page where one signs in, for whoever looks at pages; None for others."""
        path = request.url.path
        if not self._access.signs_in or _shown(request) or path.startswith("/api/") or path == "/answer/stream":
            return None
        if "hx-request" in request.headers:  # htmx follows a redirect by itself, and would put the page into the page
            shown = urlsplit(request.headers.get("hx-current-url", ""))
            way = sign_in_address(f"{shown.path}?{shown.query}")
            return JSONResponse({"error": "key_needed"}, 401, {"HX-Redirect": way, **_CHALLENGE})
        if "text/html" not in request.headers.get("accept", ""):
            return None
        back = f"{path}?{request.url.query}" if request.method == "GET" else "/"
        way = sign_in_address(back, request.query_params.get("ui", ""))
        return RedirectResponse(way, 303, {"Cache-Control": "no-store"})


def sign_in_address(back: str, ui: str = "") -> str:
    """The page where one signs in, and is then sent back."""
    way = own_address(back)
    given = ([("next", way)] if way != "/" else []) + ([("ui", ui)] if ui in ("en", "zh") else [])
    return f"{SIGN_IN}?{urlencode(given)}" if given else SIGN_IN


def own_address(written: str) -> str:
    """The address of a page of ours if that is what is written, else "/": a forged link must not lead to another site.

    >>> own_address("/search?q=tea"), own_address("//evil.example/"), own_address("https://evil.example/search")
    ('/search?q=tea', '/', '/')
    """
    path, mark, query = written.partition("?")
    if path not in _PAGES or not query.isascii() or not query.isprintable() or len(quote(written)) > _LONGEST_WAY_BACK:
        return "/"
    return path + mark + query.partition("#")[0] if query else path


def refusal_word(status: int) -> str:
    return {401: "key_needed", 403: "key_refused"}.get(status, "refused")


def _is_open_to_all(path: str) -> bool:
    return path in _OPEN or path.startswith(_OPEN_FOLDER)


def _unkept(scope: Scope, send: Send) -> Send:
    """Sends responses that no cache keeps: neither one on the way, nor the browser of a machine that others use."""

    async def send_unkept(message: Message) -> None:
        if message["type"] == "http.response.start" and not scope["path"].startswith(_OPEN_FOLDER):
            headers = [one for one in message.get("headers", []) if one[0].lower() != b"cache-control"]
            message = {**message, "headers": [*headers, (b"cache-control", b"no-store")]}
        await send(message)

    return send_unkept


def _shown(request: Request) -> str:
    """The key that a request carries; "" if none."""
    scheme, _, shown = request.headers.get("authorization", "").partition(" ")
    return (shown if scheme.lower() == "bearer" else request.headers.get("x-api-key", "")).strip()
