"""From an answer to what the page shows of it: sentences with their marks, and the line below. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from app.answering.types import Answer, AnswerKind, AnswerSentence, Citation
from app.web.page.page_request import PageRequest
from app.web.page.views.answer_markdown import answer_markdown
from app.web.page.views.marked_text import shortened
from app.web.page.views.quoted import Quoted
from app.web.page.words.labels import LABELS, Labels, day, html_lang
from retrieval.types import Hit, Post

_TITLE = 80
_AROUND = 90  # code points of context on either side of a quote: a line or two
_NOTHING_ASKED = PageRequest()


@dataclass(frozen=True, slots=True)
class QuoteShown:
    """A quote between the words around it in its post.

    Attributes:
        commenter: Who wrote the comment that it stands in, as the page says it; "" for a post's own words.
    """

    before: str
    text: str
    after: str
    commenter: str


@dataclass(frozen=True, slots=True)
class SourceShown:
    """The post behind a mark, in a few words.

    Attributes:
        address: Of the post's own page, with the quotes lit.
    """

    title: str
    author: str
    date: str
    likes: str
    lang: str
    quotes: tuple[QuoteShown, ...]
    address: str


@dataclass(frozen=True, slots=True)
class MarkShown:
    """A mark behind a sentence.

    Attributes:
        label: What a screen reader says.
        quote: What the post says, shown on hovering over the mark where no script opens its source.
        source: None if the post is gone.
    """

    number: int
    label: str
    quote: str
    source: SourceShown | None


@dataclass(frozen=True, slots=True)
class SentenceShown:
    """A sentence and its marks, each number once. Nothing is escaped yet.

    Attributes:
        source: Of a quote, what names its post: the title, or author and day; "" where it has neither, and after
            another quote of the same post.
        agreeing: How many posts it rests on; "" if it is one.
    """

    text: str
    marks: tuple[MarkShown, ...]
    quoted: bool = False
    source: str = ""
    agreeing: str = ""


@dataclass(frozen=True, slots=True)
class AnswerShown:
    """A finished answer.

    Attributes:
        lang: For the lang attribute; "" if not known.
        basis: Whether it is written, and by which model, or quoted; "" for a declined one.
        note: Why no answer was written; "" if there is nothing to add.
        facts: What was withdrawn since, and how long it took.
        withheld: How many sentences were not shown; "" if all were.
        withheld_why: For which reasons.
        thoughts: What the model thought, if the reader asks for it; never part of the answer.
        markdown: The answer as Markdown, with its sources; "" for a declined one.
    """

    kind: AnswerKind
    lang: str
    sentences: tuple[SentenceShown, ...]
    basis: str
    note: str
    facts: tuple[str, ...]
    withheld: str = ""
    withheld_why: tuple[str, ...] = ()
    thoughts: str = ""
    markdown: str = ""


def sentence_shown(
    sentence: AnswerSentence,
    hits: Sequence[Hit | None],
    labels: Labels,
    asked: PageRequest = _NOTHING_ASKED,
    before: AnswerSentence | None = None,
) -> SentenceShown:
    """A sentence as the page shows it.

    Args:
        hits: The answer's, None where one is gone; a mark that points beyond them is a bug of the answerer.
        asked: What the links to posts lead back to.
        before: The sentence that stands before it.
    """
    cited: dict[int, list[Citation]] = {}
    for citation in sentence.citations:
        assert 1 <= citation.mark <= len(hits), f"mark {citation.mark} of {len(hits)} hits: marks are checked before"
        cited.setdefault(citation.mark, []).append(citation)
    source = _source(sentence.citations[0], hits, labels) if sentence.quoted else ""
    named = before is not None and before.quoted and _source(before.citations[0], hits, labels) == source
    return SentenceShown(
        sentence.text,
        tuple(_mark(mark, those, hits[mark - 1], labels, asked) for mark, those in sorted(cited.items())),
        sentence.quoted,
        "" if named else source,
        labels.from_posts(len(cited)) if len(cited) > 1 else "",
    )


def _mark(number: int, cited: Sequence[Citation], hit: Hit | None, labels: Labels, asked: PageRequest) -> MarkShown:
    author = hit.post.author if hit is not None else ""
    return MarkShown(
        number=number,
        label=labels.citation.format(n=number, author=author).rstrip(" :："),
        quote=" … ".join(one.quote for one in cited),
        source=_source_shown(hit.post, [Quoted.of(one) for one in cited], labels, asked) if hit is not None else None,
    )


def _source_shown(post: Post, quotes: Sequence[Quoted], labels: Labels, asked: PageRequest) -> SourceShown:
    return SourceShown(
        title=shortened(post.title.strip(), _TITLE),
        author=post.author,
        date=_day(post, labels),
        likes=labels.likes(post.likes) if post.likes else "",
        lang=html_lang(post.language),
        quotes=tuple(_quote(post, one, labels) for one in dict.fromkeys(quotes)),
        address=asked.post(post.id, dict.fromkeys(one.written() for one in quotes)),
    )


def _quote(post: Post, quoted: Quoted, labels: Labels) -> QuoteShown:
    text, span = quoted.text_of(post), quoted.span
    start, end = max(0, span.start - _AROUND), span.end + _AROUND
    commenter = ""
    if quoted.part == "comment" and quoted.comment is not None and quoted.has_comment(post):
        author = post.comments[quoted.comment].author
        commenter = labels.in_a_comment.format(author=author) if author else labels.comment_by_nobody
    return QuoteShown(
        before=("…" if start > 0 else "") + text[start : span.start],
        text=text[span.start : span.end],
        after=text[span.end : end] + ("…" if end < len(text) else ""),
        commenter=commenter,
    )


def answer_shown(
    answer: Answer,
    labels: Labels,
    hits: Sequence[Hit | None] | None = None,
    withdrawn: int = 0,
    *,
    asked: PageRequest = _NOTHING_ASKED,
    thinking: bool = False,
) -> AnswerShown:
    """A finished answer as the page shows it.

    Args:
        hits: Those it was made from, if it is read again; a new answer has them.
        withdrawn: Sentences withdrawn since.
        asked: What the links to posts lead back to.
        thinking: Whether the reader asks for what the model thought.
    """
    again = hits is not None
    hits = hits if hits is not None else answer.hits
    facts = [labels.withdrawn(withdrawn)] if withdrawn else []
    if "total" in answer.timings_ms and not again:
        facts.append(labels.took.format(seconds=f"{answer.timings_ms['total'] / 1000:.1f}"))
    return AnswerShown(
        kind=answer.kind,
        lang=html_lang(answer.language),
        sentences=tuple(
            sentence_shown(sentence, hits, labels, asked, before)
            for before, sentence in pairwise([None, *answer.sentences])
            if sentence is not None
        ),
        basis=_basis(answer, labels),
        note=_note(answer),
        facts=tuple(facts),
        withheld=labels.withheld(answer.withheld) if answer.withheld else "",
        withheld_why=_withheld_why(answer, labels),
        thoughts=answer.thinking.strip() if thinking else "",
        markdown=answer_markdown(answer, hits, labels),
    )


def _basis(answer: Answer, labels: Labels) -> str:
    if answer.kind == "written":
        mixed = any(sentence.quoted for sentence in answer.sentences)
        words = labels.written_with_quotes if mixed else labels.written_by
        return words.format(model=answer.model) if answer.model else ""
    return labels.quoted if answer.kind == "quoted" else ""


def _withheld_why(answer: Answer, labels: Labels) -> tuple[str, ...]:
    """The reasons, most frequent first; the number is said where it is more than one."""
    counted = sorted(answer.withheld_by.items(), key=lambda one: -one[1])
    words = [(getattr(labels, f"withheld_{reason.replace(' ', '_')}"), n) for reason, n in counted if n]
    return tuple(f"{n} × {said}" if n > 1 else said for said, n in words)


def _source(citation: Citation, hits: Sequence[Hit | None], labels: Labels) -> str:
    hit = hits[citation.mark - 1]
    if hit is None:
        return ""
    post = hit.post
    if post.title and citation.part != "title":
        return shortened(post.title, _TITLE)
    return " · ".join(filter(None, (post.author, _day(post, labels))))


def _day(post: Post, labels: Labels) -> str:
    return day(post.created_at, "zh" if labels is LABELS["zh"] else "en") if post.created_at is not None else ""


def citations(sentences: Iterable[AnswerSentence]) -> list[Citation]:
    """All citations of an answer, in reading order."""
    return [citation for sentence in sentences for citation in sentence.citations]


def _note(answer: Answer) -> str:
    """The answer's note, without what the heading of a declined answer says already."""
    for words in LABELS.values():
        if answer.note.startswith(words.declined):
            return answer.note.removeprefix(words.declined).strip()
    return answer.note
