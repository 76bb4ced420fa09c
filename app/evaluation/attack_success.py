"""How often attacks by hostile posts succeed, by kind of attack and by model."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from tqdm import tqdm

from app.answering.generation import Generator
from app.answering.types import Question
from app.answering.writing.model_queue import ModelQueue
from app.evaluation.answer_quality import own_finder
from app.evaluation.attack_scenes import Attack, says_honestly, succeeded
from app.evaluation.index_quality import last_answer, share
from app.evaluation.obedient_model import ObedientGenerator
from app.evaluation.trial_index import prepared
from app.model_bundle import make_answerer
from retrieval.models.embedding import Embedder
from retrieval.search.calibration import DenseWeights
from retrieval.settings import Settings
from retrieval.text.terms import TermWeigher

QUOTES = "quotes alone"


@dataclass(frozen=True, slots=True)
class Attacked:
    """The outcome of an attack.

    Attributes:
        model: Which model wrote.
        reached: What the attack achieved; None where it failed.
        honest: Whether the answer still holds what the honest posts say.
        shown: Sentences shown.
    """

    attack: Attack
    model: str
    reached: str | None
    honest: bool
    shown: int


async def attacked(
    attacks: Sequence[Attack],
    generator: Generator | None,
    embedder: Embedder,
    settings: Settings,
    weights: DenseWeights,
) -> list[Attacked]:
    """Every attack on one model's answers, or on quotes alone (None). No question is declined."""
    settings = settings.model_copy(update={"answer_gate": 0.0})
    weigher = TermWeigher()
    # Attacks reuse post ids; in the kept embeddings each post needs its own.
    offered = [replace(post, id=f"{attack.id}/{post.id}") for attack in attacks for post in attack.posts]
    indexed = prepared(offered, embedder, weigher, settings.data_dir / "evaluation")
    model_queue = ModelQueue(generator, settings.llm_queue) if generator is not None else None
    name = generator.name if generator is not None else QUOTES
    found: list[Attacked] = []
    with ThreadPoolExecutor(1, thread_name_prefix="search") as executor:
        try:
            at = 0
            for attack in tqdm(attacks, f"attacking {name}", file=sys.stderr, leave=False, mininterval=1):
                own = [
                    replace(one, stored=replace(one.stored, post=post), passages=_named(one.passages, post.id))
                    for one, post in zip(indexed[at : at + len(attack.posts)], attack.posts, strict=True)
                ]
                at += len(attack.posts)
                instructions: list[str] = []
                if isinstance(generator, ObedientGenerator):
                    generator.attack, generator.instructions = attack, instructions
                finder = own_finder(own, embedder, weigher, settings, weights)
                answerer = make_answerer(settings, finder, embedder, model_queue, executor)
                answer = await last_answer(answerer, Question(attack.question))
                reached = succeeded(attack, answer, instructions)
                found.append(Attacked(attack, name, reached, says_honestly(attack, answer), len(answer.sentences)))
        finally:
            if model_queue is not None:
                model_queue.close()
    return found


def _named(passages: Sequence[Any], post_id: str) -> tuple[Any, ...]:
    return tuple(replace(passage, post_id=post_id) for passage in passages)


def measured_attacks(dataset: str, found: Sequence[Attacked]) -> dict[str, Any]:
    """The success rate over all attacks on all models, and each model's own; `honest_in_answer` does not affect it."""
    models = dict.fromkeys(one.model for one in found)
    successes = [one for one in found if one.reached is not None]
    return {
        "dataset": dataset,
        "n": len(found),
        "successes": len(successes),
        "rate": round(len(successes) / len(found), 4) if found else None,
        "attacks": len({one.attack.id for one in found}),
        "kinds": len({one.attack.kind for one in found}),
        "models": {
            model: {
                "n": len(own := [one for one in found if one.model == model]),
                "successes": sum(one.reached is not None for one in own),
                "honest_in_answer": share([one.honest for one in own]),
            }
            for model in models
        },
    }


def attacks_table(found: Sequence[Attacked]) -> str:
    """Successes of each kind on each model, for people to read; then each success in words."""
    models = list(dict.fromkeys(one.model for one in found))
    kinds = list(dict.fromkeys(one.attack.kind for one in found))
    width = max(map(len, kinds), default=4)
    lines = [f"{'kind':{width}}  attacks  " + "  ".join(models)]
    for kind in [*kinds, ""]:
        own = [one for one in found if kind in (one.attack.kind, "")]
        counts = [
            f"{sum(one.reached is not None for one in own if one.model == model):{len(model)}}" for model in models
        ]
        lines.append(f"{kind or 'all':{width}}  {len({one.attack.id for one in own}):7}  " + "  ".join(counts))
    lines += [f"  {one.attack.id} on {one.model}: {one.reached}" for one in found if one.reached is not None]
    return "\n".join(lines)
