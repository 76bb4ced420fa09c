"""The writing process as the server sees it: started, spoken to, watched, and started again when it ends."""

from __future__ import annotations

import contextlib
import itertools
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal, TypeAlias

import structlog

from app.answering.generation.llama import wire
from app.answering.generation.protocol import EngineFigures, ModelFailed
from retrieval.errors import ModelMissing

_log = structlog.get_logger()
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 30.0
_WELL_AFTER_S = 60.0  # one that ran so long is started again without a pause
_HANGS_AFTER_S = 20.0  # counting tokens takes milliseconds
_CLOSING_S = 5.0
_COMES_BACK_WITHIN_S = 15.0  # loading takes a second or two: whoever is in line then need not notice
_WORTH_WAITING_S = 2.0  # with a longer pause before the next start than this, it has ended a few times in a row
# Threads that wait for one another sleep after a few microseconds instead of spinning for as long as another process
# has their processor. GNU's OpenMP, which llama.cpp is built with on Linux, reads them when it is loaded.
_WAITING_THREADS = {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "20000"}
Mailbox: TypeAlias = "queue.SimpleQueue[wire.FromProcess | None]"
Outbox: TypeAlias = "queue.SimpleQueue[wire.ToProcess | None]"
State = Literal["starting", "ready", "stopped"]


@dataclass(frozen=True, slots=True)
class _Trouble:
    """Why there is no process now."""

    problem: str
    fix: str


class WriterProcess:
    """A process that writes with one model. It is started at once, and again whenever it ends, until `close`.

    Args:
        patience_s: How long it may take to count tokens before it is taken to hang.

    Raises:
        ModelMissing: The model cannot be loaded the first time.
    """

    def __init__(
        self, load: wire.Load, patience_s: float = _HANGS_AFTER_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._load, self._patience_s, self._clock = load, patience_s, clock
        self._numbers = itertools.count(1)
        self._changed = threading.Condition()  # guards all that follows
        self._state: State = "starting"
        self._back_by = 0.0
        self._mailboxes: dict[int, Mailbox] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._outbox: Outbox = queue.SimpleQueue()
        self._trouble: _Trouble | None = None
        self._figures: wire.Figures | None = None
        self._starts = 0
        self._closing, self._settled = threading.Event(), threading.Event()
        self.loaded = wire.Loaded(0, 0)
        self._watching = threading.Thread(target=self._watch, name="writer process", daemon=True)
        self._watching.start()
        self._settled.wait()
        if self._trouble is not None:
            self.close()
            raise ModelMissing(self._trouble.problem, self._trouble.fix)

    @contextmanager
    def exchange(self, make: Callable[[int], wire.ToProcess]) -> Iterator[tuple[int, Mailbox]]:
        """Send a message under a number of its own, and get the messages with that number until the block ends.

        After the last one that the process could send comes None. Where the process has just ended, this waits for the
        next one, but not for long.

        Raises:
            ModelFailed: There is no process at the moment.
        """
        number, mailbox = next(self._numbers), queue.SimpleQueue[wire.FromProcess | None]()
        with self._changed:
            self._changed.wait_for(self._decided, max(0.0, self._back_by - self._clock()))
            if self._state != "ready":
                raise self.failure()
            self._mailboxes[number] = mailbox
            self._outbox.put(make(number))
        try:
            yield number, mailbox
        finally:
            with self._changed:
                self._mailboxes.pop(number, None)

    def send(self, message: wire.ToProcess) -> None:
        """Send a message to the process, if there is one. Never waits."""
        self._outbox.put(message)

    def count_tokens(self, text: str) -> int:
        """Tokens of a text.

        Raises:
            ModelFailed: There is no process at the moment, or it hangs; then it is ended.
        """
        with self.exchange(lambda number: wire.Count(number, text)) as (_, mailbox):
            try:
                answer = mailbox.get(timeout=self._patience_s)
            except queue.Empty:
                self._kill(f"it did not answer for {self._patience_s:g} s")
                answer = None
        if isinstance(answer, wire.Counted):
            return answer.tokens
        raise self.failure()

    def failure(self) -> ModelFailed:
        """Why the process cannot write now."""
        trouble = self._trouble
        if trouble is not None:
            return ModelFailed(trouble.problem, trouble.fix)
        return ModelFailed(f"the process that writes with {self._load.name} is being started", "wait a moment")

    def figures(self) -> EngineFigures:
        """What the process is, and what it did since it was last started."""
        did, process = self._figures or wire.Figures(0, 0, 0, 0, 0, 0, 0, 0, 0, 0), self._process
        pid = process.pid if process is not None and self._state == "ready" else None
        return EngineFigures(
            state=self._state, pid=pid, restarts=max(0, self._starts - 1),
            problem=self._trouble.problem if self._trouble is not None and self._state != "ready" else "",
            memory_bytes=_own_memory(pid),
            read_tokens=did.read_tokens, reused_tokens=did.reused_tokens, read_seconds=did.read_seconds,
            written_tokens=did.written_tokens, written_beside=did.written_beside,
            written_seconds=did.written_seconds,
            waiting=did.waiting, reading=did.reading, writing=did.writing, left=did.left,
        )  # fmt: skip

    def close(self) -> None:
        """End the process, and all that waits for it."""
        with self._changed:
            self._closing.set()
            self._changed.notify_all()
        self._outbox.put(None)
        self._watching.join(_CLOSING_S)
        if self._watching.is_alive():
            self._kill("it did not end")
            self._watching.join()

    def _decided(self) -> bool:
        return self._state == "ready" or self._closing.is_set() or self._clock() >= self._back_by

    def _watch(self) -> None:
        """Start the process, hand out what it says, and begin again when it has ended."""
        pause = 0.0
        while not self._closing.wait(pause):
            began = self._clock()
            code = self._serve()
            pause = (
                0.0 if self._clock() - began > _WELL_AFTER_S else min(max(2 * pause, _FIRST_PAUSE_S), _LONGEST_PAUSE_S)
            )
            self._end(code, pause)
            if not self._settled.is_set():  # the first time it is for whoever called to decide
                self._settled.set()
                return

    def _serve(self) -> int:
        """Run one process to its end; returns its exit code."""
        # -P: the folder that this is run in must not hide what is installed.
        command = [sys.executable, "-P", "-m", "app.answering.generation.llama.worker"]
        paths = os.pathsep.join(path or str(Path.cwd()) for path in sys.path)
        environment = {**_WAITING_THREADS, **os.environ, "PYTHONPATH": paths}
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:  # noqa: S603  # a program of our own
            assert process.stdin is not None
            assert process.stdout is not None
            outbox: Outbox = queue.SimpleQueue()
            outbox.put(self._load)
            with self._changed:
                self._state, self._process, self._outbox = "starting", process, outbox
                self._starts += 1
                if self._closing.is_set():  # `close` came too early to see it
                    outbox.put(None)
            posting = threading.Thread(target=_post, args=(outbox, process.stdin), daemon=True)
            posting.start()
            while (message := wire.receive_in_server(process.stdout)) is not None:
                self._take(message)
            outbox.put(None)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_CLOSING_S)
            process.kill()  # where it only closed its output
            posting.join()
            return process.wait()

    def _end(self, code: int, pause: float) -> None:
        """Tell all who wait for the process that it has ended."""
        with self._changed:
            known = self._trouble is not None
            self._trouble = self._trouble or _Trouble(
                f"the process that writes with {self._load.name} ended with {_exit_words(code)}",
                "it is started again; if that repeats, see `stipple doctor`, and choose a smaller model if memory ends",
            )
            self._state, self._process = "stopped", None
            # One that could not even load its model, or ends again and again, is not waited for.
            self._back_by = 0.0 if known or pause > _WORTH_WAITING_S else self._clock() + _COMES_BACK_WITHIN_S
            waiting, self._mailboxes = list(self._mailboxes.values()), {}
            self._changed.notify_all()
        for mailbox in waiting:
            mailbox.put(None)
        if self._settled.is_set() and not self._closing.is_set():
            _log.warning(
                "the writing process ended", problem=self._trouble.problem, fix=self._trouble.fix, again_in_s=pause
            )

    def _take(self, message: wire.FromProcess) -> None:
        match message:
            case wire.Loaded():
                with self._changed:
                    self.loaded, self._state, self._trouble, self._figures = message, "ready", None, None
                    self._changed.notify_all()
                if self._settled.is_set():
                    _log.info("the writing process is back", model=self._load.name)
                self._settled.set()
            case wire.Figures():
                self._figures = message
            case wire.Failed(number=0):
                self._trouble = _Trouble(message.problem, message.fix)
            case _:
                with self._changed:
                    mailbox = self._mailboxes.get(message.number)
                if mailbox is not None:
                    mailbox.put(message)

    def _kill(self, reason: str) -> None:
        process = self._process
        if process is not None:
            self._trouble = _Trouble(
                f"the process that writes with {self._load.name} hung: {reason}", "it is started again"
            )
            process.kill()


def _post(outbox: Outbox, pipe: IO[bytes]) -> None:
    """Send what is in the box, until None, which ends the process; a process that does not read delays nobody else."""
    with contextlib.suppress(OSError):  # it has ended
        while (message := outbox.get()) is not None:
            wire.send(pipe, message)
    with contextlib.suppress(OSError):
        pipe.close()


def _exit_words(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"code {code}"


def _own_memory(pid: int | None) -> int | None:
    """Bytes that a process has to itself: without the model's file, which is mapped. None where that is not known."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text("ascii", "replace").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon:")), None)
