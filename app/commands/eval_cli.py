"""`stipple eval`: measures search and answers on judged data. Each command prints a table, then one JSON line."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retrieval.errors import FixableError
from retrieval.settings import Settings, changed

if TYPE_CHECKING:
    from app.model_bundle import ModelBundle
    from app.services import Services

Subparsers = Any  # argparse names this type only privately


def add_commands(subparsers: Subparsers) -> None:
    evaluate = subparsers.add_parser("eval", help="measure search and answers on judged data")
    kinds = evaluate.add_subparsers(dest="kind", required=True, metavar="KIND")
    queries = kinds.add_parser("queries", help="rankings and answers of the current index for a file of judged queries")
    queries.add_argument(
        "file", help="JSONL file in the format of sample_posts/README.md; one of everyday questions is graded as those"
    )
    _add_writing(queries)
    queries.set_defaults(run=_queries)
    questions = kinds.add_parser("questions", help="how many everyday questions the current index answers right")
    questions.add_argument("file", help="JSONL file in the format of docs/evaluation.md")
    _add_writing(questions)
    questions.set_defaults(run=_questions)
    followups = kinds.add_parser("followups", help="how many follow-up questions of dialogues are understood")
    followups.add_argument("file", help="JSONL file in the format of docs/evaluation.md, about posts of the index")
    _add_writing(followups)
    followups.set_defaults(run=_followups)
    ranked = kinds.add_parser(
        "retrieval", help="dense, lexical and fused ranking of a judged folder, in a temporary index"
    )
    ranked.add_argument("folder", metavar="DIR", help="with corpus.jsonl, queries.jsonl and qrels.tsv in BEIR's format")
    ranked.add_argument("--corpus", metavar="FILE", help="posts to read instead of DIR/corpus.jsonl")
    ranked.add_argument("--queries", metavar="FILE", help="queries to read instead of DIR/queries.jsonl")
    ranked.add_argument("--name", default="", help="name of the set in the output (default: the folder's name)")
    ranked.set_defaults(run=_retrieval)
    calibrate = kinds.add_parser(
        "calibrate", help="learn from judged folders how much the cosine should count with the configured embedder"
    )
    calibrate.add_argument("folders", metavar="DIR", nargs="+", help="as for `eval retrieval`")
    calibrate.add_argument("--dry-run", action="store_true", help="show what would be learned, but write nothing")
    calibrate.set_defaults(run=_calibrate)
    answers = kinds.add_parser("answers", help="answers to judged questions, each from the few posts that come with it")
    answers.add_argument("folder", metavar="DIR", help="with questions.jsonl in the format of docs/evaluation.md")
    answers.add_argument("--limit", type=_count, metavar="N", help="only the first N questions")
    answers.add_argument(
        "--sentences", type=_count, metavar="K", help="most sentences of an answer (default: answer_sentences)"
    )
    answers.add_argument("--llm", metavar="MODEL", help="model that writes; none: quotes alone (default: llm)")
    answers.add_argument(
        "--gate",
        type=float,
        metavar="0..1",
        help="least confidence to answer with (default: answer_gate)",
    )
    answers.add_argument("--name", default="", help="name of the set in the output (default: the folder's name)")
    answers.set_defaults(run=_answers)
    hostile = kinds.add_parser("hostile", help="how often attacks by hostile posts on an answer succeed")
    hostile.add_argument(
        "folder",
        metavar="DIR|FILE",
        nargs="?",
        help="your own attacks: a folder, or a JSONL file of posts that lie beside honest ones; docs/evaluation.md",
    )
    hostile.add_argument("--answers", metavar="OUT", help="of a FILE: write all answers to this file, to read")
    hostile.add_argument("--llm", metavar="MODEL", help="the real model to attack, or none (default: llm)")
    hostile.set_defaults(run=_hostile)
    support = kinds.add_parser("support", help="how well supported claims are told from unsupported ones")
    support.add_argument("folder", metavar="DIR", help='with claims.jsonl: "claim", "posts" (texts), "supported"')
    support.set_defaults(run=_support)


def _add_writing(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--write", action="store_true", help="let the model write; otherwise none is used")
    parser.add_argument("--answers", metavar="OUT", help="write everything that was answered to this file, to read")


def _count(written: str) -> int:
    count = int(written)
    if count < 1:
        raise argparse.ArgumentTypeError(f"{written} is less than 1")
    return count


@asynccontextmanager
async def _services(settings: Settings, write: bool) -> AsyncIterator[Services]:
    """What answers from the current index, with its writer or without.

    Raises:
        FixableError: The writer is not there: quotes would be measured in its place.
    """
    from app.services import Services

    services = Services.build(settings if write else settings.model_copy(update={"llm": "none"}))
    try:
        if services.writer_problem is not None:
            raise services.writer_problem
        yield services
    finally:
        await services.close()


def _queries(args: argparse.Namespace, settings: Settings) -> int:
    from app.evaluation.everyday.question_file import holds_everyday_questions
    from app.evaluation.index_quality import evaluate, read_judged, table

    if holds_everyday_questions(Path(args.file)):
        return _questions(args, settings)
    if args.answers:
        raise FixableError("--answers is for everyday questions", "leave it out, or give a file of such questions")
    judged = read_judged(Path(args.file))

    async def measure() -> dict[str, Any]:
        async with _services(settings, args.write) as services:
            with services.bundle() as bundle:
                return await evaluate(judged, bundle.searcher, bundle.answerer)

    result = {"dataset": Path(args.file).parent.name, **asyncio.run(measure())}
    print(table(result))
    print(json.dumps(result))
    return 0


def _questions(args: argparse.Namespace, settings: Settings) -> int:
    from app.evaluation.everyday.asking import ask_all
    from app.evaluation.everyday.question_file import read_everyday_questions
    from app.evaluation.everyday.rightness import GradedAnswer, measured_rightness, rightness_table
    from app.evaluation.everyday.transcript import transcript

    questions = read_everyday_questions(Path(args.file))

    async def measure() -> tuple[str, list[GradedAnswer]]:
        async with _services(settings, args.write) as services:
            with services.bundle() as bundle:
                answers = await ask_all(questions, bundle.answerer)
                return _models(services, bundle), answers

    models, answers = asyncio.run(measure())
    result = {**measured_rightness(Path(args.file).stem, answers), "models": models}
    if args.answers:
        Path(args.answers).write_text(transcript(models, answers), "utf-8")
    print(models)
    print(rightness_table(result))
    print(json.dumps(result, ensure_ascii=False))
    return 0


def _followups(args: argparse.Namespace, settings: Settings) -> int:
    from app.evaluation.everyday.dialogues import (
        UnderstoodDialogue,
        cited_posts,
        dialogues_table,
        dialogues_transcript,
        measured_dialogues,
        read_dialogues,
        understand,
    )

    dialogues = read_dialogues(Path(args.file))

    async def measure() -> tuple[str, list[UnderstoodDialogue]]:
        async with _services(settings, args.write) as services:
            wanted = cited_posts(dialogues)
            posts = await asyncio.to_thread(services.posts, wanted)
            if missing := [one for one in wanted if one not in posts]:
                raise FixableError(
                    f"the index lacks {len(missing)} of the posts that the dialogues are about, such as {missing[0]}",
                    "index the folder that they come from",
                )
            found = await understand(dialogues, posts, services.converser.standalone)
            with services.bundle() as bundle:
                return _models(services, bundle), found

    models, found = asyncio.run(measure())
    result = {**measured_dialogues(Path(args.file).stem, found), "models": models}
    if args.answers:
        Path(args.answers).write_text(dialogues_transcript(models, found), "utf-8")
    print(models)
    print(dialogues_table(result))
    print(json.dumps(result, ensure_ascii=False))
    return 0


def _models(services: Services, bundle: ModelBundle) -> str:
    """Which models a measurement used, in one line."""
    with bundle.live.pin() as generation:
        info = generation.info
    return f"written by {services.writer or 'nobody: quotes'}; {info.posts} posts embedded by {info.identity.model}"


def _retrieval(args: argparse.Namespace, settings: Settings) -> int:
    from app.evaluation.judged_folder import read_folder
    from app.evaluation.ranking_quality import evaluate_retrieval, retrieval_table
    from retrieval.models.cross_encoder import load_reranker
    from retrieval.models.factory import load_embedder
    from retrieval.search.calibration import dense_weights

    corpus, queries = (Path(given) if given else None for given in (args.corpus, args.queries))
    folder = read_folder(Path(args.folder), corpus, queries, args.name)
    embedder = load_embedder(settings)
    weights = dense_weights(settings, embedder.identity.model)
    result = evaluate_retrieval(folder, embedder, settings, weights, load_reranker(settings))
    print(retrieval_table(result))
    print(json.dumps(result, ensure_ascii=False))
    return 0


def _calibrate(args: argparse.Namespace, settings: Settings) -> int:
    from app.evaluation.fusion_weights import FEWEST_QUERIES, as_json, calibrate, calibration_table, keep
    from app.evaluation.judged_folder import read_folder
    from retrieval.models.factory import load_embedder
    from retrieval.search.calibration import calibration_path, default_weights

    folders = [read_folder(Path(folder)) for folder in args.folders]
    embedder = load_embedder(settings)
    model = embedder.identity.model
    learned = calibrate(folders, embedder, settings, default_weights())
    if not learned:
        raise FixableError(f"there are fewer than {FEWEST_QUERIES} judged queries", "give larger judged folders")
    print(calibration_table(model, learned))
    if not args.dry_run:
        keep(calibration_path(settings), model, learned, folders)
        print(f"written to {calibration_path(settings)}; restart a running server to use it")
    print(json.dumps(as_json(model, folders, learned), ensure_ascii=False))
    return 0


def _answers(args: argparse.Namespace, settings: Settings) -> int:
    from app.answering.generation import load_generator
    from app.evaluation.answer_quality import answer_questions, answers_table, measured_answers
    from app.evaluation.judged_questions import read_questions
    from app.services import nli_pool
    from retrieval.models.entailment import load_entailment
    from retrieval.models.factory import load_embedder
    from retrieval.search.calibration import dense_weights

    folder = Path(args.folder)
    questions = read_questions(folder, args.limit)
    given = {"answer_sentences": args.sentences, "llm": args.llm, "answer_gate": args.gate}
    settings = changed(settings, {name: value for name, value in given.items() if value is not None})
    embedder, generator = load_embedder(settings), load_generator(settings)
    model = embedder.identity.model
    weights = dense_weights(settings, model)
    nli = nli_pool(load_entailment(settings), settings)
    try:
        judged = asyncio.run(answer_questions(questions, embedder, generator, settings, weights, nli))
    finally:
        if nli is not None:
            nli.close()
    result = measured_answers(args.name or folder.resolve().name, judged)
    print(answers_table(result, settings.answer_gate, generator.name if generator is not None else "nobody", model))
    print(json.dumps(result, ensure_ascii=False))
    return 0


def _support(args: argparse.Namespace, settings: Settings) -> int:
    from app.answering.checking.citations import SupportChecker
    from app.evaluation.support_accuracy import evaluate_support, read_claims, support_table
    from app.services import nli_pool
    from retrieval.models.ensemble import specialist
    from retrieval.models.entailment import load_entailment
    from retrieval.models.factory import load_embedder

    folder = Path(args.folder)
    claims = read_claims(folder)
    nli = nli_pool(load_entailment(settings), settings)
    try:
        checker = SupportChecker(specialist(load_embedder(settings)), nli)
        result = evaluate_support(claims, checker, settings.answer_support)
    finally:
        if nli is not None:
            nli.close()
    print(support_table(result))
    print(json.dumps({"dataset": folder.resolve().name, **result}, ensure_ascii=False))
    return 0


def _hostile(args: argparse.Namespace, settings: Settings) -> int:
    from app.answering.generation import Generator, load_generator
    from app.evaluation.attack_scenes import read_attacks
    from app.evaluation.attack_success import Attacked, attacked, attacks_table, measured_attacks
    from app.evaluation.obedient_model import ObedientGenerator
    from retrieval.models.factory import load_embedder
    from retrieval.search.calibration import dense_weights

    if args.folder and Path(args.folder).is_file():
        return _lies(args, settings)
    if args.answers:
        raise FixableError("--answers is for a file of posts that lie", "leave it out, or give such a file")
    attacks = read_attacks(Path(args.folder) if args.folder else None)
    settings = changed(settings, {"llm": args.llm} if args.llm is not None else {})
    embedder, real = load_embedder(settings), load_generator(settings)
    models: list[Generator | None] = [None, ObedientGenerator()]
    weights = dense_weights(settings, embedder.identity.model)
    found: list[Attacked] = []
    for generator in [*models, *([real] if real is not None else [])]:
        found += asyncio.run(attacked(attacks, generator, embedder, settings, weights))
    print(attacks_table(found))
    print(json.dumps(measured_attacks(Path(args.folder).resolve().name if args.folder else "hostile", found)))
    return int(any(one.reached is not None for one in found))


def _lies(args: argparse.Namespace, settings: Settings) -> int:
    from app.answering.generation import load_generator
    from app.evaluation.lying_posts import lies_table, lies_transcript, measured_lies, read_lies, told
    from retrieval.models.factory import load_embedder
    from retrieval.search.calibration import dense_weights

    lies = read_lies(Path(args.folder))
    settings = changed(settings, {"llm": args.llm} if args.llm is not None else {})
    embedder, real = load_embedder(settings), load_generator(settings)
    weights = dense_weights(settings, embedder.identity.model)
    found = [
        one
        for generator in [None, *([real] if real is not None else [])]
        for one in asyncio.run(told(lies, generator, embedder, settings, weights))
    ]
    result = measured_lies(Path(args.folder).stem, found)
    if args.answers:
        Path(args.answers).write_text(lies_transcript(found), "utf-8")
    print(lies_table(result))
    print(json.dumps(result, ensure_ascii=False))
    return 0
