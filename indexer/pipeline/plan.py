"""What a reindex has to do, decided from ids and content hashes only. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from retrieval.text.content_hash import same_content

Difference = Literal["added", "changed", "recounted", "unchanged"]
MOST_PRUNED_SHARE = 0.2  # of stored posts; more looks like a truncated export


@dataclass(frozen=True, slots=True)
class ReindexPlan:
    """Which offered posts are new, changed, changed only in counters, and unchanged; ids in the order of input."""

    add: tuple[str, ...] = ()
    change: tuple[str, ...] = ()
    recount: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlanCounts:
    """How many posts of each kind, over all the plans of one run.

    Attributes:
        deleted: Stored posts that are not in the input and are to be deleted.
    """

    added: int = 0
    changed: int = 0
    recounted: int = 0
    unchanged: int = 0
    deleted: int = 0

    def plus(self, plan: ReindexPlan) -> PlanCounts:
        return PlanCounts(
            self.added + len(plan.add),
            self.changed + len(plan.change),
            self.recounted + len(plan.recount),
            self.unchanged + len(plan.keep),
            self.deleted,
        )

    @property
    def offered(self) -> int:
        return self.added + self.changed + self.recounted + self.unchanged

    @property
    def to_do(self) -> int:
        """How many posts have to be written or deleted."""
        return self.added + self.changed + self.recounted + self.deleted

    @property
    def nothing_new(self) -> bool:
        return self.to_do == 0


def plan_reindex(offered: Iterable[tuple[str, str]], stored: Mapping[str, str]) -> ReindexPlan:
    """Compare offered posts with stored ones.

    A post is unchanged if its id and its content hash are: the hash alone would take a copy under a new id for the post
    itself, the id alone would miss an edit.

    Args:
        offered: Pairs of post id and content hash, each id once.
        stored: Content hash by post id.

    >>> plan_reindex([("a", "1.0"), ("b", "2.0"), ("c", "1.0"), ("d", "4.7")], {"a": "1.0", "b": "1.0", "d": "4.0"})
    ReindexPlan(add=('c',), change=('b',), recount=('d',), keep=('a',))
    """
    ids: dict[Difference, list[str]] = {"added": [], "changed": [], "recounted": [], "unchanged": []}
    for post_id, content_hash in offered:
        ids[difference(stored.get(post_id), content_hash)].append(post_id)
    return ReindexPlan(*(tuple(some) for some in ids.values()))


def difference(stored: str | None, offered: str) -> Difference:
    """How an offered post differs from the stored one, by content hashes; `stored` is None if there is none."""
    if stored is None:
        return "added"
    if stored == offered:
        return "unchanged"
    return "recounted" if same_content(stored, offered) else "changed"


def is_small(counts: PlanCounts, stored: int) -> bool:
    """Whether changing a copy of the index costs less than writing a new one.

    Up to here the search structures are updated in place; beyond, they are rebuilt either way.
    """
    return counts.to_do <= MOST_PRUNED_SHARE * stored
