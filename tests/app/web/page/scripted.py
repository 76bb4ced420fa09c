"""A stand-in for the application's services: real posts, hits and answers, by the question that is asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from app.answering.types import (
    Answer,
    AnswerEvent,
    AnswerSentence,
    Done,
    Evidence,
    HitsFound,
    Question,
    SentenceReady,
    SentenceWithheld,
)
from app.conversations.converser import Converser
from app.conversations.followups.followup_finder import FollowUps
from app.conversations.storage.conversation_file import ConversationFile
from app.conversations.storage.feedback import FeedbackFile
from app.recent_searches import RecentSearches
from retrieval.query.filters import both
from retrieval.query.parser import parse_query
from retrieval.query.pieces import ParsedQuery
from retrieval.search.facets import count_facets
from retrieval.suggest.past_queries import PastPhrases
from retrieval.suggest.post_phrases import PostPhrases
from retrieval.suggest.suggester import Suggester, Suggestion
from retrieval.types import Filters, Hit, Post, SearchPage, SearchQuery
from tests.app.web.page.invented_posts import a_hit, cited
from tests.app.web.page.scenes import Scene


@dataclass
class ScriptedServices:
    """Plays scenes; `closed` counts the answers that were ended, early or not.

    Attributes:
        folder: Where conversations and feedback are kept.
        gone: Ids of posts that are no longer in the index.
    """

    scenes: dict[str, Scene]
    folder: Path
    gone: set[str] = field(default_factory=set)
    answer_hits: int = 6
    recent_searches: RecentSearches = field(default_factory=RecentSearches)
    asked: list[Question] = field(default_factory=list)
    searched: list[SearchQuery] = field(default_factory=list)
    closed: int = 0
    typed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        kept = ConversationFile(self.folder / "conversations.sqlite", turns=6, most=1000, days=30)
        self.converser = Converser(self, kept, FeedbackFile(self.folder / "feedback.sqlite"), FollowUps(self, 3))

    def posts(self, ids: Sequence[str]) -> Mapping[str, Post]:
        # Scenes reuse ids: those of the question that was asked last come first.
        last = self.scenes.get(self.asked[-1].text) if self.asked else None
        scenes = [*self.scenes.values(), *([last] if last is not None else [])]
        there = {post.id: post for scene in scenes for post in (*scene.posts, *scene.later_posts)}
        return {one: there[one] for one in ids if one in there and one not in self.gone}

    async def like(self, post: Post, limit: int) -> Sequence[Post]:
        posts = next(scene.posts for scene in self.scenes.values() if post in scene.posts)
        return [one for one in posts if one.id != post.id][:limit]

    def evidence_for(self, question: Question) -> Sequence[Evidence]:
        scene = self.scenes.get(question.text)
        if scene is None or not scene.sentences:
            return ()
        text = scene.sentences[0][0]
        return [Evidence(1, scene.posts[0].id, "text", None, 0, len(text), text, 0.9)]

    def suggest(self, typed: str, limit: int) -> list[Suggestion]:
        self.typed.append(typed)
        posts = dict.fromkeys(post for scene in self.scenes.values() for post in scene.posts)
        return Suggester(PostPhrases(posts), PastPhrases()).suggest(typed, limit)

    async def read_query(self, typed: str, given: Filters | None = None) -> ParsedQuery:
        parsed = parse_query(typed, today=date(2026, 1, 1))
        return parsed if given is None else replace(parsed, filters=both(given, parsed.filters))

    async def search(self, query: SearchQuery) -> SearchPage:
        self.searched.append(query)
        scene = self._scene(query.text)
        again = sum(one.text == query.text for one in self.searched) % 2 == 0
        posts = scene.later_posts if again and scene.later_posts else scene.posts
        hits = self._hits(posts, query.text, scene)
        page = hits[query.offset : query.offset + query.limit]
        facets = count_facets([hit.post for hit in hits], query.facets)
        return SearchPage(query, scene.language, tuple(page), len(hits), "g1", {}, facets)

    @asynccontextmanager
    async def answer(
        self, question: Question, page: SearchPage | None = None, *, refuse_when_busy: bool = False
    ) -> AsyncIterator[AsyncIterator[AnswerEvent]]:
        assert page is not None, "a page's answer is made from the hits that the page shows"
        async with aclosing(self._events(question, page)) as events:
            yield events

    def answered(self, answer: Answer) -> None:
        """Nothing is suggested from it here."""

    async def _events(self, question: Question, page: SearchPage) -> AsyncGenerator[AnswerEvent, None]:
        self.asked.append(question)
        scene = self._scene(question.text)
        hits = page.hits[: self.answer_hits]
        try:
            await asyncio.sleep(scene.pause_s)
            yield HitsFound(hits, scene.language)
            for _ in range(scene.withheld_before):
                yield SentenceWithheld("unsupported")
            sentences = list(self._sentences(scene, hits))
            for sentence in sentences:
                await asyncio.sleep(scene.pause_s)
                yield SentenceReady(sentence)
            if scene.breaks is not None:
                raise scene.breaks
            yield Done(
                Answer(
                    question=question,
                    kind=scene.kind,
                    language=scene.language,
                    sentences=tuple(sentences),
                    hits=hits,
                    withheld=scene.withheld_before,
                    note=scene.note,
                    model="smollm2" if scene.kind == "written" else "",
                    prompt="answer/v1.en@3f2a9c01" if scene.kind == "written" else "",
                    generation="g1",
                    timings_ms={"search": 12.0, "total": 1234.0},
                    thinking=scene.thinking,
                    withheld_by={"unsupported": scene.withheld_before} if scene.withheld_before else {},
                )
            )
        finally:
            self.closed += 1

    def _scene(self, text: str) -> Scene:
        scene = self.scenes[text]
        if scene.problem is not None:
            raise scene.problem
        return scene

    def _hits(self, posts: Sequence[Post], query: str, scene: Scene) -> list[Hit]:
        return [
            a_hit(post, query, rank=rank, comment=scene.comment_of_first if rank == 1 else None)
            for rank, post in enumerate(posts, start=1)
        ]

    def _sentences(self, scene: Scene, hits: Sequence[Hit]) -> Iterator[AnswerSentence]:
        for text, quotes in scene.sentences:
            cites = tuple(cited(hits, mark, quote) for mark, quote in quotes)
            yield AnswerSentence(text, cites, quoted=scene.kind == "quoted")
