"""Packed weights do not change what an encoder computes."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import transformers

from retrieval.models.packed_linear import PackedModule

SIZE = {
    "vocab_size": 60,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 40,
}
IDS = torch.tensor([[5, 9, 17, 3, 41, 8, 2], [7, 2, 30, 30, 6, 11, 2]])


class Encoder(torch.nn.Module):
    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: torch.Tensor) -> Any:
        return self.model(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state


def an_encoder(kind: str, **settings: Any) -> Encoder:
    torch.manual_seed(0)
    config = getattr(transformers, f"{kind}Config")(**SIZE | settings)
    return Encoder(getattr(transformers, f"{kind}Model")(config)).eval()


@pytest.mark.parametrize(
    ("encoder", "weights"),
    [
        (an_encoder("Bert"), 4 * 2),
        (an_encoder("Roberta"), 4 * 2),
        (an_encoder("XLMRoberta"), 4 * 2),
        (an_encoder("Bert", hidden_act="relu"), 6 * 2),
        (an_encoder("Bert", hidden_act="gelu_new"), 6 * 2),
        (an_encoder("MPNet"), 6 * 2),
    ],
    ids=["BERT", "RoBERTa", "XLM-RoBERTa", "BERT with ReLU", "BERT with GELU by tanh", "MPNet"],
)
@torch.no_grad()
def test_layers_that_are_known_are_packed_whole_and_of_others_the_linear_ones(encoder: Encoder, weights: int) -> None:
    before, modules = encoder(IDS), list(encoder.modules())
    for whole_layers in (True, False):
        packed = PackedModule(encoder, whole_layers=whole_layers)
        assert torch.allclose(packed(IDS, *packed.weights), before, atol=1e-5)
        assert len(packed.weights) == (weights if whole_layers else 6 * 2) + 1, "one of the pooler"
        packed.restore()
        assert list(encoder.modules()) == modules
    assert torch.equal(encoder(IDS), before)
