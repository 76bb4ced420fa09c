"""The weight of the cosine in the fused score: set, learned from judged queries, or the default.

Learned weights are kept in data_dir/calibration.json, by embedder: those of one model do not fit another.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retrieval.errors import FixableError
from retrieval.settings import Settings

FILE = "calibration.json"


@dataclass(frozen=True, slots=True)
class DenseWeights:
    """Share of the cosine, 0 to 1.

    Attributes:
        known: In a language that the embedder knows.
        unknown: In any other, for passages of length zero (see fusion.dense_weight_unknown).
        source: Where they come from, for people: "default", "set", "calibrated".
    """

    known: float
    unknown: float
    source: str = "default"


def calibration_path(settings: Settings) -> Path:
    return settings.data_dir / FILE


def read_calibrations(path: Path) -> dict[str, dict[str, Any]]:
    """Learned weights by model: {"known": {"weight": .8, …}, "unknown": {…}}, either of which may be absent.

    Raises:
        FixableError: The file is damaged, or cannot be read.
    """
    fix = f"delete {path}, or run `stipple eval calibrate DIR` again"
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise FixableError(f"{path} cannot be read: {error}", fix) from error
    try:
        models: dict[str, dict[str, Any]] = json.loads(text)["models"]
        for learned in models.values():
            for one in learned.values():
                if not 0 <= float(one["weight"]) <= 1:
                    raise ValueError(f"the weight {one['weight']} is not between 0 and 1")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FixableError(f"{path} is damaged: {error!r}", fix) from error
    return models


def default_weights() -> DenseWeights:
    """The weights when nothing is set and nothing was learned, whatever the environment says."""
    fields = Settings.model_fields
    return DenseWeights(float(fields["dense_weight_known"].default), float(fields["dense_weight_unknown"].default))


def dense_weights(settings: Settings, model: str) -> DenseWeights:
    """The weights for an embedder: what the operator set, else what was learned for it, else the defaults.

    Raises:
        FixableError: The learned weights cannot be read.
    """
    learned = read_calibrations(calibration_path(settings)).get(model, {})
    found, sources = {}, []
    for name, field in (("known", "dense_weight_known"), ("unknown", "dense_weight_unknown")):
        found[name] = float(getattr(settings, field))
        if field in settings.model_fields_set:
            sources.append("set")
        elif name in learned:
            found[name] = float(learned[name]["weight"])
            sources.append("calibrated")
        else:
            sources.append("default")
    return DenseWeights(found["known"], found["unknown"], ", ".join(dict.fromkeys(sources)))
