"""Which posts are about the place that a question names. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from app.answering.messages import message_language
from retrieval.text.gazetteer import NamedPlace, named_places, near
from retrieval.text.language import detect_language
from retrieval.types import Hit, Post

_MOST_NEAREST = 2
_PHRASES = {
    "en": ("No post found is about {asked}.", "The nearest are about {nearest}.", " and "),
    "zh": ("没有找到关于{asked}的帖子。", "最接近的是关于{nearest}的。", "和"),
}


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where a question is about.

    Attributes:
        marks: Of the posts that are about a place the question names, or about as many of several as any post is; None
            where it names none.
        missing: One sentence in the question's language that no post is about it; "" where one is.
    """

    marks: frozenset[int] | None
    missing: str = ""


def whereabouts(question: str, hits: Sequence[Hit]) -> Whereabouts:
    """The posts that may answer a question about a place; mark 1 is hits[0].

    A post is about all places that its words, tags, comments or map position name, in either language.
    """
    asked = named_places(question)
    if not asked:
        return Whereabouts(None)
    held = {mark: sum(_is_about(place, hit.post) for place in asked) for mark, hit in enumerate(hits, start=1)}
    most = max(held.values(), default=0)
    if most:
        return Whereabouts(frozenset(mark for mark, count in held.items() if count == most))
    return Whereabouts(frozenset(), _missing(detect_language(question), list(asked.values()), hits))


def _is_about(place: NamedPlace, post: Post) -> bool:
    where = post.place
    if where is not None and place.at is not None and where.latitude is not None and where.longitude is not None:
        there = near(place.at, (where.latitude, where.longitude))
    else:
        there = False
    return there or any(place.holds(other) for other in _places_of(post))


def whole_text(post: Post) -> str:
    """All words of a post: title, text, tags, place and comments, a line each."""
    place = post.place.name if post.place is not None else ""
    return "\n".join((post.title, post.text, *post.tags, place, *(comment.text for comment in post.comments)))


def _places_of(post: Post) -> dict[NamedPlace, str]:
    return _named("\n" + whole_text(post))  # no name is the first word, whose capital letter says nothing


@lru_cache(maxsize=4096)
def _named(text: str) -> dict[NamedPlace, str]:
    return named_places(text)


def _missing(language: str, asked: Sequence[str], hits: Sequence[Hit]) -> str:
    spoken = message_language(language)
    absent, nearest, conjunction = _PHRASES[spoken]
    cities = Counter(
        (place.han or place.name if spoken == "zh" else place.name)
        for hit in hits
        for place in _places_of(hit.post)
        if place.at is not None
    )
    said = [absent.format(asked=conjunction.join(asked))]
    if cities:
        said.append(nearest.format(nearest=conjunction.join(name for name, _ in cities.most_common(_MOST_NEAREST))))
    return ("" if spoken == "zh" else " ").join(said)
