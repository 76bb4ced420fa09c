"""What a run did, or would do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from indexer.run.time_estimate import for_people


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run did.

    Attributes:
        posts, passages: In the current generation, after the run.
        recounted: Posts of which only counters changed (likes, collects, comment_count).
        deleted: Stored posts that were not in the input, and were deleted.
        carried: Stored posts that were not in the input, and stayed.
        forgotten: Posts in the input that are blocked because they were forgotten.
        embedded: Passages that the model embedded; the others' vectors were on disk.
        generation: Name of the current generation, after the run.
        written: Whether it is new; in a dry run, whether it would be.
        filled_s: Seconds until all passages were embedded and written, the search structures not yet built.
        foreseen_s: What was said of these beforehand; None of a small run, and of one that embeds elsewhere.
        dry_run: Whether nothing was changed, and all this is what a run would do.
        passed_over: How many records were passed over, by reason.
        kept_without: How many values of posts could not be read, by what they are; the posts are indexed without.
        mended: How many posts were put right, by what was wrong.
        unusual: Why the numbers passed over, or kept without, are unusual; "" if they are not.
    """

    posts: int
    passages: int
    added: int
    changed: int
    recounted: int
    unchanged: int
    deleted: int
    carried: int
    forgotten: int
    rejected: int
    embedded: int
    seconds: float
    generation: str
    written: bool
    dry_run: bool = False
    filled_s: float = 0.0
    foreseen_s: float | None = None
    passed_over: Mapping[str, int] = field(default_factory=dict)
    kept_without: Mapping[str, int] = field(default_factory=dict)
    mended: Mapping[str, int] = field(default_factory=dict)
    unusual: str = ""

    @property
    def offered(self) -> int:
        """Posts that were read, without those that were forgotten before."""
        return self.added + self.changed + self.recounted + self.unchanged

    def __str__(self) -> str:
        counts = self._counts()
        if not self.generation and not self.dry_run:
            return f"no posts in {self.seconds:.1f} s: {counts}"
        if self.dry_run:
            return f"nothing was changed, in {self.seconds:.1f} s; a run would find: {counts}"
        if not self.written:
            return f"nothing new in {self.seconds:.1f} s: {counts}; generation {self.generation} stays"
        indexed = f"indexed {self.posts:,} posts ({self.passages:,} passages) in {self.seconds:.0f} s"
        if self.foreseen_s is not None:
            took, foreseen = for_people(self.filled_s), for_people(self.foreseen_s)
            indexed += f"; embedding and writing took {took}, {foreseen} were foreseen"
        return f"{indexed}: {counts}; generation {self.generation}"

    def _counts(self) -> str:
        counts = [
            f"{self.added:,} added", f"{self.changed:,} changed", f"{self.unchanged:,} unchanged",
            f"{self.rejected:,} rejected",
        ]  # fmt: skip
        if self.recounted:
            counts.insert(2, f"{self.recounted:,} with other counters")
        if self.deleted:
            counts.append(f"{self.deleted:,} not in the input and deleted")
        if self.carried:
            counts.append(f"{self.carried:,} not in the input and kept")
        if self.forgotten:
            counts.append(f"{self.forgotten:,} forgotten before and blocked")
        told = ", ".join(counts)
        if self.passed_over:
            told += f"; passed over: {_by_reason(self.passed_over)}"
        if self.kept_without:
            told += f"; kept without: {_by_reason(self.kept_without)}"
        if self.mended:
            told += f"; mended: {_by_reason(self.mended)}"
        return told


def _by_reason(counts: Mapping[str, int]) -> str:
    """The most frequent first.

    >>> _by_reason({"boosts": 3, "drafts": 12})
    'drafts (12), boosts (3)'
    """
    return ", ".join(f"{reason} ({count:,})" for reason, count in sorted(counts.items(), key=lambda one: -one[1]))
