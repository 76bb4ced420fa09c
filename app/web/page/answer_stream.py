"""An answer as it comes, in the page's own events: any number of "status" and "sentence", then "end", "followups" and
"close"; each but the last is HTML.
"""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace

from app.answering.types import AnswerSentence, Done, HitsFound, Queued, SentenceReady, SentenceWithheld
from app.conversations.events import ConversationEvent, ConversationQuestion, FollowUpsFound, Kept
from app.web.page import contexts
from app.web.page.html_response import render
from app.web.page.page_answer import PageServices, conversation_question
from app.web.page.page_layout import failure
from app.web.page.page_request import PageRequest
from app.web.page.views.answer import answer_shown, sentence_shown
from app.web.page.views.conversation_view import answer_actions, next_questions
from app.web.page.views.post_list import begins_with, cards_of, more
from app.web.page.words.labels import Labels, Ui
from app.web.sse import event
from retrieval.errors import FixableError
from retrieval.types import Hit, SearchPage


async def answer_events(
    services: PageServices, asked: PageRequest, labels: Labels, ui: Ui, search_id: str
) -> AsyncGenerator[str, None]:
    """The events of the answer to a page's question.

    Args:
        search_id: Of the search whose hits the page shows, in `recent_searches`.
    """
    try:
        query = await services.read_query(asked.text, asked.filters())
        question, note = await conversation_question(services, asked, query, labels)
        wanted = asked.query(question.question.text, question.question.filters, services.answer_hits)
        shown = services.recent_searches.take(search_id)
        # Search again if it is no longer kept, or if a model completed the question in another way than the page did.
        found = shown if shown is not None and shown.query == wanted else await services.search(wanted)
        answer = _StreamedAnswer(asked, question, found, labels, ui, note, new_cards=found is not shown)
        async with aclosing(services.converser.answer(question, found)) as events:
            async for happened in events:
                if sent := answer.take(happened):
                    yield sent
    except FixableError as error:
        words = failure(labels, error)
        again = replace(asked, offset=0).address()
        yield event("status", render(contexts.StatusFragment(labels, words, failed=True, again=again)))
    yield event("close", "")


async def refusal_events(labels: Labels, words: str) -> AsyncGenerator[str, None]:
    """That there will be no answer, and why."""
    yield event("status", render(contexts.StatusFragment(labels, words, failed=True)))
    yield event("close", "")


class _StreamedAnswer:
    """What was sent of an answer so far.

    Args:
        new_cards: Whether the page shows other posts, so that its cards must be replaced.
    """

    def __init__(
        self,
        asked: PageRequest,
        question: ConversationQuestion,
        found: SearchPage,
        labels: Labels,
        ui: Ui,
        note: str,
        *,
        new_cards: bool,
    ) -> None:
        self._asked, self._question, self._found, self._labels, self._ui = asked, question, found, labels, ui
        self._note, self._new_cards = note, new_cards
        self._hits: Sequence[Hit] = ()
        self._lang = ""
        self._sentences: list[AnswerSentence] = []
        self._withheld = 0
        self._kept = Kept()

    def take(self, happened: ConversationEvent) -> str:
        """The page's event for an event of the answer; "" if there is none."""
        labels = self._labels
        match happened:
            case HitsFound():
                self._hits, self._lang = happened.hits, "" if happened.language == "und" else happened.language
                if not begins_with(self._found.hits, happened.hits):  # only posts of another time answer
                    self._found, self._new_cards = replace(self._found, hits=happened.hits), True
                return event("status", render(self._status()))
            case Queued(place, seconds):
                form = labels.waiting if seconds is None else labels.waiting_for
                words = form.format(place=place, seconds=math.ceil(seconds or 0))
                return event("status", render(contexts.StatusFragment(labels, words)))
            case SentenceReady(sentence):
                self._sentences.append(sentence)
                cited = {citation.mark for citation in sentence.citations}
                cards = cards_of(self._hits, self._sentences, self._asked, labels, self._ui, only=cited)
                before = self._sentences[-2] if len(self._sentences) > 1 else None
                shown = sentence_shown(sentence, self._hits, labels, self._asked, before)
                return event("sentence", render(contexts.SentenceFragment(labels, shown, self._lang, cards)))
            case SentenceWithheld():
                self._withheld += 1
                words = f"{labels.reading(len(self._hits))} {labels.withheld_so_far(self._withheld)}"
                return event("status", render(contexts.StatusFragment(labels, words)))
            case Kept():
                self._kept = happened
                self._asked = self._asked.within(happened.conversation, happened.number)
            case Done(answer):
                note = self._note or (labels.not_kept if self._kept.failed else "")
                actions = answer_actions(self._kept.answer_id, self._asked, None, labels)
                shown_answer = answer_shown(answer, labels, asked=self._asked, thinking=self._asked.thinking)
                rewritten = answer.kind == "declined" or list(answer.sentences) != self._sentences
                return event("end", render(contexts.EndFragment(labels, shown_answer, actions, rewritten, note)))
            case FollowUpsFound(questions):
                links = next_questions(questions, self._asked)
                return event("followups", render(contexts.FollowUpsFragment(labels, links)))
        return ""

    def _status(self) -> contexts.StatusFragment:
        by_model = self._question.standalone.by == "model"
        cards = cards_of(self._found.hits, (), self._asked, self._labels, self._ui) if self._new_cards else ()
        return contexts.StatusFragment(
            self._labels,
            self._labels.reading(len(self._hits)),
            cards=cards,
            sources=cards[: len(self._hits)],
            more=more(self._asked, self._found) if self._new_cards else "",
            understood=self._question.question.text if by_model else "",
        )
