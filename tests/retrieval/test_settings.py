"""Settings: read only from the environment, refused with the variable's name, and all documented."""

from __future__ import annotations

from pathlib import Path

import pytest

from retrieval.errors import FixableError
from retrieval.settings import Settings, load_settings

DOCUMENT = Path(__file__).parents[2] / "docs" / "configuration.md"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_documented_with_its_default_and_meaning(name: str) -> None:
    field = Settings.model_fields[name]
    default = "(empty)" if field.default == "" else f"`{field.default}`"
    assert f"| `STIPPLE_{name.upper()}` | {default} | {field.description} |" in DOCUMENT.read_text("utf-8")


def test_no_setting_is_documented_that_there_is_none_of() -> None:
    rows = [line for line in DOCUMENT.read_text("utf-8").splitlines() if line.startswith("| `STIPPLE_")]
    assert len(rows) == len(Settings.model_fields)


def test_a_value_that_cannot_be_is_refused_with_the_variables_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STIPPLE_PORT", "eighty")
    with pytest.raises(FixableError, match="STIPPLE_PORT is 'eighty'"):
        load_settings()
