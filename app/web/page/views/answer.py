"""From an answer to what the page shows of it: sentences with their marks, and the line below. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.answering.types import Answer, AnswerKind, AnswerSentence, Citation
from app.web.page.words.labels import LABELS, Labels, day
from retrieval.types import Hit

_TITLE = 80


@dataclass(frozen=True, slots=True)
class MarkShown:
    """A mark behind a sentence.

    Attributes:
        label: What a screen reader says.
        quote: What the post says, shown on hovering over the mark.
    """

    number: int
    label: str
    quote: str


@dataclass(frozen=True, slots=True)
class SentenceShown:
    """A sentence and its marks, each number once. Nothing is escaped yet.

    Attributes:
        source: Of a quote, what names its post: the title, or author and day; "" where it has neither.
    """

    text: str
    marks: tuple[MarkShown, ...]
    quoted: bool = False
    source: str = ""


@dataclass(frozen=True, slots=True)
class AnswerShown:
    """A finished answer.

    Attributes:
        lang: For the lang attribute; "" if not known.
        note: Why no answer was written; "" if there is nothing to add.
        facts: Who wrote it, what was withheld, and how long it took.
        thoughts: What the model thought, if the reader asks for it; never part of the answer.
    """

    kind: AnswerKind
    lang: str
    sentences: tuple[SentenceShown, ...]
    note: str
    facts: tuple[str, ...]
    thoughts: str = ""


def sentence_shown(sentence: AnswerSentence, hits: Sequence[Hit | None], labels: Labels) -> SentenceShown:
    """A sentence as the page shows it.

    Args:
        hits: The answer's, None where one is gone; a mark that points beyond them is a bug of the answerer.
    """
    quotes: dict[int, list[str]] = {}
    for citation in sentence.citations:
        assert 1 <= citation.mark <= len(hits), f"mark {citation.mark} of {len(hits)} hits: marks are checked before"
        quotes.setdefault(citation.mark, []).append(citation.quote)
    return SentenceShown(
        sentence.text,
        tuple(
            MarkShown(
                number=mark,
                label=labels.citation.format(n=mark, author=_author(hits[mark - 1])).rstrip(" :："),
                quote=" … ".join(quoted),
            )
            for mark, quoted in sorted(quotes.items())
        ),
        sentence.quoted,
        _source(sentence.citations[0], hits, labels) if sentence.quoted else "",
    )


def answer_shown(
    answer: Answer,
    labels: Labels,
    hits: Sequence[Hit | None] | None = None,
    withdrawn: int = 0,
    *,
    thinking: bool = False,
) -> AnswerShown:
    """A finished answer as the page shows it.

    Args:
        hits: Those it was made from, if it is read again; a new answer has them.
        withdrawn: Sentences withdrawn since.
        thinking: Whether the reader asks for what the model thought.
    """
    again = hits is not None
    hits = hits if hits is not None else answer.hits
    facts = []
    if answer.kind == "written" and answer.model:
        facts.append(labels.written_by.format(model=answer.model))
    if answer.withheld:
        facts.append(labels.withheld(answer.withheld))
    if withdrawn:
        facts.append(labels.withdrawn(withdrawn))
    if "total" in answer.timings_ms and not again:
        facts.append(labels.took.format(seconds=f"{answer.timings_ms['total'] / 1000:.1f}"))
    return AnswerShown(
        kind=answer.kind,
        lang="" if answer.language == "und" else answer.language,
        sentences=tuple(sentence_shown(sentence, hits, labels) for sentence in answer.sentences),
        note=_note(answer),
        facts=tuple(facts),
        thoughts=answer.thinking.strip() if thinking else "",
    )


def _source(citation: Citation, hits: Sequence[Hit | None], labels: Labels) -> str:
    hit = hits[citation.mark - 1]
    if hit is None:
        return ""
    post = hit.post
    if post.title and citation.part != "title":
        return post.title if len(post.title) <= _TITLE else post.title[:_TITLE].rstrip() + "…"
    written = day(post.created_at, "zh" if labels is LABELS["zh"] else "en") if post.created_at is not None else ""
    return " · ".join(filter(None, (post.author, written)))


def _author(hit: Hit | None) -> str:
    return hit.post.author if hit is not None else ""


def citations(sentences: Iterable[AnswerSentence]) -> list[Citation]:
    """All citations of an answer, in reading order."""
    return [citation for sentence in sentences for citation in sentence.citations]


def _note(answer: Answer) -> str:
    """The answer's note, without what the heading of a declined answer says already."""
    for words in LABELS.values():
        if answer.note.startswith(words.declined):
            return answer.note.removeprefix(words.declined).strip()
    return answer.note
