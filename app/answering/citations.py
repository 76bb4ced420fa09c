"""Marks as a model writes them, sentences cut from its stream, and whether a post supports what a sentence says.

Pure, but for the embedder that is passed in.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.answering.evidence import similarity
from app.answering.types import Citation, Evidence
from retrieval.embedding import Embedder
from retrieval.highlight import query_pairs, query_words, stem
from retrieval.language import detect_language, knows
from retrieval.text import fold

# Models trained on Chinese also write full-width brackets, and some put several numbers in one pair.
MARK = re.compile(r"[\[［【]\s*(\d{1,2}(?:\s*[,，、]\s*\d{1,2})*)\s*[\]］】]")
_OPEN_MARK = re.compile(r"[\[［【][\d\s,，、]{0,12}$")
_SENTENCE = re.compile(
    r"(?:[。！？!?]+|\.(?=\s|$|[\[［【]))[\"'”’)）」』]*(?:\s*[\[［【][\d\s,，、]{1,12}[\]］】])*|\n+"
)
_NAME = re.compile(r"(?<=[\w,;:)'\"] )[A-Z][A-Za-z]{2,}")
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_NEGATION = re.compile(
    r"\b(?:not|no|never|without|none|cannot|isn't|aren't|don't|doesn't|didn't|won't|can't|wasn't|weren't)\b|[不没沒无無未别別非]",
    re.IGNORECASE,
)
_DENSE_SHARE = 0.4
# A number, or a "not", that only one side has makes the claim another one, however alike the words are.
_NEGATION_PENALTY = 0.25


def split_marks(text: str) -> tuple[str, tuple[int, ...]]:
    """A sentence without its marks, and the numbers that they named, each once, in reading order.

    >>> split_marks("It is 28 yuan [2][2, 3].")
    ('It is 28 yuan.', (2, 3))
    """
    numbers = [int(number) for found in MARK.findall(text) for number in re.findall(r"\d+", found)]
    bare = re.sub(r"\s+([.,!?;:。，！？；：])", r"\1", MARK.sub("", text))
    return re.sub(r"[ \t]{2,}", " ", bare).strip(), tuple(dict.fromkeys(numbers))


class SentenceCutter:
    """Cuts a stream of pieces into whole sentences, each with the marks that follow it.

    However the stream is cut into pieces, the sentences are the same: a sentence is given only when something after
    it shows that no mark belongs to it any more.
    """

    def __init__(self) -> None:
        self._held = ""

    def feed(self, piece: str) -> list[str]:
        """The sentences that this piece completed."""
        self._held += piece
        whole: list[str] = []
        while (end := self._end()) is not None:
            sentence, self._held = self._held[:end].strip(), self._held[end:]
            if sentence:
                whole.append(sentence)
        return whole

    def rest(self) -> list[str]:
        """What is left when the stream has ended, as sentences."""
        held, self._held = self._held + "\n", ""
        pieces, at = [], 0
        for match in _SENTENCE.finditer(held):
            pieces.append(held[at : match.end()].strip())
            at = match.end()
        return [piece for piece in pieces if piece]

    def _end(self) -> int | None:
        """Where the first sentence ends for certain: something that is no white space and no mark stands after it."""
        match = _SENTENCE.search(self._held)
        if match is None:
            return None
        after = self._held[match.end() :].lstrip()
        if not after or _OPEN_MARK.match(after) or (MARK.match(after) and not match.group().startswith("\n")):
            return None
        return match.end()


@dataclass(frozen=True, slots=True)
class SupportChecker:
    """Scores how far evidence supports a sentence, 0 to 1.

    Words that the evidence shares with the sentence count, and the cosine of the two where the embedder knows the
    language. Every number and every name in the sentence must stand in the evidence, or the support is 0.
    """

    embedder: Embedder

    def citations(
        self, sentence: str, marks: Sequence[int], evidence: Sequence[Evidence], least: float, most: int = 2
    ) -> tuple[Citation, ...]:
        """The citations of a sentence: the marks it carries where what they point at supports it, otherwise the shown
        evidence that supports it best; none where nothing does.

        Args:
            sentence: Without marks.
            marks: As the model wrote them; those that point at no evidence are ignored.
            evidence: What the model was shown.
            least: Support from which on evidence counts.
            most: Citations at most.
        """
        supports = self.supports(sentence, evidence)
        ranked = sorted(zip(supports, evidence, strict=True), key=lambda pair: (-pair[0], pair[1].mark))
        good = [(support, shown) for support, shown in ranked if support >= least]
        if not good:
            return ()
        # A mark that is borne out stays; a better supporter beside it is kept, a much weaker one is not.
        marked = [pair for pair in good if pair[1].mark in marks]
        others = [pair for pair in good if pair[1].mark not in marks]
        chosen = marked if marked and (not others or marked[0][0] >= others[0][0] - 0.15) else good
        chosen = [pair for pair in chosen if pair[0] >= chosen[0][0] - 0.15]
        per_mark: dict[int, tuple[float, Evidence]] = {}
        for support, shown in chosen:
            per_mark.setdefault(shown.mark, (support, shown))
        return tuple(
            Citation(e.mark, e.post_id, e.part, e.comment, e.start, e.end, e.text, round(support, 4))
            for support, e in list(per_mark.values())[:most]
        )

    def supports(self, sentence: str, evidence: Sequence[Evidence]) -> list[float]:
        """How far each piece of evidence supports the sentence."""
        if not evidence:
            return []
        words = [word_support(sentence, shown.text) for shown in evidence]
        if knows(self.embedder.languages, detect_language(sentence)):
            cosines = similarity(self.embedder, sentence, [shown.text for shown in evidence])
            blended = [_DENSE_SHARE * max(0.0, c) + (1 - _DENSE_SHARE) * w for c, w in zip(cosines, words, strict=True)]
        else:
            blended = words
        return [
            0.0
            if not (numbers_agree(sentence, shown.text) and names_agree(sentence, f"{shown.title} {shown.text}"))
            else support - _NEGATION_PENALTY * negations_differ(sentence, shown.text)
            for support, shown in zip(blended, evidence, strict=True)
        ]


def word_support(sentence: str, evidence: str) -> float:
    """Share of the sentence's telling words (English) and character pairs (Chinese) that stand in the evidence."""
    folded = fold(evidence)
    words = {stem(word) for word in query_words(sentence)}
    pairs = set(query_pairs(sentence))
    if not words and not pairs:
        return 0.0
    shown = {stem(word) for word in re.findall(r"[a-z0-9]+(?:['’][a-z]+)?", folded)} | {
        stem(word) for word in query_words(evidence)
    }
    held = sum(word in shown for word in words) + sum(pair in folded for pair in pairs)
    return held / (len(words) + len(pairs))


def numbers_agree(sentence: str, evidence: str) -> bool:
    """Whether every number of the sentence stands in the evidence; 1,200 and 1200 are the same."""

    def numbers(text: str) -> set[str]:
        return {number.replace(",", "").rstrip(".") for number in _NUMBER.findall(fold(text))}

    return numbers(sentence) <= numbers(evidence)


def names_agree(sentence: str, evidence: str) -> bool:
    """Whether every name of an English sentence (a capital that does not begin it) stands in the evidence."""
    names = {stem(fold(name)) for name in _NAME.findall(sentence)}
    folded = fold(evidence)
    return all(name in folded for name in names)


def negations_differ(sentence: str, evidence: str) -> bool:
    return bool(_NEGATION.search(sentence)) != bool(_NEGATION.search(evidence))
