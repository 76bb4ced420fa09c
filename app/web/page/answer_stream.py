"""An answer as it comes, in the page's own events: any number of "status" and "sentence", then "end", "followups" and
"close"; each but the last is HTML.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace

from app.answering.types import AnswerSentence, Done, HitsFound, SentenceReady, SentenceWithheld
from app.conversations.events import FollowUpsFound, Kept, QuestionUnderstood
from app.web.page import contexts
from app.web.page.html_response import render
from app.web.page.page_answer import Finder, ask
from app.web.page.page_request import Asked
from app.web.page.views.answer import answer_shown, sentence_shown
from app.web.page.views.cards import arranged, fingerprint
from app.web.page.views.conversation_view import next_questions, talk
from app.web.page.views.post_list import cards_of, more
from app.web.page.words.labels import Labels, Ui
from app.web.sse import event
from retrieval.errors import FixableError
from retrieval.query.pieces import ParsedQuery
from retrieval.types import Hit


async def answer_events(finder: Finder, asked: Asked, labels: Labels, ui: Ui, shown: str) -> AsyncGenerator[str, None]:
    """The events of the answer to what was asked.

    Args:
        shown: Fingerprint of the posts on the page.
    """
    try:
        parsed = await finder.understand(asked.text, asked.filters())
        first, events, note = await ask(finder, asked, parsed, labels)
        async with aclosing(events) as rest:
            stream = _Stream(finder, asked, parsed, labels, ui, shown, note)
            stream.begin(first)
            async for happened in rest:
                async for said in stream.say(happened):
                    yield said
    except FixableError as error:
        words = labels.failed.format(problem=error.problem)
        again = replace(asked, offset=0).address()
        yield event("status", render(contexts.StatusFragment(labels, words, failed=True, again=again)))
    yield event("close", "")


async def refusal_events(labels: Labels, words: str) -> AsyncGenerator[str, None]:
    """That there will be no answer, and why."""
    yield event("status", render(contexts.StatusFragment(labels, words, failed=True)))
    yield event("close", "")


class _Stream:
    """What is known of an answer in the middle of it."""

    def __init__(
        self, finder: Finder, asked: Asked, parsed: ParsedQuery, labels: Labels, ui: Ui, shown: str, note: str
    ) -> None:
        self._finder, self._asked, self._parsed, self._labels, self._ui = finder, asked, parsed, labels, ui
        self._shown, self._note = shown, note
        self._hits: Sequence[Hit] = ()
        self._lang = ""
        self._sentences: list[AnswerSentence] = []
        self._withheld = 0
        self._kept = Kept()
        self._rewritten = ""

    def begin(self, first: object) -> None:
        assert isinstance(first, QuestionUnderstood), f"{first}: what was understood comes first"
        self._parsed = replace(self._parsed, text=first.question.text, filters=first.question.filters)
        if first.understood.by == "model":
            self._rewritten = first.question.text

    async def say(self, happened: object) -> AsyncGenerator[str, None]:
        labels = self._labels
        match happened:
            case HitsFound():
                yield event("status", render(await self._status(happened)))
            case SentenceReady(sentence):
                self._sentences.append(sentence)
                cited = {citation.mark for citation in sentence.citations}
                cards = cards_of(self._hits, self._sentences, self._asked, labels, self._ui, only=cited)
                shown = sentence_shown(sentence, self._hits, labels)
                yield event("sentence", render(contexts.SentenceFragment(labels, shown, self._lang, cards)))
            case SentenceWithheld():
                self._withheld += 1
                words = f"{labels.reading(len(self._hits))} {labels.withheld_so_far(self._withheld)}"
                yield event("status", render(contexts.StatusFragment(labels, words)))
            case Kept():
                self._kept = happened
                self._asked = self._asked.within(happened.conversation, happened.number)
            case Done(answer):
                note = self._note or (labels.not_kept if self._kept.failed else "")
                talks = talk(self._kept.answer_id, self._asked, None, labels)
                shown_answer = answer_shown(answer, labels, thinking=self._asked.thinking)
                yield event("end", render(contexts.EndFragment(labels, shown_answer, talks, note)))
            case FollowUpsFound(questions):
                links = next_questions(questions, self._asked)
                yield event("followups", render(contexts.FollowUpsFragment(labels, links)))

    async def _status(self, found: HitsFound) -> contexts.StatusFragment:
        self._hits, self._lang = found.hits, "" if found.language == "und" else found.language
        status = contexts.StatusFragment(
            self._labels, self._labels.reading(len(found.hits)), understood=self._rewritten
        )
        if self._shown.startswith(fingerprint(found.hits)):
            return status
        searched = await self._finder.search(self._asked.query(self._parsed))
        cards = cards_of(arranged(found.hits, searched.hits), (), self._asked, self._labels, self._ui)
        return replace(status, cards=cards, more=more(self._asked, len(found.hits), searched.total))
