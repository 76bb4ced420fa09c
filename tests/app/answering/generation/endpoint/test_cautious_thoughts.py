"""An endpoint's model that thinks: its thoughts are kept out of what is shown."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.answering.generation.endpoint.cautious_thoughts import CautiousSplitter
from tests.app.answering.generation.endpoint.endpoints import Endpoint, Reply, generator_for, says, written


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
        assert written(generator_for(serve(reply)), thoughts=thoughts) == "28 yuan."
        assert "".join(thoughts) == "look at post 1"


def test_a_thought_whose_opening_tag_is_in_the_template_is_never_shown(serve: Callable[..., Endpoint]) -> None:
    endpoint = serve(says("look at ", "post 1</th", "ink>28 ", "yuan."), says("again</think>", "30 ", "yuan."))
    generator = generator_for(endpoint)
    thoughts: list[str] = []
    assert written(generator, thoughts=thoughts) == "28 yuan."
    assert written(generator, thoughts=thoughts) == "30 yuan."
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


@given(st.text("hm</think>a ", max_size=40), st.booleans(), st.integers(1, 9))
def test_a_cautious_reply_is_the_same_however_it_is_cut(reply: str, cut_off: bool, size: int) -> None:
    def split(size: int) -> tuple[str, str]:
        splitter = CautiousSplitter(hold=True)
        splits = [splitter.feed(reply[at : at + size]) for at in range(0, len(reply), size)]
        splits.append(splitter.rest(cut_off=cut_off))
        return "".join(one.answer for one in splits), "".join(one.thought for one in splits)

    assert split(size) == split(1000)
