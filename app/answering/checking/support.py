"""How far evidence supports a claim: similar meaning and words, and numbers, names and negation that agree."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.answering.checking.alignment import TokenReader, likeness
from app.answering.checking.contradiction import denials_differ, exchanged, excluded, misnamed, replaced
from app.answering.comparison.quantities import others, unmet
from app.answering.comparison.term_overlap import covered, missing_names, units_of
from app.answering.types import Evidence
from retrieval.text.language import detect_language, knows
from retrieval.text.sentences import sentences
from retrieval.types import Vectors

# Most sentences read for one claim: those that hold most of its words.
_MOST_READ = 24
# A claim may be spread over this many neighbouring sentences.
_WINDOW = 3
# Windows of a post that are checked for numbers and negation too.
_LOOKED_AT = 4
# From this share of common content words on, the claim restates the evidence in its own words; less in Chinese, where
# one changed character breaks two pairs.
_SAME_WORDS, _SHARED_WORDS = 0.7, 0.5
# Share of the claim's content words from which a title is about the same.
_ON_TOPIC = 0.5

# Lower cosines count as this one.
_LEAST_LIKE = 0.05

Window = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SupportSignals:
    """What speaks for evidence and against it.

    Attributes:
        likeness: Geometric mean of the cosines of the claim's content tokens with the window's most similar token each;
            None where the embedder does not know the language.
        near: Share of the claim's content words that the window holds.
        whole: Share of them that the posts hold anywhere.
        missing_names: Share of the claim's names that the posts do not hold.
        contradicted: Whether the window states another number, day, season ... or denies what the claim says.
        replaced: Whether Chinese words of the claim stand where the window has others.
    """

    likeness: float | None
    near: float
    whole: float
    missing_names: float
    contradicted: bool
    replaced: bool

    @property
    def support(self) -> float:
        """0 to 1; on judged claims, as many supported ones fall below .5 as unsupported ones above."""
        if self.contradicted:
            return 0.0
        if self.likeness is None:
            return _logistic(_dot(_WORDS, (1.0, self.near, self.whole, self.missing_names, self.replaced)))
        return _logistic(_dot(_MEANING, (1.0, self.likeness, self.whole, self.missing_names)))


# Logistic regression on judged claims: docs/decisions/0011-support.md. The bias first, then as in `SupportSignals`.
_MEANING = (-3.85, 7.1, -0.85, -0.4)
_WORDS = (-1.45, 4.87, -1.58, -0.8, -1.6)


class ClaimReading:
    """A claim and the sentences that may support it, embedded once; any of them can then be weighed.

    Attributes:
        evidence: The sentences that were read, in the order given.
    """

    def __init__(self, claim: str, evidence: Sequence[Evidence], reader: TokenReader) -> None:
        self.claim = claim
        self.evidence = _most_telling(claim, evidence)
        self._held = [covered(claim, one.text) for one in self.evidence]
        # A title says what "it" and "there" mean: it counts with each sentence of its post.
        self._titles = {one.mark: one.title for one in self.evidence if one.title and one.part != "title"}
        self._title_held = {mark: covered(claim, title) for mark, title in self._titles.items()}
        self._telling = len(units_of(claim).telling)
        self._han = detect_language(claim) == "zh"
        self._likeness: Vectors | None = None
        if self.evidence and knows(reader.embedder.languages, detect_language(claim)):
            mine, *theirs = reader.read([claim, *(one.text for one in self.evidence), *self._titles.values()])
            self._likeness = likeness(claim, mine, theirs)
            self._title_at = {mark: at for at, mark in enumerate(self._titles, start=len(self.evidence))}

    def text(self, places: Window) -> str:
        return "\n".join(self.evidence[at].text for at in places)

    def posts(self) -> list[Window]:
        """The places of each post's sentences in `evidence`, posts in the order in which they come."""
        places: dict[int, list[int]] = {}
        for at, one in enumerate(self.evidence):
            places.setdefault(one.mark, []).append(at)
        return [tuple(own) for own in places.values()]

    def best_window(self, post: Window) -> tuple[Window, SupportSignals]:
        """The up to three neighbouring sentences of a post that support the claim best."""
        windows = [post[at : at + _WINDOW] for at in range(max(1, len(post) - _WINDOW + 1))]
        windows.sort(key=self._promise, reverse=True)
        weighed = [(window, self.weigh(window, post)) for window in windows[:_LOOKED_AT]]
        return max(weighed, key=lambda one: one[1].support)

    def weigh(self, window: Window, posts: Window) -> SupportSignals:
        """What speaks for and against these sentences.

        Args:
            window: Places in `evidence` of the sentences that should say it.
            posts: Places of all sentences of their posts.
        """
        near, text = self._coverage(window), self.text(window)
        titles = [self._titles[mark] for mark in self._marks(posts)]
        unnamed = missing_names(self.claim, "\n".join([*titles, self.text(posts)]))
        return SupportSignals(
            likeness=self._mean_likeness(window) if self._likeness is not None else None,
            near=near,
            whole=max(near, self._coverage(posts)),
            missing_names=unnamed,
            contradicted=self._contradicted(text, "\n".join([*titles, text]), near) or self._denied(posts),
            replaced=replaced(self.claim, text),
        )

    def best_sentence(self, window: Window) -> int:
        """The place of the window's sentence that says most of the claim, above all its numbers."""
        return max(window, key=lambda at: (-len(unmet(self.claim, self.evidence[at].text)), self._promise((at,)), -at))

    def adds(self, first: Window, second: Window) -> bool:
        """Whether each of two windows holds content words of the claim that the other lacks."""
        one, other = (frozenset().union(*(self._held[at] for at in window)) for window in (first, second))
        return bool(one - other) and bool(other - one)

    def _contradicted(self, text: str, with_titles: str, near: float) -> bool:
        if unmet(self.claim, with_titles) or excluded(self.claim, text) or others(self.claim, self._closest(text)):
            return True
        if near >= _SHARED_WORDS and misnamed(self.claim, with_titles):
            return True
        if near < (_SHARED_WORDS if self._han else _SAME_WORDS):
            return False
        # Nearly all words are the evidence's own: it is the same statement, so any difference is a change.
        return denials_differ(self.claim, text) or exchanged(self.claim, text)

    def _denied(self, posts: Window) -> bool:
        """Whether a title on the claim's topic denies what the claim affirms, or the other way round."""
        on_topic = [mark for mark in self._marks(posts) if len(self._title_held[mark]) >= _ON_TOPIC * self._telling]
        return any(denials_differ(self.claim, self._titles[mark]) for mark in on_topic)

    def _closest(self, text: str) -> str:
        """The sentence that holds most of the claim's words, and so the numbers that belong to it."""
        cut = [text[span.start : span.end] for span in sentences(text)]
        return max(cut, key=lambda one: len(covered(self.claim, one)), default="")

    def _promise(self, window: Window) -> float:
        return self._coverage(window) + (self._mean_likeness(window) if self._likeness is not None else 0.0)

    def _mean_likeness(self, window: Window) -> float:
        assert self._likeness is not None
        if not self._likeness.size:
            return self._coverage(window)  # the model gives no tokens: count words
        # Geometric mean: one token without a match outweighs several good matches.
        titles = [self._title_at[mark] for mark in self._marks(window)]
        best = np.maximum(self._likeness[:, [*window, *titles]].max(1), _LEAST_LIKE)
        return float(np.exp(np.log(best).mean()))

    def _coverage(self, window: Window) -> float:
        if not self._telling:
            return 1.0
        titles = (self._title_held[mark] for mark in self._marks(window))
        return len(frozenset().union(*(self._held[at] for at in window), *titles)) / self._telling

    def _marks(self, window: Window) -> list[int]:
        """Marks of the window's posts that have a title."""
        return [mark for mark in dict.fromkeys(self.evidence[at].mark for at in window) if mark in self._titles]


def _most_telling(claim: str, evidence: Sequence[Evidence]) -> tuple[Evidence, ...]:
    if len(evidence) <= _MOST_READ:
        return tuple(evidence)
    held = [len(covered(claim, one.text)) for one in evidence]
    best = sorted(range(len(evidence)), key=lambda at: (-held[at], at))[:_MOST_READ]
    return tuple(evidence[at] for at in sorted(best))


def _dot(weights: Sequence[float], values: Sequence[float]) -> float:
    return sum(weight * value for weight, value in zip(weights, values, strict=True))


def _logistic(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))
