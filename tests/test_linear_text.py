"""No text that strangers write may freeze the process: whatever reads it takes time in proportion to its length.

The one place where a test measures time. What is not linear takes four times as long for twice the text; a measurement
counts only where it is long enough to be told from a busy machine, and then it is the best of several.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from itertools import combinations, islice, permutations
from types import ModuleType

import pytest

from app.answering.evidence.sentence_units import sentences_of
from app.answering.injection.quarantine import READ, sources
from retrieval.text.highlight import highlight
from retrieval.text.near_copies import near_copies
from retrieval.text.passages import cut_passages
from retrieval.types import Comment, Passage, Post

# Every text is tried at the first sizes, which take little; what looks worse than linear there, at 10,000 and 20,000.
# The smallest is for what is worse than quadratic, and would take minutes.
SMALLEST, SMALL, LARGE = 600, 3_000, 20_000
COUNTS_FROM_S = 0.0004  # the mildest quadratic patterns seen take 0.0005 s for 3,000 characters
CONFIRMED_FROM_S = {SMALLEST: 0.002, LARGE: 0.012}  # and 0.02 s for 20,000; a linear one as slow takes 0.003 s
MOST_GROWTH = 3.0
FRAGMENTS = (
    "\n", " ", "a", "1", "[", "(", "<", "-", ".", "#", '"', "=", ",", "中", "吗", "user: ", "ab ", "1,", "http://", "@",
    "?", "①",
)  # fmt: skip
BASIC = ("\n", " ", "a", "1", ".", "-", "中")
PAIRED = (*BASIC, "[", "<", "=", ",")
# Folders whose patterns meet nothing that strangers write: measuring, models' files, and what endpoints and users type
# into commands.
TRUSTED = ("app.evaluation", "app.models", "app.commands", "app.answering.generation", "indexer.commands")
# Packages without input and output, whose functions can be called with anything.
PURE = (
    "retrieval.text", "retrieval.query", "retrieval.suggest", "app.answering.question", "app.answering.checking",
    "app.answering.comparison", "app.answering.injection", "app.answering.evidence", "app.answering.marks",
    "app.conversations.standalone", "app.conversations.followups", "indexer.posts", "indexer.readers.exports",
    "app.web.page.views",
)  # fmt: skip


# A pattern without these looks at so many characters from each place, and no more.
REPEATS = re.compile(r"[*+{]")
# Patterns that are tried at one place of a text alone, by `match` or `fullmatch`, or of a value that is short already.
AT_ONE_PLACE = {
    "indexer.readers.formats.json_document._STRING_END",
    "retrieval.query.operator_values._LIKES",
    "retrieval.stores.generations.NAME",
}


# Functions of what a developer writes; of a query, which has at most 2,000 characters and takes a tenth of a second at
# worst; and one that remembers what `read_for_orders` beside it found.
NOT_MEASURED = {
    "app.answering.injection.order_pattern.order_pattern",
    "retrieval.query.parser.parse_query",
    "retrieval.text.exact_words.word_pattern",
    "app.answering.injection.detector.speaks_to_model",
}


def modules() -> Iterator[ModuleType]:
    for root in ("app", "indexer", "retrieval", "stipple"):
        package = importlib.import_module(root)
        yield package
        for found in pkgutil.walk_packages(package.__path__, f"{root}."):
            if not found.name.endswith("__main__") and not found.name.startswith(TRUSTED):
                with suppress(ImportError):  # what an extra brings may be missing
                    yield importlib.import_module(found.name)


def patterns_in(value: object, name: str, depth: int = 0) -> Iterator[tuple[str, re.Pattern[str] | re.Pattern[bytes]]]:
    if isinstance(value, re.Pattern):
        yield name, value
    elif isinstance(value, Mapping) and depth < 4:
        for key, one in value.items():
            yield from patterns_in(one, f"{name}[{key}]", depth + 1)
    elif isinstance(value, (tuple, list, set, frozenset)) and depth < 4:
        for number, one in enumerate(value):
            yield from patterns_in(one, f"{name}[{number}]", depth + 1)
    elif hasattr(value, "__dataclass_fields__") and not isinstance(value, type):
        for field in value.__dataclass_fields__:
            with suppress(AttributeError):
                yield from patterns_in(getattr(value, field), f"{name}.{field}", depth + 1)


def all_patterns() -> list[tuple[str, re.Pattern[str] | re.Pattern[bytes]]]:
    found: dict[int, tuple[str, re.Pattern[str] | re.Pattern[bytes]]] = {}
    for module in modules():
        for name, value in vars(module).items():
            for where, pattern in patterns_in(value, f"{module.__name__}.{name}"):
                found.setdefault(id(pattern), (where, pattern))
    at_one_place = {
        id(getattr(importlib.import_module(module), name))
        for module, _, name in (one.rpartition(".") for one in AT_ONE_PLACE)
    }
    return [one for key, one in found.items() if key not in at_one_place and REPEATS.search(source(one[1]))]


def source(pattern: re.Pattern[str] | re.Pattern[bytes]) -> str:
    return pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")


def all_functions() -> list[tuple[str, Callable[[str], object]]]:
    """Public functions of pure packages that need one text and nothing else."""
    found = {}
    for module in modules():
        for name, value in vars(module).items():
            if (
                inspect.isfunction(inspect.unwrap(value))
                and not name.startswith("_")
                and value.__module__ == module.__name__
                and module.__name__.startswith(PURE)
            ):
                needed = [
                    one
                    for one in inspect.signature(value).parameters.values()
                    if one.default is inspect.Parameter.empty
                ]
                if len(needed) == 1 and str(needed[0].annotation) in {"str", "<class 'str'>"}:
                    found[f"{module.__name__}.{name}"] = inspect.unwrap(value)  # without what remembers a text
    return [one for one in found.items() if one[0] not in NOT_MEASURED]


def repeated(size: int, fragment: str) -> str:
    return (fragment * (size // len(fragment) + 1))[:size]


def followed(size: int, first: str, second: str) -> str:
    return repeated(size // 2, first) + repeated(size // 2, second)


def texts(own_words: list[str]) -> Iterator[tuple[str, Callable[[int], str]]]:
    """Fragments and words again and again, mixtures of two, and one after the other."""
    units = [*FRAGMENTS, *own_words, *(one + other for one, other in combinations(PAIRED, 2))]
    units += [word + one for word in own_words for one in BASIC]
    for unit in units:
        yield f"{unit!r} again and again", partial(repeated, fragment=unit)
    for one, other in permutations((*BASIC, *own_words[:2]), 2):
        yield f"{one!r} many times, then {other!r}", partial(followed, first=one, second=other)


def seconds(work: Callable[[str], object], text: str, times: int = 1) -> float:
    best = float("inf")
    for _ in range(times):
        start = time.thread_time()
        with suppress(ValueError, LookupError, AssertionError):  # a text may be refused; freezing is looked for
            work(text)
        best = min(best, time.thread_time() - start)
    return best


def fault(work: Callable[[str], object], own_words: list[str], most: int | None = None) -> str | None:
    """The first text that makes this take more than linear time; None where none of the first `most` does."""
    for what, make in islice(texts(own_words), most):
        for size, confirmed in ((SMALLEST, SMALLEST), (SMALL, LARGE)):
            took = seconds(work, make(size))
            if took > COUNTS_FROM_S and took > MOST_GROWTH * seconds(work, make(size // 2)):
                half, whole = seconds(work, make(confirmed // 2), 3), seconds(work, make(confirmed), 3)
                if whole > CONFIRMED_FROM_S[confirmed] and whole > MOST_GROWTH * half:
                    return f"{what}: {half * 1e3:.0f} ms for {confirmed // 2:,} characters, {whole * 1e3:.0f} for twice"
    return None


PATTERNS = all_patterns()
FUNCTIONS = all_functions()


def test_the_patterns_and_functions_are_found() -> None:
    names = {name for name, _ in PATTERNS} | {name for name, _ in FUNCTIONS}
    assert {"app.answering.injection.quarantine._CUT", "retrieval.text.sentences.sentences"} <= names
    assert len(PATTERNS) > 100
    assert len(FUNCTIONS) > 40


@pytest.mark.parametrize("freezes", [r"\s*\n", r"a+b", r"user:.*assistant:", r"https?://\S+ ", r"<[^>]*>$"])
def test_a_pattern_that_is_not_linear_is_found(freezes: str) -> None:
    # Beside other work the shorter text may take too long once, so that the longer one does not stand out.
    assert any(fault_of(re.compile(freezes)) is not None for _ in range(5))


@pytest.mark.parametrize("pattern", [one for _, one in PATTERNS], ids=[name for name, _ in PATTERNS])
def test_a_pattern_takes_time_in_proportion_to_the_text(pattern: re.Pattern[str] | re.Pattern[bytes]) -> None:
    assert fault_of(pattern) is None


def fault_of(pattern: re.Pattern[str] | re.Pattern[bytes]) -> str | None:
    def look(text: str) -> None:
        found = pattern.finditer(text if isinstance(pattern.pattern, str) else text.encode())  # type: ignore[arg-type]  # of its own kind
        for _ in found:
            pass

    own_words = list(dict.fromkeys(re.findall(r"[a-z]{3,}|[\u4e00-\u9fff]{1,3}", source(pattern))))[:6]
    return fault(look, [f"{word} " if word.isascii() else word for word in own_words])


@pytest.mark.parametrize("function", [one for _, one in FUNCTIONS], ids=[name for name, _ in FUNCTIONS])
def test_a_function_takes_time_in_proportion_to_the_text(function: Callable[[str], object]) -> None:
    assert fault(function, []) is None


@pytest.mark.parametrize(
    "reads",
    [
        lambda text: list(sentences_of(Post("p", text[:200], text, comments=(Comment("", text),)), 1)),
        lambda text: highlight("白咖啡 flat white a 1", text),
        lambda text: near_copies([Post("p", "", text), Post("q", "", text[1:])]),
        lambda text: cut_passages(Post("p", "", text), lambda texts: [len(one) // 3 + 1 for one in texts], 256),
    ],
    ids=["sentences_of", "highlight", "near_copies", "cut_passages"],
)
def test_reading_a_post_takes_time_in_proportion_to_its_text(reads: Callable[[str], object]) -> None:
    # Each fragment alone, and the first in mixtures: these take a hundred times as long as a pattern.
    assert fault(reads, [], most=2 * len(FRAGMENTS)) is None


def test_of_a_very_long_post_only_what_surrounds_the_passage_is_read_with_the_posts_own_offsets() -> None:
    filler = "Nothing to see on this street. " * 2_000
    text = f"{filler}The flat white is 28 yuan. {filler}"
    at = text.index("The flat")
    post = Post("p", "Cafe", text)
    own = sources(post, Passage("p", 7, "text", None, at, at + 26, text[at : at + 26]))
    found = [one for one in sentences_of(post, 1, own) if "28 yuan" in one.text]
    assert [text[one.start : one.end] for one in found] == [found[0].text]
    assert all(len(source.text) <= READ for source in own)
