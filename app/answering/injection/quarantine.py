"""Which parts of a post may be quoted and shown to a model: not links, markup, contacts, lures or orders. Pure.

Links, markup and contacts are cut out individually, lures by the sentence. Orders take their surroundings with them: an
author who tries to steer the answer is not to be trusted, and the sentence after "ignore all instructions" is what the
order was for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from app.answering.injection.contacts import contact_spans, contacts
from app.answering.injection.deobfuscation import unveiled
from app.answering.injection.detector import hides_letters, speaks_to_model
from app.answering.injection.lures import lure_spans
from app.answering.types import QuotePart
from retrieval.text.folding import fold
from retrieval.text.sentences import sentences
from retrieval.types import Hit, Passage, Post, Span

# How far around each order a text is barred, in characters; up to twice this length, all of it.
_SURROUNDINGS = 1000
# What is read of a post for its evidence: so many code points of its text, and of its comments together. Looking for
# orders takes some 10 µs for each, and of a longer post, an answer has one passage to quote.
READ = 10_000
# The end of a text that may be half of an order, and how much of two texts is joined to find out.
_BEGUN = re.compile(
    r"ignor|disregard|forget|overrid|bypass|you are now|pretend|reveal|repeat your|from now on|system"
    r"|忽略|忽视|无视|忘记|忘掉|遵守|你现在是|从现在起|请只|必须|系统"
)
_HALF = 80

# Chinese text may follow an address without a space.
_ADDRESS = r"[^\s\u3000-\u9fff\uff00-\uffef]"
_HOSTS = r"com|net|org|io|cn|info|xyz|top|ru|app|dev|site|link|shop|online|club|vip|example|test|invalid|edu|gov"
_LINK = (
    rf"(?i:(?<![a-z0-9])[a-z][a-z0-9+.-]{{1,15}}://{_ADDRESS}+|(?<![a-z0-9@.])www\.{_ADDRESS}+|(?<![a-z])hxxps?{_ADDRESS}+"
    rf"|(?<![a-z])(?:javascript|vbscript|mailto|tel|file)\s*:\s*{_ADDRESS}+|(?<![a-z])data\s*:\s*[a-z]+/{_ADDRESS}+"
    r"|(?<![a-z0-9_.+-])[a-z0-9_.+-]+@(?:[a-z0-9-]+\.)+[a-z]{2,}"
    rf"|(?<![a-z0-9@./-])(?:[a-z0-9-]+\.)+(?:{_HOSTS})(?![a-z0-9-])(?:[/?#:]{_ADDRESS}*)?"
    rf"|(?<![a-z0-9@./-])(?:[a-z0-9-]+\.)+[a-z]{{2,}}/{_ADDRESS}*)"
)
_MARKDOWN_LINK = (
    r"!?\[[^\[\]\n]{0,300}\]\s?\([^()\n]{0,500}(?:\([^()\n]{0,500}\)[^()\n]{0,500}){0,4}\)"
    r"|\[[^\[\]\n]{1,300}\]\[[^\[\]\n]{0,300}\]"
    r"|\[(?i:url|img|email|link|media)(?:=[^\[\]\n]{0,300})?\][^\[\]\n]{0,300}\[/(?i:url|img|email|link|media)\]"
    r"|\[/?(?i:url|img|email|link|media|quote|code|color|size|b|i|u|s)(?:=[^\[\]\n]{0,300})?\]"
    r"|!\[[^\[\]\n]{0,300}\]?|\[\[[^\[\]\n]{0,300}\]\]|(?m:^[ \t]{0,40}\[[^\[\]\n]{1,300}\]:.*$)"
)
_HTML = (
    r"(?is:<(script|style|iframe|svg|object|template|noscript)\b.*?(?:</\1\s*>|\Z)|<!--.*?(?:-->|\Z))"
    r"|(?i:</?[a-z!?][a-z0-9:-]*(?:\s[^<>\n]*|/)?>|<[a-z]+[\s/]+[a-z-]+\s*=[^<>\n]*>?)"
    r"|(?i:&(?:lt|gt|#0*\d+|#x0*[0-9a-f]+);?)|```[^`\n]*"
)
# Readers do not see format and control characters; the joiners in emoji and Persian words are legitimate.
_UNSEEN = (
    "[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u200b\\u200e\\u200f\\u202a-\\u202e\\u2060-\\u206f\\ufeff\\ufff9-\\ufffb"
    "\\ue000-\\uf8ff\\U000e0000-\\U000e0fff]+"
)
# Only Stipple itself puts marks after a sentence; a post's own must not look like them.
_DIGIT = r"[\d¹²³⁰⁴-⁹₀-₉①-⑳⓪❶-❿➀-➓]"
_GAP = "[\\s\\u200b-\\u200f\\u2060-\\u2064\\ufeff]*"
_MARK = (
    rf"[\[［【〔⟦]{_GAP}\^?{_DIGIT}{{1,3}}(?:{_GAP}[,，、-]{_GAP}{_DIGIT}{{1,3}})*{_GAP}[\]］】〕⟧]"
    r"|(?<=[.。!！?？])\s*[¹²³⁰⁴-⁹①-⑳⓪❶-❿➀-➓]+|(?<![①-⑳⓪❶-❿➀-➓])[①-⑳⓪❶-❿➀-➓]++(?=\s{0,9}(?:[.。!！]|$))"
)
_CUT = re.compile("|".join((_HTML, _MARKDOWN_LINK, _MARK, _LINK, _UNSEEN)), re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Source:
    """A text of a post that evidence may be cut from.

    Attributes:
        text: What is read of the title, text or comment: all of it, unless it is longer than READ.
        offset: Where that begins there; spans are counted in `text`.
        barred: Stretches that evidence may not be cut from, in order, without overlaps.
    """

    part: QuotePart
    comment: int | None
    text: str
    barred: tuple[Span, ...]
    offset: int = 0

    def free(self, span: Span) -> Iterator[Span]:
        """The parts of a stretch that are not barred, without surrounding white space."""
        at = span.start
        for barred in (*self.barred, Span(span.end, span.end)):
            if barred.end >= at and (stop := min(barred.start, span.end)) >= at:
                yield from _trimmed(self.text, at, stop)
            at = max(at, barred.end)


def sources(post: Post, passage: Passage | None = None) -> list[Source]:
    """The title, the text and each comment of a post, with what is barred in each.

    Title and text have the same author: an order in either, or across both, bars both. Comments have other authors and
    are barred one by one; an order spread over several bars them all.

    Args:
        passage: Of a text longer than READ, what surrounds this passage is read; without one, its beginning.
    """
    title, (text, offset) = post.title[:READ], _text_read(post, passage)
    together = speaks_to_model(f"{title}\n{text}") is not None
    lured = lure_spans(title) is None or lure_spans(text) is None
    if lured or (together and len(text) <= 2 * _SURROUNDINGS):
        own = [Source("title", None, title, _all_of(title)), Source("text", None, text, _all_of(text), offset)]
    elif together:
        barred = _around_orders(text) if speaks_to_model(text) else ()
        all_of_it = speaks_to_model(title) is not None or not barred
        own = [
            Source("title", None, title, _all_of(title) if all_of_it else _cut(title)),
            Source("text", None, text, _all_of(text) if all_of_it else _merged([*barred, *_cut(text)]), offset),
        ]
    else:
        own = [Source("title", None, title, _cut(title)), Source("text", None, text, _cut(text), offset)]
    comments = dict(_comments_read(post, passage))
    flags = [speaks_to_model(text) is not None for text in comments.values()]
    pieces = not any(flags) and len(comments) > 1 and speaks_to_model(" ".join(comments.values())) is not None
    return own + [
        Source("comment", number, text, _all_of(text) if flag or pieces else _cut(text))
        for (number, text), flag in zip(comments.items(), flags, strict=True)
    ]


def _text_read(post: Post, passage: Passage | None) -> tuple[str, int]:
    """What is read of a post's text, and where it begins there."""
    middle = (passage.start + passage.end) // 2 if passage is not None and passage.part == "text" else 0
    start = max(0, min(middle - READ // 2, len(post.text) - READ))
    return post.text[start : start + READ], start


def _comments_read(post: Post, passage: Passage | None) -> Iterator[tuple[int, str]]:
    """The comments that are read, by number: from the first on, READ code points of all; the passage's in any case."""
    left = READ
    for number, comment in enumerate(post.comments):
        found = passage is not None and passage.comment == number
        if left > 0 or found:
            yield number, comment.text[: READ if found else left]
        left -= len(comment.text)


def sources_of(hits: Sequence[Hit]) -> list[list[Source]]:
    """The sources of posts that are shown together. An order that one post begins and another ends bars both."""
    each = [sources(hit.post, hit.passage) for hit in hits]
    posts = [hit.post for hit in hits]
    for first, post in enumerate(posts):
        tail = fold(unveiled(post.text[-_HALF:]))
        begun = [found.start() for found in _BEGUN.finditer(tail)]
        # A complete order is barred by itself and bars no other post.
        if not begun or speaks_to_model(tail := tail[begun[-1] :]) is not None:
            continue
        for last, other in enumerate(posts):
            for head in (other.title[:READ], other.text[:_HALF]) if last != first else ():
                if speaks_to_model(f"{tail} {head}") is not None and speaks_to_model(head) is None:
                    each[first], each[last] = _own_barred(each[first]), _own_barred(each[last])
    return each


def _own_barred(own: Sequence[Source]) -> list[Source]:
    return [one if one.part == "comment" else replace(one, barred=_all_of(one.text)) for one in own]


def carries_link(text: str) -> bool:
    """Whether a text holds a link, an image, HTML, a mark, invisible letters or a contact."""
    return bool(_CUT.search(text) or contacts(text))


def without_links(text: str) -> str:
    """The text without links, images, tags and invisible characters."""
    return re.sub(r"[ \t]{2,}", " ", _CUT.sub(" ", text)).strip()


def _all_of(text: str) -> tuple[Span, ...]:
    return (Span(0, len(text)),) if text else ()


def _cut(text: str) -> tuple[Span, ...]:
    lured = lure_spans(text)
    if lured is None or hides_letters(text):
        return _all_of(text)
    marked = (Span(*found.span()) for found in _CUT.finditer(text) if found.group())
    return _merged([*marked, *contact_spans(text), *lured])


def _around_orders(text: str) -> tuple[Span, ...]:
    spans = sentences(text)
    orders = []
    for number, span in enumerate(spans):
        last = spans[min(number + 1, len(spans) - 1)]
        if speaks_to_model(text[span.start : span.end]) or speaks_to_model(text[span.start : last.end]):
            orders.append(Span(max(0, span.start - _SURROUNDINGS), min(len(text), span.end + _SURROUNDINGS)))
    return tuple(orders) or _all_of(text)


def _merged(spans: Sequence[Span]) -> tuple[Span, ...]:
    merged: list[Span] = []
    for span in sorted(spans, key=lambda one: (one.start, one.end)):
        if merged and span.start <= merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return tuple(merged)


def _trimmed(text: str, start: int, end: int) -> Iterator[Span]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start < end:
        yield Span(start, end)
