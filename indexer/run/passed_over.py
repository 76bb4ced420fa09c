"""What a run passed over, by reason, and whether that is unusual."""

from __future__ import annotations

from collections import Counter

from indexer.rejects import PassedOver

# A file of posts has a few that say nothing, or a date that is none. A tenth means that the file is not what it was
# taken for, or that words are lost.
UNUSUAL_SHARE = 0.1


class PassedOverLog:
    """Counts what was passed over in a run."""

    def __init__(self) -> None:
        self.passed_over: Counter[str] = Counter()
        self.kept_without: Counter[str] = Counter()
        self.mended: Counter[str] = Counter()
        self._unusual: Counter[str] = Counter()

    def add(self, one: PassedOver) -> None:
        match one.outcome:
            case "passed over":
                self.passed_over[one.reason] += one.count
            case "kept without":
                self.kept_without[one.reason] += one.count
            case "mended":
                self.mended[one.reason] += one.count
        if one.unusual:
            self._unusual[one.reason] += one.count

    def unusual(self, offered: int) -> str:
        """Why what was passed over is unusual; "" if it is not.

        Args:
            offered: Posts that were read.
        """
        all_of_them = offered + self.passed_over.total()
        if self._unusual.total() <= UNUSUAL_SHARE * all_of_them:
            return ""
        reasons = ", ".join(f"{reason} ({count:,})" for reason, count in self._unusual.most_common(5))
        return f"of {all_of_them:,} posts, unusually many could not be read whole, or at all: {reasons}"
