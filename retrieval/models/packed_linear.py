"""Linear layers whose weights are stored in the layout of the processor's kernels, and whole encoder layers made of
them.

Without packing, every layer's weights are converted for each query: a third of the time of embedding one. Fusing steps
within a layer saves a sixth of the rest (benchmarks/LOG.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch.nn import functional


def _linear(activation: str) -> Any:
    """The kernel as a function made from its graph, since tracing cannot record the empty list of numbers that it
    takes.

    Args:
        activation: Applied to the result before rounding: "none" or "gelu".
    """
    return torch._C._create_function_from_graph(
        f"packed_linear_{activation}",
        torch._C.parse_ir(f"""
graph(%x : Tensor, %weight : Tensor, %bias : Tensor):
  %activation : str = prim::Constant[value="{activation}"]()
  %exactly : str = prim::Constant[value="none"]()
  %numbers : Scalar?[] = prim::ListConstruct()
  %y : Tensor = mkldnn::_linear_pointwise(%x, %weight, %bias, %activation, %numbers, %exactly)
  return (%y)
"""),
    )


_LINEAR, _LINEAR_GELU = _linear("none"), _linear("gelu")


class PackedModule(torch.nn.Module):
    """A module with packed linear layers. It takes the module's input followed by `weights`, since a trace cannot hold
    packed weights. The module itself is changed until `restore`.

    Args:
        whole_layers: Whether to replace whole layers of BERT-like encoders. These attend to every token, as if none
            were padding.

    Attributes:
        weights: The packed weights: a second copy in memory.
    """

    def __init__(self, module: torch.nn.Module, *, whole_layers: bool) -> None:
        super().__init__()
        self.module = module
        self._replaced = list(_replacements(module, whole_layers))
        self.weights: list[torch.Tensor] = [weight for *_, made in self._replaced for weight in made.weights]
        for parent, name, _, made in self._replaced:
            setattr(parent, name, made)

    def forward(self, first: torch.Tensor, *weights: torch.Tensor) -> Any:
        given = iter(weights)
        for *_, made in self._replaced:
            made.weights = [next(given) for _ in made.weights]
        return self.module(first)

    def restore(self) -> None:
        """Put the module's own layers back."""
        for parent, name, child, _ in self._replaced:
            setattr(parent, name, child)


class _PackedLinear(torch.nn.Module):
    def __init__(self, linear: Any) -> None:
        super().__init__()
        self.weights = [_packed(linear.weight)]
        self.bias = linear.bias.detach()

    def forward(self, x: torch.Tensor) -> Any:
        return _LINEAR(x, self.weights[0], self.bias)


class _PackedLayer(torch.nn.Module):
    """One encoder layer: query, key and value in one multiplication, and GELU inside the kernel before it."""

    def __init__(self, layer: Any) -> None:
        super().__init__()
        own, out = layer.attention.self, layer.attention.output
        joined, others = [own.query, own.key, own.value], [out.dense, layer.intermediate.dense, layer.output.dense]
        self.heads = own.num_attention_heads
        weights = [torch.cat([one.weight for one in joined]), *(one.weight for one in others)]
        self.weights = list(map(_packed, weights))
        self.biases = [torch.cat([one.bias for one in joined]).detach(), *(one.bias.detach() for one in others)]
        self.attention_norm, self.norm = out.LayerNorm, layer.output.LayerNorm

    def forward(self, x: torch.Tensor, *_: Any, **__: Any) -> Any:
        joined, out, inner, outer = zip(self.weights, self.biases, strict=True)
        texts, tokens, width = x.shape
        apart = _LINEAR(x, *joined).view(texts, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(apart[0], apart[1], apart[2])
        x = self.attention_norm(_LINEAR(seen.transpose(1, 2).reshape(texts, tokens, width), *out) + x)
        return self.norm(_LINEAR(_LINEAR_GELU(x, *inner), *outer) + x)


def _replacements(module: torch.nn.Module, whole_layers: bool) -> Iterator[tuple[torch.nn.Module, str, Any, Any]]:
    """Parents, names, current children and their replacements."""
    for name, child in module.named_children():
        if whole_layers and _is_known_layer(child):
            yield module, name, child, _PackedLayer(child)
        elif type(child) is torch.nn.Linear and child.bias is not None:
            yield module, name, child, _PackedLinear(child)
        else:
            yield from _replacements(child, whole_layers)


def _is_known_layer(layer: Any) -> bool:
    """Whether it has the parts of a BERT, RoBERTa or XLM-RoBERTa layer, by name, with exact GELU."""
    try:
        own, out = layer.attention.self, layer.attention.output
        linears = [own.query, own.key, own.value, out.dense, layer.intermediate.dense, layer.output.dense]
        norms = [out.LayerNorm, layer.output.LayerNorm]
        probe = torch.linspace(-4, 4, 33)
        return (
            all(type(one) is torch.nn.Linear and one.bias is not None for one in linears)
            and all(type(one) is torch.nn.LayerNorm for one in norms)
            and torch.allclose(layer.intermediate.intermediate_act_fn(probe), functional.gelu(probe))
        )
    except (AttributeError, TypeError):
        return False


def _packed(weight: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        packed: torch.Tensor = torch.ops.mkldnn._reorder_linear_weight(weight.detach(), None)
    return packed
