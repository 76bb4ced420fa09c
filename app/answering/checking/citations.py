"""From a sentence with marks to checked citations: the model's marks kept, corrected, completed or dropped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from app.answering.checking.alignment import TokenReader
from app.answering.checking.support import ClaimReading, Window
from app.answering.types import Citation, Evidence
from retrieval.models.cross_encoder import RerankPool
from retrieval.models.embedding import Embedder

# A post that the sentence marks is cited unless another supports it better by this much.
_BETTER = 0.15
# A post without a mark is cited along with the best if its support is this close.
_AS_WELL = 0.03
# The best posts, tried in pairs where none supports the sentence alone.
_PAIRED = 3
# Two posts hold any claim's words more easily than one does.
_TOGETHER = 0.85
# Weight of an NLI model's verdict, where there is one; the other checks have the rest.
_NLI_SHARE = 0.7
_PARTS = {"title": 0, "text": 1, "comment": 2}


@dataclass(frozen=True, slots=True)
class _Supporter:
    """Posts that support a sentence, one alone or two together.

    Attributes:
        windows: One for each post: its sentences that support it.
        score: 0 to 1.
    """

    windows: tuple[Window, ...]
    score: float


class SupportChecker:
    """Tells which of the posts shown support a sentence.

    Args:
        embedder: Compares meaning in the languages that it knows.
        nli: Reads a sentence and its evidence together, in addition to the other checks. If it is late or fails, they
            decide alone.
    """

    def __init__(self, embedder: Embedder, nli: RerankPool | None = None) -> None:
        self._reader = TokenReader(embedder)
        self._nli = nli

    def support(self, sentence: str, evidence: Sequence[Evidence]) -> float:
        """How far the posts support a sentence, 0 to 1: the best of them alone, or two of them together."""
        return max((one.score for one in self._supporters(self._read(sentence, evidence))), default=0.0)

    def citations(
        self, sentence: str, marks: Sequence[int], evidence: Sequence[Evidence], least: float, most: int = 3
    ) -> tuple[Citation, ...]:
        """The citations of a sentence: posts whose marks it carries where they support it, others that support it
        better or as well, two that support it only together; empty where nothing does.

        Args:
            sentence: Without marks.
            marks: As the model wrote them; those without evidence are ignored.
            evidence: What the model was shown.
            least: Least support that counts.
            most: Most citations.

        Returns:
            The best supporter first. Each quotes its post's sentence that says most of the claim.
        """
        reading = self._read(sentence, evidence)
        found = [one for one in self._supporters(reading) if one.score >= least]
        alone = [one for one in found if len(one.windows) == 1]
        if not alone:
            return tuple(
                _citation(reading, window, one.score) for one in found[:1] for window in sorted(one.windows)[:most]
            )

        def mark(one: _Supporter) -> int:
            return reading.evidence[one.windows[0][0]].mark

        marked = [one for one in alone if mark(one) in marks and one.score >= alone[0].score - _BETTER]
        bar = max(one.score for one in marked) if marked else alone[0].score - _AS_WELL
        chosen = [one for one in alone if one in marked or one.score > bar or (not marked and one.score >= bar)]
        return tuple(_citation(reading, one.windows[0], one.score) for one in chosen[:most])

    def _read(self, sentence: str, evidence: Sequence[Evidence]) -> ClaimReading:
        in_order = sorted(evidence, key=lambda one: (one.mark, _PARTS[one.part], one.comment or 0, one.start))
        return ClaimReading(sentence, in_order, self._reader)

    def _supporters(self, reading: ClaimReading) -> list[_Supporter]:
        """Each post alone, and pairs of the best where they support more together; best first."""
        posts = reading.posts()
        weighed = [(post, *reading.best_window(post)) for post in posts]
        weighed.sort(key=lambda one: -one[2].support)
        found = [_Supporter((window,), signals.support) for _, window, signals in weighed]
        for (post, window, signals), (other_post, other, more) in combinations(weighed[:_PAIRED], 2):
            if reading.adds(window, other):
                both = reading.weigh(tuple(sorted(window + other)), tuple(sorted(post + other_post)))
                if _TOGETHER * both.support > max(signals.support, more.support):
                    found.append(_Supporter((window, other), _TOGETHER * both.support))
        return sorted(self._judged(reading, found), key=lambda one: -one.score)

    def _judged(self, reading: ClaimReading, found: list[_Supporter]) -> list[_Supporter]:
        """The same with the NLI model's verdict on those that are not refused already."""
        open_ones = [one for one in found if one.score > 0]
        if self._nli is None or not open_ones:
            return found
        texts = [reading.text(tuple(at for window in one.windows for at in window)) for one in open_ones]
        entailed = self._nli.scores(reading.claim, texts)
        if entailed is None:
            return found
        return [
            _Supporter(one.windows, (1 - _NLI_SHARE) * one.score + _NLI_SHARE * probability)
            for one, probability in zip(open_ones, entailed, strict=True)
        ]


def _citation(reading: ClaimReading, window: Window, score: float) -> Citation:
    quoted = reading.evidence[reading.best_sentence(window)]
    return Citation(
        quoted.mark, quoted.post_id, quoted.part, quoted.comment, quoted.start, quoted.end, quoted.text, round(score, 4)
    )
