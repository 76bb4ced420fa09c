"""Three threads: which items pass, in which order, and what happens after an error."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.pipeline.threaded_pipeline import run_threaded


def doubled(items: Iterator[int]) -> Generator[int]:
    for one in items:
        yield 2 * one


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("reindex")]


@given(st.lists(st.integers(), max_size=20), st.integers(1, 4))
def test_everything_comes_through_in_its_order(items: list[int], ahead: int) -> None:
    got: list[int] = []
    run_threaded(items, doubled, got.append, ahead)
    assert got == [2 * one for one in items]
    assert threads() == []


def test_the_source_is_read_ahead_by_as_much_as_was_allowed_and_no_further() -> None:
    read: list[int] = []
    full = threading.Event()

    def source() -> Iterator[int]:
        for number in range(100):
            read.append(number)
            if number == 4:  # one is worked on, three wait, one waits for room
                full.set()
            yield number

    def work(items: Iterator[int]) -> Generator[int]:
        next(items)
        assert full.wait(10)
        assert len(read) <= 6
        yield 0

    run_threaded(source(), work, lambda _: None, ahead=3)


class Broken(BaseException):
    """Raised by one of the three; like KeyboardInterrupt not an Exception."""


def failing(items: Iterable[int], at: int) -> Generator[int]:
    for one in items:
        if one == at:
            raise Broken
        yield one


def test_an_error_in_the_source_ends_it_once_what_came_before_is_through() -> None:
    got: list[int] = []
    with pytest.raises(Broken):
        run_threaded(failing(range(9), 5), doubled, got.append)
    assert got == [0, 2, 4, 6, 8]
    assert threads() == []


def test_an_error_in_the_work_leaves_nothing_undone_that_came_out_of_it() -> None:
    got: list[int] = []
    with pytest.raises(Broken):
        run_threaded(range(1000), lambda items: failing(items, 5), got.append)
    assert got == [0, 1, 2, 3, 4]
    assert threads() == []


def test_an_error_in_the_sink_ends_the_other_two() -> None:
    closed: list[str] = []

    def work(items: Iterator[int]) -> Generator[int]:
        try:
            yield from items
        finally:
            closed.append("work")

    def sink(one: int) -> None:
        if one == 5:
            raise Broken

    with pytest.raises(Broken):
        run_threaded(range(10**9), work, sink)
    assert closed == ["work"]
    assert threads() == []


def test_work_that_needs_no_more_ends_it() -> None:
    got: list[int] = []

    def work(items: Iterator[int]) -> Generator[int]:
        yield next(items)

    run_threaded(range(10**9), work, got.append)
    assert got == [0]
