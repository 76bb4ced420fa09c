"""The JSON API's posts: taken in, read and forgotten one by one, while people ask."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request
from pydantic import Field

from app.api_keys import Keys, Right
from app.services import Services
from app.web.api.responses import ErrorOut, Out, PostOut
from app.web.api.typed_query import services_of
from app.web.audit import audit_detail
from app.web.auth import key_of
from retrieval.errors import FixableError
from retrieval.ingestion import Ingestion, Outcome, PostOutcome

router = APIRouter(prefix="/api", tags=["posts"])
MOST_POSTS, MOST_BYTES = 1_000, 32 * 1024 * 1024
_LONGEST_ID = 200
_SEARCHABLE_S = 1.0
_REMEMBERED_REQUESTS, _REMEMBERED_RESULTS = 500, 20_000
_REFUSED: dict[int | str, dict[str, Any]] = {
    401: {"model": ErrorOut, "description": "No key, or an unknown one."},
    403: {"model": ErrorOut, "description": "The key does not allow this, or no key exists yet."},
    503: {"model": ErrorOut, "description": "The disk cannot be written; nothing was done."},
}


class TakenInOut(Out):
    """What became of one post."""

    id: str
    outcome: Outcome = Field(
        description="recounted: only counters changed; forgotten: it stays out; rejected: not a post."
    )
    field: str | None = Field(None, description="The invalid field of a rejected one.")
    problem: str | None = None
    expected: str | None = None

    @classmethod
    def from_domain(cls, one: PostOutcome) -> TakenInOut:
        return cls(
            id=one.id, outcome=one.outcome, field=one.field or None, problem=one.problem or None,
            expected=one.expected or None,
        )  # fmt: skip


class PutOut(Out):
    """What became of a batch."""

    results: list[TakenInOut] = Field(description="In the order of the posts.")
    counts: dict[str, int] = Field(description="How many of each outcome.")
    searchable: bool = Field(description="Whether all of it can be found already; else it will be soon.")


class ForgottenOut(Out):
    id: str
    was_stored: bool


@dataclass
class Repeats:
    """The last requests with an Idempotency-Key, so that a repeated one gets the same answer and is done once."""

    answers: OrderedDict[str, tuple[bytes, PutOut]] = field(default_factory=OrderedDict)

    def find(self, name: str, body: bytes) -> PutOut | None:
        """
        Raises:
            HTTPException: Another body came with this key.
        """
        digest, answer = self.answers.get(name, (b"", None))
        if answer is not None and digest != hashlib.sha256(body).digest():
            raise HTTPException(422, "another request had this Idempotency-Key; give each its own")
        return answer

    def keep(self, name: str, body: bytes, answer: PutOut) -> None:
        self.answers[name] = hashlib.sha256(body).digest(), answer
        while len(self.answers) > _REMEMBERED_REQUESTS or (
            len(self.answers) > 1 and sum(len(one.results) for _, one in self.answers.values()) > _REMEMBERED_RESULTS
        ):
            self.answers.popitem(last=False)


@router.put("/posts", responses=_REFUSED, openapi_extra={"requestBody": {"content": {"application/json": {}}}})
async def put_posts(request: Request, allow_forgotten: Annotated[bool, Query()] = False) -> PutOut:
    """Take posts in: an array of posts as docs/posts.md describes them, or `{"posts": [...]}`; at most 1,000 and 32 MB.

    Each is accepted or rejected on its own; an unchanged post is skipped, so that the same request may be sent again.
    Accepted posts are durable, and searchable within about a second. Needs a write key.
    """
    services = services_of(request)
    name = await _writer(request, services)
    ingestion = _ingestion(services)
    body = await _body(request)
    repeats = _repeats(request)
    idempotency = request.headers.get("idempotency-key", "")[:_LONGEST_ID]
    once = f"{name}\0{allow_forgotten}\0{idempotency}"
    if idempotency and (answered := repeats.find(once, body)) is not None:
        return answered
    results, number = await asyncio.to_thread(ingestion.put, _posts(body), allow_forgotten)
    searchable = await asyncio.to_thread(ingestion.searchable, number, _SEARCHABLE_S)
    counts = Counter(one.outcome for one in results)
    audit_detail(posts=len(results), outcomes=dict(counts))
    answer = PutOut(
        results=[TakenInOut.from_domain(one) for one in results], counts=dict(counts), searchable=searchable
    )
    if idempotency:
        repeats.keep(once, body, answer)
    return answer


@router.get("/posts/{post_id:path}", responses={404: {"model": ErrorOut}})
async def get_post(request: Request, post_id: str) -> PostOut:
    """A post as it is indexed."""
    posts = await asyncio.to_thread(services_of(request).posts, [post_id])
    if post_id not in posts:
        raise HTTPException(404, "this post does not exist")
    return PostOut.from_domain(posts[post_id])


@router.delete("/posts/{post_id:path}", responses=_REFUSED)
async def delete_post(request: Request, post_id: str) -> ForgottenOut:
    """Forget a post, whether it is stored or not: once this is answered, it can no longer be found, suggested or read,
    and it is not accepted again unless `allow_forgotten` says so. Needs a write key.
    """
    services = services_of(request)
    name = await _writer(request, services)
    if not 0 < len(post_id) <= _LONGEST_ID:
        raise HTTPException(422, f"an id has 1 to {_LONGEST_ID} characters")
    found = await asyncio.to_thread(_ingestion(services).forget, [post_id], f"key {name}")
    audit_detail(forgotten=post_id)
    return ForgottenOut(id=post_id, was_stored=found > 0)


async def _writer(request: Request, services: Services) -> str:
    needed: Right = "write"
    return (await key_of(request, Keys(services.settings.data_dir / "keys.sqlite"), needed)).name


def _ingestion(services: Services) -> Ingestion:
    if services.ingestion is None:
        raise FixableError("this process does not accept posts", "start it with `stipple serve`")
    return services.ingestion


def _repeats(request: Request) -> Repeats:
    state = request.app.state
    if not hasattr(state, "repeats"):
        state.repeats = Repeats()
    assert isinstance(state.repeats, Repeats), "something else was kept as repeats"
    return state.repeats


async def _body(request: Request) -> bytes:
    """
    Raises:
        HTTPException: It is too long; the rest is not read.
    """
    pieces, size = [], 0
    async for piece in request.stream():
        size += len(piece)
        if size > MOST_BYTES:
            raise HTTPException(413, f"a request has at most {MOST_BYTES:,} bytes; send fewer posts at once")
        pieces.append(piece)
    return b"".join(pieces)


def _posts(body: bytes) -> list[object]:
    """
    Raises:
        HTTPException: It has no posts, or too many.
    """
    try:
        value = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise HTTPException(422, f"the body is not JSON in UTF-8: {error}") from None
    posts = value.get("posts") if isinstance(value, dict) else value
    if not isinstance(posts, list):
        raise HTTPException(422, 'the body is neither an array of posts nor an object {"posts": [...]}')
    if len(posts) > MOST_POSTS:
        raise HTTPException(413, f"a request has at most {MOST_POSTS:,} posts; this one has {len(posts):,}")
    return posts
