"""The page where readers sign in, and signing out; whole without JavaScript."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import cast

from fastapi import APIRouter, HTTPException, Request, Response
from starlette.responses import RedirectResponse

from app.readers import EVERYBODY
from app.web.audit import audit_detail
from app.web.auth import SIGN_IN, Access, own_address, sign_in_address
from app.web.client_address import by_https
from app.web.page import contexts
from app.web.page.forms import read_form
from app.web.page.html_response import page
from app.web.page.page_layout import error_page, frame, salvaged, words_of
from app.web.page.page_request import PageRequest
from app.web.rate_limits import AskingQueue, Busy
from app.web.visitor import visitor

router = APIRouter(include_in_schema=False)
# Each password that is tried takes 64 MB and a tenth of a second of all processors: one at a time.
_AT_ONCE, _MOST_WAITING, _LONGEST_WAIT_S = 1, 32, 10.0


def attempts() -> AskingQueue:
    """The queue in which passwords wait to be tried; one for each application."""
    return AskingQueue(_AT_ONCE, _MOST_WAITING, _LONGEST_WAIT_S)


@router.get(SIGN_IN)
async def form(request: Request) -> Response:
    """The form; whoever is signed in is sent on at once."""
    access = _access(request)
    back = own_address(request.query_params.get("next", ""))
    if visitor().by == "session":
        return RedirectResponse(back, 303)
    labels = words_of(request, salvaged(request))[1]
    note = labels.signed_out if request.query_params.get("out") == "1" else ""
    return _form(request, access, salvaged(request), back, note=note)


@router.post(SIGN_IN)
async def sign_in(request: Request) -> Response:
    """Begin a session, and go on to the page that was asked for."""
    access = _access(request)
    given = await read_form(request)
    asked = PageRequest.read([(name, given.get(name, "")) for name in ("ui", "js")])
    back = own_address(given.get("next", ""))
    name = given.get("name", "") if access.mode == "accounts" else EVERYBODY
    session = None
    if access.mode == "password" or name.strip() != EVERYBODY:
        queue: AskingQueue = request.app.state.sign_in_attempts
        try:
            async with queue.turn():
                session = await asyncio.to_thread(access.readers.sign_in, name, given.get("password", ""))
        except Busy:
            return error_page(request, 503, words_of(request, asked)[1].busy)
    audit_detail(signed_in=session is not None)
    if session is None:  # the name is not noted: some type their password there
        return _form(request, access, asked, back, wrong=True, status=403)
    audit_detail(reader=name)
    response = RedirectResponse(back, 303)
    secure = by_https(request.scope, access.proxies)
    response.set_cookie(
        access.cookie(request.scope), session, max_age=int(access.session_s), secure=secure, httponly=True,
        samesite="lax",
    )  # fmt: skip
    return response


@router.post("/sign-out")
async def sign_out(request: Request) -> Response:
    """End the session, on this and on any machine that has a copy of it."""
    access = _access(request)
    given = await read_form(request)
    cookie = access.cookie(request.scope)
    await asyncio.to_thread(access.readers.end, request.cookies.get(cookie, ""), access.session_s)
    way = sign_in_address("/", given.get("ui", ""))
    response = RedirectResponse(f"{way}{'&' if '?' in way else '?'}out=1", 303)
    response.delete_cookie(cookie, secure=by_https(request.scope, access.proxies), httponly=True, samesite="lax")
    return response


def _form(
    request: Request,
    access: Access,
    asked: PageRequest,
    back: str,
    *,
    note: str = "",
    wrong: bool = False,
    status: int = 200,
) -> Response:
    asked = replace(asked, text="")
    around = frame(request, asked, words_of(request, asked)[1].sign_in)
    other = around.labels.other_ui
    shown = contexts.SignInPage(
        replace(around, other_ui=sign_in_address(back, other)), access.mode == "accounts", back, note, wrong
    )
    return page(shown, status)


def _access(request: Request) -> Access:
    """
    Raises:
        HTTPException: Nobody signs in here.
    """
    access = cast("Access", request.app.state.access)
    if not access.signs_in:
        raise HTTPException(404)
    return access
