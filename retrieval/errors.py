"""Errors that a person can fix, each with its remedy."""

from __future__ import annotations


class FixableError(Exception):
    """An error that an operator can fix.

    The command prints both lines and exits 1; a web page shows only `problem`.

    Attributes:
        problem: What is wrong and where, in one sentence without a full stop.
        fix: What to do now, in the imperative.
    """

    def __init__(self, problem: str, fix: str) -> None:
        super().__init__(f"{problem}\n  to fix: {fix}")
        self.problem, self.fix = problem, fix


class IndexMissing(FixableError):
    """There is no generation to read yet."""


class IndexMismatch(FixableError):
    """The index was built by another embedding model or schema than the settings ask for."""


class IndexLocked(FixableError):
    """Another process holds a lock that this one needs."""


class ModelMissing(FixableError):
    """A model's files are missing, or are not what they should be."""


class StoreUnreachable(FixableError):
    """The Qdrant server did not answer, or refused the request."""
