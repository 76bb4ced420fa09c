"""Separates what a reasoning model thinks from what it answers, while the text streams in. Pure.

The ways of marking a thought, and which models use them:

    <think> ... </think>                                    DeepSeek-R1, Qwen3, GLM, MiniMax, Hunyuan, SmolLM3
    <thinking>, <thought>, <reasoning>, <reflection>        Claude-like tunes, Granite and others
    [THINK] ... [/THINK]                                    Magistral, Mistral Small 4
    <seed:think> ... </seed:think>                          Seed-OSS
    <|begin_of_thought|> ... <|end_of_thought|>             Sky-T1, OpenThinker
    <|START_THINKING|> ... <|END_THINKING|>                 Command A Reasoning
    <|inner_prefix|> ... <|inner_suffix|>                   Apertus
    <|channel>thought ... <channel|>                        Gemma 4
    (a triangle) think (a triangle) ...                     Kimi
    <|channel|>analysis<|message|> ... <|end|>
        <|start|>assistant<|channel|>final<|message|> ...   gpt-oss ("harmony")
    analysis ... assistantfinal ...                         gpt-oss behind a server that drops its special tokens

A thought that is never closed lasts to the end. A closing tag without an opening one means that the opening one was in
the prompt's template; a caller that knows the template starts the splitter `inside`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

_PAIRS = {
    "<think>": "</think>",
    "<thinking>": "</thinking>",
    "<thought>": "</thought>",
    "<reasoning>": "</reasoning>",
    "<reflection>": "</reflection>",
    "<seed:think>": "</seed:think>",
    "[THINK]": "[/THINK]",
    "◁think▷": "◁/think▷",
    "<|begin_of_thought|>": "<|end_of_thought|>",
    "<|START_THINKING|>": "<|END_THINKING|>",
    "<|inner_prefix|>": "<|inner_suffix|>",
    "<|channel>": "<channel|>",
}
# Frames around the answer, and ends of turns that a server let through: always dropped.
_FRAMES = (
    "<answer>", "</answer>", "<response>", "</response>", "<|begin_of_solution|>", "<|end_of_solution|>",
    "<|START_RESPONSE|>", "<|END_RESPONSE|>", "<|return|>", "<|call|>", "<|im_end|>", "<|eot_id|>",
    "<|endofresponse|>", "<end_of_turn>", "<turn|>", "<｜end▁of▁sentence｜>",
)  # fmt: skip
_HEADER_OPENS, _HEADER_ENDS, _MESSAGE_ENDS = ("<|start|>", "<|channel|>"), "<|message|>", "<|end|>"
_BARE_OPEN, _BARE_CLOSE = "analysis", "assistantfinal"
_HARMONY_ANSWER = "<|start|>assistant<|channel|>final<|message|>"

_OPENS = {tag.lower(): closing for tag, closing in _PAIRS.items()}
_CLOSES = {closing.lower() for closing in _PAIRS.values()}
TAGS = (*_PAIRS, *_PAIRS.values(), *_FRAMES, *_HEADER_OPENS, _HEADER_ENDS, _MESSAGE_ENDS)
# No tag is a prefix of another, so the first match in half a text is the first match in the whole.
TAG = re.compile("|".join(map(re.escape, TAGS)), re.IGNORECASE | re.ASCII)
_BARE_END = re.compile(_BARE_CLOSE)
_LONGEST = max(map(len, TAGS))
_PREFIXES = frozenset(tag[:size].lower() for tag in TAGS for size in range(1, len(tag)))
_BARE_PREFIXES = frozenset(_BARE_CLOSE[:size] for size in range(1, len(_BARE_CLOSE)))


class _State(Enum):
    ANSWER = auto()
    THOUGHT = auto()
    HEADER = auto()  # between <|start|> or <|channel|> and <|message|>: says who speaks; neither answer nor thought
    BARE = auto()  # a thought that only `assistantfinal` ends


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a reply: what it adds to the answer and to the thought; either may be empty."""

    answer: str = ""
    thought: str = ""


class ThoughtSplitter:
    """Takes a reply piece by piece; however it is cut, the joined answers and the joined thoughts are the same.

    Neither ever holds part of a tag: what may become a tag is held back, and dropped if the text ends there.

    Args:
        inside: The reply begins within a thought, because the prompt's template opened it.
        closing: What ends that thought.
    """

    def __init__(self, *, inside: bool = False, closing: str = "</think>") -> None:
        self._state = _State.THOUGHT if inside else _State.ANSWER
        self._closing = closing
        self._held, self._header = "", ""
        self._bare_possible = not inside
        self.stray = False
        """Whether a closing tag came without an opening one: what was given as answer before it was a thought."""

    @property
    def thinking(self) -> bool:
        return self._state in {_State.THOUGHT, _State.BARE}

    @property
    def closing(self) -> str:
        """What ends the current thought or header and begins the answer; "" within the answer."""
        if self._state is _State.HEADER:
            return "<|channel|>final<|message|>" if "<|channel|>" not in self._header else "final<|message|>"
        return self._closing if self.thinking else ""

    def feed(self, piece: str) -> Piece:
        text = self._held + piece
        answer: list[str] = []
        thought: list[str] = []
        self._held = ""
        at = 0
        if self._bare_possible and text:
            at = self._bare(text)
            if at < 0:
                self._held = text
                return Piece()
        while True:
            found = self._next(text, at)
            until = found.start() if found else len(text) - self._holding(text, at)
            self._keep(text[at:until], answer, thought)
            if not found:
                self._held = text[until:]
                return Piece("".join(answer), "".join(thought))
            self._turn(found.group())
            at = found.end()

    def rest(self) -> Piece:
        """What is left when the text has ended, without the beginning of a tag."""
        held, self._held = self._held, ""
        if self._bare_possible and held and held == _BARE_OPEN[: len(held)]:
            return Piece(answer=held)  # it was not a tag but a very short answer
        return Piece()

    def _bare(self, text: str) -> int:
        """Where the text continues after a bare `analysis` at its beginning; 0 without one, -1 if not known yet."""
        if len(text) <= len(_BARE_OPEN) and _BARE_OPEN.startswith(text):
            return -1
        self._bare_possible = False
        # "analysisWe are asked": nobody omits the space in a sentence.
        if (
            text.startswith(_BARE_OPEN)
            and not text[len(_BARE_OPEN)].isspace()
            and text[len(_BARE_OPEN)] not in ".,:;'-"
        ):
            self._state = _State.BARE
            return len(_BARE_OPEN)
        return 0

    def _next(self, text: str, at: int) -> re.Match[str] | None:
        return (_BARE_END if self._state is _State.BARE else TAG).search(text, at)

    def _holding(self, text: str, at: int) -> int:
        """How many code points at the end of the text may be the beginning of a tag."""
        prefixes = _BARE_PREFIXES if self._state is _State.BARE else _PREFIXES
        longest = min(_LONGEST - 1, len(text) - at)
        return next((size for size in range(longest, 0, -1) if text[-size:].lower() in prefixes), 0)

    def _keep(self, text: str, answer: list[str], thought: list[str]) -> None:
        if self._state is _State.HEADER:
            self._header += text
        elif text:
            (thought if self.thinking else answer).append(text)

    def _turn(self, tag: str) -> None:
        tag = tag.lower()
        if self._state is _State.BARE:
            self._state = _State.ANSWER
        elif tag in _HEADER_OPENS:
            self._header = tag if self._state is not _State.HEADER else self._header + tag
            self._state = _State.HEADER
        elif tag == _HEADER_ENDS:
            _, named, channel = self._header.rpartition("<|channel|>")
            aside = self._state is _State.HEADER and bool(named) and not channel.strip().startswith("final")
            self._state = _State.THOUGHT if aside else _State.ANSWER
            self._closing = _MESSAGE_ENDS + _HARMONY_ANSWER
        elif tag == _MESSAGE_ENDS:
            self._state = _State.ANSWER
        elif tag in _OPENS:
            self._state, self._closing = _State.THOUGHT, _OPENS[tag]
        elif tag in _CLOSES:
            self.stray = self.stray or self._state is _State.ANSWER
            self._state = _State.ANSWER
