"""From what somebody typed, and the parameters beside it, to a parsed query: for searches and questions alike."""

from __future__ import annotations

from fastapi import Request

from app.services import Services
from app.web.api.requests import AnswerIn, SearchIn, visible_text
from retrieval.query.pieces import ParsedQuery


class BlankQueryError(Exception):
    """A query of white space alone."""

    def __init__(self, field: str) -> None:
        super().__init__(f"{field} is blank: say what to look for")
        self.field = field


def services_of(request: Request) -> Services:
    """The one Services of this process."""
    services = request.app.state.services
    assert isinstance(services, Services), "the app was not started"
    return services


async def read_query(services: Services, parameters: SearchIn | AnswerIn) -> tuple[str, ParsedQuery]:
    """What was typed, without invisible characters, and the query that it makes with the parameters beside it.

    Raises:
        BlankQueryError: Nothing is asked for. A search may have filters alone; an answer needs a question.
        UnknownPlaceError: The parameter `near` names an unknown place.
    """
    given = parameters.to_domain()
    if isinstance(parameters, AnswerIn):
        field, typed, required = "question", visible_text(parameters.question), True
    else:
        field, typed, required = "q", visible_text(parameters.q), given.is_empty() and not parameters.near
    if required and not typed:
        raise BlankQueryError(field)
    return typed, await services.read_query(typed, given, parameters.near or "")
