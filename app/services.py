"""What a process that answers people is made of, built once: index, embedder, searcher, answerer."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import structlog

from app.answering.generation import Generator, load_generator
from app.answering.types import Answer, AnswerEvent, Evidence, Question
from app.answering.writing.model_queue import ModelQueue, WritingFigures
from app.conversations.converser import Converser
from app.conversations.followups.followup_finder import FollowUps
from app.conversations.standalone.rewriter import Rewriter
from app.conversations.storage.feedback import FeedbackFile
from app.erasure_targets import conversation_file, erasure_targets
from app.known_words import KnownWords
from app.model_bundle import ModelBundle, ModelBundles
from app.models.model_folder import ModelNotPulled
from app.query_log import PastQueries
from app.query_reader import QueryReader
from app.recent_searches import RecentSearches
from app.suggestions import Suggesting
from retrieval.errors import FixableError
from retrieval.ingestion import Ingestion, MakeIngestion
from retrieval.models.cross_encoder import Reranker, RerankPool, load_reranker
from retrieval.models.embedding import Embedder
from retrieval.models.entailment import load_entailment
from retrieval.models.factory import embedder_of, load_embedder
from retrieval.query.pieces import ParsedQuery
from retrieval.search.ranking import ELSEWHERE
from retrieval.settings import Settings
from retrieval.stores.contract import PostStore
from retrieval.stores.factory import open_store
from retrieval.suggest.suggester import Suggestion
from retrieval.types import Filters, ModelRecipe, Post, SearchPage, SearchQuery

_log = structlog.get_logger()
_REFRESH_S = 0.5
_READ_EVERY = 10  # of those looks also read a post
_SEARCH_THREADS = 4
_LIKE_IT = 300  # code points of a post by which others like it are found
_FIRST_QUERY = "早上好 good morning"
_TOO_SMALL_TO_REWRITE = "smollm2"  # completes follow-up questions worse than the rules do


@dataclass(frozen=True, slots=True)
class Health:
    """Whether questions can be answered now; if not, the problem of each part."""

    problems: dict[str, FixableError]

    @property
    def ready(self) -> bool:
        return not self.problems


def nli_pool(nli: Reranker | None, settings: Settings) -> RerankPool | None:
    """A thread of its own for the NLI model, if there is one."""
    if nli is None:
        return None
    failed = "the NLI model failed; sentences are checked without it"
    return RerankPool(nli, settings.nli_budget_ms / 1000, failed=failed)


class Services:
    """Everything that a request needs. Made by `start`, ended by `close`; both in the event loop that serves."""

    def __init__(
        self,
        settings: Settings,
        store: PostStore,
        embedder: Embedder,
        generator: Generator | None,
        reranker: Reranker | None = None,
        ingestion: Ingestion | None = None,
        nli: Reranker | None = None,
        load: Callable[[ModelRecipe], Embedder] | None = None,
        writer_problem: ModelNotPulled | None = None,
    ) -> None:
        self.settings = settings
        self.writer_problem = writer_problem
        """Why answers are quotes although the settings name a model; None where they do not, or it is there."""
        self._executor = ThreadPoolExecutor(_SEARCH_THREADS, thread_name_prefix="search")
        self.ingestion = ingestion
        self._rerank_pool = RerankPool(reranker, settings.rerank_budget_ms / 1000) if reranker is not None else None
        self._model_queue = (
            ModelQueue(generator, settings.llm_queue, settings.llm_queue_s) if generator is not None else None
        )
        self._nli_pool = nli_pool(nli, settings)

        def bundle(embedder: Embedder) -> ModelBundle:
            followed = ingestion.following(store, embedder) if ingestion is not None else store
            return ModelBundle(
                settings, followed, embedder, self._executor, self._model_queue, self._rerank_pool, self._nli_pool
            )

        self._bundles = ModelBundles(store, embedder, bundle, load)
        past = PastQueries(settings.data_dir / "queries.sqlite") if settings.remember_queries else None
        changes = ingestion.held if ingestion is not None else lambda: 0
        self._suggesting = Suggesting(store, self._bundles, past, changes=changes, busy=lambda: self._bundles.busy)
        self._query_reader, self._known_words = QueryReader(store), KnownWords()
        self.recent_searches = RecentSearches()
        self.converser = self._make_converser(past)
        self._following: asyncio.Task[None] | None = None
        self._unreadable: FixableError | None = None
        self._generation = ""
        self.answer_hits = settings.answer_hits + ELSEWHERE
        self.count_answer: Callable[[str], None] = lambda _: None
        """Told how each answer came about, once it is there."""

    @classmethod
    def build(cls, settings: Settings, make_ingestion: MakeIngestion | None = None) -> Services:
        """Load what the settings name. Takes seconds.

        Args:
            make_ingestion: None takes no posts in, and does not see those taken in since the index was written.

        Raises:
            FixableError: A model or the index's folder cannot be used.
        """
        store, embedder = open_store(settings), load_embedder(settings)
        generator, writer_problem = None, None
        try:
            generator = load_generator(settings)
        except ModelNotPulled as error:
            writer_problem = error
        ingestion = make_ingestion(settings, store, embedder) if make_ingestion is not None else None
        reranker, nli = load_reranker(settings), load_entailment(settings)

        def load(recipe: ModelRecipe) -> Embedder:
            return embedder_of(recipe, settings)

        return cls(settings, store, embedder, generator, reranker, ingestion, nli, load, writer_problem)

    async def start(self) -> None:
        """Open the index, if there is one yet, search it once, and follow its new generations from now on."""
        if self.writer_problem is not None:
            _log.warning("no model writes", problem=self.writer_problem.problem, fix=self.writer_problem.fix)
        await self._in_thread_refresh()
        await self._search_once()
        self._following = asyncio.create_task(self._follow(), name="follow generations")
        self._suggesting.start()
        if self.ingestion is not None:
            in_memory = {
                # First, since it keeps queries that found these posts from being written to the file again.
                "suggestions": self._suggesting.forget,
                "places": self._query_reader.forget,
                "recent searches": self.recent_searches.forget,
            }
            self.ingestion.start(in_memory | dict(erasure_targets(self.settings)))

    async def close(self) -> None:
        if self._following is not None:
            self._following.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._following
        if self.ingestion is not None:
            await asyncio.to_thread(self.ingestion.close)
        await asyncio.to_thread(self._suggesting.close)
        if self._model_queue is not None:
            await asyncio.to_thread(self._model_queue.close)
        if self._rerank_pool is not None and not await asyncio.to_thread(self._rerank_pool.close):
            _log.warning("the reranking model hangs; it is left behind")
        if self._nli_pool is not None and not await asyncio.to_thread(self._nli_pool.close):
            _log.warning("the NLI model hangs; it is left behind")
        self._executor.shutdown(wait=True, cancel_futures=True)
        self._bundles.close()

    async def read_query(self, typed: str, given: Filters | None = None, near: str = "") -> ParsedQuery:
        """The query that was typed, parsed, with the filters given beside it.

        Args:
            near: A place and distance, as after `near:`; "" for none.

        Raises:
            UnknownPlaceError: `near` names an unknown place; one in the query itself is reported among its mistakes.
            ValueError: `near` is not a place and distance.
        """

        def work() -> ParsedQuery:
            filters = given if given is not None else Filters()
            if near:
                filters = replace(filters, near=self._query_reader.near(near))
            parsed = self._query_reader.read(typed, filters)
            if filters.tags or not self._known_words.concerns(typed):
                return parsed
            try:
                with self._bundles.use() as bundle, bundle.live.pin() as generation:
                    return self._known_words.of(generation, typed, parsed, bundle.searcher.is_usual)
            except FixableError:  # the search will report it
                return parsed

        if not near and not any(colon in typed for colon in ":：") and not self._known_words.concerns(typed):
            return work()  # takes microseconds; looking up a place, a tag or a word takes longer
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    async def search(self, query: SearchQuery) -> SearchPage:
        """The page of hits for a query; of any time, where none is of the time that it names in words.

        Raises:
            FixableError: The index cannot be read.
        """
        with self._bundles.use() as bundle:
            bundle.searcher.expect(query.text)
            loop = asyncio.get_running_loop()
            page = await loop.run_in_executor(self._executor, bundle.searcher.search, query)
            if not page.total and query.filters.in_words:
                whenever = replace(query, filters=query.filters.at_any_time())
                page = await loop.run_in_executor(self._executor, bundle.searcher.search, whenever)
        if page.hits and query.text and query.offset == 0 and not query.cursor:
            self._suggesting.note(query.text, page.hits[0].post, page.generation)
        return page

    async def like(self, post: Post, limit: int) -> Sequence[Post]:
        """At most `limit` posts that are about what this one is about, best first.

        Raises:
            FixableError: The index cannot be read.
        """
        query = SearchQuery(f"{post.title}\n{post.text}"[:_LIKE_IT], limit=limit + 1)
        with self._bundles.use() as bundle:
            page = await asyncio.get_running_loop().run_in_executor(self._executor, bundle.searcher.search, query)
        return [hit.post for hit in page.hits if hit.post.id != post.id][:limit]

    def posts(self, ids: Sequence[str]) -> Mapping[str, Post]:
        """Posts of the live generation by id, without those that are gone. Only from threads: it may wait for a disk.

        Raises:
            FixableError: The index cannot be read.
        """
        with self._bundles.pin() as generation:
            return generation.posts(ids)

    @contextlib.asynccontextmanager
    async def answer(
        self, question: Question, page: SearchPage | None = None, *, refuse_when_busy: bool = False
    ) -> AsyncIterator[AsyncIterator[AnswerEvent]]:
        """The events of an answer; see Answerer.answer. Leaving the context early stops the model."""
        with self._bundles.use() as bundle:
            async with contextlib.aclosing(
                bundle.answerer.answer(question, page, refuse_when_busy=refuse_when_busy)
            ) as events:
                yield events

    def answered(self, answer: Answer) -> None:
        """Count a question that posts answer, to suggest it to others."""
        self.count_answer(answer.kind)
        if answer.kind != "declined":
            self._suggesting.note(answer.question.text, answer.hits[0].post, answer.generation)

    def evidence_for(self, question: Question) -> Sequence[Evidence]:
        """See EvidenceFinder.evidence_for. Only from threads."""
        with self._bundles.use() as bundle:
            return bundle.finder.evidence_for(question)

    @property
    def writer(self) -> str:
        """Name of the model that writes; "" where none does."""
        return self._model_queue.generator.name if self._model_queue is not None else ""

    @contextlib.contextmanager
    def bundle(self) -> Iterator[ModelBundle]:
        """What answers now, for measuring it; stays open until the block ends."""
        with self._bundles.use() as bundle:
            yield bundle

    def suggest(self, typed: str, limit: int) -> list[Suggestion]:
        """At most `limit` completions of the text, best first; none while the index cannot be read."""
        return self._suggesting.suggest(typed, limit)

    def writing(self) -> WritingFigures | None:
        """Who waits for the model, and what it and its process did; None without a model. Takes microseconds."""
        return self._model_queue.figures() if self._model_queue is not None else None

    @property
    def index_problem(self) -> FixableError | None:
        """Why the index is not read, as of the last look at it, which is at most seconds ago; None where it is."""
        return self._bundles.problem or self._unreadable

    @property
    def generation_name(self) -> str:
        """The generation that is read; "" where none is."""
        return self._generation

    async def health(self) -> Health:
        with self._bundles.use() as bundle:
            problem = await asyncio.to_thread(bundle.searcher.ping)
        return Health({"index": problem} if problem is not None else {})

    def _make_converser(self, past: PastQueries | None) -> Converser:
        settings = self.settings

        def asked_by_others(post_ids: Sequence[str]) -> Iterable[tuple[str, str]]:
            try:
                return past.answered_by(post_ids) if past is not None else ()
            except (sqlite3.Error, OSError):  # reported when queries are written
                return ()

        can_rewrite = settings.llm != _TOO_SMALL_TO_REWRITE
        return Converser(
            self,
            conversation_file(settings) if settings.keep_conversations else None,
            FeedbackFile(settings.data_dir / "feedback.sqlite") if settings.keep_conversations else None,
            FollowUps(self, settings.followups, past=asked_by_others) if settings.followups else None,
            Rewriter(self._model_queue) if self._model_queue is not None and can_rewrite else None,
        )

    async def _search_once(self) -> None:
        """Load what the first search loads, such as the dictionary of Chinese words: a third of a second."""
        with contextlib.suppress(FixableError), self._bundles.use() as bundle:
            search = bundle.searcher.search
            await asyncio.get_running_loop().run_in_executor(self._executor, search, SearchQuery(_FIRST_QUERY))

    async def _follow(self) -> None:
        looks = 0
        while True:
            await asyncio.sleep(_REFRESH_S)
            await self._in_thread_refresh()
            looks += 1
            if looks % _READ_EVERY == 0:
                # A disk, or a server, may fail under an index that was opened long ago.
                self._unreadable = (await self.health()).problems.get("index")

    async def _in_thread_refresh(self) -> None:
        before = self._bundles.problem
        exchanged = await asyncio.to_thread(self._bundles.refresh, self._suggesting.drop_missing)
        with contextlib.suppress(FixableError), self._bundles.pin() as generation:
            self._generation = generation.info.name
        if exchanged:
            _log.info("reading a new generation")
            return
        problem = self._bundles.problem
        if problem is not None and str(problem) != str(before):
            _log.warning("the index cannot be read", problem=problem.problem, fix=problem.fix)
