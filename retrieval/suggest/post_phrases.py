"""The titles and tags of posts, ready to be suggested. Pure."""

from __future__ import annotations

import copy
from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from retrieval.suggest.phrase_scores import FRESH, INSIDE, freshness
from retrieval.suggest.phrases import folded_phrase, is_spelled, pinyin_keys, plain, stands, starts, title_phrase
from retrieval.suggest.prefix_index import MOST_SCANNED, Hidden, Numbers, PrefixIndex, Scores
from retrieval.types import Post

Counts = NDArray[np.int64]
Kind = Literal["query", "tag", "title"]


class PostPhrases:
    """The titles and tags of posts. Building takes about a minute per million posts; it stays in memory.

    Attributes:
        texts: Each phrase once, as its first post has it.
        hidden: Phrases that no post carries any more.
    """

    def __init__(self, posts: Iterable[Post]) -> None:
        numbers: dict[str, int] = {}
        self.texts: list[str] = []
        tags, liked, days = bytearray(), array("d"), array("l")
        carried, bounds = array("I"), array("I", [0])
        pinyin: list[tuple[str, int]] = []
        ids: list[str] = []
        for post in posts:
            ids.append(post.id)
            day = post.created_at.toordinal() if post.created_at is not None else 0
            phrases = [(title_phrase(post.title), 0), *((plain(tag), 1) for tag in post.tags)]
            for text, is_tag in phrases:
                folded = folded_phrase(text)
                if not starts(folded):
                    continue
                number = numbers.setdefault(folded, len(self.texts))
                if number == len(self.texts):
                    self.texts.append(text)
                    tags.append(0)
                    liked.append(0.0)
                    days.append(0)
                    pinyin.extend((key, number) for key in pinyin_keys(folded))
                tags[number] |= is_tag
                liked[number] += 1 + post.likes
                days[number] = max(days[number], day)
                carried.append(number)
            bounds.append(len(carried))
        self.are_tags = np.array(tags, bool)
        self.scores: Scores = (np.log1p(np.array(liked)) + FRESH * freshness(days)).astype(np.float32)
        self.index = PrefixIndex(
            ((line, starts(line), number) for line, number in numbers.items()), self.scores, INSIDE
        )
        self.pinyin = PrefixIndex(((key, (0,), number) for key, number in pinyin), self.scores)
        # Which phrases a post carries, and which posts carry a phrase: rows of `values` between two bounds each.
        self._phrases_of = (np.array(bounds, np.uint32), np.array(carried, np.uint32))
        of_post = np.repeat(np.arange(len(bounds) - 1, dtype=np.uint32), np.diff(self._phrases_of[0]))
        counts = np.bincount(self._phrases_of[1], minlength=len(self.texts))
        by_phrase = of_post[np.argsort(self._phrases_of[1], kind="stable")]
        self._rows = _PostRows(ids)
        self._gone: Hidden = np.zeros(len(ids), bool)
        self.hidden: Hidden = np.zeros(len(self.texts), bool)
        self._posts_of = (np.concatenate(([0], np.cumsum(counts))).astype(np.uint32), by_phrase)

    @property
    def size_bytes(self) -> int:
        """Memory in bytes."""
        arrays = (*self._phrases_of, *self._posts_of, self.scores, self.are_tags, self._gone, self.hidden)
        texts = self.texts.__sizeof__() + sum(text.__sizeof__() for text in self.texts)
        return (
            texts
            + sum(one.nbytes for one in arrays)
            + self.index.size_bytes
            + self.pinyin.size_bytes
            + self._rows.size_bytes
        )

    def post_ids(self) -> Iterator[str]:
        """IDs of all posts, including those removed by `without`."""
        return iter(self._rows)

    def without(self, post_ids: Iterable[str]) -> PostPhrases:
        """The same without the phrases that only these posts carry; takes milliseconds."""
        rows = [row for post_id in post_ids if (row := self._rows.row(post_id)) is not None]
        if not rows:
            return self
        left = copy.copy(self)
        left._gone = self._gone.copy()
        left._gone[rows] = True
        left.hidden = self.hidden.copy()
        for number in np.unique(_values_of(self._phrases_of, np.array(rows))).tolist():
            left.hidden[number] = bool(left._gone[_values_of(self._posts_of, np.array([number]))].all())
        return left

    def kind(self, number: int) -> Kind:
        return "tag" if self.are_tags[number] else "title"

    def tags_with(self, words: Sequence[str], prefix: str) -> tuple[Numbers, Counts]:
        """Tags that begin with the prefix, of posts whose phrases contain all these folded words, and how many of those
        posts have each. Very many posts are sampled.
        """
        tags = self.index.first_owners(prefix) if prefix else np.arange(len(self.texts), dtype=np.uint32)
        tags = tags[self.are_tags[tags] & ~self.hidden[tags]]
        holding: NDArray[np.bool_] | None = None
        for word in words if len(tags) else ():
            owners = self.index.owners(word, MOST_SCANNED)
            if is_spelled(word[-1]):  # otherwise any word that begins with it counts
                whole = [stands(line, word, whole=True) for line in self.index.lines(owners)]
                owners = owners[np.array(whole, bool)]
            of_word = np.zeros(len(self._phrases_of[0]) - 1, bool)
            of_word[_values_of(self._posts_of, owners)] = True
            holding = of_word if holding is None else holding & of_word
        posts = np.flatnonzero(holding & ~self._gone) if holding is not None else np.arange(0)
        sample = posts[:: 1 + len(posts) // MOST_SCANNED]
        counts = np.bincount(_values_of(self._phrases_of, sample), minlength=len(self.texts))[tags]
        return tags[counts > 0], counts[counts > 0]


class _PostRows:
    """Post IDs in the order of their rows: their characters and 16 bytes each."""

    def __init__(self, ids: Sequence[str]) -> None:
        self._text = "".join(ids)
        self._bounds: Numbers = np.cumsum([0, *map(len, ids)]).astype(np.uint32)
        hashes = np.array([hash(one) for one in ids], np.int64)
        self._order: Numbers = np.argsort(hashes, kind="stable").astype(np.uint32)
        self._hashes = hashes[self._order]

    def __len__(self) -> int:
        return len(self._hashes)

    def __iter__(self) -> Iterator[str]:
        return (self._id(row) for row in range(len(self)))

    @property
    def size_bytes(self) -> int:
        """Memory in bytes."""
        return self._text.__sizeof__() + sum(one.nbytes for one in (self._bounds, self._order, self._hashes))

    def row(self, post_id: str) -> int | None:
        """The row of a post; None if it has none."""
        wanted = hash(post_id)
        at = int(np.searchsorted(self._hashes, wanted))
        while at < len(self._hashes) and self._hashes[at] == wanted:
            row = int(self._order[at])
            if self._id(row) == post_id:
                return row
            at += 1
        return None

    def _id(self, row: int) -> str:
        return self._text[self._bounds[row] : self._bounds[row + 1]]


def _values_of(table: tuple[Numbers, Numbers], rows: Numbers | NDArray[np.int64]) -> Numbers:
    """The concatenated values of several rows of a table.

    Args:
        table: Bounds and values: those of row n are from bound n to bound n + 1.
    """
    bounds, values = table
    wanted = rows.astype(np.int64)
    first = bounds[wanted].astype(np.int64)
    length = bounds[wanted + 1].astype(np.int64) - first
    within = np.arange(length.sum()) - np.repeat(np.cumsum(length) - length, length)
    found: Numbers = values[np.repeat(first, length) + within]
    return found
