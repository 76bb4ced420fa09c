"""From a context to HTML, and the headers of every page."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import Response

from app.web.page.contexts import Context
from retrieval.errors import FixableError

TEMPLATES = Path(__file__).parents[1] / "templates"
STATIC = Path(__file__).parents[1] / "static"
_ASSETS = (
    "favicon.svg", "stipple.css", "results.css", "stipple.js", "results.js", "vendor/htmx.min.js", "vendor/sse.js",
)  # fmt: skip

# Nothing inline, nothing from other sites: even a post that got past escaping could not run a script or load a picture.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # the question is in the address, and posts link to other sites
    "Cache-Control": "private, no-cache",
    "Vary": "Accept-Language",
}

ENVIRONMENT = Environment(
    loader=FileSystemLoader(TEMPLATES),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render(context: Context) -> str:
    """The context's template, filled."""
    values = {field.name: getattr(context, field.name) for field in fields(context)}
    return ENVIRONMENT.get_template(context.template).render(values)


def page(context: Context, status_code: int = 200) -> Response:
    """A whole page."""
    # A lone surrogate cannot be encoded; one in the index must cost a character and not the page.
    body = render(context).encode("utf-8", "replace")
    return Response(body, status_code, dict(HEADERS), media_type="text/html")


@cache
def assets() -> Mapping[str, str]:
    """Address of each file that pages load, with a hash of its content, so that browsers may cache it forever.

    Raises:
        FixableError: A library that the package's build adds is missing.
    """
    addresses = {}
    for name in _ASSETS:
        try:
            content = (STATIC / name).read_bytes()
        except FileNotFoundError:
            raise FixableError(
                f"{STATIC / name} is missing",
                "install Stipple again (`pip install -e .`): its build brings the file",
            ) from None
        addresses[name] = f"/static/{name}?v={hashlib.sha256(content).hexdigest()[:12]}"
    return addresses
