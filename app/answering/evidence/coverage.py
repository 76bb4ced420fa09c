"""How many of a question's words each sentence holds, by itself and together with its post. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from app.answering.types import Evidence
from retrieval.text.terms import TermWeigher

Matrix = NDArray[np.float64]

# What a word counts for when it is not in the sentence but elsewhere in its post: in the title or the tags, which say
# what the whole post is about; in the first sentence of a long post without a title; in the sentences before, less with
# each step back; in the next one; anywhere else. Where they were chosen: docs/decisions/0009-evidence.md.
_TITLE = 0.9
_OPENING, _LONG = 1.0, 10
_BEFORE, _STEP = 0.6, 0.8
_AFTER = 0.4
_SAME_POST = 0.2


def coverages(weigher: TermWeigher, question: str, found: Sequence[Evidence], headings: Sequence[str]) -> Matrix:
    """(n,) shares of the question's words that the sentences hold, 0 to 1, rare words counting more.

    Args:
        found: The sentences of all posts, each post's together and in its order.
        headings: Title and tags of each post; mark 1 is headings[0].
    """
    asked = weigher.query(question).indices
    if not asked or not found:
        return np.zeros(len(found))
    columns = {index: column for column, index in enumerate(asked)}
    held = _held([one.indices for one in weigher.passages([one.text for one in found])], columns)
    titles = _held([one.indices for one in weigher.passages(headings)], columns) * _TITLE
    frequency = held.sum(axis=0)
    idf = np.log(1 + (len(found) + 1) / (frequency + 0.5))
    credit = np.empty_like(held)
    for rows in _posts(found):
        credit[rows] = _with_context(
            held[rows], titles[found[rows.start].mark - 1], [_place(one) for one in found[rows]]
        )
    shares: Matrix = credit @ idf / idf.sum()
    return shares


def _held(terms: Sequence[Sequence[int]], columns: dict[int, int]) -> Matrix:
    """(texts, words of the question): 1 where the text holds the word."""
    held = np.zeros((len(terms), len(columns)))
    for row, own in enumerate(terms):
        held[row, [columns[index] for index in own if index in columns]] = 1
    return held


def _posts(found: Sequence[Evidence]) -> list[slice]:
    starts = [at for at, one in enumerate(found) if not at or one.mark != found[at - 1].mark]
    return [slice(start, end) for start, end in zip(starts, [*starts[1:], len(found)], strict=True)]


def _place(one: Evidence) -> tuple[str, int | None]:
    return one.part, one.comment


def _with_context(held: Matrix, title: Matrix, places: Sequence[tuple[str, int | None]]) -> Matrix:
    """The words of one post's sentences, with credit for the words around them."""
    about = np.maximum(held.max(axis=0) * _SAME_POST, title)
    if len(places) >= _LONG and not title.any() and places[0][0] == "text":
        about = np.maximum(about, held[0] * _OPENING)
    credit = np.empty_like(held)
    carried = np.zeros(held.shape[1])
    for row, place in enumerate(places):
        if row and place != places[row - 1]:
            carried = np.zeros(held.shape[1])
        around = np.maximum(about, carried)
        if row + 1 < len(places) and places[row + 1] == place:
            around = np.maximum(around, held[row + 1] * _AFTER)
        credit[row] = np.maximum(held[row], around)
        carried = np.maximum(carried * _STEP, held[row] * _BEFORE)
    return credit
