"""The queue before the model: full, left, slow, in circles, each ends clearly and frees its place."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from app.answering.generation import GenerateRequest, ModelFailed, Piece, ScriptedGenerator
from app.answering.generation.cancellation import Stop
from app.answering.types import Queued
from app.answering.writing.model_queue import ModelQueue, QueueFull, comes_now


async def read(model_queue: ModelQueue, timeout_s: float = 300.0, thoughts: list[str] | None = None) -> str:
    stream = model_queue.stream(GenerateRequest("", "x", 64), timeout_s)
    pieces = [piece async for piece in stream if isinstance(piece, Piece)]
    assert all(piece.answer or piece.thought for piece in pieces)
    if thoughts is not None:
        thoughts.extend(piece.thought for piece in pieces)
    return "".join(piece.answer for piece in pieces)


class Held(ScriptedGenerator):
    """Writes its first reply only when it is let go of, and notes who came."""

    def __init__(self, replies: list[str]) -> None:
        super().__init__(replies)
        self.go, self.inside, self.most_inside = threading.Event(), 0, 0
        self.came = threading.Event()

    def generate(self, request: GenerateRequest, stop: threading.Event) -> Iterator[Piece]:
        self.inside += 1
        self.most_inside = max(self.most_inside, self.inside)
        self.came.set()
        try:
            while not self.go.wait(0.01):
                if stop.is_set():
                    return
            yield from super().generate(request, stop)
        finally:
            self.inside -= 1


def test_of_fifty_askers_at_once_those_beyond_the_queue_are_told_at_once_and_the_others_are_served() -> None:
    generator = Held(["28 yuan."])
    model_queue = ModelQueue(generator, waiting=16)

    async def many() -> list[str | BaseException]:
        asking = [asyncio.create_task(read(model_queue)) for _ in range(50)]
        await asyncio.to_thread(generator.came.wait, 60)
        refused = [task for task in asking if task.done()]
        assert len(refused) == 33  # while the first one is still being written
        generator.go.set()
        return await asyncio.gather(*asking, return_exceptions=True)

    answers = asyncio.run(many())
    assert answers.count("28 yuan.") == 17
    assert sum(isinstance(answer, QueueFull) for answer in answers) == 33
    assert generator.most_inside == 1
    model_queue.close()


def test_an_asker_who_leaves_the_line_frees_a_place_in_it() -> None:
    generator = Held(["28 yuan."])
    model_queue = ModelQueue(generator, waiting=1)

    async def leave() -> str:
        first = asyncio.create_task(read(model_queue))
        await asyncio.to_thread(generator.came.wait, 60)
        waiting = asyncio.create_task(read(model_queue))
        await asyncio.sleep(0)
        with pytest.raises(QueueFull):
            await read(model_queue)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        another = asyncio.create_task(read(model_queue))
        await asyncio.sleep(0)
        generator.go.set()
        await first
        return await another

    assert asyncio.run(leave()) == "28 yuan."
    model_queue.close()


def test_nobody_waits_longer_than_is_set() -> None:
    generator = Held(["28 yuan."])
    model_queue = ModelQueue(generator, waiting=4, longest_wait_s=0.05)

    async def wait() -> str:
        first = asyncio.create_task(read(model_queue))
        await asyncio.to_thread(generator.came.wait, 60)
        with pytest.raises(QueueFull):
            await read(model_queue)
        generator.go.set()
        return await first

    assert asyncio.run(wait()) == "28 yuan."
    assert model_queue.figures().waiting == 0
    model_queue.close()


def test_what_a_request_waited_elsewhere_counts_as_waiting_for_the_model() -> None:
    generator = Held(["28 yuan."])
    model_queue = ModelQueue(generator, waiting=4, longest_wait_s=0.05)

    async def late() -> str:
        comes_now()
        await asyncio.sleep(0.1)
        return await read(model_queue)

    async def scene() -> list[str | BaseException]:
        first = asyncio.create_task(late())  # comes too late to wait, and need not
        await asyncio.to_thread(generator.came.wait, 60)
        second = await asyncio.gather(late(), return_exceptions=True)
        generator.go.set()
        return [await first, *second]

    first, second = asyncio.run(scene())
    assert first == "28 yuan."
    assert isinstance(second, QueueFull)
    model_queue.close()


def test_who_waits_is_told_the_place_in_line_each_time_it_changes_and_about_how_long() -> None:
    generator = Held(["28 yuan."])
    model_queue = ModelQueue(generator, waiting=4)

    async def wait(places: list[Queued]) -> None:
        async for piece in model_queue.stream(GenerateRequest("", "x", 256), 300.0):
            if isinstance(piece, Queued):
                places.append(piece)  # noqa: PERF401  # what was said before it is cancelled counts too

    async def scene() -> list[list[Queued]]:
        told: list[list[Queued]] = [[] for _ in range(4)]
        asking = []
        for places in told:
            asking.append(asyncio.create_task(wait(places)))
            await asyncio.sleep(0)
        asking[1].cancel()
        await asyncio.gather(asking[1], return_exceptions=True)
        await asyncio.sleep(0)
        generator.go.set()
        await asyncio.gather(*asking, return_exceptions=True)
        return told

    told = asyncio.run(scene())
    assert [[one.place for one in places] for places in told] == [[], [1], [2, 1], [3, 2, 1]]
    assert told[3][0].seconds is None  # nobody was served yet
    assert told[3][-1].seconds is not None
    figures = model_queue.figures()
    assert (figures.turns, figures.writing, figures.waiting) == (3, 0, 0)
    model_queue.close()


def test_a_short_reply_goes_before_long_ones_but_not_before_other_short_ones() -> None:
    generator = Held(["28 yuan."])
    model_queue = ModelQueue(generator, waiting=4)
    served: list[str] = []

    async def ask(name: str, max_tokens: int) -> None:
        async for piece in model_queue.stream(GenerateRequest("", name, max_tokens), 300.0):
            if isinstance(piece, Piece) and name not in served:
                served.append(name)

    async def scene() -> None:
        asking = []
        for name, max_tokens in (("first", 256), ("long", 256), ("short", 96), ("short too", 96)):
            asking.append(asyncio.create_task(ask(name, max_tokens)))
            await asyncio.sleep(0)
        generator.go.set()
        await asyncio.gather(*asking)

    asyncio.run(scene())
    assert served == ["first", "short", "short too", "long"]
    model_queue.close()


def test_an_asker_who_leaves_while_the_model_writes_frees_the_model() -> None:
    generator = Held(["28 yuan."])
    model_queue = ModelQueue(generator, waiting=1)

    async def leave() -> str:
        first = asyncio.create_task(read(model_queue))
        await asyncio.to_thread(generator.came.wait, 60)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        assert generator.inside == 0
        generator.go.set()
        return await read(model_queue)

    assert asyncio.run(leave()) == "28 yuan."
    model_queue.close()


def test_a_model_that_turns_in_a_circle_is_stopped_and_what_was_before_is_kept() -> None:
    model_queue = ModelQueue(ScriptedGenerator(["It is 28 yuan. " + "Oat milk is 3 yuan more. " * 1000]), waiting=0)
    reply = asyncio.run(read(model_queue))
    assert reply.startswith("It is 28 yuan. Oat milk is 3 yuan more.")
    assert len(reply) < 300
    model_queue.close()


def test_a_model_that_says_nothing_is_no_error() -> None:
    model_queue = ModelQueue(ScriptedGenerator([""]), waiting=0)
    assert asyncio.run(read(model_queue)) == ""
    model_queue.close()


def test_a_model_that_is_not_done_in_time_is_left_and_the_next_asker_is_served() -> None:
    generator = Held(["28 yuan."])
    model_queue = ModelQueue(generator, waiting=0)
    assert asyncio.run(read(model_queue, timeout_s=0.05)) == ""
    generator.go.set()
    assert asyncio.run(read(model_queue)) == "28 yuan."
    model_queue.close()


@pytest.mark.parametrize("error", [ModelFailed("it is down", "start it"), RuntimeError("a bug")])
def test_what_the_model_fails_with_reaches_its_asker_and_the_next_one_is_served(error: Exception) -> None:
    class Failing(ScriptedGenerator):
        def generate(self, request: GenerateRequest, stop: threading.Event) -> Iterator[Piece]:
            if self.prompts:
                return super().generate(request, stop)
            self.prompts.append((request.system, request.user))
            raise error  # before a piece is asked for

    model_queue = ModelQueue(Failing(["28 yuan."]), waiting=0)
    with pytest.raises(type(error)):
        asyncio.run(read(model_queue))
    assert asyncio.run(read(model_queue)) == "28 yuan."
    model_queue.close()


def test_thoughts_come_beside_the_reply_and_in_order() -> None:
    model_queue = ModelQueue(ScriptedGenerator(["<think>look at post 1</think>28 yuan."]), waiting=0)
    thoughts: list[str] = []
    assert asyncio.run(read(model_queue, thoughts=thoughts)) == "28 yuan."
    assert "".join(thoughts) == "look at post 1"
    model_queue.close()


def test_a_stop_calls_whoever_waits_for_it_once_and_never_after() -> None:
    stop, called = Stop(), []
    with stop.calling(lambda: called.append("before")):
        stop.set()
    with stop.calling(lambda: called.append("already")):
        pass
    stop.set()
    assert called == ["before", "already"]


def test_a_stop_may_be_set_from_another_thread_while_others_come_and_go() -> None:
    stop, called = Stop(), []
    setting = threading.Timer(0.01, stop.set)
    setting.start()
    while setting.is_alive():
        with stop.calling(lambda: called.append(1)):
            pass
    setting.join()
    assert stop.is_set()
