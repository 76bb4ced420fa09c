"""The writing process: loads a model, and writes what the server asks for until the server is gone.

Started by `WriterProcess` as `python -m app.answering.generation.llama.worker`; it speaks `wire` over its standard
input and output. It ends when its input does, which is also what the death of the server looks like from here.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import BinaryIO

from app.answering.generation.llama import wire
from app.answering.generation.llama.chat_model import ChatModel
from app.answering.generation.llama.gguf_loader import last_words
from app.answering.generation.llama.scheduler import Scheduler, Task
from app.answering.generation.protocol import GenerateRequest, ModelFailed, PromptTooLong
from app.answering.generation.thoughts import Piece
from app.models.gguf_file import open_gguf
from retrieval.errors import FixableError

_KEPT = 8
"""Sequences beyond those in use: the beginnings of prompts, and what was read last."""
_REPORT_EVERY_S = 0.5
_FIRST_TO_GO = "500"  # of 1000: where memory ends, the kernel kills this process before the server


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which then ends this process
    # What else prints, such as the log or llama.cpp itself, must not get in between the messages.
    outgoing = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    first = wire.receive_in_process(sys.stdin.buffer)
    if isinstance(first, wire.Load):
        Worker(sys.stdin.buffer, outgoing).serve(first)


class Worker:
    """Joins the server's messages to the scheduler: one thread listens, the main one computes."""

    def __init__(self, incoming: BinaryIO, outgoing: BinaryIO) -> None:
        self._incoming, self._outgoing, self._sending = incoming, outgoing, threading.Lock()

    def serve(self, load: wire.Load) -> None:
        _give_way(load.niceness)
        _limit_memory(load.memory_bytes)
        try:
            file = open_gguf(Path(load.path))
            model = ChatModel(
                file, load.name, load.context_tokens, load.threads, load.thinking_tokens, load.gpu_layers,
                sequences=load.parallel + _KEPT,
            )  # fmt: skip
        except FixableError as error:
            self._send(wire.Failed(0, error.problem, error.fix))
            return
        except (RuntimeError, OSError, MemoryError) as error:  # not even llama.cpp itself
            fix = _MORE_MEMORY if load.memory_bytes else "reinstall llama-cpp-python without its wheel cache"
            self._send(wire.Failed(0, f"llama.cpp cannot be used: {error}", fix))
            return
        scheduler = Scheduler(model.context, load.parallel)
        self._send(wire.Loaded(model.context_tokens, model.thinking_tokens))
        threading.Thread(target=self._listen, args=(model, scheduler), daemon=True).start()
        threading.Thread(target=self._report, args=(scheduler,), daemon=True).start()
        try:
            scheduler.run()
        except RuntimeError as error:  # what the cache holds is unknown now: begin anew
            reason = last_words() or str(error)
            self._send(wire.Failed(0, f"llama.cpp failed while {load.name} was writing: {reason}", _SMALLER))
            os._exit(1)

    def _listen(self, model: ChatModel, scheduler: Scheduler) -> None:
        while (message := wire.receive_in_process(self._incoming)) is not None:
            match message:
                case wire.Write():
                    self._begin(model, scheduler, message)
                case wire.Leave():
                    scheduler.leave(message.number)
                case wire.Count():
                    tokens = len(model.vocabulary.tokens(message.text, special=False))
                    self._send(wire.Counted(message.number, tokens))
        os._exit(0)  # in the middle of whatever is being computed

    def _begin(self, model: ChatModel, scheduler: Scheduler, asked: wire.Write) -> None:
        number = asked.number

        def said(piece: Piece | None) -> None:
            if piece is not None:
                self._send(wire.Wrote(number, piece.answer, piece.thought))
            else:
                self._send(_figures(scheduler))
                self._send(wire.Ended(number))

        request = GenerateRequest(asked.system, asked.user, asked.max_tokens, asked.thinking_tokens)
        try:
            tokens, fixed, reply, most = model.begin(request)
        except ModelFailed as error:
            self._send(wire.Failed(number, error.problem, error.fix, isinstance(error, PromptTooLong)))
            return
        scheduler.submit(Task(number, tokens, fixed, most, reply, said))

    def _report(self, scheduler: Scheduler) -> None:
        last = None
        while True:
            figures = _figures(scheduler)
            if figures != last:
                self._send(figures)
                last = figures
            time.sleep(_REPORT_EVERY_S)

    def _send(self, message: wire.Message) -> None:
        try:
            with self._sending:
                wire.send(self._outgoing, message)
        except OSError:
            os._exit(0)  # the server is gone


def _figures(scheduler: Scheduler) -> wire.Figures:
    return wire.Figures(**dataclasses.asdict(scheduler.counts))


_MORE_MEMORY = "raise STIPPLE_LLM_MEMORY_GB, which limits what it may take"
_SMALLER = "see `stipple doctor`; a smaller STIPPLE_LLM_CONTEXT_TOKENS needs less memory"


def _give_way(niceness: int) -> None:
    """Let the server's own threads go first, and be the first to go where memory ends."""
    with contextlib.suppress(OSError, AttributeError):  # Windows has no niceness
        os.nice(niceness)
    with contextlib.suppress(OSError):  # Linux alone has this
        Path("/proc/self/oom_score_adj").write_text(_FIRST_TO_GO, "ascii")


def _limit_memory(most_bytes: int) -> None:
    """Let no more be allocated than this, the model's file not counted: it is mapped, and not this process' own."""
    if not most_bytes:
        return
    with contextlib.suppress(ImportError, OSError, ValueError):  # Windows; or less is allowed already
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (most_bytes, most_bytes))


if __name__ == "__main__":
    main()
