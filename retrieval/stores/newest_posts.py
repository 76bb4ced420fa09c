"""Posts that satisfy filters, newest first. Shared by both stores."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from retrieval.stores.payload import point_id

# Payload fields that decide the order.
ORDER_FIELDS = ["post_id", "created_at"]


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of first passages, at most `limit` of those that satisfy the filters.

    Attributes:
        moment: "newest": those with a date, by date, in any order within a second. "undated": those without one; a
            number: those of that second; both in the order of their point IDs.
    """

    moment: Literal["newest", "undated"] | int
    limit: int


# Returns the payloads of a listing.
ListPosts = Callable[[Listing], Sequence[Mapping[str, Any]]]


def newest_first(listed: ListPosts, limit: int, offset: int) -> list[str]:
    """IDs of posts in the order of Generation.matching."""
    wanted = offset + limit
    if limit <= 0:
        return []
    dated = [(one["created_at"], one["post_id"]) for one in listed(Listing("newest", wanted))]
    if len(dated) == wanted:
        # Which posts of the last second are included was the engine's choice.
        last = min(moment for moment, _ in dated)
        dated = [one for one in dated if one[0] > last]
        dated += [(last, one["post_id"]) for one in listed(Listing(last, wanted - len(dated)))]
    dated.sort(key=lambda one: (-one[0], point_id(one[1], 0)))
    ids = [post_id for _, post_id in dated]
    if len(ids) < wanted:
        ids += [one["post_id"] for one in listed(Listing("undated", wanted - len(ids)))]
    return ids[offset:wanted]
