"""Linear layers whose weights lie as the processor's kernels want them.

Without it the weights of every layer are laid out anew for each query: a third of embedding one (benchmarks/LOG.md).
"""

from __future__ import annotations

from typing import Any

import torch

# Tracing cannot record the empty list of numbers that the kernel takes; a function made of its graph is taken whole.
_LINEAR: Any = torch._C._create_function_from_graph(
    "packed_linear",
    torch._C.parse_ir("""
graph(%x : Tensor, %weight : Tensor, %bias : Tensor):
  %none : str = prim::Constant[value="none"]()
  %numbers : Scalar?[] = prim::ListConstruct()
  %y : Tensor = mkldnn::_linear_pointwise(%x, %weight, %bias, %none, %numbers, %none)
  return (%y)
"""),
)


class PackedLinears(torch.nn.Module):
    """A module with its linear layers packed: it takes what the module takes and then `packed`, since a trace can hold
    no packed weight itself. Until `restore` the module itself is changed.

    Attributes:
        packed: The weights: a second copy of them in memory.
    """

    def __init__(self, module: torch.nn.Module) -> None:
        super().__init__()
        self.module = module
        self._replaced = [
            (parent, name, child, _PackedLinear(child.bias))
            for parent in module.modules()
            for name, child in parent.named_children()
            if type(child) is torch.nn.Linear and child.bias is not None
        ]
        with torch.no_grad():
            self.packed: list[torch.Tensor] = [
                torch.ops.mkldnn._reorder_linear_weight(child.weight.detach(), None)
                for _, _, child, _ in self._replaced
            ]
        for parent, name, _, linear in self._replaced:
            setattr(parent, name, linear)

    def forward(self, first: torch.Tensor, *packed: torch.Tensor) -> Any:
        for (_, _, _, linear), weight in zip(self._replaced, packed, strict=True):
            linear.weight = weight
        return self.module(first)

    def restore(self) -> None:
        """Put the module's own layers back."""
        for parent, name, child, _ in self._replaced:
            setattr(parent, name, child)


class _PackedLinear(torch.nn.Module):
    def __init__(self, bias: torch.Tensor) -> None:
        super().__init__()
        self.bias = bias
        self.weight: torch.Tensor | None = None

    def forward(self, x: torch.Tensor) -> Any:
        return _LINEAR(x, self.weight, self.bias)
