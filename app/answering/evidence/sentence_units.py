"""The sentences of posts that may be evidence, the short ones taken together, and runs of them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice

from app.answering.evidence.interrogatives import asks, heads
from app.answering.injection.quarantine import Source, sources, sources_of
from app.answering.types import Evidence
from retrieval.text.folding import han_runs
from retrieval.text.sentences import sentences
from retrieval.types import Hit, Post, Span

_SHORTEST = 4
# Most sentences of all posts together; each post may give an equal share. Looking at one takes 50 µs.
_MOST_SENTENCES = 2_000
# Chatty posts and lists break the line every few words. A unit shorter than this is joined with the next sentence, up
# to three times this length, so that a quote says something by itself; half of it where a full stop ends the unit.
_SHORT_LATIN, _SHORT_HAN = 100, 40
_FULL_STOPS = (".", "!", "?", "。", "！", "？", "…")
_TAGS_ALONE = re.compile(r"(?:[#＃]\S+\s*)+")
# Longest quote made of several sentences: about four lines on the page in either script.
_LONGEST_RUN_LATIN, _LONGEST_RUN_HAN = 400, 150


def sentences_of_hits(hits: Sequence[Hit]) -> list[Evidence]:
    """The sentences of all posts, each post's together and in its order; mark 1 is hits[0], scores are 0."""
    most = max(1, _MOST_SENTENCES // max(1, len(hits)))
    read = sources_of(hits)
    return [
        one
        for mark, (hit, own) in enumerate(zip(hits, read, strict=True), start=1)
        for one in islice(sentences_of(hit.post, mark, own), most)
    ]


def sentences_of(post: Post, mark: int, own: Sequence[Source] | None = None) -> Iterator[Evidence]:
    """The sentences of a post that may be evidence, in its order: title, text, comments; scores are 0.

    Args:
        own: Its sources, if they are known already.
    """
    own = sources(post) if own is None else own
    title = "" if own[0].barred else post.title
    for source in own:
        for unit in _units(source.text):
            for span in source.free(unit):
                sentence = source.text[span.start : span.end]
                if span.end - span.start >= _SHORTEST and _says_something(sentence):
                    start, end = source.offset + span.start, source.offset + span.end
                    yield Evidence(mark, post.id, source.part, source.comment, start, end, sentence, 0.0, title)


def _says_something(text: str) -> bool:
    return any(map(str.isalnum, text)) and not _TAGS_ALONE.fullmatch(text)


def _units(text: str) -> list[Span]:
    """Sentences, the short ones of a chatty post or a list joined with the next. A question stays alone, unless it
    is a few words that introduce the next sentence.
    """
    units: list[Span] = []
    alone = True
    for span in sentences(text):
        sentence = text[span.start : span.end]
        was_alone, alone = alone, asks(sentence)
        joins, alone = not was_alone and not alone, alone and not heads(sentence)
        if joins and not _TAGS_ALONE.fullmatch(sentence):
            last = units[-1]
            size = last.end - last.start
            most = _SHORT_HAN if han_runs(text[last.start : last.end]) else _SHORT_LATIN
            enough = most / 2 if text[last.start : last.end].endswith(_FULL_STOPS) else most
            if size < enough and span.end - last.start <= 3 * most and "\n\n" not in text[last.end : span.start]:
                units[-1] = Span(last.start, span.end)
                continue
        units.append(span)
    return units


def in_runs(ranked: Sequence[Evidence], hits: Sequence[Hit], weakest: float) -> list[Evidence]:
    """Neighbouring evidence of a post joined into one quote, which a question with several parts needs.

    Args:
        ranked: Best first. What joins a run keeps the run's place and score, those of its best sentence.
        weakest: Share of the best score that a sentence needs in order to join another.
    """
    least = weakest * max((one.score for one in ranked), default=0.0)
    runs: list[Evidence] = []
    for one in ranked:
        for at, run in enumerate(runs):
            joined = _joined(run, one, hits) if one.score >= least else None
            if joined is not None:
                runs[at] = joined
                break
        else:
            runs.append(one)
    return runs


def _joined(run: Evidence, one: Evidence, hits: Sequence[Hit]) -> Evidence | None:
    """Both as one quote if only white space is between them and the whole is short; None otherwise."""
    if (run.mark, run.part, run.comment) != (one.mark, one.part, one.comment):
        return None
    first, last = (run, one) if run.start < one.start else (one, run)
    text = text_of(one, hits[one.mark - 1].post)
    if first.end > last.start or text[first.end : last.start].strip():
        return None
    longest = _LONGEST_RUN_HAN if han_runs(run.text) else _LONGEST_RUN_LATIN
    if last.end - first.start > longest:
        return None
    return replace(run, start=first.start, end=last.end, text=text[first.start : last.end])


def text_of(evidence: Evidence, post: Post) -> str:
    """The title, text or comment of a post that holds the evidence."""
    if evidence.part == "comment":
        assert evidence.comment is not None, "a comment's evidence says which comment"
        return post.comments[evidence.comment].text
    return post.title if evidence.part == "title" else post.text
