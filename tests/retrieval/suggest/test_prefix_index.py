from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from retrieval.suggest.phrases import folded_phrase, starts
from retrieval.suggest.prefix_index import PrefixIndex

# Few characters, so that lines share long beginnings.
LINES = st.lists(st.text("ab 咖😀", max_size=40).map(folded_phrase), max_size=30)
PREFIXES = st.text("ab 咖😀", min_size=1, max_size=30)


def built(lines: list[str]) -> tuple[PrefixIndex, np.ndarray]:
    scores = np.arange(len(lines), dtype=np.float32) % 7
    return PrefixIndex(((line, starts(line), number) for number, line in enumerate(lines)), scores, 0.5), scores


@given(LINES, PREFIXES, st.integers(1, 10))
def test_the_best_are_those_that_looking_at_every_word_of_every_line_finds(
    lines: list[str], prefix: str, limit: int
) -> None:
    index, scores = built(lines)
    every: dict[int, float] = {}
    for number, line in enumerate(lines):
        for at in starts(line):
            if line.startswith(prefix, at):
                score = float(scores[number]) - 0.5 * (at != starts(line)[0])
                every[number] = max(score, every.get(number, -9))
    found = index.best(prefix, limit)
    assert [score for _, score in found] == sorted(every.values(), reverse=True)[:limit]
    assert all(every[number] == score for number, score in found)
    assert len(dict(found)) == len(found)


@given(LINES)
def test_a_line_is_found_by_itself_and_given_back(lines: list[str]) -> None:
    lines = [line for line in dict.fromkeys(lines) if starts(line)]
    index, _ = built(lines)
    assert [index.owner_of(line) for line in lines] == list(range(len(lines)))
    assert index.lines(list(range(len(lines)))) == lines
    assert index.owner_of("no such line") is None


def test_lines_with_a_long_common_beginning_are_told_apart() -> None:
    lines = [f"{'how to make ' * 3}{end}" for end in ("tea", "coffee", "cocoa", "tea twice")]
    index, _ = built(lines)
    assert dict(index.best("how to make " * 3 + "co", 9)).keys() == {1, 2}
    assert dict(index.best("how to make " * 3 + "tea", 9)).keys() == {0, 3}
