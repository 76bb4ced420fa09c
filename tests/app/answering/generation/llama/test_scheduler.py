"""Who reads and who writes next, on a model that counts: after any sequence of tokens it says their sum, modulo 97.

Such a model is wrong at once where a sequence holds a token that it should not, or lacks one.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from app.answering.generation.llama.context import Decoded, Row
from app.answering.generation.llama.scheduler import CHUNK, Scheduler, Task
from app.answering.generation.thoughts import Piece

VOCABULARY, END = 97, 96


@dataclass
class CountingContext:
    """A context that holds its sequences' tokens, and at most `window` different cells.

    Attributes:
        batches: The rows of each batch that was asked for.
        during: Called within a batch, as another thread might do something meanwhile.
    """

    window: int = 2000
    sequences: int = 6
    shares: bool = True
    held: dict[int, list[int]] = field(default_factory=dict)
    batches: list[list[Row]] = field(default_factory=list)
    during: Callable[[list[Row]], None] = lambda rows: None
    aborting: bool = False

    def decode(self, rows: Sequence[Row]) -> Decoded:
        self.batches.append(list(rows))
        self.during(list(rows))
        if self.aborting:
            self.aborting = False
            return Decoded.ABORTED
        before = {number: list(tokens) for number, tokens in self.held.items()}
        self._said: dict[int, int] = {}
        for at, row in enumerate(rows):
            tokens = self.held.setdefault(row.sequence, [])
            assert row.position == len(tokens), "a gap, or a token read twice"
            tokens.append(row.token)
            self._said[at] = sum(tokens) % VOCABULARY
        if self._cells() > self.window:
            self.held = before
            return Decoded.FULL
        return Decoded.DONE

    def _cells(self) -> int:
        """Different beginnings: what two sequences have in common counts once. A little kinder than llama.cpp."""
        return len({tuple(tokens[: n + 1]) for tokens in self.held.values() for n in range(len(tokens))})

    def logits(self, row: int) -> NDArray[np.float32]:
        assert self.batches[-1][row].wanted
        values = np.zeros(VOCABULARY, np.float32)
        values[self._said[row]] = 1000.0  # far more than repeating costs
        return values

    def keep(self, sequence: int, tokens: int) -> None:
        assert self.shares or not tokens
        del self.held.setdefault(sequence, [])[tokens:]

    def copy(self, source: int, target: int, tokens: int) -> None:
        assert self.shares
        assert not self.held.get(target)
        self.held[target] = self.held[source][:tokens]

    def abort(self) -> None:
        self.aborting = True


class Tokens:
    """A reply that ends after so many tokens."""

    def __init__(self, most: int) -> None:
        self.most, self.tokens, self.ended = most, [], False  # type: int, list[int], bool

    def take(self, token: int) -> tuple[Piece, list[int]]:
        self.tokens.append(token)
        self.ended = len(self.tokens) >= self.most
        return Piece(f"{token} "), [token]


@dataclass
class Asked:
    """A task and what came of it."""

    task: Task
    reply: Tokens
    said: list[Piece | None]

    @property
    def done(self) -> bool:
        return self.said[-1:] == [None]


def ask(scheduler: Scheduler, number: int, prompt: Sequence[int], most: int = 5, fixed: int = 0) -> Asked:
    said: list[Piece | None] = []
    reply = Tokens(most)
    task = Task(number, list(prompt), fixed, len(prompt) + most, reply, said.append)
    scheduler.submit(task)
    return Asked(task, reply, said)


def expected(prompt: Sequence[int], most: int) -> list[int]:
    tokens, reply = list(prompt), []
    for _ in range(most):
        reply.append(sum(tokens) % VOCABULARY)
        tokens.append(reply[-1])
    return reply


def run(scheduler: Scheduler, most_steps: int = 5000) -> None:
    for _ in range(most_steps):
        if not scheduler.step():
            return
    raise AssertionError("it never ends")


PROMPTS = st.lists(st.integers(0, 9), min_size=1, max_size=3 * CHUNK)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(PROMPTS, st.integers(1, 12), st.integers(0, 40)), min_size=1, max_size=12),
    st.booleans(),
    st.integers(1, 4),
    st.sampled_from([3 * CHUNK + 12, 600, 2000]),
    st.randoms(use_true_random=False),
)
def test_whoever_comes_and_goes_beside_it_each_reply_is_that_of_its_own_prompt(
    asked: list[tuple[list[int], int, int]], shares: bool, at_once: int, window: int, chance: random.Random
) -> None:
    context = CountingContext(window, at_once + 2, shares)
    scheduler = Scheduler(context, at_once)
    waiting = [(number, *one) for number, one in enumerate(asked, start=1)]
    begun: list[tuple[Asked, list[int], int]] = []
    left: set[int] = set()
    while waiting or scheduler.step():
        if waiting and chance.random() < 0.5:
            number, prompt, most, fixed = waiting.pop(0)
            prompt = [1] * fixed + prompt if fixed + len(prompt) + most <= window else prompt
            begun.append((ask(scheduler, number, prompt, most, min(fixed, len(prompt) - 1)), prompt, most))
        if begun and chance.random() < 0.1:
            left.add(leaver := chance.choice(begun)[0].task.number)
            scheduler.leave(leaver)
        if waiting:
            scheduler.step()
    for one, prompt, most in begun:
        assert one.done
        assert one.said.count(None) == 1
        whole = expected(prompt, most)
        assert one.reply.tokens == (whole[: len(one.reply.tokens)] if one.task.number in left else whole)
    assert (scheduler.counts.waiting, scheduler.counts.reading, scheduler.counts.writing) == (0, 0, 0)


def test_prompts_are_read_one_after_the_other_and_what_is_through_is_written_beside() -> None:
    context = CountingContext()
    scheduler = Scheduler(context, 4)
    first = ask(scheduler, 1, [1] * (2 * CHUNK), most=50)
    second = ask(scheduler, 2, [2] * (2 * CHUNK), most=50)
    scheduler.step()
    scheduler.step()
    assert len(first.reply.tokens) == 1
    assert [len({row.sequence for row in batch}) for batch in context.batches] == [1, 1]
    scheduler.step()
    scheduler.step()
    assert len(first.reply.tokens) == 3
    assert len(second.reply.tokens) == 1
    assert [len(batch) for batch in context.batches[2:]] == [CHUNK + 1, CHUNK + 1]
    scheduler.step()
    assert len(context.batches[-1]) == 2  # both write now, in one batch
    assert scheduler.counts.written_beside == 2


def test_a_prompt_of_one_chunk_overtakes_long_ones_but_not_for_ever() -> None:
    scheduler = Scheduler(CountingContext(20_000, 40), 30)
    long = ask(scheduler, 1, [1] * (4 * CHUNK), most=90)
    scheduler.step()
    short = ask(scheduler, 2, [2] * 5, most=90)
    scheduler.step()
    assert len(short.reply.tokens) == 1
    assert not long.reply.tokens
    crowd = [ask(scheduler, number, [number] * 5, most=90) for number in range(3, 23)]
    for _ in range(10):
        scheduler.step()
    assert long.reply.tokens
    assert not all(one.reply.tokens for one in crowd)


def test_more_than_may_write_at_once_wait_and_take_the_place_of_whoever_is_done() -> None:
    scheduler = Scheduler(CountingContext(), 2)
    asked = [ask(scheduler, number, [number] * 5, most=number + 1) for number in range(1, 6)]
    scheduler.step()
    assert (scheduler.counts.waiting, scheduler.counts.reading + scheduler.counts.writing) == (3, 2)
    run(scheduler)
    assert all(one.done for one in asked)


def test_a_prompt_that_does_not_fit_beside_the_others_waits_until_it_does() -> None:
    context = CountingContext(window=300)
    scheduler = Scheduler(context, 4)
    first = ask(scheduler, 1, [1] * 150, most=50)
    second = ask(scheduler, 2, [2] * 150, most=50)
    scheduler.step()
    assert scheduler.counts.waiting == 1
    run(scheduler)
    assert first.reply.tokens == expected([1] * 150, 50)
    assert second.reply.tokens == expected([2] * 150, 50)


def test_the_beginning_that_prompts_have_in_common_is_read_once_even_by_those_who_come_at_once() -> None:
    scheduler = Scheduler(CountingContext(), 4)
    fixed = [3] * 100
    asked = [ask(scheduler, number, [*fixed, number, 7], fixed=100) for number in range(1, 5)]
    run(scheduler)
    assert all(one.done for one in asked)
    assert scheduler.counts.read_tokens == 100 + 4 * 2
    assert scheduler.counts.reused_tokens == 3 * 100


def test_a_beginning_outlives_the_many_prompts_that_went_on_from_it() -> None:
    scheduler = Scheduler(CountingContext(4000, 5), 1)
    ours, theirs = [3] * 100, [4] * 50
    for number in range(1, 40):
        ask(scheduler, number, [*ours, *range(number, number + 30)], fixed=100)
        run(scheduler)
        if number % 10 == 0:
            ask(scheduler, 1000 + number, [*theirs, number], fixed=50)
            run(scheduler)
    assert scheduler.counts.reused_tokens >= 38 * 100 + 2 * 50


def test_the_same_prompt_again_costs_its_last_token() -> None:
    scheduler = Scheduler(CountingContext(), 1)
    prompt = [5] * 200
    again = [ask(scheduler, number, prompt) for number in (1, 2)]
    run(scheduler)
    assert scheduler.counts.read_tokens == 201
    assert again[0].reply.tokens == again[1].reply.tokens == expected(prompt, 5)


def test_a_model_whose_state_cannot_be_cut_reads_every_prompt_from_its_beginning() -> None:
    scheduler = Scheduler(CountingContext(shares=False), 2)
    asked = [ask(scheduler, number, [3] * 100 + [number], fixed=100) for number in (1, 2, 3)]
    run(scheduler)
    assert scheduler.counts.reused_tokens == 0
    assert [one.reply.tokens for one in asked] == [expected([3] * 100 + [number], 5) for number in (1, 2, 3)]


@pytest.mark.parametrize("shares", [True, False])
def test_whoever_leaves_while_the_own_prompt_is_read_is_gone_and_the_next_is_read(shares: bool) -> None:
    context = CountingContext(shares=shares)
    scheduler = Scheduler(context, 1)
    leaver, other = ask(scheduler, 1, [1] * 300), ask(scheduler, 2, [2] * 5)
    context.during = lambda rows: scheduler.leave(1) if rows[0].token == 1 else None
    run(scheduler)
    assert leaver.said == [None]
    assert not leaver.reply.tokens
    assert other.reply.tokens == expected([2] * 5, 5)
    assert len([batch for batch in context.batches if batch[0].token == 1]) == 1
    assert scheduler.counts.left == 1


def test_whoever_leaves_while_another_is_read_breaks_nothing_off() -> None:
    context = CountingContext()
    scheduler = Scheduler(context, 2)
    leaver = ask(scheduler, 1, [1] * 5, most=50)
    scheduler.step()
    other = ask(scheduler, 2, [2] * 300)
    context.during = lambda rows: scheduler.leave(1)
    scheduler.step()
    assert not context.aborting
    run(scheduler)
    assert leaver.done
    assert len(leaver.reply.tokens) == 2
    assert other.reply.tokens == expected([2] * 300, 5)


def test_whoever_leaves_the_line_or_is_not_there_at_all_costs_nothing() -> None:
    scheduler = Scheduler(CountingContext(), 1)
    first, second = ask(scheduler, 1, [1] * 5), ask(scheduler, 2, [2] * 5)
    scheduler.leave(2)
    scheduler.leave(77)
    run(scheduler)
    assert first.reply.tokens == expected([1] * 5, 5)
    assert second.said == [None]


def test_what_is_kept_gives_way_to_what_is_asked() -> None:
    context = CountingContext(window=260, sequences=8)
    scheduler = Scheduler(context, 1)
    for number in range(1, 8):
        asked = ask(scheduler, number, [number] * 200, fixed=50)
        run(scheduler)
        assert asked.reply.tokens == expected([number] * 200, 5)
