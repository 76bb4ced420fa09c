"""Which records a mapping skips. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches

from indexer.posts.field_values import show
from indexer.readers.mapping.rules import RuleError, Steps
from indexer.readers.paths import PathError, parse_path, reach

TESTS = ("equals", "not", "below", "exists", "contains")


@dataclass(frozen=True, slots=True)
class RecordFilter:
    """A condition on one field.

    Attributes:
        test: One of TESTS.
        words: For people, after "records with": "deleted equals true".
    """

    path: Steps
    test: str
    value: object
    words: str

    def holds(self, record: object) -> bool:
        """Whether to skip a record. A table's cells are text, so "1" equals 1, and "true" equals true."""
        found = reach(record, self.path)
        wanted = self.value if isinstance(self.value, list) else [self.value]
        match self.test:
            case "equals":
                return any(_alike(found, one) for one in wanted)
            case "not":
                return not any(_alike(found, one) for one in wanted)
            case "below":
                number = _number(found)
                return number is not None and isinstance(self.value, int | float) and number < self.value
            case "exists":
                return (found not in (None, "", [])) is self.value
        if isinstance(found, str | list):
            return any(
                isinstance(found, list) or (isinstance(one, str) and one in found) for one in wanted if one in found
            )
        return False


def filter_of(given: object) -> RecordFilter:
    """The condition in a [[drop]].

    Raises:
        RuleError: It is invalid.
    """
    if not isinstance(given, dict):
        raise RuleError("is not a table", 'write path = "deleted" and equals = true under it')
    for option in given:
        if option not in ("path", *TESTS):
            close = get_close_matches(option, ("path", *TESTS), n=1, cutoff=0.5)
            raise RuleError(
                f"has an unknown option {option!r}",
                f"did you mean {close[0]!r}?" if close else f"it has path and one of {', '.join(TESTS)}",
            )
    tests = [test for test in TESTS if test in given]
    path = given.get("path")
    if not isinstance(path, str) or len(tests) != 1:
        raise RuleError("needs a path and one test", f'write path = "...", and one of {", ".join(TESTS)}')
    value = given[tests[0]]
    if tests[0] == "below" and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise RuleError("has a 'below' that is not a number", "write below = 0")
    if tests[0] == "exists" and not isinstance(value, bool):
        raise RuleError("has an 'exists' that is neither true nor false", "write exists = true")
    try:
        steps = parse_path(path)
    except PathError as error:
        raise RuleError(f"has an invalid path: {error}", 'write one such as "user.banned"') from None
    return RecordFilter(steps, tests[0], value, f"{path} {tests[0]} {show(value).removeprefix('the string ')}")


def _alike(found: object, wanted: object) -> bool:
    if isinstance(found, str) and not isinstance(wanted, str):
        return found.strip().lower() == str(wanted).lower()
    return found == wanted and isinstance(found, bool) == isinstance(wanted, bool)


def _number(found: object) -> float | None:
    try:
        return float(found) if isinstance(found, str | int | float) else None
    except ValueError:
        return None
