"""Builds lines of a post file from platforms' values: a detail that validation would reject the whole post for (an alt
text that is too long, an unknown language) is cut or left out. Pure.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from indexer.readers.record_kinds import PostShape
from retrieval.text.language import LANGUAGE_CODES
from retrieval.text.web_address import is_web_address

LONGEST = {"id": 200, "title": 1_000, "text": 200_000, "author": 200, "tag": 100, "alt": 2_000, "comment": 50_000}
MOST = 100  # tags and pictures


def post_shape(
    post_id: str,
    *,
    text: str = "",
    title: str = "",
    author: str = "",
    tags: Iterable[str] = (),
    language: str = "",
    created_at: object = None,
    likes: int = 0,
    collects: int = 0,
    comment_count: int = 0,
    url: str = "",
    images: Iterable[tuple[str, str]] = (),
    comments: Iterable[PostShape] = (),
) -> PostShape:
    """A post with these values; empty ones are left out.

    Args:
        language: Any tag of BCP 47; an unknown one is left out, and detected later.
        created_at: As the platform writes it.
        images: Pairs of address and description; those without a web address are dropped.
    """
    code = language.replace("_", "-").split("-")[0].lower()
    pictures = [
        {"url": address, "alt": cut(alt, LONGEST["alt"])}
        for address, alt in images
        if address and web_address(address) == address
    ]
    given: PostShape = {
        "title": cut(" ".join(title.split()), LONGEST["title"]),
        "text": cut(text, LONGEST["text"]),
        "author": cut(author, LONGEST["author"]),
        "tags": [tag for tag in dict.fromkeys(tags) if tag and len(tag) <= LONGEST["tag"]][:MOST],
        "language": code if code in LANGUAGE_CODES else "",
        "created_at": created_at,
        "likes": likes,
        "collects": max(0, collects),
        "comment_count": max(0, comment_count),
        "url": web_address(url),
        "images": pictures[:MOST],
        "comments": list(comments)[:500],
    }
    return {"id": short_id(post_id)} | {name: value for name, value in given.items() if value}


def comment_shape(text: str, author: str = "", likes: int = 0, created_at: object = None) -> PostShape:
    """A comment with these values; empty ones are left out."""
    shape: PostShape = {
        "text": cut(text, LONGEST["comment"]), "author": cut(author, LONGEST["author"]), "likes": likes,
        "created_at": created_at,
    }  # fmt: skip
    return {name: value for name, value in shape.items() if value}


def short_id(post_id: str) -> str:
    """An id of at most 200 characters without white space: a longer one becomes its beginning and a hash."""
    plain = "".join(character for character in post_id if character.isprintable() and not character.isspace())
    if plain == post_id and len(plain) <= LONGEST["id"]:
        return post_id
    return f"{plain[:150]}~{hashlib.blake2b(post_id.encode('utf-8', 'replace'), digest_size=16).hexdigest()}"


def cut(text: str, most: int) -> str:
    """The text, or its beginning and an ellipsis if it is longer than `most` characters."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def web_address(url: str) -> str:
    """The address if a post may have it, else ""."""
    url = url.strip()
    return url if len(url) <= 2_000 and url.isprintable() and is_web_address(url) else ""


def with_quote(text: str, author: str, quoted: str) -> str:
    """The text, and under it another post that it quotes, marked as such line by line.

    >>> with_quote("So true", "mo", "Tea first.\\nThen cake.")
    'So true\\n\\n> mo: Tea first.\\n> Then cake.'
    """
    if not quoted.strip():
        return text
    lines = f"{author}: {quoted.strip()}" if author else quoted.strip()
    marked = "\n".join(f"> {line}" for line in lines.split("\n"))
    return f"{text}\n\n{marked}" if text else marked


def with_alts(text: str, alts: Iterable[str]) -> str:
    """The text with the descriptions of media that have no web address, so that they can be found."""
    described = [f"[{alt.strip()}]" for alt in alts if alt.strip()]
    return "\n\n".join([text, *described] if text else described)
