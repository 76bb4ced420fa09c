"""Cuts a stream of pieces into whole sentences, each with the marks that follow it."""

from __future__ import annotations

import re

from app.answering.marks import HALF_MARK, MARK, ROUND_MARK

# A line without an end is cut here, at a comma or a space.
LONGEST_SENTENCE = 600
# This much text after a stop always shows whether it ends a sentence: the longest mark, the longest quotation.
_SEEN = 320
_QUOTATION = 120

_STOP = re.compile(r"\n+|…+|[.。]{2,}…*|[。！？!?]+|\.")
_CLOSERS = re.compile(r"[\"'”’」』)）》*_]{0,6}")
_SOFT_BREAK = re.compile(r"[，,、;；:：\s]")
_HAN = re.compile(r"[\u3000-\u9fff\uff00-\uffef]")
_QUOTES = {"“": "”", "「": "」", "『": "』", "‘": "’"}
# No sentence ends with these.
_ABBREVIATION = re.compile(
    r"(?:\b(?:mr|mrs|ms|dr|prof|st|mt|vs|approx|ca|e\.g|i\.e|cf|dept|gen|sen|capt|sgt|col|rev|incl)|(?<![\w.])(?-i:[A-HJ-Z]))\Z",
    re.IGNORECASE,
)
# These may end one: the text after them decides.
_MAY_END = re.compile(
    r"(?:\b(?:[ap]\.m|etc|inc|ltd|co|corp|jr|sr|min|max|hr|ave|rd|al|est)|(?:[A-Za-z]\.){1,8}[A-Za-z])\Z", re.IGNORECASE
)
_MARKS_ALONE = re.compile(rf"((?:[ \t]{{0,9}}{MARK.pattern}){{1,20}})[ \t]{{0,9}}(?:\n|\Z)", re.IGNORECASE)
_MARKS_SO_FAR = re.compile(
    rf"(?:[ \t]{{0,9}}{MARK.pattern}){{1,20}}[ \t]{{0,9}}(?:{HALF_MARK.pattern}|\Z)", re.IGNORECASE
)
_BEFORE_NUMBER = re.compile(r"\b(?:no|nos|pp?|fig|vol|ch)\Z", re.IGNORECASE)


class SentenceCutter:
    """Cuts a stream into sentences, which do not depend on how the stream is split into pieces.

    A sentence is returned only when the text after it shows that it has ended and that no more marks belong to it:
    half a mark is never returned.
    """

    def __init__(self) -> None:
        self._held = ""
        self._ruled_out = 0  # stops before this place end no sentence

    def feed(self, piece: str) -> list[str]:
        """The sentences that this piece completed."""
        self._held += piece
        return self._take(last=False)

    def rest(self) -> list[str]:
        """What is left when the stream has ended, as sentences."""
        whole = self._take(last=True)
        held, self._held = self._held.strip(), ""
        return [*whole, held] if held else whole

    def _take(self, last: bool) -> list[str]:
        whole: list[str] = []
        while True:
            end, self._ruled_out = _first_end(self._held, last, self._ruled_out)
            if end is None:
                return whole
            sentence, self._held, self._ruled_out = self._held[:end].strip(), self._held[end:], 0
            if sentence:
                whole.append(sentence)


def _first_end(text: str, last: bool, start: int) -> tuple[int | None, int]:
    """Where the first sentence certainly ends, with its marks, None if that is not known yet; and where to continue
    when there is more text.

    More text never changes an end that was returned. `last` says that there is no more.
    """
    for stop in _STOP.finditer(text, start, LONGEST_SENTENCE + _SEEN):
        if stop.start() > LONGEST_SENTENCE:
            break
        end = _ends(text, stop, last)
        if end is None:
            return None, stop.start()
        if end:
            return end, 0
        start = stop.end()
    if len(text) <= LONGEST_SENTENCE + _SEEN:
        return None, start
    breaks = [found.end() for found in _SOFT_BREAK.finditer(text, LONGEST_SENTENCE // 2, LONGEST_SENTENCE)]
    return (breaks[-1] if breaks else LONGEST_SENTENCE), 0


def _ends(text: str, stop: re.Match[str], last: bool) -> int | None:
    """Where the sentence that this stop ends is over; 0 if it ends none; None if that is not known yet."""
    if stop.group().startswith("\n"):
        return stop.end()
    if stop.end() == len(text) and not last:
        return None  # the stop itself may continue
    closers = _CLOSERS.match(text, stop.end())
    assert closers is not None, "zero closers match too"
    behind = closers.end()
    if behind == len(text):
        return behind if last else None
    ended = _quotation(text, stop, behind, last)
    if ended is None or ended is False:
        return None if ended is None else 0
    if stop.group()[0] not in "。！？" or set(stop.group()) == {"。"} != {stop.group()}:
        verdict = _latin_stop(text, stop, behind, last)
        if verdict is None or verdict is False:
            return None if verdict is None else 0
    return _marks_end(text, behind, last)


def _quotation(text: str, stop: re.Match[str], behind: int, last: bool) -> bool | None:
    """Whether the stop ends more than a sentence within a quotation; None where that cannot be told yet."""
    opened = max((text.rfind(quote, 0, stop.start()) for quote in _QUOTES), default=-1)
    if opened < 0 or stop.start() - opened > _QUOTATION:
        return True
    closer = _QUOTES[text[opened]]
    closed = text.find(closer, opened + 1, opened + 2 * _QUOTATION)
    line = text.find("\n", opened, opened + 2 * _QUOTATION)
    if closed < 0 or 0 <= line < closed:
        return True if last or line >= 0 or len(text) >= opened + 2 * _QUOTATION else None
    if stop.start() < closed < behind:
        # “九点开门。”老板说: the quotation is what somebody says, and the sentence goes on.
        begins = not text[:opened].strip()
        return not (begins and bool(_HAN.match(text, behind)) and text[behind] not in "【［〔（「『")
    return closed < stop.start()


def _latin_stop(text: str, stop: re.Match[str], behind: int, last: bool) -> bool | None:
    """Whether a stop that means more than the end of a sentence (3.5, e.g., wait...) ends one here."""
    before, sign = text[max(0, stop.start() - 12) : stop.start()], stop.group()
    following = text[behind:].lstrip(" \t")
    attached = not text[behind].isspace()
    if sign == ".":
        line = text.rfind("\n", 0, stop.start()) + 1
        if text[line : stop.start()].strip(" \t#>*-").isdigit() or _ABBREVIATION.search(before):
            return False
        if attached and behind == stop.end():
            han = bool(_HAN.match(before[-1:])) and bool(_HAN.match(text, behind))
            return han or MARK.match(text, behind) is not None or _half(text, behind, last)
        if _BEFORE_NUMBER.search(before):
            return not following[0].isdigit() if following else (True if last else None)
        if not _MAY_END.search(before):
            return True
    elif sign[0] in "!?！？":
        if not attached or _HAN.match(text, behind) or behind > stop.end():
            return True
        return MARK.match(text, behind) is not None or _half(text, behind, last)
    # An abbreviation that may end a sentence, or an ellipsis: whether what follows begins one.
    if not following:
        return True if last else None
    if following[0] == "\n" or MARK.match(following):
        return True
    if (half := _half(text, len(text) - len(following), last)) is None:
        return None
    if sign != "." and attached:
        return behind > stop.end() and following[0].isupper()
    return following[0].isupper() or bool(_HAN.match(following)) or half


def _half(text: str, start: int, last: bool) -> bool | None:
    """None where what begins at `start` may become a mark."""
    return None if not last and HALF_MARK.match(text, start) else False


def _marks_end(text: str, start: int, last: bool) -> int | None:
    """The end of the marks that begin at `start`, or `start`; None where more may belong to them."""
    end, at = start, start
    line = False
    while True:
        while at < len(text) and text[at].isspace():
            line = line or text[at] == "\n"
            at += 1
        if at == len(text):
            return end if last else None
        if not last and HALF_MARK.match(text, at):
            return None
        mark = MARK.match(text, at) or (ROUND_MARK.match(text, at) if not line else None)
        if mark is None:
            return end
        if line:
            # A line of marks alone belongs to what stands above it; [1] before other words belongs to them.
            alone = _MARKS_ALONE.match(text, at)
            if alone is not None and (last or text[alone.end() - 1] == "\n"):
                return alone.end(1)
            return None if not last and _MARKS_SO_FAR.match(text, at) else end
        end = at = mark.end()
