"""One sentence by the model: shown with its citations, or withheld with a reason."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.answering.checking.citations import SupportChecker
from app.answering.checking.novelty import new_content_is_supported
from app.answering.checking.plain_text import is_plain, plain
from app.answering.checking.sentence_language import strays
from app.answering.comparison.term_overlap import coverage
from app.answering.evidence.interrogatives import asks
from app.answering.injection.deobfuscation import unveiled
from app.answering.injection.detector import speaks_to_model
from app.answering.marks import split_marks
from app.answering.question.answer_type import Kind, asked_kinds, holds
from app.answering.types import AnswerSentence, Citation, Evidence, WithheldReason
from retrieval.text.folding import fold, han_runs

_FEWEST_WORDS = 3
_NUMBERS: frozenset[Kind] = frozenset({"price", "amount", "time", "date"})
# A sentence that shares this much with one already shown says nothing new.
_REPEATED = 0.85
# A sentence that only repeats the question's words must be this much in the posts' words.
_RESTATED = 0.8


@dataclass(frozen=True, slots=True)
class SentenceChecker:
    """Checks the sentences of one answer.

    Attributes:
        least: Least support that counts.
        fence: The code that fenced the posts in the prompt; a sentence that repeats it gives the prompt away.
    """

    checker: SupportChecker
    question: str
    least: float
    fence: str

    def check(
        self, written: str, evidence: Sequence[Evidence], shown: Sequence[AnswerSentence]
    ) -> AnswerSentence | WithheldReason:
        """Check one sentence.

        Args:
            written: As the model wrote it, with marks.
            evidence: What the model was shown.
            shown: The answer's sentences so far.
        """
        bare, marks = split_marks(unveiled(written))
        text = plain(bare)
        if not is_sentence(text):
            return "not a sentence"
        if self.fence in written or speaks_to_model(written) or speaks_to_model(text):
            return "order"
        if not is_plain(text):
            return "markup"
        if any(_repeats(text, one.text) for one in shown):
            return "repeated"
        if strays(text, self.question):
            return "language"
        if asks(text) or _lacks_number(text, self.question):
            return "beside the point"
        citations = self.checker.citations(text, marks, evidence, self.least)
        texts = self._texts(citations, evidence)
        if not citations or not new_content_is_supported(text, self.question, texts):
            return "unsupported"
        if coverage(text, self.question) == 1 and coverage(text, "\n".join(texts)) < _RESTATED:
            return "unsupported"  # it affirms what was asked, which posts that speak of it may deny
        return AnswerSentence(text, citations)

    @staticmethod
    def _texts(citations: Sequence[Citation], evidence: Sequence[Evidence]) -> list[str]:
        titles = {one.mark: one.title for one in evidence}
        return [text for one in citations for text in (one.quote, titles[one.mark])]


def _lacks_number(text: str, question: str) -> bool:
    """Whether a question asks for a number, price, time or date, and a sentence has none."""
    kinds = asked_kinds(question) & _NUMBERS
    return bool(kinds) and not any(map(str.isdigit, text)) and not holds(kinds, text)


def is_sentence(text: str) -> bool:
    """Whether a line by the model says something by itself, unlike "Beijing:", "28" or one word repeated."""
    words = re.findall(r"[^\W_]+", text)
    if len(words) > _FEWEST_WORDS and len(set(words)) < len(words) / 3:
        return False
    han = han_runs(text)
    # Chinese writes no spaces: 小锅米线15元 is one word to the pattern, and says how much of what.
    size = sum(map(len, han)) / 2 + (len(re.findall(r"\d+", text)) if han else 0)
    size += sum(not han_runs(word) and not word.isdigit() for word in words) if han else len(words)
    return size >= _FEWEST_WORDS and not text.rstrip("*_ ").endswith((":", "："))


def _repeats(text: str, shown: str) -> bool:
    one, other = _shingles(text), _shingles(shown)
    return len(one & other) >= _REPEATED * len(one)


def _shingles(text: str) -> frozenset[str]:
    folded = "".join(filter(str.isalnum, fold(text)))
    return frozenset(folded[at : at + 4] for at in range(max(1, len(folded) - 3)))
