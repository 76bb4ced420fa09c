"""Candidates for follow-up questions: what the posts say and was not asked. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from app.answering.types import Answer
from app.conversations.followups.fact_kinds import FACTS, name_in, price_question, priced_items
from app.conversations.standalone import chinese_words, english_words
from retrieval.suggest.phrases import title_phrase
from retrieval.text.folding import fold, han_runs
from retrieval.text.highlight import query_pairs, query_words, stem
from retrieval.text.sentences import sentences
from retrieval.types import Post

_MOST_PER_POST = 2
_NEAREST = 2  # hits that an answer without citations is about
_ASKS = re.compile(r"[?？]+\s*$")
_LONGEST, _LONGEST_HAN = 90, 40
_ALIKE = 0.75


@dataclass(frozen=True, slots=True)
class Candidate:
    """A question that a post seems to answer.

    Attributes:
        post_id: The post that it was made from.
        held: Matches what answers it; None if the kind of fact is not known.
    """

    question: str
    post_id: str
    held: re.Pattern[str] | None = None


def candidates(
    asked: str, answer: Answer, earlier: Sequence[str] = (), past: Iterable[tuple[str, str]] = ()
) -> list[Candidate]:
    """Questions that these posts may answer, closest to the answer first, without those like one that was asked.

    Args:
        asked: The question as it was completed.
        answer: With its hits.
        earlier: Questions asked before in the conversation.
        past: (query, id of its best hit) of queries by others.
    """
    language = "zh" if answer.language == "zh" else "en"
    cited = {one.post_id for sentence in answer.sentences for one in sentence.citations}
    shown = {fold(one.quote) for sentence in answer.sentences for one in sentence.citations}
    posts = [hit.post for hit in answer.hits]
    near = [post for post in posts if post.id in cited] or posts[:_NEAREST]
    # If the question names a place, questions about other places are off the point.
    named = [fold(name) for post in near if (name := name_in(post)) and fold(name) in fold(asked)]
    if named:
        posts = [post for post in posts if any(name in fold(f"{post.title} {post.text}") for name in named)]
        near = [post for post in near if post in posts]
    far = [post for post in posts if post not in near]
    found: list[Candidate] = []
    questions = [*earlier, asked]
    ids = {post.id for post in near}
    offered: list[Iterable[Candidate]] = [
        *(_of_facts(post, asked, language, shown) for post in near),
        _asked_before(past, ids, language),
        _of_titles([post for post in posts if post.id not in cited], asked, language, asking=True),
        *(_of_facts(post, asked, language, shown) for post in far),
        _of_titles([*far, *near], asked, language, asking=False),
    ]
    for some in offered:
        for candidate in some:
            if _fits(candidate.question) and not any(alike(candidate.question, one) for one in questions):
                found.append(candidate)
                questions.append(candidate.question)
    return found


def alike(one: str, other: str) -> bool:
    """Whether two questions ask the same: they share nearly all of their content words."""
    words, others = _content_words(one), _content_words(other)
    smaller = min(len(words), len(others))
    return (smaller > 0 and len(words & others) >= _ALIKE * max(len(words), len(others))) or fold(one) == fold(other)


def _content_words(question: str) -> set[str]:
    return {stem(word) for word in query_words(question)} | set(query_pairs(question))


def _about(question: str) -> set[str]:
    """The content words of what a question is about, not of what it asks."""
    folded = fold(question)
    return {stem(word) for word in english_words.subject(folded)} | set(query_pairs(chinese_words.subject(folded)))


def _fits(question: str) -> bool:
    return len(question) <= (_LONGEST_HAN if han_runs(question) else _LONGEST) and question.isprintable()


def _of_facts(post: Post, asked: str, language: str, shown: set[str]) -> Iterator[Candidate]:
    """At most _MOST_PER_POST questions about a place, on what its post says and was neither asked nor shown."""
    name = name_in(post)
    if not name:
        return
    texts = [
        text[span.start : span.end]
        for text in (post.text, *(comment.text for comment in post.comments))
        for span in sentences(text)
    ]
    new = [
        fold(sentence) for sentence in texts if not any(fold(sentence) in one or one in fold(sentence) for one in shown)
    ]
    given = 0
    folded = fold(asked)
    items = (item for item in priced_items(post.text) if bool(han_runs(item)) == (language == "zh"))
    item = next((item for item in items if item not in folded), "")
    if item and any(item.lower() in sentence for sentence in new):
        yield Candidate(price_question(item, name, language), post.id, re.compile(r"\d"))
        given += 1
    for fact in FACTS.values():
        if given == _MOST_PER_POST:
            return
        if not fact.asked.search(folded) and any(fact.held.search(sentence) for sentence in new):
            words = fact.chinese if language == "zh" else fact.english
            yield Candidate(words.format(name=name), post.id, fact.held)
            given += 1


def _of_titles(posts: Sequence[Post], asked: str, language: str, *, asking: bool) -> Iterator[Candidate]:
    """Titles in the asker's language that share a word with the question; those that ask, or those that do not."""
    for post in posts:
        title = title_phrase(post.title)
        own = bool(han_runs(title)) == (language == "zh") and title != name_in(post)
        own = own and bool(_about(title) & _about(asked))
        if own and title and bool(_ASKS.search(post.title)) == asking and len(_content_words(title)) > 1:
            yield Candidate(
                _ASKS.sub("？" if language == "zh" else "?", post.title.strip() if asking else title), post.id
            )


def _asked_before(past: Iterable[tuple[str, str]], ids: set[str], language: str) -> Iterator[Candidate]:
    for query, post_id in past:
        if post_id in ids and bool(han_runs(query)) == (language == "zh"):
            yield Candidate(query, post_id)
