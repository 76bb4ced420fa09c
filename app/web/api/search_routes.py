"""The JSON API's search, as docs/json-api.md promises it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, get_origin

from fastapi import APIRouter, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError

from app.services import Services
from app.web.api.requests import SearchIn
from app.web.api.responses import ErrorOut, SearchOut, query_fields
from app.web.api.typed_query import read_query, services_of
from retrieval.search.cursor import BadCursorError

router = APIRouter(prefix="/api", tags=["search"])
_ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"model": ErrorOut, "description": "The query is blank, or the cursor is not valid."},
    422: {"model": ErrorOut, "description": "A parameter is not valid; `field` names it."},
    503: {"model": ErrorOut, "description": "The index cannot be read yet."},
}


class QueryRoute(APIRoute):
    """A route whose query string is validated by one model at once.

    Documented, answering and refusing as FastAPI does; but FastAPI looks at each field of the model anew for each
    request, which takes longer than ranking the candidates of a search. Its endpoint takes the request and the
    `parameters`, a model annotated as Query(), and returns a model.
    """

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]  # not Coroutine
        endpoint: Callable[[Request, BaseModel], Awaitable[BaseModel]] = self.endpoint
        [declared] = self.dependant.query_params
        model: type[BaseModel] = declared.field_info.annotation  # type: ignore[assignment]  # an endpoint's own promise
        several = {name for name, one in model.model_fields.items() if get_origin(one.annotation) is list}

        async def handle(request: Request) -> Response:
            sent = request.query_params
            given: dict[str, Any] = {name: sent.getlist(name) if name in several else sent[name] for name in sent}
            try:
                parameters = model.model_validate(given)
            except ValidationError as error:
                faults = error.errors(include_url=False)
                raise RequestValidationError([fault | {"loc": ("query", *fault["loc"])} for fault in faults]) from None
            found = await endpoint(request, parameters)
            return Response(found.__pydantic_serializer__.to_json(found), media_type="application/json")

        return handle


async def search_posts(services: Services, parameters: SearchIn) -> SearchOut:
    """One page of posts for a query, best first.

    Raises:
        BlankQueryError, UnknownPlaceError: See read_query.
        BadCursorError: The cursor is not valid, or an offset was given with it.
        FixableError: The index cannot be read.
    """
    typed, query = await read_query(services, parameters)
    if parameters.cursor and parameters.offset:
        raise BadCursorError("a cursor and an offset were given; send one of them")
    page = await services.search(parameters.to_query(query.text, query.filters))
    return SearchOut.from_domain(page).model_copy(update={"query": typed} | query_fields(typed, query))


async def search(request: Request, parameters: Annotated[SearchIn, Query()]) -> SearchOut:
    """Posts for a query, best first: each once, with its best passage and where the query's words stand in it."""
    return await search_posts(services_of(request), parameters)


router.add_api_route("/search", search, responses=_ERRORS, route_class_override=QueryRoute)
