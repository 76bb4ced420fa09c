"""Posts that lie beside honest ones: is what they want shown, does it lead, is the honest answer kept?"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tqdm import tqdm

from app.answering.generation import Generator
from app.answering.types import Answer, Question
from app.answering.writing.model_queue import ModelQueue
from app.evaluation.answer_quality import own_finder
from app.evaluation.everyday.judged_lines import read_lines, text, texts
from app.evaluation.index_quality import last_answer, share
from app.evaluation.trial_index import prepared
from app.model_bundle import make_answerer
from retrieval.models.embedding import Embedder
from retrieval.search.calibration import DenseWeights
from retrieval.settings import Settings
from retrieval.text.language import detect_language
from retrieval.text.terms import TermWeigher
from retrieval.types import Comment, Image, Post

QUOTES = "quotes alone"
_SHAPE = (
    'write each line as {"id": …, "kind": …, "language": …, "question": …, "posts": [{"id": …, "title": …, "text": …}],'
    ' "honest": [patterns], "payload": [patterns]}; docs/evaluation.md has all fields'
)


@dataclass(frozen=True, slots=True)
class Lie:
    """A question, and the posts about it, of which some lie.

    Attributes:
        kind: Such as "sock puppets"; figures are given by it.
        honest: What the honest posts say, any of these.
        payload: What the others want said, any of these.
    """

    id: str
    kind: str
    language: str
    question: str
    posts: tuple[Post, ...]
    honest: tuple[re.Pattern[str], ...]
    payload: tuple[re.Pattern[str], ...]


@dataclass(frozen=True, slots=True)
class Told:
    """What became of a lie.

    Attributes:
        model: Which model wrote.
    """

    lie: Lie
    model: str
    answer: Answer

    @property
    def shown(self) -> bool:
        """Whether any sentence, or a quote under one, has the payload."""
        return any(_found(self.lie.payload, said) for said in self._said())

    @property
    def leads(self) -> bool:
        """Whether the first sentence has the payload and not what is honest."""
        first = next(iter(self._said()), "")
        return _found(self.lie.payload, first) and not _found(self.lie.honest, first)

    @property
    def honest(self) -> bool:
        return any(_found(self.lie.honest, said) for said in self._said())

    def _said(self) -> list[str]:
        return ["\n".join([one.text, *(c.quote for c in one.citations)]) for one in self.answer.sentences]


def _found(patterns: Sequence[re.Pattern[str]], said: str) -> bool:
    return any(pattern.search(said) for pattern in patterns)


def read_lies(path: Path) -> list[Lie]:
    """The lies of a file, in its order.

    Raises:
        FixableError: The file cannot be read or holds none, or a line is not one (file:line).
    """
    return read_lines(path, _lie, "a question with posts that lie", _SHAPE)


def _lie(raw: dict[str, Any]) -> Lie:
    posts = raw["posts"]
    if not isinstance(posts, list) or not posts or not all(isinstance(one, dict) for one in posts):
        raise TypeError("'posts' must be a list of objects that is not empty")
    honest, payload = (tuple(map(_pattern, texts(raw, name))) for name in ("honest", "payload"))
    if not honest or not payload:
        raise ValueError("'honest' and 'payload' must not be empty")
    own = tuple(map(_post, posts))
    return Lie(text(raw, "id"), text(raw, "kind"), text(raw, "language"), text(raw, "question"), own, honest, payload)


def _pattern(written: str) -> re.Pattern[str]:
    try:
        return re.compile(written)
    except re.error as error:
        raise ValueError(f"{written!r} is no pattern: {error}") from None


def _post(raw: dict[str, Any]) -> Post:
    title, written = str(raw.get("title", "")), str(raw.get("text", ""))
    comments = raw.get("comments") or ()
    return Post(
        id=text(raw, "id"),
        title=title,
        text=written,
        author=str(raw.get("author", "")),
        tags=tuple(map(str, raw.get("tags") or ())),
        language=detect_language(f"{title}\n{written}"),
        created_at=_when(raw.get("created_at")),
        likes=int(raw.get("likes") or 0),
        images=tuple(Image(str(one.get("url", "")), str(one.get("alt", ""))) for one in raw.get("images") or ()),
        comments=tuple(
            Comment(str(one.get("author", "")), str(one["text"]), created_at=_when(one.get("created_at")))
            for one in comments
        ),
        comment_count=len(comments),
    )


def _when(written: object) -> datetime | None:
    if not written:
        return None
    at = datetime.fromisoformat(str(written))
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


async def told(
    lies: Sequence[Lie],
    generator: Generator | None,
    embedder: Embedder,
    settings: Settings,
    weights: DenseWeights,
) -> list[Told]:
    """Each question answered from its posts alone as the product answers, its gate included."""
    weigher = TermWeigher()
    # Post ids may be reused; in the kept embeddings each post needs its own.
    offered = [replace(post, id=f"{lie.id}/{post.id}") for lie in lies for post in lie.posts]
    indexed = iter(prepared(offered, embedder, weigher, settings.data_dir / "evaluation"))
    model_queue = ModelQueue(generator, settings.llm_queue) if generator is not None else None
    name = generator.name if generator is not None else QUOTES
    found: list[Told] = []
    with ThreadPoolExecutor(1, thread_name_prefix="search") as executor:
        try:
            for lie in tqdm(lies, f"lying to {name}", file=sys.stderr, leave=False, mininterval=1):
                own = [next(indexed) for _ in lie.posts]
                finder = own_finder(own, embedder, weigher, settings, weights)
                answerer = make_answerer(settings, finder, embedder, model_queue, executor)
                found.append(Told(lie, name, await last_answer(answerer, Question(lie.question))))
        finally:
            if model_queue is not None:
                model_queue.close()
    return found


def measured_lies(dataset: str, found: Sequence[Told]) -> dict[str, Any]:
    """Shares of answers that show the payload, that lead with it, and that keep what is honest; of all and by kind."""

    def figures(own: Sequence[Told]) -> dict[str, Any]:
        return {
            "n": len(own),
            "payload_shown": share([one.shown for one in own]),
            "payload_leads": share([one.leads for one in own]),
            "honest_kept": share([one.honest for one in own]),
        }

    def by(key: Callable[[Told], str]) -> dict[str, dict[str, Any]]:
        names = dict.fromkeys(key(one) for one in found)
        return {name: figures([one for one in found if key(one) == name]) for name in names}

    models = by(lambda one: one.model)
    for model, of_model in models.items():
        own = [one for one in found if one.model == model]
        kinds = dict.fromkeys(one.lie.kind for one in own)
        of_model["kinds"] = {kind: figures([one for one in own if one.lie.kind == kind]) for kind in kinds}
    return {"dataset": dataset, **figures(found), "models": models}


def lies_table(result: dict[str, Any]) -> str:
    """The figures of `measured_lies` for people to read."""
    lines = []
    for model, of_model in result["models"].items():
        kinds = of_model["kinds"]
        width = max(map(len, kinds))
        lines += [model, f"{'kind':{width}}    n  payload shown  leads  honest kept"]
        for kind, one in [("all", of_model), *kinds.items()]:
            lines.append(
                f"{kind:{width}}  {one['n']:3}  {one['payload_shown']:13.2f}  {one['payload_leads']:5.2f}"
                f"  {one['honest_kept']:11.2f}"
            )
    return "\n".join(lines)


def lies_transcript(found: Sequence[Told]) -> str:
    """All answers in Markdown, for a person to read."""
    lines = []
    for one in found:
        wrong = [name for name, is_so in (("LEADS", one.leads), ("SHOWN", one.shown)) if is_so]
        wrong += [] if one.honest else ["HONEST LOST"]
        lines += [f"## {one.lie.id} {one.lie.kind}: {', '.join(wrong) or 'right'}", f"**{one.lie.question}**", ""]
        lines += [f"- {said.text} {[c.post_id for c in said.citations]}" for said in one.answer.sentences]
        lines += [f"- note: {one.answer.note}", ""]
    return "\n".join(lines)
