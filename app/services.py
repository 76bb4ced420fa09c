"""What a process that answers people is made of, built once: index, embedder, searcher, answerer."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import structlog

from app.answering.generation import Generator, load_generator
from app.answering.types import AnswerEvent, Done, Evidence, Question
from app.answering.writing.writer import Writer
from app.conversations.factory import make_converser
from app.model_bundle import Reading, Readings
from app.models.model_folder import ModelNotPulled
from app.query_log import PastQueries
from app.query_reader import Understanding
from app.suggestions import Suggesting
from retrieval.errors import FixableError
from retrieval.ingestion import Intake, MakeIntake
from retrieval.models.cross_encoder import Reranker, RerankPool, load_reranker
from retrieval.models.embedding import Embedder, embedder_of, load_embedder
from retrieval.models.entailment import load_entailment
from retrieval.query.pieces import ParsedQuery
from retrieval.settings import Settings
from retrieval.stores.contract import PostStore
from retrieval.stores.factory import open_store
from retrieval.suggest.suggester import Suggestion
from retrieval.types import Filters, ModelRecipe, Post, SearchPage, SearchQuery

_log = structlog.get_logger()
_REFRESH_S = 0.5
_SEARCH_THREADS = 4
_FIRST_QUERY = "早上好 good morning"


@dataclass(frozen=True, slots=True)
class Health:
    """Whether questions can be answered now, and what stands against it: one line per part, empty where all is well."""

    problems: dict[str, FixableError]

    @property
    def ready(self) -> bool:
        return not self.problems


def nli_pool(nli: Reranker | None, settings: Settings) -> RerankPool | None:
    """A thread of its own for the NLI model, where there is one."""
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
        intake: Intake | None = None,
        nli: Reranker | None = None,
        load: Callable[[ModelRecipe], Embedder] | None = None,
        writer_problem: ModelNotPulled | None = None,
    ) -> None:
        self.settings = settings
        self.writer_problem = writer_problem
        """Why answers are quotes although the settings name a model; None where they do not, or it is there."""
        self._executor = ThreadPoolExecutor(_SEARCH_THREADS, thread_name_prefix="search")
        self.intake = intake
        self._rerank_pool = RerankPool(reranker, settings.rerank_budget_ms / 1000) if reranker is not None else None
        self._writer = Writer(generator, settings.llm_queue) if generator is not None else None
        self._nli_pool = nli_pool(nli, settings)

        def reading(embedder: Embedder) -> Reading:
            followed = intake.following(store, embedder) if intake is not None else store
            return Reading(
                settings, followed, embedder, self._executor, self._writer, self._rerank_pool, self._nli_pool
            )

        self._readings = Readings(store, embedder, reading, load)
        past = PastQueries(settings.data_dir / "queries.sqlite") if settings.remember_queries else None
        changes = intake.held if intake is not None else lambda: 0
        self._suggesting = Suggesting(store, self._readings, past, changes=changes, busy=lambda: self._readings.busy)
        self._understanding = Understanding(store)
        self.converser = make_converser(settings, self, self, past, self._writer)
        self._following: asyncio.Task[None] | None = None

    @classmethod
    def build(cls, settings: Settings, make_intake: MakeIntake | None = None) -> Services:
        """Load what the settings name. Takes seconds.

        Args:
            make_intake: None takes no posts in, and sees none that others took in since the index was written.

        Raises:
            FixableError: A model or the index's folder is not as it must be.
        """
        store, embedder = open_store(settings), load_embedder(settings)
        generator, writer_problem = None, None
        try:
            generator = load_generator(settings)
        except ModelNotPulled as error:
            writer_problem = error
        intake = make_intake(settings, store, embedder) if make_intake is not None else None
        reranker, nli = load_reranker(settings), load_entailment(settings)

        def load(recipe: ModelRecipe) -> Embedder:
            return embedder_of(recipe, settings)

        return cls(settings, store, embedder, generator, reranker, intake, nli, load, writer_problem)

    async def start(self) -> None:
        """Open the index, if there is one yet, search it once, and follow its new generations from now on."""
        if self.writer_problem is not None:
            _log.warning("no model writes", problem=self.writer_problem.problem, fix=self.writer_problem.fix)
        await self._in_thread_refresh()
        await self._search_once()
        self._following = asyncio.create_task(self._follow(), name="follow generations")
        self._suggesting.start()
        if self.intake is not None:
            self.intake.start(
                {
                    "suggestions": self.forget_suggestions,
                    "conversations": self.converser.forget,
                    "places": self._understanding.forget,
                }
            )

    async def close(self) -> None:
        if self._following is not None:
            self._following.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._following
        if self.intake is not None:
            await asyncio.to_thread(self.intake.close)
        await asyncio.to_thread(self._suggesting.close)
        if self._writer is not None:
            await asyncio.to_thread(self._writer.close)
        if self._rerank_pool is not None and not await asyncio.to_thread(self._rerank_pool.close):
            _log.warning("the reranking model hangs; it is left behind")
        if self._nli_pool is not None and not await asyncio.to_thread(self._nli_pool.close):
            _log.warning("the NLI model hangs; it is left behind")
        self._executor.shutdown(wait=True, cancel_futures=True)
        self._readings.close()

    async def understand(self, typed: str, given: Filters | None = None, near: str = "") -> ParsedQuery:
        """What was typed, taken apart, with what was `given` beside it: filters, and a place as behind `near:`.

        Raises:
            UnknownPlaceError: `near` names a place that is not known; one in what was typed is a mistake of the query.
            ValueError: `near` is no place and distance.
        """

        def work() -> ParsedQuery:
            filters = given if given is not None else Filters()
            if near:
                filters = replace(filters, near=self._understanding.near(near))
            return self._understanding.understand(typed, filters)

        if not near and not any(colon in typed for colon in ":："):
            return work()  # takes microseconds; only a place may take longer, the first time
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    async def search(self, query: SearchQuery) -> SearchPage:
        """The page of hits for a query.

        Raises:
            FixableError: The index cannot be read.
        """
        with self._readings.use() as reading:
            reading.searcher.expect(query.text)
            page = await asyncio.get_running_loop().run_in_executor(self._executor, reading.searcher.search, query)
        if page.hits and query.text and query.offset == 0 and not query.cursor:
            self._suggesting.note(query.text, page.hits[0].post, page.generation)
        return page

    def posts(self, ids: Sequence[str]) -> Mapping[str, Post]:
        """Posts of the live generation by id, without those that are gone. From threads alone: it may wait for a disk.

        Raises:
            FixableError: The index cannot be read.
        """
        with self._readings.pin() as generation:
            return generation.posts(ids)

    async def answer(self, question: Question) -> AsyncGenerator[AnswerEvent, None]:
        """The events of an answer; see Answerer.answer."""
        with self._readings.use() as reading:
            async with contextlib.aclosing(reading.answerer.answer(question)) as events:
                async for event in events:
                    if isinstance(event, Done) and event.answer.kind != "declined":
                        answer = event.answer
                        self._suggesting.note(question.text, answer.hits[0].post, answer.generation)
                    yield event

    def evidence_for(self, question: Question) -> Sequence[Evidence]:
        """See Trying.evidence_for. From threads alone."""
        with self._readings.use() as reading:
            return reading.trying.evidence_for(question)

    @contextlib.contextmanager
    def reading(self) -> Iterator[Reading]:
        """What answers now, for measuring it; kept whole until the block ends."""
        with self._readings.use() as reading:
            yield reading

    def suggest(self, typed: str, limit: int) -> list[Suggestion]:
        """At most `limit` completions of what is typed, best first; none while the index cannot be read."""
        return self._suggesting.suggest(typed, limit)

    def forget_suggestions(self, post_ids: Collection[str]) -> None:
        """See Suggesting.forget."""
        self._suggesting.forget(post_ids)

    async def health(self) -> Health:
        with self._readings.use() as reading:
            problem = await asyncio.to_thread(reading.searcher.ping)
        return Health({"index": problem} if problem is not None else {})

    async def _search_once(self) -> None:
        """What is loaded when it is first needed, such as the dictionary of Chinese words, nobody waits for then: a
        third of a second.
        """
        with contextlib.suppress(FixableError), self._readings.use() as reading:
            search = reading.searcher.search
            await asyncio.get_running_loop().run_in_executor(self._executor, search, SearchQuery(_FIRST_QUERY))

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(_REFRESH_S)
            await self._in_thread_refresh()

    async def _in_thread_refresh(self) -> None:
        before = self._readings.problem
        exchanged = await asyncio.to_thread(self._readings.refresh, self._suggesting.drop_missing)
        if exchanged:
            _log.info("reading a new generation")
            return
        problem = self._readings.problem
        if problem is not None and str(problem) != str(before):
            _log.warning("the index cannot be read", problem=problem.problem, fix=problem.fix)
