"""What a gate at each height would answer and decline, drawn as an SVG: one curve per judged folder.

    python benchmarks/gate.py docs/gate.svg DIR…

Each DIR holds questions.jsonl (docs/evaluation.md) with answerable and unanswerable questions. Prints a table, then one
JSON line last.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from app.evaluation.answer_quality import Judged, answer_questions
from app.evaluation.judged_questions import read_questions
from app.evaluation.operating_curve import auc, declined_at
from retrieval.models.embedding import Embedder
from retrieval.models.factory import load_embedder
from retrieval.search.calibration import dense_weights
from retrieval.settings import Settings, load_settings

GATE = 0.5
_SIDE, _LEFT, _TOP, _LEGEND = 420, 70, 40, 230
_COLOURS = ("#1b6ca8", "#c8553d", "#2a9d5c", "#8a5fbf", "#b8860b", "#4a4a4a", "#d1478f", "#008b8b")


def main(arguments: Sequence[str]) -> int:
    if len(arguments) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    settings = load_settings()
    sets = measured([Path(folder) for folder in arguments[1:]], load_embedder(settings), settings)
    write(Path(arguments[0]), sets)
    return 0


def measured(
    folders: Sequence[Path], embedder: Embedder, settings: Settings
) -> dict[str, tuple[list[float], list[float]]]:
    """By folder, how sure the gate was of its answerable and of its unanswerable questions."""
    weights = dense_weights(settings, embedder.identity.model)
    sets: dict[str, tuple[list[float], list[float]]] = {}
    for folder in folders:
        questions = read_questions(folder)
        judged = asyncio.run(answer_questions(questions, embedder, None, settings, weights))
        sets[folder.resolve().name] = _confidences(judged, True), _confidences(judged, False)
    return sets


def _confidences(judged: Sequence[Judged], answerable: bool) -> list[float]:
    return [one.answer.confidence for one in judged if one.question.answerable == answerable]


def write(path: Path, sets: dict[str, tuple[list[float], list[float]]]) -> None:
    """Draw, and print the figures."""
    both = {name: pair for name, pair in sets.items() if all(pair)}
    path.write_text(drawn(both), "utf-8")
    figures: dict[str, Any] = {}
    print(f"{'set':24} {'answered':>8} {'declined':>8} {'auc':>6} {'declined at .90':>15}   (gate {GATE})")
    for name, (can, cannot) in both.items():
        answered, declined = _point(can, cannot, GATE)
        area, at_90 = auc(can, cannot), declined_at(0.9, can, cannot)
        print(f"{name:24} {answered:8.3f} {declined:8.3f} {area:6.3f} {at_90:15.3f}")
        figures[name] = {
            "answered": round(answered, 4), "declined": round(declined, 4), "auc": area, "declined_at_90": at_90,
        }  # fmt: skip
    print(json.dumps({"gate": GATE, "sets": figures}, ensure_ascii=False))


def _point(can: Sequence[float], cannot: Sequence[float], gate: float) -> tuple[float, float]:
    """Share of the answerable answered and of the unanswerable declined."""
    return sum(one >= gate for one in can) / len(can), sum(one < gate for one in cannot) / len(cannot)


def drawn(sets: dict[str, tuple[list[float], list[float]]]) -> str:
    """The curves as SVG: rightwards more of the unanswerable is declined, upwards more of the answerable answered."""
    width, height = _LEFT + _SIDE + _LEGEND, _TOP + _SIDE + 60
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        ' font-family="sans-serif" font-size="13" role="img">',
        "<title>Answered share of answerable questions against declined share of unanswerable ones</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    for tenth in range(0, 11, 2):
        share = tenth / 10
        x, y = _x(share), _y(share)
        parts += [
            f'<path d="M{x} {_y(0)}V{_y(1)}M{_x(0)} {y}H{_x(1)}" stroke="#dddddd" fill="none"/>',
            f'<text x="{x}" y="{_y(0) + 18}" text-anchor="middle" fill="#333333">{share:.1f}</text>',
            f'<text x="{_x(0) - 8}" y="{y + 4}" text-anchor="end" fill="#333333">{share:.1f}</text>',
        ]
    parts += [
        f'<path d="M{_x(0)} {_y(1)}L{_x(1)} {_y(0)}" stroke="#aaaaaa" stroke-dasharray="4 4" fill="none"/>',
        f'<text x="{_x(0.5)}" y="{_y(0) + 42}" text-anchor="middle" fill="#333333">'
        "declined share of unanswerable questions</text>",
        f'<text transform="translate({_LEFT - 48} {_y(0.5)}) rotate(-90)" text-anchor="middle" fill="#333333">'
        "answered share of answerable questions</text>",
    ]
    for number, (name, (can, cannot)) in enumerate(sets.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        gates = [0.0, *sorted({*can, *cannot}), 1.01]
        curve = " ".join(
            f"{_x(declined):.1f},{_y(answered):.1f}" for answered, declined in (_point(can, cannot, g) for g in gates)
        )
        answered, declined = _point(can, cannot, GATE)
        at = _TOP + 12 + 22 * number
        parts += [
            f'<polyline points="{curve}" fill="none" stroke="{colour}" stroke-width="2"/>',
            f'<circle cx="{_x(declined):.1f}" cy="{_y(answered):.1f}" r="5" fill="{colour}" stroke="#ffffff"/>',
            f'<circle cx="{_x(1) + 24}" cy="{at - 4}" r="5" fill="{colour}"/>',
            f'<text x="{_x(1) + 36}" y="{at}" fill="#333333">{escape(name)}  {auc(can, cannot):.2f}</text>',
        ]
    at = _TOP + 12 + 22 * len(sets) + 10
    parts += [
        f'<text x="{_x(1) + 18}" y="{at}" fill="#666666" font-size="11">number: area under the curve</text>',
        f'<text x="{_x(1) + 18}" y="{at + 16}" fill="#666666" font-size="11">dot: the default gate, {GATE}</text>',
        f'<text x="{_x(1) + 18}" y="{at + 32}" fill="#666666" font-size="11">dashed: chance</text>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _x(share: float) -> float:
    return _LEFT + _SIDE * share


def _y(share: float) -> float:
    return _TOP + _SIDE * (1 - share)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
