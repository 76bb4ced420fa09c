"""An OpenAI-compatible endpoint, behaving and misbehaving: each way ends in a clear state."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from app.answering.generation.cautious import CautiousSplitter
from app.answering.generation.chat_stream import BrokenStreamError, read_line
from app.answering.generation.endpoint import EndpointGenerator, EndpointLimits
from app.answering.generation.endpoint_errors import EndpointAddress
from app.answering.generation.protocol import ModelFailed, PromptTooLong
from app.answering.generation.token_estimate import estimate_tokens
from app.answering.writing import QueueFull, Writer
from retrieval.errors import FixableError
from tests.answering.endpoints import Endpoint, Reply, refuses, says, serving

LIMITS = EndpointLimits(read_timeout_s=60.0, connect_timeout_s=30.0, retries=1)
KEY = "sk-very-secret-1234"


def generator_for(endpoint: Endpoint, **limits: object) -> EndpointGenerator:
    return EndpointGenerator(endpoint.url, "", KEY, None, replace(LIMITS, **limits))  # type: ignore[arg-type]


def written(generator: EndpointGenerator, max_tokens: int = 64, **options: object) -> str:
    return "".join(generator.generate("Be brief.", "你好?", max_tokens, threading.Event(), **options))  # type: ignore[arg-type]


@pytest.fixture
def serve() -> Iterator[Callable[..., Endpoint]]:
    with contextlib.ExitStack() as stack:
        yield lambda *replies, **fields: stack.enter_context(serving(Endpoint(list(replies), **fields)))


def test_a_reply_is_streamed_with_key_model_and_limits(serve: Callable[..., Endpoint]) -> None:
    endpoint = serve(says("A flat white ", "is 28 元. [1]"))
    assert written(generator_for(endpoint, thinking_tokens=0)) == "A flat white is 28 元. [1]"
    [body] = endpoint.asked
    assert (body["model"], body["max_tokens"], body["stream"], body["temperature"]) == ("tiny", 64, True, 0)
    assert body["messages"] == [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "你好?"}]
    assert endpoint.headers[0]["Authorization"] == f"Bearer {KEY}"


def test_an_endpoint_that_does_not_stream_is_understood(serve: Callable[..., Endpoint]) -> None:
    whole = {"choices": [{"message": {"role": "assistant", "content": "28 yuan."}, "finish_reason": "stop"}]}
    endpoint = serve(refuses(200, json.dumps(whole)))
    assert written(generator_for(endpoint)) == "28 yuan."


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_passing_refusal_is_waited_out(serve: Callable[..., Endpoint], status: int) -> None:
    endpoint = serve(refuses(status, '{"error": {"message": "Loading model"}}', Retry_After="0"), says("28 yuan."))
    assert written(generator_for(endpoint)) == "28 yuan."
    assert len(endpoint.asked) == 2


def test_a_wait_that_is_too_long_is_not_waited(serve: Callable[..., Endpoint]) -> None:
    endpoint = serve(refuses(429, '{"error": {"message": "quota"}}', Retry_After="3600"))
    with pytest.raises(ModelFailed, match="answers 429: quota") as caught:
        written(generator_for(endpoint))
    assert "STIPPLE_LLM_PARALLEL" in caught.value.fix
    assert len(endpoint.asked) == 1


def test_a_refusal_that_stays_is_given_up(serve: Callable[..., Endpoint]) -> None:
    endpoint = serve(refuses(503, "<html><h1>Bad gateway</h1></html>", Retry_After="0"))
    with pytest.raises(ModelFailed, match="answers 503: Bad gateway"):
        written(generator_for(endpoint))
    assert len(endpoint.asked) == 2


@pytest.mark.parametrize(
    ("status", "mend"), [(401, "STIPPLE_LLM_API_KEY"), (403, "API_KEY"), (404, "STIPPLE_LLM_MODEL")]
)
def test_a_lasting_refusal_is_not_repeated_and_hides_the_key(
    serve: Callable[..., Endpoint], status: int, mend: str
) -> None:
    endpoint = serve(refuses(status, json.dumps({"error": {"message": f"no: {KEY}"}})))
    with pytest.raises(ModelFailed) as caught:
        written(generator_for(endpoint))
    assert mend in caught.value.fix
    assert KEY not in str(caught.value)
    assert len(endpoint.asked) == 1


def test_a_field_that_it_does_not_know_is_left_out_from_then_on(serve: Callable[..., Endpoint]) -> None:
    endpoint = serve(
        refuses(400, '{"error": {"message": "Unsupported parameter: \'max_tokens\'. Use \'max_completion_tokens\'."}}'),
        refuses(400, '{"error": {"message": "\'temperature\' does not support 0"}}'),
        says("28 yuan."),
    )
    generator = generator_for(endpoint)
    assert written(generator) == written(generator) == "28 yuan."
    assert {"max_tokens", "temperature"}.isdisjoint(endpoint.asked[-1])
    assert endpoint.asked[-1]["max_completion_tokens"] > 64
    assert len(endpoint.asked) == 4


def test_a_prompt_longer_than_its_context_is_named_so(serve: Callable[..., Endpoint]) -> None:
    told = refuses(400, '{"error": {"message": "This model\'s maximum context length is 512 tokens"}}')
    with pytest.raises(PromptTooLong):
        written(generator_for(serve(told)))
    endpoint = serve(says("x"), models={"data": [{"id": "tiny", "max_model_len": 700}]})
    with pytest.raises(PromptTooLong, match="context of 700"):
        written(generator_for(endpoint), max_tokens=690)
    assert endpoint.asked == []


def broken_json(to: Reply) -> None:
    to.start()
    to.say("A flat white is 28 yuan. ")
    to.send('data: {"choices": [{"delta": {"content": "Oat\n\n')


def error_object(to: Reply) -> None:
    to.start()
    to.say("A flat white is 28 yuan. ")
    to.event({"error": {"message": f"CUDA out of memory, key {KEY}", "code": 500}})


def no_end(to: Reply) -> None:
    to.start()
    to.say("A flat white is 28 yuan. ")
    to.say("Oat milk is 3")


def dropped(to: Reply) -> None:
    to.start(Transfer_Encoding="chunked")
    to.say("A flat white is 28 yuan. ")


def html(to: Reply) -> None:
    to.start(200, "application/json")
    to.send("<html>Sign in</html>")


def other_shape(to: Reply) -> None:
    to.start()
    to.event(["what", "is", "this"])


BEGUN = "A flat white is 28 yuan. "


@pytest.mark.parametrize(
    ("misbehaves", "problem", "kept"),
    [
        (broken_json, "no JSON", BEGUN),
        (error_object, r"CUDA out of memory, key \(the key\)", BEGUN),
        (no_end, "an end in the middle", BEGUN + "Oat milk is 3"),
        (dropped, "broke", ""),
        (html, "no JSON: <html>", ""),
        (other_shape, "another shape", ""),
    ],
)
def test_a_stream_that_breaks_is_named_keeps_what_came_before_and_is_not_asked_for_twice(
    serve: Callable[..., Endpoint], misbehaves: Callable[[Reply], None], problem: str, kept: str
) -> None:
    endpoint = serve(says("well"), misbehaves)
    generator = generator_for(endpoint, retries=0)
    assert written(generator) == "well"  # from here on it streams
    pieces: list[str] = []
    with pytest.raises(ModelFailed, match=problem) as caught:
        pieces.extend(generator.generate("", "x", 64, threading.Event()))
    assert "".join(pieces) == kept
    assert KEY not in str(caught.value)
    assert len(endpoint.asked) == 2


def test_a_reply_that_says_why_it_ends_needs_no_done(serve: Callable[..., Endpoint]) -> None:
    def ends(to: Reply) -> None:
        to.start()
        to.say("28 yuan.")
        to.finish(done=False)

    assert written(generator_for(serve(ends))) == "28 yuan."


def test_an_endpoint_that_is_down_is_named_and_then_left_alone_for_a_while() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    generator = EndpointGenerator(url, "", "", None, replace(LIMITS, retries=0))
    with pytest.raises(ModelFailed, match="cannot be reached") as caught:
        written(generator)
    assert "start the endpoint" in caught.value.fix
    with pytest.raises(ModelFailed, match="left alone"):
        written(generator)


def test_an_endpoint_that_is_silent_is_not_waited_for_for_ever(serve: Callable[..., Endpoint]) -> None:
    endpoint = serve(lambda to: to.endpoint.left.wait(20) and None)
    with pytest.raises(ModelFailed, match=r"silent for 0\.3 s") as caught:
        written(generator_for(endpoint, read_timeout_s=0.3))
    assert "READ_TIMEOUT" in caught.value.fix


@pytest.mark.parametrize("when", ["before the first token", "in the middle", "while waiting to ask again"])
def test_an_asker_who_leaves_closes_the_connection_at_once(serve: Callable[..., Endpoint], when: str) -> None:
    asked = threading.Event()

    def slow(to: Reply) -> None:
        if when == "while waiting to ask again":
            refuses(429, Retry_After="25")(to)
            asked.set()
            return
        to.start()
        if when == "in the middle":
            to.say("A flat ")
        asked.set()
        to.wait_until_left()

    endpoint = serve(slow)
    writer = Writer(generator_for(endpoint), queue=0)

    async def leave() -> float:
        async def ask() -> None:
            async for _ in writer.write("", "x", 64, 300.0):
                pass

        asking = asyncio.create_task(ask())
        await asyncio.to_thread(asked.wait, 60)
        asking.cancel()
        started = time.perf_counter()
        await asyncio.gather(asking, return_exceptions=True)
        return time.perf_counter() - started

    assert asyncio.run(leave()) < 20  # and not the 25 to 60 seconds that the endpoint would have taken
    assert when == "while waiting to ask again" or endpoint.left.wait(60)
    writer.close()


def test_several_are_answered_at_once_and_no_more_than_the_setting_says(serve: Callable[..., Endpoint]) -> None:
    def slow(to: Reply) -> None:
        time.sleep(0.05)
        says("28 yuan.")(to)

    endpoint = serve(slow)
    writer = Writer(generator_for(endpoint, parallel=3), queue=5)

    async def ask() -> str:
        return "".join([piece async for piece in writer.write("", "x", 64, 300.0)])

    async def many() -> list[str | BaseException]:
        return await asyncio.gather(*(ask() for _ in range(50)), return_exceptions=True)

    answers = asyncio.run(many())
    assert answers.count("28 yuan.") == 8
    assert sum(isinstance(answer, QueueFull) for answer in answers) == 42
    assert 1 < endpoint.most_at_once <= 3
    writer.close()


def test_thoughts_are_kept_apart_however_they_come(serve: Callable[..., Endpoint]) -> None:
    def field(name: str) -> Callable[[Reply], None]:
        def reply(to: Reply) -> None:
            to.start()
            to.say("", **{name: "look at post 1"})
            to.say("28 yuan.")
            to.finish()

        return reply

    typed = [{"type": "thinking", "thinking": [{"type": "text", "text": "look at post 1"}]}]

    def parts(to: Reply) -> None:
        to.start()
        to.event({"choices": [{"delta": {"content": typed}}]})
        to.event({"choices": [{"delta": {"content": [{"type": "text", "text": "28 yuan."}]}}]})
        to.finish()

    tagged = says("<thi", "nk>look at post 1</thi", "nk>28 yuan.")
    for reply in (field("reasoning_content"), field("reasoning"), parts, tagged):
        thoughts: list[str] = []
        assert written(generator_for(serve(reply)), thoughts=thoughts.append) == "28 yuan."
        assert "".join(thoughts) == "look at post 1"


def test_a_thought_whose_opening_tag_is_in_the_template_is_never_shown(serve: Callable[..., Endpoint]) -> None:
    endpoint = serve(says("look at ", "post 1</th", "ink>28 ", "yuan."), says("again</think>", "30 ", "yuan."))
    generator = generator_for(endpoint)
    thoughts: list[str] = []
    assert written(generator, thoughts=thoughts.append) == "28 yuan."
    assert written(generator, thoughts=thoughts.append) == "30 yuan."
    assert "".join(thoughts) == "look at post 1again"


def endless(to: Reply) -> None:
    to.start()
    to.say("28 yuan at post 1, then at post 2, then")
    to.finish("length")


@pytest.mark.parametrize(
    ("probed", "shown"),
    [
        (says("yes"), "28 yuan at post 1, then at post 2, then"),
        (says("the user wants yes</think>yes"), ""),
        (endless, ""),
    ],
)
def test_a_first_reply_that_is_cut_off_is_shown_only_where_a_short_one_proves_that_it_was_no_thought(
    serve: Callable[..., Endpoint], probed: Callable[[Reply], None], shown: str
) -> None:
    endpoint = serve(endless, probed)
    assert written(generator_for(endpoint)) == shown
    assert endpoint.asked[1]["messages"] == [{"role": "user", "content": "Reply with one word: yes"}]


def test_thinking_is_switched_off_where_no_tokens_are_given_for_it(serve: Callable[..., Endpoint]) -> None:
    endpoint = serve(says("28"))
    written(generator_for(endpoint, thinking_tokens=0))
    written(generator_for(endpoint, thinking_tokens=500))
    assert endpoint.asked[0]["chat_template_kwargs"]["enable_thinking"] is False
    assert "chat_template_kwargs" not in endpoint.asked[1]
    assert endpoint.asked[1]["max_tokens"] == 564


def test_the_context_is_what_the_endpoint_says_else_the_setting(serve: Callable[..., Endpoint]) -> None:
    vllm = serve(
        says("x"), models={"data": [{"id": "other", "max_model_len": 1}, {"id": "tiny", "max_model_len": 8192}]}
    )
    generator = EndpointGenerator(vllm.url, "tiny", "", None, LIMITS)
    assert (generator.discover().context_tokens, generator.context_tokens) == (8192, 8192)
    llama = serve(says("x"), properties={"default_generation_settings": {"n_ctx": 2048}})
    generator = generator_for(llama)
    assert generator.discover().llama_server
    assert generator.context_tokens == 2048
    written(generator, grammar='root ::= "28"')
    assert llama.asked[0]["grammar"] == 'root ::= "28"'
    silent = generator_for(serve(says("x"), models=None), context_tokens=3000)
    silent.discover()
    assert silent.context_tokens == 3000


def test_what_the_endpoint_counts_corrects_our_estimate(serve: Callable[..., Endpoint]) -> None:
    def counts(to: Reply) -> None:
        to.start()
        to.say("28")
        to.finish(done=False)
        to.event({"choices": [], "usage": {"prompt_tokens": 1000}})
        to.send("data: [DONE]\n\n")

    generator = generator_for(serve(counts))
    before = generator.count_tokens("hello world")
    written(generator)
    assert generator.count_tokens("hello world") > before


def test_no_log_line_holds_the_key(serve: Callable[..., Endpoint]) -> None:
    endpoint = serve(refuses(503, f"busy {KEY}", Retry_After="0"), refuses(400, f"temperature {KEY}"), says("28"))
    with structlog.testing.capture_logs() as lines:
        written(generator_for(endpoint, retries=2))
    assert lines
    assert KEY not in repr(lines)
    assert KEY not in repr(generator_for(endpoint).__dict__["_at"].shown)


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("http://h:8080/v1", "http://h:8080/v1"),
        ("http://h:8080", "http://h:8080/v1"),
        ("https://h/v1/", "https://h/v1"),
        ("https://h/api/v1/chat/completions", "https://h/api/v1"),
        ("http://[::1]:8080/v1", "http://[::1]:8080/v1"),
    ],
)
def test_an_address_may_be_written_as_people_write_it(typed: str, url: str) -> None:
    assert EndpointAddress.parse(typed, "").url == url


def test_a_password_in_the_address_is_not_shown() -> None:
    address = EndpointAddress.parse("http://me:pass@h:1/v1", "")
    assert (address.url, address.shown) == ("http://me:pass@h:1/v1", "http://h:1/v1")


@pytest.mark.parametrize("typed", ["http://", "http:///v1", "http://h:port/v1"])
def test_an_address_without_a_host_is_refused(typed: str) -> None:
    with pytest.raises(FixableError, match="names no host"):
        EndpointAddress.parse(typed, "")


@given(st.text(max_size=200))
def test_whatever_a_line_holds_it_is_a_delta_nothing_or_a_broken_stream(line: str) -> None:
    with contextlib.suppress(BrokenStreamError):
        read_line("data: " + line)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["choices", "delta", "content", "error", "usage", "message", "reasoning"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(_json)
def test_whatever_json_a_line_holds_it_is_a_delta_or_a_broken_stream(data: object) -> None:
    with contextlib.suppress(BrokenStreamError):
        read_line("data: " + json.dumps(data))


@given(st.text("hm</think>a ", max_size=40), st.booleans(), st.integers(1, 9))
def test_a_cautious_reply_is_the_same_however_it_is_cut(reply: str, cut_off: bool, size: int) -> None:
    def split(size: int) -> tuple[str, str]:
        splitter = CautiousSplitter(hold=True)
        splits = [splitter.feed(reply[at : at + size]) for at in range(0, len(reply), size)]
        splits.append(splitter.rest(cut_off=cut_off))
        return "".join(one.answer for one in splits), "".join(one.thought for one in splits)

    assert split(size) == split(1000)


@given(st.text(max_size=100), st.text(max_size=100))
def test_an_estimate_of_two_texts_is_not_more_than_that_of_each(one: str, other: str) -> None:
    assert estimate_tokens(one + other) <= estimate_tokens(one) + estimate_tokens(other)
    assert (estimate_tokens(one) == 0) == (one.strip(" ") == "")
