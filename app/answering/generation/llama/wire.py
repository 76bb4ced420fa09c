"""What the server and its writing process say to each other: small typed messages over two pipes."""

from __future__ import annotations

import struct
from typing import IO, TypeAlias

import msgspec

_LENGTH = struct.Struct("<I")


class Message(msgspec.Struct, frozen=True, tag=True):
    """Each has its class's name on the wire."""


class Load(Message, frozen=True):
    """First message to the process: what to load, and how to behave beside the server; see LlamaOptions."""

    path: str
    name: str
    context_tokens: int
    threads: int
    thinking_tokens: int
    gpu_layers: int
    parallel: int
    niceness: int
    memory_bytes: int


class Write(Message, frozen=True):
    """A reply is wanted; see GenerateRequest."""

    number: int
    system: str
    user: str
    max_tokens: int
    thinking_tokens: int | None


class Leave(Message, frozen=True):
    """A reply is no longer wanted."""

    number: int


class Count(Message, frozen=True):
    """How many tokens does the text have?"""

    number: int
    text: str


class Loaded(Message, frozen=True):
    """The process is ready."""

    context_tokens: int
    thinking_tokens: int


class Failed(Message, frozen=True):
    """A reply is not written, or, with number 0, the model cannot be loaded; see FixableError."""

    number: int
    problem: str
    fix: str
    too_long: bool = False


class Wrote(Message, frozen=True):
    """A piece of a reply."""

    number: int
    answer: str
    thought: str


class Ended(Message, frozen=True):
    """A reply is complete, or was left."""

    number: int


class Counted(Message, frozen=True):
    """The answer to Count."""

    number: int
    tokens: int


class Figures(Message, frozen=True):
    """What the process did since it started; see Counts of the scheduler."""

    read_tokens: int
    reused_tokens: int
    read_seconds: float
    written_tokens: int
    written_beside: int
    written_seconds: float
    waiting: int
    reading: int
    writing: int
    left: int


ToProcess: TypeAlias = Load | Write | Leave | Count
FromProcess: TypeAlias = Loaded | Failed | Wrote | Ended | Counted | Figures
_TO_PROCESS = msgspec.msgpack.Decoder(ToProcess)
_FROM_PROCESS = msgspec.msgpack.Decoder(FromProcess)


def send(pipe: IO[bytes], message: Message) -> None:
    """Write one message. For one thread at a time.

    Raises:
        OSError: The other side is gone.
    """
    data = msgspec.msgpack.encode(message)
    pipe.write(_LENGTH.pack(len(data)) + data)
    pipe.flush()


def receive_in_process(pipe: IO[bytes]) -> ToProcess | None:
    """The next message to the process; None when the server is gone."""
    data = _receive(pipe)
    return _TO_PROCESS.decode(data) if data is not None else None


def receive_in_server(pipe: IO[bytes]) -> FromProcess | None:
    """The next message from the process; None when it is gone."""
    data = _receive(pipe)
    return _FROM_PROCESS.decode(data) if data is not None else None


def _receive(pipe: IO[bytes]) -> bytes | None:
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    size = _LENGTH.unpack(head)[0]
    data = pipe.read(size)
    return data if len(data) == size else None
