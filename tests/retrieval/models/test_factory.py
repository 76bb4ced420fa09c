"""A model that is not there is named, with what to do; of several, what to do without it as well."""

from __future__ import annotations

from pathlib import Path

import pytest

from retrieval.errors import ModelMissing
from retrieval.models.factory import load_embedder
from retrieval.settings import Settings


def settings(folder: Path, model: str) -> Settings:
    return Settings(data_dir=folder, embedding_model=model, _env_file=None)


def test_a_folder_that_is_gone_is_named_and_the_hub_is_not_asked(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match=r"folder .*/second is not there") as raised:
        load_embedder(settings(tmp_path, str(tmp_path / "second")))
    assert "bring the folder back" in raised.value.fix


def test_of_several_models_the_missing_one_is_named_with_the_setting_that_does_without(tmp_path: Path) -> None:
    missing = tmp_path / "one"
    with pytest.raises(ModelMissing, match="/one is not there") as raised:
        load_embedder(settings(tmp_path, f"{missing}+multilingual-e5-small"))
    assert "STIPPLE_EMBEDDING_MODEL=multilingual-e5-small and run `stipple reindex PATH`" in raised.value.fix
