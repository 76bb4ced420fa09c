"""What a reindex has to do, decided from ids and content hashes alone. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReindexPlan:
    """Which offered posts are new, which have changed, which are as they were; ids in the order of the offer."""

    add: tuple[str, ...] = ()
    change: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlanCounts:
    """How many posts of each kind, over all the plans of one run."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0

    def plus(self, plan: ReindexPlan) -> PlanCounts:
        return PlanCounts(self.added + len(plan.add), self.changed + len(plan.change), self.unchanged + len(plan.keep))

    @property
    def offered(self) -> int:
        return self.added + self.changed + self.unchanged

    @property
    def nothing_new(self) -> bool:
        return self.added == self.changed == 0


def plan_reindex(offered: Iterable[tuple[str, str]], stored: Mapping[str, str]) -> ReindexPlan:
    """Compare what is offered with what is stored.

    A post is unchanged when its id and its content hash are: the hash alone would take a copy under a new id for
    the post itself, the id alone would miss an edit.

    Args:
        offered: Pairs of post id and content hash, each id once.
        stored: Content hash by post id.

    >>> plan_reindex([("a", "1"), ("b", "2"), ("c", "1")], {"a": "1", "b": "1"})
    ReindexPlan(add=('c',), change=('b',), keep=('a',))
    """
    add, change, keep = [], [], []
    for post_id, content_hash in offered:
        if post_id not in stored:
            add.append(post_id)
        elif stored[post_id] != content_hash:
            change.append(post_id)
        else:
            keep.append(post_id)
    return ReindexPlan(tuple(add), tuple(change), tuple(keep))
