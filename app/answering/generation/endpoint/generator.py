"""A model behind an OpenAI-compatible endpoint: llama-server, vLLM, llama_cpp.server, or a hosted one."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import structlog

from app.answering.generation.cancellation import when_set
from app.answering.generation.endpoint.cautious_thoughts import CautiousSplitter
from app.answering.generation.endpoint.chat_stream import BrokenStreamError, Delta, read_line, read_object
from app.answering.generation.endpoint.model_info import EndpointInfo, ask_endpoint
from app.answering.generation.endpoint.refusals import EndpointAddress, Refused, read_refusal, unreachable
from app.answering.generation.endpoint.token_estimate import estimate_tokens
from app.answering.generation.protocol import GenerateRequest, ModelFailed, PromptTooLong
from app.answering.generation.thoughts import Piece

_log = structlog.get_logger()
_DISCOVERY_S = 3.0
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.5, 30.0
_REST_S = 10.0  # after it could not be reached, so that waiting users do not each wait for its timeout
_TEMPLATE_TOKENS = 48


@dataclass(frozen=True, slots=True)
class EndpointLimits:
    """Limits for the endpoint; each is a setting named `llm_` and the same."""

    context_tokens: int = 4096
    thinking_tokens: int = 2048
    parallel: int = 4
    connect_timeout_s: float = 5.0
    read_timeout_s: float = 60.0
    retries: int = 2
    request_fields: dict[str, Any] = field(default_factory=dict)


class EndpointGenerator:
    """Streams chat completions. When the user leaves, the connection is closed, whatever its state.

    Nothing is sent to the endpoint before the first question, except by `discover`: a server may start while its
    endpoint is still loading a model.

    Args:
        model: Its name at the endpoint; "" for the first that is offered.
        api_key: Sent as a bearer token; "" for none.
    """

    def __init__(
        self, address: str, model: str, api_key: str, languages: frozenset[str] | None, limits: EndpointLimits
    ) -> None:
        self._at = EndpointAddress.parse(address, api_key)
        self._model, self._limits, self.languages = model, limits, languages
        self.parallel = limits.parallel
        self._info: EndpointInfo | None = None
        self._opens_in_template: bool | None = None
        self._left_out: set[str] = set()  # fields that this endpoint refused
        self._scale = 1.0  # how far its token counts exceed our estimate
        self._resting_until, self._resting_because = 0.0, ModelFailed("", "")
        self._ssl = (
            httpx.create_ssl_context() if self._at.url.startswith("https:") else False
        )  # made once: it takes 20 ms

    @property
    def name(self) -> str:
        return self._model or (self._info.models[0] if self._info is not None and self._info.models else self._at.shown)

    @property
    def address(self) -> str:
        """Where it is, without a password."""
        return self._at.shown

    @property
    def context_tokens(self) -> int:
        said = self._info.context_tokens if self._info is not None else 0
        return said or self._limits.context_tokens

    @property
    def thinking_tokens(self) -> int:
        return min(self._limits.thinking_tokens, self.context_tokens // 4)

    def count_tokens(self, text: str) -> int:
        return int(estimate_tokens(text) * self._scale) + 1

    def discover(self) -> EndpointInfo:
        """What the endpoint says about itself; asked again until it has answered once.

        Raises:
            ModelFailed: It does not answer, or refuses.
        """
        with _own_loop() as loop:
            return loop.run_until_complete(self._discover())

    def generate(self, request: GenerateRequest, stop: threading.Event) -> Iterator[Piece]:
        self._raise_if_resting()
        budget = request.thinking_budget(self.thinking_tokens)
        request = replace(request, thinking_tokens=budget)
        written = 0
        with _own_loop() as loop:
            pieces = self._pieces(request)
            running: list[asyncio.Task[Piece]] = []

            def leave() -> None:
                loop.call_soon_threadsafe(lambda: [task.cancel() for task in running])

            with when_set(stop, leave):
                try:
                    while not stop.is_set():
                        running[:] = [loop.create_task(_next(pieces))]
                        piece = loop.run_until_complete(running[0])
                        yield piece
                        written += estimate_tokens(piece.answer)
                        if written > 2 * request.max_tokens + budget:
                            break  # an endpoint that does not count
                except StopAsyncIteration:
                    pass
                except asyncio.CancelledError:
                    if not stop.is_set():
                        raise
                finally:
                    running.clear()
                    loop.run_until_complete(pieces.aclose())

    def figures(self) -> None:
        """There is no process to report."""

    def close(self) -> None:
        """Nothing is kept open between two questions."""

    def _client(self, read_timeout_s: float) -> httpx.AsyncClient:
        timeout = httpx.Timeout(read_timeout_s, connect=self._limits.connect_timeout_s)
        return httpx.AsyncClient(timeout=timeout, headers=self._at.headers(), verify=self._ssl)

    def _raise_if_resting(self) -> None:
        if time.monotonic() < self._resting_until:
            raise ModelFailed(
                f"{self._resting_because.problem}; it is not tried again for {_REST_S:g} s", self._resting_because.fix
            )

    def _gone(self, error: httpx.HTTPError) -> ModelFailed:
        self._resting_because = unreachable(self._at, error, self._limits.read_timeout_s)
        self._resting_until = time.monotonic() + _REST_S
        return self._resting_because

    async def _discover(self) -> EndpointInfo:
        if self._info is None:
            async with self._client(min(_DISCOVERY_S, self._limits.read_timeout_s)) as client:
                try:
                    self._info = await ask_endpoint(client, self._at.url, self._model)
                except httpx.HTTPStatusError as error:
                    raise read_refusal(self._at, error.response.status_code, error.response.text).failure from error
                except httpx.HTTPError as error:
                    raise unreachable(self._at, error, self._limits.read_timeout_s) from error
        return self._info

    async def _pieces(self, request: GenerateRequest) -> AsyncGenerator[Piece, None]:
        try:
            await self._discover()
        except ModelFailed as error:
            _log.info("the endpoint does not say which model it serves", problem=error.problem)
        estimated = self.count_tokens(request.system) + self.count_tokens(request.user) + _TEMPLATE_TOKENS
        if estimated + request.max_tokens > self.context_tokens:
            raise PromptTooLong(
                f"the prompt takes about {estimated:,} tokens and the reply up to {request.max_tokens:,}, and "
                f"{self.name} has a context of {self.context_tokens:,}",
                "serve it with a larger context (and set STIPPLE_LLM_CONTEXT_TOKENS where it does not say its own), or "
                "lower STIPPLE_ANSWER_HITS",
            )
        splitter = CautiousSplitter(hold=self._opens_in_template is not False)
        finish = ""
        async for delta in self._deltas(request):
            if delta.thought:
                before = splitter.thought_apart()
                yield Piece(before.answer, before.thought + delta.thought)
            if delta.text:
                yield splitter.feed(delta.text)
            finish = delta.finish or finish
            if delta.prompt_tokens:
                self._scale = max(self._scale, delta.prompt_tokens / estimated * self._scale)
        cut_off = finish == "length"
        if cut_off and splitter.opens_in_template is None:
            self._opens_in_template = await self._probe()
            cut_off = self._opens_in_template is not False
        yield splitter.rest(cut_off=cut_off)
        if splitter.opens_in_template is not None:
            self._opens_in_template = splitter.opens_in_template

    async def _probe(self) -> bool | None:
        """Whether this model's template opens a thought, found out with a reply short enough to finish."""
        splitter, finish = CautiousSplitter(hold=True), ""
        request = GenerateRequest("", "Reply with one word: yes", 64, thinking_tokens=self.thinking_tokens)
        async for delta in self._deltas(request):
            if delta.thought:
                splitter.thought_apart()
            splitter.feed(delta.text)
            finish = delta.finish or finish
        splitter.rest(cut_off=finish == "length")
        return splitter.opens_in_template

    async def _deltas(self, request: GenerateRequest) -> AsyncGenerator[Delta, None]:
        """The reply's events. Retried, after a pause, as long as nothing came."""
        attempt = 0
        async with self._client(self._limits.read_timeout_s) as client:
            while True:
                body = self._body(request)
                came = False
                try:
                    async for delta in self._attempt(client, body):
                        came = came or bool(delta.text or delta.thought)
                        yield delta
                    return
                except Refused as refused:
                    if refused.field and refused.field not in self._left_out:
                        _log.info("the endpoint does not know a field", field=refused.field, endpoint=self._at.shown)
                        self._left_out.add(refused.field)
                        continue
                    pause = refused.pause_s if refused.pause_s is not None else _FIRST_WAIT_S * 2**attempt
                    if not refused.passing or attempt == self._limits.retries or pause > _LONGEST_WAIT_S:
                        raise refused.failure from refused
                except (httpx.ConnectError, httpx.RemoteProtocolError, httpx.ReadError) as error:
                    pause = _FIRST_WAIT_S * 2**attempt
                    if came:
                        raise unreachable(self._at, error, self._limits.read_timeout_s) from error
                    if attempt == self._limits.retries:
                        raise self._gone(error) from error
                except httpx.HTTPError as error:
                    failure = unreachable(self._at, error, self._limits.read_timeout_s) if came else self._gone(error)
                    raise failure from error
                attempt += 1
                _log.info("retrying the endpoint", endpoint=self._at.shown, attempt=attempt, pause_s=pause)
                await asyncio.sleep(pause)

    async def _attempt(self, client: httpx.AsyncClient, body: dict[str, Any]) -> AsyncGenerator[Delta, None]:
        async with client.stream("POST", f"{self._at.url}/chat/completions", json=body) as response:
            if not response.is_success:
                said = (await response.aread()).decode("utf-8", "replace")
                raise read_refusal(self._at, response.status_code, said, response.headers.get("retry-after", ""))
            try:
                if "json" in response.headers.get("content-type", ""):
                    yield read_object((await response.aread()).decode("utf-8", "replace"))  # it does not stream
                    return
                finished = False
                async for line in response.aiter_lines():
                    delta = read_line(line)
                    if delta is None:
                        continue
                    if delta.done:
                        return
                    finished = finished or bool(delta.finish)
                    yield delta
                if not finished:
                    raise BrokenStreamError("an incomplete reply")
            except BrokenStreamError as error:
                raise ModelFailed(
                    f"{self._at.shown} sent {self._at.scrub(str(error))}",
                    "see the endpoint's own log; `stipple doctor` tries it again",
                ) from error

    def _body(self, request: GenerateRequest) -> dict[str, Any]:
        budget = request.thinking_tokens or 0
        messages = [{"role": "system", "content": request.system}] if request.system else []
        body: dict[str, Any] = {
            "model": self.name if self._model or (self._info and self._info.models) else "default",
            "messages": [*messages, {"role": "user", "content": request.user}],
            "max_tokens": request.max_tokens + budget,
            "temperature": 0,
            "stream": True,
        }
        if budget == 0:
            body["chat_template_kwargs"] = {"enable_thinking": False, "thinking": False}
        if "max_tokens" in self._left_out:  # OpenAI's newer models use another name
            body["max_completion_tokens"] = body["max_tokens"]
        return {key: value for key, value in body.items() if key not in self._left_out} | self._limits.request_fields


async def _next(pieces: AsyncGenerator[Piece, None]) -> Piece:
    return await anext(pieces)


@contextmanager
def _own_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop for this thread and call alone, so that another thread can cancel what waits in it."""
    loop = asyncio.new_event_loop()
    try:
        yield loop
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
