"""How long a reindex will take, told before it begins: from a sample of its own posts, encoded for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from indexer.pipeline.post_encoder import PostEncoder, Trial
from retrieval.stores.contract import StoredPost

# Of fewer posts the progress says it soon enough.
FEWEST_POSTS = 5_000
SAMPLED_POSTS = 400
# Two of the batches in which passages are embedded: seconds for the default embedders on two cores.
_EMBEDDED = 512


@dataclass(frozen=True, slots=True)
class TimeEstimate:
    """What a run has before it.

    Attributes:
        passages: About how many will be written; `to_embed` of them have no vector on disk.
        seconds: Until all are embedded and written. Building the search structures comes on top: it is not measured.
    """

    passages: int
    to_embed: int
    seconds: float

    def __str__(self) -> str:
        kept = "" if self.to_embed == self.passages else f" of about {self.passages:,}; the others were before"
        return (
            f"about {self.to_embed:,} passages are to be embedded{kept}: this takes about {for_people(self.seconds)}, "
            "and then the search structures are built"
        )


def estimated(
    encoder: PostEncoder, parts: Sequence[tuple[Sequence[StoredPost], int]], most: int = _EMBEDDED
) -> TimeEstimate:
    """The time for posts, each part of which goes like its sample.

    Args:
        parts: A sample of each part, and how many posts the part has.
        most: Passages of a sample to embed at most.
    """
    found = [_part(encoder, sample, posts, most) for sample, posts in parts if posts]
    return TimeEstimate(
        round(sum(one.passages for one in found)),
        round(sum(one.to_embed for one in found)),
        sum(one.seconds for one in found),
    )


def _part(encoder: PostEncoder, sample: Sequence[StoredPost], posts: int, most: int) -> TimeEstimate:
    return extended(encoder.tried(sample, most), posts / len(sample)) if sample else TimeEstimate(0, 0, 0.0)


def extended(trial: Trial, times: float) -> TimeEstimate:
    """What a part takes that is so many times as large as its sample.

    >>> extended(Trial(passages=200, missing=50, prepared_s=0.001, embedded_s=0.01), 10)
    TimeEstimate(passages=2000, to_embed=500, seconds=7.0)
    """
    passages, to_embed = trial.passages * times, trial.missing * times
    # One thread prepares while another embeds, but embedding takes every core there is: so the times add up.
    seconds = passages * trial.prepared_s + to_embed * trial.embedded_s
    return TimeEstimate(round(passages), round(to_embed), seconds)


def for_people(seconds: float) -> str:
    """A rough duration.

    >>> for_people(42), for_people(500), for_people(20_000)
    ('42 s', '8 min', '5.6 h')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"
