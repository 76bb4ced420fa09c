"""The JSON API's suggestions while somebody types."""

from __future__ import annotations

from typing import Annotated, Protocol, cast

from fastapi import APIRouter, Query, Request, Response

from app.web.api.requests import SuggestIn
from app.web.api.responses import ErrorOut, SuggestOut
from retrieval.suggest.suggester import Suggestion

router = APIRouter(prefix="/api", tags=["search"])


class Completer(Protocol):
    """What suggestions need of `app.state.services`."""

    def suggest(self, typed: str, limit: int) -> list[Suggestion]: ...


@router.get("/suggest", responses={422: {"model": ErrorOut, "description": "A parameter is not what it must be."}})
async def suggest(request: Request, response: Response, parameters: Annotated[SuggestIn, Query()]) -> SuggestOut:
    """Completions from titles, tags and past queries; frequent, liked and new ones first.

    The text is the beginning of the completion or of a word in it, or pinyin for it; several words must all occur.
    """
    response.headers["Cache-Control"] = "no-store"
    completer = cast("Completer", request.app.state.services)
    # Not in a thread: it takes less time than switching threads under load.
    return SuggestOut.from_domain(parameters.q, completer.suggest(parameters.q, parameters.limit))
