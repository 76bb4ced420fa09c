"""The one check whether an address may be stored and linked to. Pure."""

from __future__ import annotations

import unicodedata
from urllib.parse import urlsplit


def is_web_address(url: str) -> bool:
    """Whether this is an http or https address with a host, and without white space or control characters.

    Any other scheme is refused: `javascript:` in a stranger's post would be code on our page.

    >>> is_web_address("https://a.example/1"), is_web_address("javascript:x()"), is_web_address("//a.example")
    (True, False, False)
    """
    try:
        parts = urlsplit(url)
        has_host = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return False
    return has_host and not any(one.isspace() or unicodedata.category(one) == "Cc" for one in url)
