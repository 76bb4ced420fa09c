"""Under which name a request reaches us, and which site's page sent it."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.web.client_address import is_loopback
from app.web.refusals import refuse
from retrieval.errors import FixableError
from retrieval.settings import Settings

_READING = {"GET", "HEAD", "OPTIONS"}


class AllowedHosts:
    """ASGI middleware: 400 for a host that is not ours, so that no other site's name can be pointed at this server.

    Ours are loopback names, the address that the connection came to, the host that is served, and the setting's.

    Raises:
        FixableError: The setting is not a list of names.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        listed = [one.strip().lower() for one in settings.allowed_hosts.split(",") if one.strip()]
        for one in listed:
            if one != "*" and _host_of(one.removeprefix("*.")) != one.removeprefix("*."):
                raise FixableError(
                    f"the setting STIPPLE_ALLOWED_HOSTS has {one!r}, which is no host's name",
                    "write names without scheme and port, as search.example.org,*.example.net",
                )
        self._any = "*" in listed
        self._names = {settings.host.lower(), *(one for one in listed if not one.startswith("*"))}
        self._endings = tuple(one[1:] for one in listed if one.startswith("*."))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self._any:
            named = Headers(scope=scope).getlist("host")
            host = _host_of(named[0]) if len(named) == 1 else None
            # No browser sends none; a load balancer that asks by HTTP/1.0 may.
            if named and (host is None or not self._is_ours(host, scope)):
                message = "no such host here; its operator can name it in STIPPLE_ALLOWED_HOSTS"
                await refuse(scope, receive, send, 400, "unknown_host", message)
                return
        await self._app(scope, receive, send)

    def _is_ours(self, host: str, scope: Scope) -> bool:
        # A connection cannot be made to come to an address of ours under another site's name.
        arrived_at = str((scope.get("server") or ("",))[0]).lower()
        return is_loopback(host) or host in self._names or host == arrived_at or host.endswith(self._endings)


class SameOrigin:
    """ASGI middleware: 403 for what another site's page sends to change something here (docs/decisions/0028).

    Browsers say where a request comes from, in Sec-Fetch-Site or, the older ones and over plain HTTP, in Origin.
    Programs say neither, and carry nobody's cookie.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in _READING and _is_foreign(Headers(scope=scope)):
            await refuse(scope, receive, send, 403, "other_site", "another site's page may not change anything here")
            return
        await self._app(scope, receive, send)


def _is_foreign(headers: Headers) -> bool:
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None:
        return site not in ("same-origin", "none")  # "none": typed in, or from a bookmark
    if origin is None:
        return False
    try:
        return urlsplit(origin).netloc.lower() != headers.get("host", "").lower()
    except ValueError:
        return True


def _host_of(written: str) -> str | None:
    """The name or address in a Host header, in lower case and without the port; None if it is not written as one."""
    if any(one in written for one in "/\\@?#, \t"):
        return None
    try:
        split = urlsplit(f"//{written}")
        _ = split.port  # raises where it is no number
    except ValueError:
        return None
    return split.hostname or None
