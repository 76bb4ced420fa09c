"""Cursors: where a page ends, so that the next begins there. Pure.

A cursor is good for one query in one generation, whose order never changes: pages that follow one another through it
have neither gap nor repeat. Its hash finds out accidents and careless changes; it is no secret and guards nothing.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from retrieval.types import SearchQuery, Sort

LARGEST_POSITION = 1_000
_VERSION = 2
_DIGEST_SIZE = 12
_LONGEST = 1_000


class BadCursorError(ValueError):
    """A cursor that leads nowhere; the message says why, in one sentence for who sent it."""


@dataclass(frozen=True, slots=True)
class Continuation:
    """Where a page goes on, and in which order.

    Attributes:
        position: Hits that come before it, 0 and up.
        order: What a reranker made of the first posts found, as `arranging.reordered` takes it; each below 256.
    """

    position: int
    order: tuple[int, ...] = ()


def write_cursor(query: SearchQuery, generation: str, position: int, order: Sequence[int] = ()) -> str:
    """The cursor of what comes after the first `position` hits of a query: letters, digits, "-" and "_".

    The order that a reranker gave is in it: another time it might be late, and the pages would not fit together.
    """
    fields = [_VERSION, _digest(_asked(query)).hex(), generation, query.sort, position, _encoded(bytes(order))]
    body = json.dumps(fields, separators=(",", ":")).encode()
    return _encoded(body + _digest(body))


def read_cursor(cursor: str, query: SearchQuery, generation: str) -> Continuation:
    """Where the query's hits go on.

    Raises:
        BadCursorError: It was changed, belongs to another query, or the generation it is of is no longer searched.
    """
    written = _decoded(cursor)
    body, digest = written[:-_DIGEST_SIZE], written[-_DIGEST_SIZE:]
    # The last digit of base64 has bits to spare: only the one spelling that was given out is taken.
    if not body or _digest(body) != digest or _encoded(written) != cursor:
        raise BadCursorError("the cursor is not one that was given out here; search again without it")
    try:
        version, asked, of_generation, sort, position, order = json.loads(body)
    except ValueError:
        version = None
    if version != _VERSION:
        raise BadCursorError("the cursor is of another release; search again without it")
    if asked != _digest(_asked(query)).hex():
        wanted: Sort = query.sort
        order = f" (sorted by {sort}, not {wanted})" if sort != wanted else ""
        raise BadCursorError(f"the cursor belongs to another query{order}; send it with the query that it came from")
    if of_generation != generation:
        raise BadCursorError("the index has changed since the cursor was given out; search again without it")
    if type(position) is not int or not 0 < position <= LARGEST_POSITION:
        raise BadCursorError(f"a cursor leads to {LARGEST_POSITION:,} hits at most")
    return Continuation(position, tuple(_decoded(order)))


def _asked(query: SearchQuery) -> bytes:
    """All of a query on which the order of its hits depends."""
    asked = (query.text.strip(), query.filters, query.sort, query.fold, query.per_author, query.boosts)
    return repr((*asked, query.answer_hits) if query.answer_hits else asked).encode("utf-8", "surrogatepass")


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=_DIGEST_SIZE, person=b"stipple cursor").digest()


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _decoded(cursor: str) -> bytes:
    if len(cursor) > _LONGEST:
        return b""
    try:
        return base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""
