"""From a hit to its card: which parts of the post are shown, and what is marked in them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from app.answering.types import Citation
from app.web.page.page_request import PageRequest
from app.web.page.views.marked_text import excerpts, marked, shortened
from app.web.page.views.motif import Motif, motif
from app.web.page.views.quoted import Quoted
from app.web.page.words.labels import Labels, Ui, day, html_lang
from retrieval.text.web_address import is_web_address
from retrieval.types import Comment, Hit, Post, Span

_HEADING = 60


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A part of a text, marked; whether the text goes on before and after it."""

    html: Markup
    cut_before: bool
    cut_after: bool


@dataclass(frozen=True, slots=True)
class CommentShown:
    """A comment on a card's post, or the parts of it that matter."""

    author: str
    likes: str
    excerpts: tuple[Excerpt, ...]


@dataclass(frozen=True, slots=True)
class LinkShown:
    """A link."""

    text: str
    address: str


@dataclass(frozen=True, slots=True)
class Card:
    """What the page shows of a post. The template escapes every string; `Markup` is escaped already.

    Attributes:
        number: Its place in the list, and the number of the marks that lead to it.
        lang: For the lang attribute; "" if the post's language is not known.
        title_seen: False if the heading only repeats the beginning of the first excerpt.
        url: Of the original; "" if a browser should not follow it.
        counts: Likes, collects and comments, in words.
        similar: How many near copies are grouped under it, and the address that shows each; None if there are none.
        address: Of the post's own page, with the quotes lit.
        pictures: How many the post has and what they show, in words; "" if it has none.
    """

    number: int
    lang: str
    title: Markup
    title_seen: bool
    author: LinkShown | None
    date: str
    date_iso: str
    place: str
    counts: tuple[str, ...]
    tags: tuple[LinkShown, ...]
    url: str
    address: str
    similar: LinkShown | None
    pictures: str
    motif: Motif
    excerpts: tuple[Excerpt, ...]
    comments: tuple[CommentShown, ...]


def card(number: int, hit: Hit, quotes: Sequence[Citation], asked: PageRequest, labels: Labels, ui: Ui) -> Card:
    """The card of a hit, with the best passage and every quote of its post in view.

    Args:
        quotes: Citations of this hit's post; those of other posts are ignored.
    """
    post, passage = hit.post, hit.passage
    quotes = [quote for quote in quotes if quote.post_id == post.id]
    of_title = [_span(quote) for quote in quotes if quote.part == "title"]
    of_text = [_span(quote) for quote in quotes if quote.part == "text"]
    in_text = passage.part == "text"
    words = hit.highlights if in_text else ()
    seen = excerpts(len(post.text), [*([Span(passage.start, passage.end)] if in_text else []), *of_text])
    comments = _comments(hit, quotes)
    heading = post.title.strip() or first_words(post.text) or labels.untitled
    return Card(
        number=number,
        lang=html_lang(post.language),
        title=marked(post.title, hit.title_highlights, of_title) if post.title.strip() else Markup.escape(heading),
        title_seen=bool(post.title.strip()) or not seen or seen[0].start > 0,
        author=LinkShown(post.author, asked.by(post.author)) if post.author else None,
        date=day(post.created_at, ui) if post.created_at else "",
        date_iso=post.created_at.isoformat() if post.created_at else "",
        place=post.place.name if post.place else "",
        counts=counts(post, labels),
        tags=tuple(LinkShown(tag, asked.tagged(tag)) for tag in post.tags),
        url=post.url if is_web_address(post.url) else "",
        similar=LinkShown(labels.similar(hit.similar), asked.folding(False)) if hit.similar else None,
        address=asked.post(post.id, dict.fromkeys(Quoted.of(quote).written() for quote in quotes)),
        pictures=pictures(post, labels),
        motif=motif(post.id),
        excerpts=_excerpts(post.text, seen, words, of_text),
        comments=comments,
    )


def _span(quote: Citation) -> Span:
    return Span(quote.start, quote.end)


def first_words(text: str) -> str:
    """What heads a post without a title."""
    return shortened(text.strip().split("\n", 1)[0], _HEADING)


def _excerpts(text: str, seen: Sequence[Span], words: Sequence[Span], quotes: Sequence[Span]) -> tuple[Excerpt, ...]:
    return tuple(
        Excerpt(
            html=marked(text, words, quotes, part),
            cut_before=part.start > 0,
            # Of two neighbouring parts, one "…" between them is enough.
            cut_after=part.end < len(text) and part is seen[-1],
        )
        for part in seen
    )


def _comments(hit: Hit, quotes: Sequence[Citation]) -> tuple[CommentShown, ...]:
    """The comment that matched best and those that are quoted, in the post's order."""
    passage, comments = hit.passage, hit.post.comments
    wanted: dict[int, list[Span]] = {}
    if passage.comment is not None:
        wanted.setdefault(passage.comment, []).append(Span(passage.start, passage.end))
    for quote in quotes:
        if quote.part == "comment" and quote.comment is not None:
            wanted.setdefault(quote.comment, []).append(_span(quote))
    return tuple(
        _comment(
            comments[at],
            excerpts(len(comments[at].text), wanted[at]),
            hit.highlights if at == passage.comment else (),
            [_span(quote) for quote in quotes if quote.part == "comment" and quote.comment == at],
        )
        for at in sorted(wanted)
        if at < len(comments)
    )


def _comment(comment: Comment, seen: Sequence[Span], words: Sequence[Span], quotes: Sequence[Span]) -> CommentShown:
    likes = f"{comment.likes:,}" if comment.likes else ""
    return CommentShown(comment.author, likes, _excerpts(comment.text, seen, words, quotes))


def counts(post: Post, labels: Labels) -> tuple[str, ...]:
    """Likes, collects and comments, in words, without those that nobody gave."""
    counted = [(labels.likes, post.likes), (labels.collects, post.collects), (labels.comments, post.comment_count)]
    return tuple(phrase(n) for phrase, n in counted if n)


def pictures(post: Post, labels: Labels) -> str:
    """How many pictures the post has and what they show, in words; "" if it has none."""
    if not post.images:
        return ""
    shown = [image.alt.strip() for image in post.images if image.alt.strip()]
    many = labels.pictures(len(post.images))
    return f"{many}: {' · '.join(shown)}" if shown else many
