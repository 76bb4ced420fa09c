"""A picture of dots for a post, drawn from its id: the same post always looks the same. Pure."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

TINTS = 6
WIDTH, HEIGHT = 240, 120
_STEP = 10  # between dots of a row
_ROW = 9  # between rows: about sqrt(3)/2 of the step, so that the dots stand in triangles
# Diameters that dots are rounded to: one path each, since all dots of a path are as thick as its stroke.
_SIZES = (1.6, 2.8, 4.2, 5.8, 7.4)

_Field = Callable[[float, float], float]


@dataclass(frozen=True, slots=True)
class Dots:
    """Dots of one size, as the data of a path of strokes without length; `size` counts from 0."""

    size: int
    path: str


@dataclass(frozen=True, slots=True)
class Motif:
    """A stippled picture, WIDTH by HEIGHT.

    Attributes:
        tint: Of the paper, 0 to TINTS - 1.
        shape: Which of three heights its card gives it, 0 to 2.
        lit: Where the one lit dot is.
    """

    tint: int
    shape: int
    dots: tuple[Dots, ...]
    lit: tuple[int, int]


@lru_cache(maxsize=2048)
def motif(identity: str) -> Motif:
    """The motif of the post with this id."""
    drawn = hashlib.blake2s(identity.encode("utf-8", "replace"), digest_size=12).digest()
    share = [byte / 255 for byte in drawn]
    field = (_sun, _hills, _rings, _waves, _drift)[drawn[0] % 5](share[3:])
    by_size: dict[int, list[str]] = {}
    spots: list[tuple[int, int]] = []
    for row in range(HEIGHT // _ROW + 1):
        y = 3 + row * _ROW
        for column in range(WIDTH // _STEP + 1):
            x = column * _STEP + (_STEP // 2 if row % 2 else 0)
            strength = field(x / WIDTH, y / HEIGHT)
            if strength < 0.06:
                continue
            size = min(int(strength * len(_SIZES)), len(_SIZES) - 1)
            by_size.setdefault(size, []).append(f"M{x} {y}h0")
            if size >= 2 and 20 < x < WIDTH - 20 and 20 < y < HEIGHT - 20:
                spots.append((x, y))
    lit = spots[drawn[2] * len(spots) // 256] if spots else (WIDTH // 2, HEIGHT // 2 + 3)
    dots = tuple(Dots(size, "".join(by_size[size])) for size in sorted(by_size))
    return Motif(drawn[1] % TINTS, drawn[1] // TINTS % 3, dots, lit)


# Fields: from a place in the picture, 0 to 1 both ways, to the strength of its dot, 0 to 1.


def _sun(share: list[float]) -> _Field:
    """A disc over a horizon."""
    at_x, at_y, radius = 0.2 + 0.6 * share[0], 0.3 + 0.25 * share[1], 0.2 + 0.14 * share[2]
    horizon = 0.68 + 0.12 * share[3]

    def field(x: float, y: float) -> float:
        if y > horizon:
            return 0.18 + 0.75 * (y - horizon) / (1 - horizon) * (0.6 + 0.4 * math.cos((x - at_x) * 5))
        away = math.hypot((x - at_x) * 2, y - at_y)
        return 0.85 - 0.55 * away / radius if away < radius else 0.1

    return field


def _hills(share: list[float]) -> _Field:
    """Two ridges, the nearer one darker."""
    phases = [6.3 * one for one in share[:4]]

    def ridge(x: float, at: float, waves: float, first: float, second: float) -> float:
        return at + 0.12 * math.sin(x * waves + first) + 0.05 * math.sin(x * waves * 2.3 + second)

    def field(x: float, y: float) -> float:
        near, far = ridge(x, 0.74, 5.0, phases[0], phases[1]), ridge(x, 0.46, 3.4, phases[2], phases[3])
        if y > near:
            return 0.62 + 0.38 * (y - near) / 0.4
        if y > far:
            return 0.24 + 0.25 * (y - far) / max(near - far, 0.05)
        return 0.08

    return field


def _rings(share: list[float]) -> _Field:
    """Circles around a point, weaker the farther they are."""
    at_x, at_y, width = 0.15 + 0.7 * share[0], 0.2 + 0.6 * share[1], 0.24 + 0.14 * share[2]

    def field(x: float, y: float) -> float:
        away = math.hypot((x - at_x) * 2, y - at_y)
        return max(0.0, 0.5 + 0.5 * math.cos(away / width * 6.3)) * max(0.12, 1 - away / 1.5)

    return field


def _waves(share: list[float]) -> _Field:
    """Water, seen slantwise."""
    slant, count, phase = 1.5 * share[0], 2.0 + 1.6 * share[1], 6.3 * share[2]

    def field(x: float, y: float) -> float:
        crest = 0.5 + 0.5 * math.sin(6.3 * (y * count + x * slant + 0.09 * math.sin(6.3 * x + phase)) + phase)
        return crest * (0.25 + 0.7 * y)

    return field


def _drift(share: list[float]) -> _Field:
    """Dots that thin out from one corner to the other."""
    angle, bend = 6.3 * share[0], 0.2 + 0.3 * share[1]
    across, down = math.cos(angle), math.sin(angle)

    def field(x: float, y: float) -> float:
        along = (
            (x - 0.5) * across + (y - 0.5) * down + bend * math.sin(4 * (x * down - y * across) + 6.3 * share[2]) / 2
        )
        return 0.45 + 0.75 * along

    return field
