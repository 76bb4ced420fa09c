"""How long calls to a Qdrant server are retried, and what is reported meanwhile; with a simulated clock."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from httpx import ConnectError, Headers, ReadTimeout
from qdrant_client.common.client_exceptions import ResourceExhaustedResponse
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

from retrieval.errors import StoreUnreachable
from retrieval.stores.server.calls import RetryPolicy, ServerCalls


class Time:
    """A clock that only sleeping advances."""

    def __init__(self) -> None:
        self.now, self.slept = 0.0, list[float]()

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept.append(seconds)


def calls(clock: Time, retry: RetryPolicy) -> ServerCalls:
    return ServerCalls(None, "http://q", retry, clock=lambda: clock.now, sleep=clock.sleep)  # type: ignore[arg-type]  # no call reaches a client


def failing(*errors: Exception) -> Callable[[object], str]:
    left = list(errors)

    def call(_: object) -> str:
        if left:
            raise left.pop(0)
        return "answer"

    return call


def refused() -> Exception:
    return ResponseHandlingException(ConnectError("[Errno 111] Connection refused"))


def answer(status: int, **headers: str) -> Exception:
    named = Headers({key.replace("_", "-"): value for key, value in headers.items()})
    return UnexpectedResponse(status, "Reason", b'{"status": {"error": "said why"}, "time": 0}', named)


def test_pauses_double_up_to_the_longest_and_end_in_time() -> None:
    clock, told = Time(), list[str]()
    one = calls(clock, RetryPolicy(run_s=100, first_s=1, longest_s=8))
    with one.filling(told.append), pytest.raises(StoreUnreachable):
        one.write(failing(*[refused()] * 99))
    for pause_s, longest_s in zip(clock.slept, [1, 2, 4, 8, 8, 8, 8, 8, 8], strict=False):
        assert 0.75 * longest_s <= pause_s <= longest_s
    assert 85 < clock.now <= 100
    assert 5 <= len(told) <= 8  # every 15 s
    assert "since" not in told[0]
    assert "since" in told[1]


def test_thirty_seconds_without_a_server_are_survived_and_told() -> None:
    clock, told = Time(), list[str]()
    one = calls(clock, RetryPolicy())

    def call(_: object) -> str:
        if clock.now < 30:
            raise refused()
        return "answer"

    with one.filling(told.append):
        assert one.read(call) == one.write(call) == "answer"
    assert told[0] == (
        "the Qdrant server at http://q is not available ([Errno 111] Connection refused); nothing is lost, "
        "waiting up to 300 s"
    )
    assert told[-1] == f"the Qdrant server at http://q answers again, after {clock.now:.0f} s"
    assert 30 <= clock.now <= 40  # the longest pause is 10 s


@pytest.mark.parametrize("error", [ResourceExhaustedResponse("slow down", 7), answer(503, retry_after="7")])
def test_a_server_that_asks_to_be_left_alone_is(error: Exception) -> None:
    clock = Time()
    one = calls(clock, RetryPolicy(run_s=60, first_s=0.5))
    with one.filling(lambda _: None):
        assert one.write(failing(error, error)) == "answer"
    assert clock.slept == [7, 7]


def test_nobody_waits_longer_than_the_patience_because_the_server_asks_to() -> None:
    clock = Time()
    with pytest.raises(StoreUnreachable, match="429: slow down"):
        calls(clock, RetryPolicy(write_s=4)).write(failing(ResourceExhaustedResponse("slow down", 3_600)))
    assert clock.slept == []


@pytest.mark.parametrize("error", [refused(), answer(500), answer(502), answer(503), answer(504)])
def test_a_search_asks_again_at_once_where_a_node_went_away(error: Exception) -> None:
    clock = Time()
    one = calls(clock, RetryPolicy(ask_s=5))
    assert one.ask(failing(error)) == "answer"
    assert one.ask(failing(error, error)) == "answer"
    assert clock.now < 0.5


def test_a_search_gives_up_soon_also_while_something_is_filled() -> None:
    clock = Time()
    one = calls(clock, RetryPolicy())
    with one.filling(lambda _: None), pytest.raises(StoreUnreachable):
        one.ask(failing(*[refused()] * 9))
    assert clock.now < 0.5
    with pytest.raises(StoreUnreachable):
        one.read(failing(refused()))


@pytest.mark.parametrize("error", [answer(400), answer(403), ResponseHandlingException(ReadTimeout("timed out"))])
def test_a_search_does_not_ask_again_where_that_is_no_use(error: Exception) -> None:
    clock = Time()
    with pytest.raises(StoreUnreachable):
        calls(clock, RetryPolicy()).ask(failing(error))
    assert clock.slept == []


def test_a_search_asks_again_only_within_its_own_time() -> None:
    clock = Time()

    def slow(_: object) -> str:
        clock.now += 3
        raise refused()

    with pytest.raises(StoreUnreachable):
        calls(clock, RetryPolicy(ask_s=5)).ask(slow)
    assert clock.now == 3


def test_a_certificate_that_is_not_trusted_is_told_and_not_tried_again() -> None:
    said = "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate (_ssl.c:1006)"
    clock = Time()
    with pytest.raises(StoreUnreachable, match="certificate of http://q is not trusted") as raised:
        calls(clock, RetryPolicy()).write(failing(ResponseHandlingException(ConnectError(said))))
    assert "SSL_CERT_FILE" in raised.value.fix
    assert clock.slept == []
