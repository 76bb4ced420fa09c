"""What a model that writes takes, and what it is worth: memory, seconds an answer, and gold in its answers.

    python benchmarks/models.py --models none qwen2.5-coder-0.5b qwen2.5-coder-1.5b --judged judged/one… --limit 25

Each model is one process, with STIPPLE_DATA_DIR's models and settings, and answers the first `--limit` questions of
each folder (docs/evaluation.md) from their own posts, as `stipple eval answers` does.

- loaded MB: what the process holds (RSS) once the writer is loaded and has read and written a little, above what it
  holds with the embedders alone; llama.cpp maps the file, so that the weights count once they are read. An endpoint's
  memory is elsewhere.
- peak MB: the most that the process held at any time, embedders included.
- s p50, s p90: seconds of a question whose answer was written, from the question to its last sentence.
- written: share of the answered questions whose answer was written, not quoted. gold: share of the answerable questions
  whose answer holds the gold words.

Prints a table and, last, one JSON line. Other work on the machine distorts the seconds: `load_1_min` shows it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from statistics import median, quantiles
from threading import Event
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))


def measured(model: str, folders: list[Path], limit: int) -> dict[str, Any]:
    """The figures of one model, of this process."""
    from app.answering.generation import GenerateRequest, load_generator
    from app.evaluation.answer_quality import answer_questions, measured_answers
    from app.evaluation.judged_questions import read_questions
    from retrieval.models.factory import load_embedder
    from retrieval.search.calibration import dense_weights
    from retrieval.settings import changed, load_settings

    settings = changed(load_settings(), {"llm": model})
    embedder = load_embedder(settings)
    embedder.embed_query("早上好 good morning")
    weights = dense_weights(settings, embedder.identity.model)
    sets = {folder.resolve().name: read_questions(folder, limit) for folder in folders}
    first = next(iter(sets.values()))[:1]
    asyncio.run(answer_questions(first, embedder, None, settings, weights))  # reads dictionaries
    embedders_mb = _held_mb()
    generator = load_generator(settings)
    if generator is not None:
        list(generator.generate(GenerateRequest("", "Say hello to everybody. " * 40, 8), Event()))
    loaded_mb = _held_mb() - embedders_mb
    figures: dict[str, Any] = {"model": model, "embedders_mb": embedders_mb, "loaded_mb": loaded_mb, "sets": {}}
    for name, questions in sets.items():
        writer = generator or load_generator(settings)
        generator = None  # a set closes its writer when it ends
        judged = asyncio.run(answer_questions(questions, embedder, writer, settings, weights))
        written = [one for one in judged if one.answer.kind == "written"]
        answered = [one for one in judged if one.answer.sentences]
        seconds = [one.answer.timings_ms["total"] / 1000 for one in written]
        figures["sets"][name] = {
            "questions": len(judged),
            "gold_in_answer": measured_answers(name, judged)["gold_in_answer"],
            "written": round(len(written) / len(answered), 3) if answered else None,
            "s_p50": round(median(seconds), 2) if seconds else None,
            "s_p90": round(quantiles(seconds, n=10)[-1], 2) if len(seconds) > 1 else None,
        }
    figures["peak_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    return figures


def _held_mb() -> int:
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    [held] = [line.split()[1] for line in lines if line.startswith("VmRSS")]
    return round(int(held) / 1024)


def table(found: list[dict[str, Any]]) -> str:
    heads = ("loaded MB", "peak MB", "set", "gold", "written", "s p50", "s p90")
    lines = [f"{'model':24}" + "".join(f"{head:>14}" for head in heads)]
    for one in found:
        for name, figures in one["sets"].items():
            cells = [one["loaded_mb"], one["peak_mb"], name, figures["gold_in_answer"], figures["written"]]
            cells += [figures["s_p50"], figures["s_p90"]]
            lines.append(f"{Path(one['model']).name:24.24}" + "".join(f"{cell!s:>14.13}" for cell in cells))
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", required=True, help="as STIPPLE_LLM names them")
    parser.add_argument("--judged", type=Path, nargs="+", required=True, help="folders with questions.jsonl")
    parser.add_argument("--limit", type=int, default=25, help="questions of each folder")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        print(json.dumps(measured(args.models[0], args.judged, args.limit)))
        return
    found = []
    for model in args.models:
        run = [sys.executable, __file__, "--child", "--models", model, "--limit", str(args.limit), "--judged"]
        done = subprocess.run([*run, *map(str, args.judged)], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
        found.append(json.loads(done.stdout.splitlines()[-1]))
        print(f"{model}: {done.stdout.splitlines()[-1]}", file=sys.stderr, flush=True)
    print(table(found))
    print(json.dumps({"benchmark": "models", "models": found, "load_1_min": round(os.getloadavg()[0], 1)}))


if __name__ == "__main__":
    main()
