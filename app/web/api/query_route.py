"""A route whose query string is read by one model at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, get_origin

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError


class QueryRoute(APIRoute):
    """Documented as FastAPI documents it, and answering and refusing as it does; but FastAPI looks at each field of the
    model anew for each request, which takes longer than ranking the candidates of a search.

    Its endpoint takes the request and the `parameters`, a model annotated as Query(), and gives a model.
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
