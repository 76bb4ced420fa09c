"""A post's own page: all that is stored of it, with the quotes that led there lit. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from app.web.page.page_request import PageRequest
from app.web.page.views.cards import LinkShown, counts, first_words, pictures
from app.web.page.views.marked_text import marked, shortened
from app.web.page.views.motif import Motif, motif
from app.web.page.views.quoted import Quoted, spans
from app.web.page.words.labels import Labels, Ui, day, html_lang
from retrieval.text.web_address import is_web_address
from retrieval.types import Post, Span

# A page is for reading: of a post of megabytes, or a thread of thousands, the rest is left to the original.
LONGEST_TEXT = 50_000
MOST_COMMENTS = 500
_TITLE = 100


@dataclass(frozen=True, slots=True)
class StoredComment:
    """A comment, whole."""

    author: str
    date: str
    likes: str
    html: Markup


@dataclass(frozen=True, slots=True)
class PostShown:
    """A post, whole. The template escapes every string; `Markup` is escaped already.

    Attributes:
        heading: The title, or the first words.
        titled: Whether it has a title; else the text begins with the heading.
        comments_heading: How many comments are stored; "" if none is.
        shortened: Whether something is left out.
    """

    heading: Markup
    titled: bool
    lang: str
    author: LinkShown | None
    date: str
    date_iso: str
    place: str
    counts: tuple[str, ...]
    tags: tuple[LinkShown, ...]
    url: str
    pictures: str
    motif: Motif
    text: Markup
    comments: tuple[StoredComment, ...]
    comments_heading: str
    shortened: bool


@dataclass(frozen=True, slots=True)
class NeighbourShown:
    """A post like it, and the address of its page."""

    title: str
    byline: str
    lang: str
    motif: Motif
    address: str


def post_shown(post: Post, quotes: Sequence[Quoted], asked: PageRequest, labels: Labels, ui: Ui) -> PostShown:
    """The post as its own page shows it."""
    comments = tuple(
        StoredComment(
            one.author,
            day(one.created_at, ui) if one.created_at else "",
            f"{one.likes:,}" if one.likes else "",
            marked(one.text, quotes=spans(quotes, "comment", at), within=Span(0, LONGEST_TEXT)),
        )
        for at, one in enumerate(post.comments[:MOST_COMMENTS])
    )
    return PostShown(
        heading=marked(post.title, quotes=spans(quotes, "title"))
        if post.title.strip()
        else Markup.escape(first_words(post.text) or labels.untitled),
        titled=bool(post.title.strip()),
        lang=html_lang(post.language),
        author=LinkShown(post.author, asked.by(post.author)) if post.author else None,
        date=day(post.created_at, ui) if post.created_at else "",
        date_iso=post.created_at.isoformat() if post.created_at else "",
        place=post.place.name if post.place else "",
        counts=counts(post, labels),
        tags=tuple(LinkShown(tag, asked.tagged(tag)) for tag in post.tags),
        url=post.url if is_web_address(post.url) else "",
        pictures=pictures(post, labels),
        motif=motif(post.id),
        text=marked(post.text, quotes=spans(quotes, "text"), within=Span(0, LONGEST_TEXT)),
        comments=comments,
        comments_heading=labels.stored_comments(len(post.comments)) if post.comments else "",
        shortened=len(post.text) > LONGEST_TEXT or len(post.comments) > MOST_COMMENTS,
    )


def neighbour(post: Post, asked: PageRequest, labels: Labels, ui: Ui) -> NeighbourShown:
    """A post like the one that is shown."""
    written = day(post.created_at, ui) if post.created_at else ""
    return NeighbourShown(
        title=shortened(post.title.strip(), _TITLE) or first_words(post.text) or labels.untitled,
        byline=" · ".join(filter(None, (f"@{post.author}" if post.author else "", written))),
        lang=html_lang(post.language),
        motif=motif(post.id),
        address=asked.post(post.id),
    )
