"""Cursors: where a page ends, so that the next begins there. Pure.

A cursor is valid for one query in one generation, whose order never changes: pages that follow one another have neither
gaps nor repeats. Its hash detects accidental and careless changes; it is not secret and protects nothing.
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
    """An invalid cursor; the message says why, in one sentence for the client."""


@dataclass(frozen=True, slots=True)
class Continuation:
    """Where a page continues, and in which order.

    Attributes:
        position: Hits before it, 0 and up.
        order: A reranker's order of the first posts found, as `ranking.reordered` takes it; each below 256.
    """

    position: int
    order: tuple[int, ...] = ()


def write_cursor(query: SearchQuery, generation: str, position: int, order: Sequence[int] = ()) -> str:
    """The cursor for the hits after the first `position` of a query: letters, digits, "-" and "_".

    It includes the reranker's order: another time the reranker might be late, and the pages would not fit together.
    """
    fields = [_VERSION, _digest(_asked(query)).hex(), generation, query.sort, position, _encoded(bytes(order))]
    body = json.dumps(fields, separators=(",", ":")).encode()
    return _encoded(body + _digest(body))


def read_cursor(cursor: str, query: SearchQuery, generation: str) -> Continuation:
    """Where the query's hits continue.

    Raises:
        BadCursorError: It was changed, belongs to another query, or to a generation that is no longer searched.
    """
    written = _decoded(cursor)
    body, digest = written[:-_DIGEST_SIZE], written[-_DIGEST_SIZE:]
    # The last digit of base64 has spare bits: only the exact text that was issued is accepted.
    if not body or _digest(body) != digest or _encoded(written) != cursor:
        raise BadCursorError("the cursor was not issued here; search again without it")
    try:
        version, asked, of_generation, sort, position, order = json.loads(body)
    except ValueError:
        version = None
    if version != _VERSION:
        raise BadCursorError("the cursor was issued by another version; search again without it")
    if asked != _digest(_asked(query)).hex():
        wanted: Sort = query.sort
        order = f" (sorted by {sort}, not {wanted})" if sort != wanted else ""
        raise BadCursorError(f"the cursor belongs to another query{order}; send it with the query that it came from")
    if of_generation != generation:
        raise BadCursorError("the index has changed since the cursor was issued; search again without it")
    if type(position) is not int or not 0 < position <= LARGEST_POSITION:
        raise BadCursorError(f"a cursor leads to {LARGEST_POSITION:,} hits at most")
    return Continuation(position, tuple(_decoded(order)))


def _asked(query: SearchQuery) -> bytes:
    """Everything in a query on which the order of its hits depends."""
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
