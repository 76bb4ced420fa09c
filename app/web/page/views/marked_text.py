"""Text and spans -> HTML with <mark>. Pure; all but our own tags is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from markupsafe import Markup, escape

from retrieval.types import Span

_QUOTE_OPEN, _WORD_OPEN, _CLOSE = Markup('<mark class="quote">'), Markup('<mark class="word">'), Markup("</mark>")


def marked(
    text: str, words: Sequence[Span] = (), quotes: Sequence[Span] = (), within: Span | None = None
) -> Markup:  # fmt: skip
    """text[within] as safe HTML: quotes as <mark class="quote">, and words of the query as <mark class="word">.

    Words are marked inside quotes, never around them: one that crosses a quote's edge is marked in two pieces. Spans
    may come in any order, overlap and reach out of the text; those that touch are joined.

    Args:
        within: Code points to show; None shows all. The spans count in the whole text either way.

    >>> marked("坐船 <b>", words=[Span(0, 1)], quotes=[Span(0, 2)])
    Markup('<mark class="quote"><mark class="word">坐</mark>船</mark> &lt;b&gt;')
    """
    shown = Span(0, len(text)) if within is None else _cut(within, Span(0, len(text)))
    pieces: list[Markup] = []
    at = shown.start
    for quote in joined(_cut(quote, shown) for quote in quotes):
        pieces += _with_words(text, words, Span(at, quote.start))
        pieces += [_QUOTE_OPEN, *_with_words(text, words, quote), _CLOSE]
        at = quote.end
    pieces += _with_words(text, words, Span(at, shown.end))
    return Markup("").join(pieces)


def excerpts(length: int, wanted: Iterable[Span], context: int = 60) -> list[Span]:
    """The parts of a text of `length` code points that show all of `wanted`, in order.

    Two parts with fewer than `context` code points between them become one, and so does a gap as short at either end
    of the text: a cut that saves less than a line costs the reader more than it saves.
    """
    parts: list[Span] = []
    for span in joined(_cut(span, Span(0, length)) for span in wanted):
        start = 0 if span.start < context else span.start
        end = length if length - span.end < context else span.end
        if parts and start - parts[-1].end < context:
            parts[-1] = Span(parts[-1].start, end)
        else:
            parts.append(Span(start, end))
    return parts


def shortened(text: str, length: int) -> str:
    """At most the first `length` code points of a text; "…" stands for what is left out."""
    return text if len(text) <= length else text[:length].rstrip() + "…"


def joined(spans: Iterable[Span]) -> list[Span]:
    """The same code points as spans that neither touch nor overlap, in order; empty spans are left out."""
    union: list[Span] = []
    for span in sorted(spans, key=lambda span: span.start):
        if span.start >= span.end:
            continue
        if union and span.start <= union[-1].end:
            union[-1] = Span(union[-1].start, max(union[-1].end, span.end))
        else:
            union.append(span)
    return union


def _cut(span: Span, frame: Span) -> Span:
    return Span(max(span.start, frame.start), min(span.end, frame.end))


def _with_words(text: str, words: Sequence[Span], part: Span) -> list[Markup]:
    pieces: list[Markup] = []
    at = part.start
    for word in joined(_cut(word, part) for word in words):
        pieces += [escape(text[at : word.start]), _WORD_OPEN, escape(text[word.start : word.end]), _CLOSE]
        at = word.end
    return [*pieces, escape(text[at : part.end])]
