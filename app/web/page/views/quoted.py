"""Where a quote stands in its post, as part of an address. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.answering.types import Citation, QuotePart
from retrieval.types import Post, Span

_WRITTEN = re.compile(r"(title|text|comment(\d{1,5}))-(\d{1,9})-(\d{1,9})")
_MOST = 20


@dataclass(frozen=True, slots=True)
class Quoted:
    """A quote's place: code points of the post's title, text or comment."""

    part: QuotePart
    comment: int | None
    span: Span

    @classmethod
    def of(cls, citation: Citation) -> Quoted:
        return cls(citation.part, citation.comment, Span(citation.start, citation.end))

    def written(self) -> str:
        """As in an address.

        >>> Quoted("comment", 2, Span(0, 9)).written()
        'comment2-0-9'
        """
        at = "" if self.comment is None else str(self.comment)
        return f"{self.part}{at}-{self.span.start}-{self.span.end}"

    def text_of(self, post: Post) -> str:
        """The text that the quote is part of; "" if the post has no such comment."""
        if self.part == "comment":
            return post.comments[self.comment].text if self.comment is not None and self.has_comment(post) else ""
        return post.title if self.part == "title" else post.text

    def has_comment(self, post: Post) -> bool:
        return self.comment is not None and self.comment < len(post.comments)


def read_quotes(written: Iterable[str]) -> list[Quoted]:
    """The places in an address; what is no place is left out."""
    found = []
    for one in list(written)[:_MOST]:
        if match := _WRITTEN.fullmatch(one):
            name, comment, start, end = match.groups()
            part: QuotePart = "comment" if comment is not None else "title" if name == "title" else "text"
            found.append(Quoted(part, None if comment is None else int(comment), Span(int(start), int(end))))
    return found


def spans(quotes: Sequence[Quoted], part: QuotePart, comment: int | None = None) -> list[Span]:
    """The quotes of one part of the post."""
    return [one.span for one in quotes if one.part == part and one.comment == comment]
