"""The checks of `stipple doctor`: each part on its own, so that one problem does not hide another."""

from __future__ import annotations

import math
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from threading import Event
from typing import Literal

from app.answering.generation import GenerateRequest, load_generator
from app.answering.generation.factory import is_endpoint, load_endpoint, model_path, writer_languages
from app.listen_socket import bind
from app.models.gguf_file import open_gguf
from app.models.model_folder import ModelNotPulled
from app.readers import EVERYBODY
from app.web.auth import Access
from retrieval.disk import naming_folder_trouble
from retrieval.errors import FixableError, IndexLocked, IndexMissing, ModelMissing
from retrieval.models.cross_encoder import load_reranker
from retrieval.models.ensemble import EnsembleEmbedder
from retrieval.models.entailment import load_entailment
from retrieval.models.factory import load_embedder
from retrieval.search.calibration import dense_weights
from retrieval.settings import Settings
from retrieval.stores.factory import open_store
from retrieval.text.language import knows

_LEAST_DISK_BYTES = 1 << 30
_USUAL_PASSAGE = "Table by the window, two sockets, and nobody minds if you stay for hours over one flat white. " * 3


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report.

    Attributes:
        mark: "ok  ", "note" (works, but worth knowing) or "bad " (the exit code is then 1).
        fix: What to do; "" if nothing.
    """

    mark: Literal["ok  ", "note", "bad "]
    part: str
    says: str
    fix: str = ""


def examine(settings: Settings) -> Iterator[Finding]:
    """The state of each part, one after the other."""
    parts: list[tuple[str, Callable[[Settings], Finding]]] = [
        ("data folder", _data_folder),
        ("embedding model", _embedder),
        ("index", _index),
        ("reranking model", _reranker),
        ("NLI model", _entailment),
        ("answering model", answering_model),
        ("readers", _readers),
        ("port", _port),
    ]
    for part, look in parts:
        try:
            yield look(settings)
        except FixableError as error:
            yield Finding("bad ", part, error.problem, error.fix)


def _data_folder(settings: Settings) -> Finding:
    folder = settings.data_dir
    with naming_folder_trouble(folder):
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".doctor"
        probe.write_bytes(b"")
        probe.unlink()
    free = shutil.disk_usage(folder).free
    says = f"{folder.resolve()}, {free / 1e9:.1f} GB free"
    if free < _LEAST_DISK_BYTES:
        return Finding("bad ", "data folder", says, "free some space: a reindex needs room for a second index")
    return Finding("ok  ", "data folder", says)


def _readers(settings: Settings) -> Finding:
    access = Access.read(settings)
    if access.mode == "open":
        return Finding("ok  ", "readers", f"everybody who reaches {settings.host} may read")
    try:
        accounts = access.readers.all()
        keys = access.keys.all()
    except (sqlite3.Error, OSError) as error:
        return Finding("bad ", "readers", f"the files of readers and keys cannot be read: {error}", "restore them")
    if (mend := access.nobody_signs_in(accounts)) is not None:
        return Finding("bad ", "readers", f"{access.mode}: nobody can sign in yet", mend)
    says = {
        "password": "whoever knows the community's password",
        "accounts": f"{sum(one.name != EVERYBODY for one in accounts)} may sign in",
        "proxy": f"whom {settings.trusted_proxies} names in {settings.reader_header}",
        "keys": "programs with a key",
    }[access.mode]
    return Finding("ok  ", "readers", f"{access.mode}: {says}; {len(keys)} keys")


def _embedder(settings: Settings) -> Finding:
    embedder = load_embedder(settings)
    identity = embedder.identity
    members = embedder.members if isinstance(embedder, EnsembleEmbedder) else (embedder,)
    read = " + ".join(f"{one.identity.model} ({_listed(one.languages)})" for one in members)
    found = _in_each_language(embedder.languages, "found by meaning and by words", "found by words, hardly by meaning")
    weights = dense_weights(settings, identity.model)
    counts = (
        f"weight of the cosine {weights.known:.2f} in languages it knows, at most {weights.unknown:.2f} in others "
        f"({weights.source})"
    )
    says = f"{read}, {identity.dimension} dimensions. {found}; {counts}"
    return Finding("ok  ", "embedding model", says)


def _index(settings: Settings) -> Finding:
    store = open_store(settings)
    try:
        identity = load_embedder(settings).identity
    except ModelMissing as error:
        built = next((info for info in store.generations() if info.name == store.current()), None)
        if built is None:
            raise
        says = f"{built.name}: {built.posts:,} posts, which nobody can search without {built.identity.model}"
        return Finding("bad ", "index", f"{says}: {error.problem}", error.fix)
    try:
        generation = store.open(identity)
    except IndexMissing as error:
        return Finding("note", "index", error.problem, error.fix)
    except IndexLocked:
        return Finding("ok  ", "index", f"{store.current()}, open in another process")
    info = generation.info
    generation.close()
    return Finding("ok  ", "index", f"{info.name}: {info.posts:,} posts, {info.passages:,} passages")


def _reranker(settings: Settings) -> Finding:
    reranker = load_reranker(settings)
    if reranker is None:
        return Finding("ok  ", "reranking model", "none is set: hits stay in the fused order")
    passages = [_USUAL_PASSAGE] * settings.rerank_hits
    reranker.scores("warm up", passages[:1])
    started = time.perf_counter()
    scores = reranker.scores("quiet cafe with sockets", passages)
    took_ms = (time.perf_counter() - started) * 1000
    if not all(map(math.isfinite, scores)):
        fix = "choose another with STIPPLE_RERANK_MODEL, or unset it"
        return Finding("bad ", "reranking model", f"{settings.rerank_model} gives scores that are not numbers", fix)
    says = f"{settings.rerank_model} reads {len(passages)} passages in {took_ms:.0f} ms"
    if took_ms > settings.rerank_budget_ms:
        says += f", more than STIPPLE_RERANK_BUDGET_MS={settings.rerank_budget_ms}: most searches keep the fused order"
        return Finding("note", "reranking model", says, "raise the budget, or lower STIPPLE_RERANK_HITS")
    return Finding("ok  ", "reranking model", says)


def answering_model(settings: Settings) -> Finding:
    """Whether the model of the settings writes: loaded in a process of its own, as a server does, or asked at its
    endpoint.

    Raises:
        FixableError: It does not write.
    """
    if settings.llm == "none":
        return Finding(
            "note", "answering model", "none is set: answers are quotes, in Chinese and in English", "set STIPPLE_LLM"
        )
    if is_endpoint(settings.llm):
        return _endpoint(settings)
    try:
        path = model_path(settings)
    except ModelNotPulled as error:
        return Finding("note", "answering model", error.problem, error.fix)
    file = open_gguf(path)
    generator = load_generator(settings)
    assert generator is not None, "the settings name a model"
    try:
        started = time.perf_counter()
        pieces = list(generator.generate(GenerateRequest("", "Say hello.", 8), Event()))
        took_s = time.perf_counter() - started
        engine = generator.figures()
    finally:
        generator.close()
    if not any(piece.answer or piece.thought for piece in pieces):
        raise FixableError(f"{path.name} writes nothing", "choose another model with STIPPLE_LLM")
    needs = f"about {file.memory_bytes(settings.llm_context_tokens) / 1e9:.1f} GB with its context"
    if engine is not None and engine.memory_bytes is not None:
        needs += f", of which {engine.memory_bytes / 1e9:.1f} GB beside the file"
    says = (
        f"{path.name} ({file.architecture}) loads and writes, in a process of its own: 8 tokens in {took_s:.1f} s. "
        f"{_writes(settings)}; it needs {needs}"
    )
    return Finding("ok  ", "answering model", says)


def _endpoint(settings: Settings) -> Finding:
    generator = load_endpoint(settings)
    info = generator.discover()
    offered = ", ".join(info.models) or "it does not list its models"
    if settings.llm_model and info.models and settings.llm_model not in info.models:
        raise FixableError(
            f"{generator.address} has no model {settings.llm_model}; it offers {offered}", "correct STIPPLE_LLM_MODEL"
        )
    pieces = list(generator.generate(GenerateRequest("", "Say hello.", 64), Event()))
    thinks = any(piece.thought for piece in pieces)
    if not thinks and not any(piece.answer.strip() for piece in pieces):
        raise FixableError(f"{generator.name} returns no text", "see the endpoint's own log")
    context = f"{generator.context_tokens:,} tokens" + (
        "" if info.context_tokens else " assumed: the endpoint does not report it"
    )
    how = "thinks, then writes" if thinks else "writes"
    says = f"{generator.name} at {generator.address} {how}. {_writes(settings)}; context {context}"
    return Finding("ok  ", "answering model", says)


def _writes(settings: Settings) -> str:
    return _in_each_language(writer_languages(settings), "answers are written", "answers are quotes")


def _listed(languages: frozenset[str] | None) -> str:
    return "all languages" if languages is None else ", ".join(sorted(languages))


def _in_each_language(known: frozenset[str] | None, able: str, unable: str) -> str:
    """What a model that knows these languages does in Chinese and in English."""
    english, chinese = (able if knows(known, language) else unable for language in ("en", "zh"))
    return f"Chinese and English: {able}" if english == chinese == able else f"English: {english}; Chinese: {chinese}"


def _entailment(settings: Settings) -> Finding:
    model = load_entailment(settings)
    if model is None:
        return Finding("ok  ", "NLI model", "none is set: sentences are checked by words and embeddings")
    model.scores("warm up", ["warm up"])
    started = time.perf_counter()
    model.scores("The cafe is quiet.", [_USUAL_PASSAGE] * settings.answer_hits)
    took_ms = (time.perf_counter() - started) * 1000
    says = f"{settings.nli_model} checks a sentence against {settings.answer_hits} posts in {took_ms:.0f} ms"
    if took_ms > settings.nli_budget_ms:
        says += f", more than STIPPLE_NLI_BUDGET_MS={settings.nli_budget_ms}: most sentences are checked without it"
        return Finding("note", "NLI model", says, "raise the budget, or name a smaller model")
    return Finding("ok  ", "NLI model", says)


def _port(settings: Settings) -> Finding:
    try:
        bind(settings.host, settings.port).close()
    except FixableError as error:
        return Finding("note", "port", error.problem, "nothing if this is Stipple itself; otherwise " + error.fix)
    return Finding("ok  ", "port", f"{settings.host}:{settings.port} is free")
