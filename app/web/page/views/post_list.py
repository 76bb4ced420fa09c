"""The list of posts on a page: cards, sort orders, tags, and the link to more. Pure."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import replace

from app.answering.types import AnswerSentence
from app.web.page import contexts
from app.web.page.page_request import LARGEST_OFFSET, PageRequest
from app.web.page.views.answer import citations
from app.web.page.views.cards import Card, LinkShown, card
from app.web.page.words.labels import Labels, Ui
from retrieval.text.folding import fold
from retrieval.types import Hit, SearchPage, Sort

_MOST_TAGS = 8


def cards_of(
    hits: Sequence[Hit | None],
    sentences: Sequence[AnswerSentence],
    asked: PageRequest,
    labels: Labels,
    ui: Ui,
    only: Container[int] | None = None,
) -> tuple[Card, ...]:
    """The hits' cards, with the sentences' quotes marked; only those with a number in `only`, if given.

    Args:
        hits: None where a post is gone: the others keep their numbers.
    """
    quotes = citations(sentences)
    return tuple(
        card(number, hit, [quote for quote in quotes if quote.mark == number], asked, labels, ui)
        for number, hit in enumerate(hits, start=asked.offset + 1)
        if hit is not None and (only is None or number in only)
    )


def begins_with(shown: Sequence[Hit], hits: Sequence[Hit]) -> bool:
    """Whether these hits are the first ones shown, in the same order."""
    return [hit.post.id for hit in shown[: len(hits)]] == [hit.post.id for hit in hits]


def sorts(asked: PageRequest, labels: Labels) -> tuple[contexts.Choice, ...]:
    """Sort orders to choose from."""
    names: dict[Sort, str] = {
        "relevance": labels.sort_relevance, "newest": labels.sort_newest, "most_liked": labels.sort_most_liked,
    }  # fmt: skip
    return tuple(
        contexts.Choice(name, "" if sort == asked.sort else asked.sorted_by(sort)) for sort, name in names.items()
    )


def tags(found: SearchPage, asked: PageRequest) -> tuple[tuple[LinkShown, str], ...]:
    """The most frequent tags that several posts found have, except chosen ones, with the number of posts."""
    chosen = {fold(tag).casefold() for tag in asked.tags}
    counts = [one for one in found.facets.get("tags", ()) if one.posts > 1 and fold(one.value).casefold() not in chosen]
    return tuple((LinkShown(one.value, asked.tagged(one.value)), f"{one.posts:,}") for one in counts[:_MOST_TAGS])


def more(asked: PageRequest, found: SearchPage) -> str:
    """Address of the hits after those of this page; "" if there are none, or they are beyond what may be asked for."""
    following = asked.offset + found.query.limit
    return replace(asked, offset=following).address() if following < found.total and following <= LARGEST_OFFSET else ""
