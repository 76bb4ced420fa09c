"""From a generator to an answer through everything that stands between: writer, answerer, a real small index."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from app.answering.generation import Generator
from app.answering.types import Answer, Done, Question
from app.services import Services
from retrieval.models.embedding import HashEmbedder
from retrieval.settings import Settings
from retrieval.stores.factory import open_store
from tests.small_index import POSTS, indexed

QUESTION = "How much is a flat white at Blue Door?"
CHINESE_QUESTION = "营地停车费多少钱"


def an_index(folder: Path) -> Path:
    indexed(folder, POSTS, HashEmbedder(256))
    return folder


def answered_by(generator: Generator | None, folder: Path, text: str, **settings: Any) -> Answer:
    """The answer to one question; the generator is closed."""
    chosen = Settings(data_dir=folder, _env_file=None, **settings)

    async def ask() -> Answer:
        services = Services(chosen, open_store(chosen), HashEmbedder(256, languages=frozenset({"en"})), generator)
        try:
            async with services.answer(Question(text)) as answer:
                events = [event async for event in answer]
        finally:
            await services.close()
        assert isinstance(events[-1], Done)
        return events[-1].answer

    return asyncio.run(ask())


def assert_checked(answer: Answer) -> None:
    """Every sentence stands on a quote that is in its post, word for word."""
    assert answer.kind in {"quoted", "written"}
    for sentence in answer.sentences:
        assert sentence.citations
        for citation in sentence.citations:
            post = answer.hits[citation.mark - 1].post
            source = {"title": post.title, "text": post.text}.get(citation.part) or post.comments[
                citation.comment or 0
            ].text
            assert source[citation.start : citation.end] == citation.quote
