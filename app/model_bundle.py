"""What answers from the index with one embedding model, and its exchange for another without a request noticing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import AbstractContextManager, contextmanager

import structlog

from app.answering.answerer import Answerer, AnswerLimits
from app.answering.checking.citations import SupportChecker
from app.answering.evidence.selector import EvidenceSelector
from app.answering.finding import EvidenceFinder
from app.answering.writing.model_queue import ModelQueue
from app.models.model_folder import writer_problem
from retrieval.errors import FixableError, IndexMismatch
from retrieval.models.cross_encoder import RerankPool
from retrieval.models.embedding import Embedder
from retrieval.models.ensemble import generalist, specialist
from retrieval.pins import Pins
from retrieval.search.calibration import dense_weights
from retrieval.search.live_generation import LiveGeneration, Openable
from retrieval.search.ranking import Boosts
from retrieval.search.reranking import Reranking
from retrieval.search.search import Searcher
from retrieval.settings import Settings
from retrieval.stores.contract import Generation, GenerationInfo, PostStore
from retrieval.text.terms import TermWeigher
from retrieval.types import ModelRecipe

_log = structlog.get_logger()
_RETRY_S = 30.0


def make_finder(settings: Settings, searcher: Searcher, embedder: Embedder, weigher: TermWeigher) -> EvidenceFinder:
    """An EvidenceFinder over `searcher`, as configured."""
    selector = EvidenceSelector(generalist(embedder), weigher)
    return EvidenceFinder(searcher, selector, settings.answer_hits, settings.answer_gate)


def make_answerer(
    settings: Settings,
    finder: EvidenceFinder,
    embedder: Embedder,
    model_queue: ModelQueue | None,
    executor: Executor,
    nli: RerankPool | None = None,
) -> Answerer:
    """An Answerer over `finder`, as configured."""
    limits = AnswerLimits(
        sentences=settings.answer_sentences,
        support=settings.answer_support,
        max_tokens=settings.llm_max_tokens,
        timeout_s=settings.llm_timeout_s,
    )
    checker = SupportChecker(specialist(embedder), nli)
    return Answerer(
        finder, checker, model_queue, executor, limits,
        without_model="no_model" if writer_problem(settings) is None else "not_pulled",
    )  # fmt: skip


class ModelBundle:
    """The live generation with all that reads it by one embedding model."""

    def __init__(
        self,
        settings: Settings,
        store: Openable,
        embedder: Embedder,
        executor: Executor,
        model_queue: ModelQueue | None,
        rerank_pool: RerankPool | None,
        nli: RerankPool | None,
    ) -> None:
        weigher = TermWeigher()
        weights = dense_weights(settings, embedder.identity.model)
        self.live = LiveGeneration(store, embedder.identity)
        self.searcher = Searcher(
            self.live,
            embedder,
            weigher,
            dense_weight_known=weights.known,
            dense_weight_unknown=weights.unknown,
            candidates=settings.candidates,
            boosts=Boosts(settings.boost_freshness, settings.boost_popularity, settings.boost_half_life_days),
            reranking=Reranking(rerank_pool, settings.rerank_hits) if rerank_pool is not None else None,
        )
        self.finder = make_finder(settings, self.searcher, embedder, weigher)
        self.answerer = make_answerer(settings, self.finder, embedder, model_queue, executor, nli)


class ModelBundles:
    """Hands out the current ModelBundle, and makes another where an index appears that another model built.

    Whoever uses one keeps it to the end: its generation stays open, and its model loaded, until the last one is done.

    Args:
        make: A ModelBundle by an embedder.
        load: An embedder by what a generation says of its own; None leaves such an index unread.
    """

    def __init__(
        self,
        store: PostStore,
        embedder: Embedder,
        make: Callable[[Embedder], ModelBundle],
        load: Callable[[ModelRecipe], Embedder] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._make, self._load, self._clock = store, make, load, clock
        self._pins = Pins(make(embedder), lambda bundle: bundle.live.close())
        self._failed: tuple[str, float] | None = None  # the generation whose model did not load, and when to try again

    def use(self) -> AbstractContextManager[ModelBundle]:
        """The current bundle, kept whole until the block ends."""
        return self._pins.pin()

    @contextmanager
    def pin(self) -> Iterator[Generation]:
        """The generation to read from, as LiveGeneration.pin."""
        with self.use() as bundle, bundle.live.pin() as generation:
            yield generation

    @property
    def busy(self) -> bool:
        """Whether anybody uses a bundle now."""
        return self._pins.busy

    @property
    def problem(self) -> FixableError | None:
        """Why the store's current generation is not read; None where it is."""
        return self._pins.current.live.problem

    def refresh(self, before: Callable[[], None] = lambda: None) -> bool:
        """As LiveGeneration.refresh; takes seconds where another model is to be loaded. For one thread alone."""
        bundle = self._pins.current
        exchanged = bundle.live.refresh(before)
        if not isinstance(bundle.live.problem, IndexMismatch):
            bundle.live.model_problem = None
            return exchanged
        return self._follow_model(before)

    def close(self) -> None:
        self._pins.current.live.close()

    def _follow_model(self, before: Callable[[], None]) -> bool:
        wanted = self._wanted()
        if wanted is None or self._load is None or wanted.identity.recipe is None:
            return False
        if self._failed is not None and self._failed[0] == wanted.name and self._clock() < self._failed[1]:
            return False
        recipe = wanted.identity.recipe
        _log.info("an index of another model is there: loading it", model=wanted.identity.model)
        try:
            embedder = self._load(recipe)
        except FixableError as error:
            return self._leave(wanted, error.problem, error.fix)
        if embedder.identity != wanted.identity:
            problem = (
                f"{recipe.model} is {embedder.identity.model} now, and the index was built by {wanted.identity.model}"
            )
            return self._leave(wanted, problem, "bring back its files, or run `stipple reindex PATH`")
        bundle = self._make(embedder)
        if not bundle.live.refresh():
            why = bundle.live.problem
            return self._leave(wanted, str(why), why.fix if why is not None else "")
        before()
        self._pins.replace(bundle)
        _log.warning(
            "answering by the model that the index was built by",
            model=wanted.identity.model,
            fix=f"set STIPPLE_EMBEDDING_MODEL={recipe.model} for the next start",
        )
        return True

    def _wanted(self) -> GenerationInfo | None:
        try:
            name = self._store.current()
            return next((info for info in self._store.generations() if info.name == name), None)
        except FixableError:  # opening it reports the error
            return None

    def _leave(self, wanted: GenerationInfo, problem: str, fix: str) -> bool:
        self._failed = wanted.name, self._clock() + _RETRY_S
        live = self._pins.current.live
        live.model_problem = live.problem = IndexMismatch(
            f"the index was built by {wanted.identity.model}, which cannot be loaded: {problem}", fix
        )
        _log.warning("its model cannot be loaded; what was read before goes on being read", problem=problem, fix=fix)
        return False
