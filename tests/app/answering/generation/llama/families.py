"""Models of every family, tiny and with random weights, written to disk with gguf-py.

Each is what llama.cpp asks of its architecture: all tensors, all required keys, a tokenizer that reads any text, the
family's own control tokens, and a chat template of its shape. They say nothing sensible, and are loaded, prompted and
read like the real ones.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import gguf
import numpy as np

LAYERS, WIDTH, HEADS, HEADS_KV, HEAD, HIDDEN, EXPERTS = 2, 64, 4, 2, 16, 96, 4
CONTEXT = 2048
_TEXT = (
    "A flat white at Blue Door is 28 yuan, and oat milk is 3 yuan more. They open every day from nine until ten "
    "at night. The posts say that the camp by the lake has parking. 人民路下段的咖啡馆手冲28元，拿铁22元。"
    "营地停车费一晚30元，下午四点以后院子里有太阳。"
) * 2
Shapes = Iterator[tuple[str, tuple[int, ...]]]


@dataclass(frozen=True)
class Family:
    """One architecture.

    Attributes:
        controls: Its special tokens; the first begins a sequence, the second ends a turn.
        pre: How llama.cpp splits text before its byte pairs are merged; "" for a SentencePiece vocabulary.
        keys: Metadata beyond what all have, by name behind the architecture's.
        layer: Names and shapes (as NumPy has them) of one layer's tensors.
        thinks: How it marks its thoughts, for people; "" where it has none.
    """

    architecture: str
    models: str
    controls: tuple[str, ...]
    template: str
    pre: str
    layer: Callable[[int], Shapes]
    keys: Mapping[str, int | float | bool]
    thinks: str = ""
    system_role: bool = True


def _attention(*, bias: bool = False, norms: bool = False, heads_kv: int = HEADS_KV) -> Shapes:
    yield "attn_norm.weight", (WIDTH,)
    for name, heads in (("q", HEADS), ("k", heads_kv), ("v", heads_kv)):
        yield f"attn_{name}.weight", (heads * HEAD, WIDTH)
        if bias:
            yield f"attn_{name}.bias", (heads * HEAD,)
    yield "attn_output.weight", (WIDTH, HEADS * HEAD)
    if norms:
        yield "attn_q_norm.weight", (HEAD,)
        yield "attn_k_norm.weight", (HEAD,)


def _dense(suffix: str = "") -> Shapes:
    yield f"ffn_gate{suffix}.weight", (HIDDEN, WIDTH)
    yield f"ffn_up{suffix}.weight", (HIDDEN, WIDTH)
    yield f"ffn_down{suffix}.weight", (WIDTH, HIDDEN)


def _experts() -> Shapes:
    yield "ffn_gate_inp.weight", (EXPERTS, WIDTH)
    yield "ffn_gate_exps.weight", (EXPERTS, HIDDEN, WIDTH)
    yield "ffn_up_exps.weight", (EXPERTS, HIDDEN, WIDTH)
    yield "ffn_down_exps.weight", (EXPERTS, WIDTH, HIDDEN)


def _llama(_: int) -> Shapes:
    yield from _attention()
    yield "ffn_norm.weight", (WIDTH,)
    yield from _dense()


def _qwen2(_: int) -> Shapes:
    yield from _attention(bias=True)
    yield "ffn_norm.weight", (WIDTH,)
    yield from _dense()


def _qwen3(_: int) -> Shapes:
    yield from _attention(norms=True)
    yield "ffn_norm.weight", (WIDTH,)
    yield from _dense()


def _qwen3moe(_: int) -> Shapes:
    yield from _attention(norms=True)
    yield "ffn_norm.weight", (WIDTH,)
    yield from _experts()


def _dots1(number: int) -> Shapes:
    yield from _attention(norms=True, heads_kv=HEADS)  # llama.cpp knows it with as many key heads as heads alone
    yield "ffn_norm.weight", (WIDTH,)
    yield from _dense_then_experts(number)


def _dense_then_experts(number: int) -> Shapes:
    if number == 0:  # leading_dense_block_count
        yield from _dense()
        return
    yield from _experts()
    yield "exp_probs_b.bias", (EXPERTS,)
    yield from _dense("_shexp")


_Q_RANK, _KV_RANK, _ROPE = 24, 32, 8


def _deepseek2(number: int) -> Shapes:
    """Multi-head latent attention, in the form that is absorbed into one key per token."""
    yield "attn_norm.weight", (WIDTH,)
    yield "attn_q_a.weight", (_Q_RANK, WIDTH)
    yield "attn_q_a_norm.weight", (_Q_RANK,)
    yield "attn_q_b.weight", (HEADS * (HEAD + _ROPE), _Q_RANK)
    yield "attn_kv_a_mqa.weight", (_KV_RANK + _ROPE, WIDTH)
    yield "attn_kv_a_norm.weight", (_KV_RANK,)
    yield "attn_k_b.weight", (HEADS, _KV_RANK, HEAD)
    yield "attn_v_b.weight", (HEADS, HEAD, _KV_RANK)
    yield "attn_output.weight", (WIDTH, HEADS * HEAD)
    yield "ffn_norm.weight", (WIDTH,)
    yield from _dense_then_experts(number)


def _gemma3(_: int) -> Shapes:
    yield from _attention(norms=True)
    for name in ("post_attention_norm", "ffn_norm", "post_ffw_norm"):
        yield f"{name}.weight", (WIDTH,)
    yield from _dense()


def _gpt_oss(_: int) -> Shapes:
    yield from _attention(bias=True)
    yield "attn_output.bias", (WIDTH,)
    yield "attn_sinks.weight", (HEADS,)
    yield "post_attention_norm.weight", (WIDTH,)
    yield from _experts()
    yield "ffn_gate_inp.bias", (EXPERTS,)
    yield "ffn_gate_exps.bias", (EXPERTS, HIDDEN)
    yield "ffn_up_exps.bias", (EXPERTS, HIDDEN)
    yield "ffn_down_exps.bias", (EXPERTS, WIDTH)


def _turns(begin: str, role: str, end: str, reply: str) -> str:
    """A template of the usual shape; `role` holds ROLE, the rest is written as it is."""
    opened = role.replace("ROLE", "{{ message.role }}")
    return (
        begin + "{% for message in messages %}" + opened + "{{ message.content | trim }}" + end + "{% endfor %}"
        "{% if add_generation_prompt %}" + reply + "{% endif %}"
    )


_CHATML = _turns("", "<|im_start|>ROLE\n", "<|im_end|>\n", "<|im_start|>assistant\n")
_CHATML_THINKING = _CHATML.replace(
    "assistant\n{% endif",
    "assistant\n{% if enable_thinking is defined and not enable_thinking %}<think>\n\n</think>\n\n{% endif %}{% endif",
)
_DEEPSEEK = (
    "{{ bos_token }}{% for message in messages %}{% if message.role == 'user' %}<｜User｜>{% endif %}"
    "{{ message.content }}{% endfor %}<｜Assistant｜><think>\n"
)
_GEMMA = (
    "{{ bos_token }}{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    "{% for message in messages %}<start_of_turn>user\n{{ message.content | trim }}<end_of_turn>\n{% endfor %}"
    "<start_of_turn>model\n"
)
_HARMONY = (
    "<|start|>system<|message|>Reasoning: {{ reasoning_effort }}\n# Valid channels: analysis, commentary, final.<|end|>"
    "{% for message in messages %}<|start|>{{ 'developer' if message.role == 'system' else 'user' }}<|message|>"
    "{{ message.content }}<|end|>{% endfor %}<|start|>assistant"
)
_MOE = {"expert_count": EXPERTS, "expert_used_count": 2, "expert_feed_forward_length": HIDDEN}
_SHARED = _MOE | {
    "leading_dense_block_count": 1,
    "expert_shared_count": 1,
    "expert_weights_scale": 2.5,
    "expert_weights_norm": True,
    "expert_gating_func": 2,
}
_CHATML_CONTROLS = ("<|endoftext|>", "<|im_end|>", "<|im_start|>")

FAMILIES = (
    Family(
        "dots1", "dots.llm1",
        ("<|endoftext|>", "<|endofresponse|>", "<|system|>", "<|endofsystem|>", "<|userprompt|>", "<|endofuserprompt|>",
         "<|response|>"),
        "{% for message in messages %}{% if message.role == 'system' %}<|system|>{{ message.content }}<|endofsystem|>"
        "{% else %}<|userprompt|>{{ message.content }}<|endofuserprompt|>{% endif %}{% endfor %}<|response|>",
        "qwen2", _dots1, _SHARED | {"attention.head_count_kv": HEADS},
    ),
    Family("qwen2", "Qwen 2, 2.5", _CHATML_CONTROLS, _CHATML, "qwen2", _qwen2, {}),
    Family("qwen3", "Qwen 3", _CHATML_CONTROLS, _CHATML_THINKING, "qwen2", _qwen3, {}, "`<think>`"),
    Family("qwen3moe", "Qwen 3 A3B, A22B", _CHATML_CONTROLS, _CHATML_THINKING, "qwen2", _qwen3moe, _MOE, "`<think>`"),
    Family(
        "deepseek2", "DeepSeek V3, R1",
        ("<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>", "<｜User｜>", "<｜Assistant｜>"),
        _DEEPSEEK, "deepseek-v3", _deepseek2,
        _SHARED | {
            "attention.head_count_kv": 1, "attention.q_lora_rank": _Q_RANK, "attention.kv_lora_rank": _KV_RANK,
            "attention.key_length": _KV_RANK + _ROPE, "attention.value_length": _KV_RANK,
            "attention.key_length_mla": HEAD + _ROPE, "attention.value_length_mla": HEAD,
            "rope.dimension_count": _ROPE, "expert_group_count": 1, "expert_group_used_count": 1,
        },
        "`<think>`, opened by the template",
    ),
    Family(
        "llama", "Llama 2, 3, SmolLM2, Mistral",
        ("<|begin_of_text|>", "<|eot_id|>", "<|start_header_id|>", "<|end_header_id|>"),
        _turns("{{ bos_token }}", "<|start_header_id|>ROLE<|end_header_id|>\n\n", "<|eot_id|>",
               "<|start_header_id|>assistant<|end_header_id|>\n\n"),
        "llama-bpe", _llama, {"rope.dimension_count": HEAD},
    ),
    Family(
        "gemma3", "Gemma 3", ("<bos>", "<end_of_turn>", "<start_of_turn>"), _GEMMA, "", _gemma3,
        {"attention.sliding_window": 512}, system_role=False,
    ),
    Family(
        "gpt-oss", "gpt-oss 20B, 120B",
        ("<|startoftext|>", "<|return|>", "<|start|>", "<|message|>", "<|channel|>", "<|end|>", "<|call|>"),
        _HARMONY, "gpt-4o", _gpt_oss, _MOE | {"attention.sliding_window": 128}, "channel `analysis`",
    ),
)  # fmt: skip


def write_family(family: Family, path: Path, *, architecture: str = "") -> Path:
    """A whole model of this family, under 2 MB.

    Args:
        architecture: What the file claims to be; "" for what it is.
    """
    name = architecture or family.architecture
    writer = gguf.GGUFWriter(path, name)
    common: dict[str, int | float | bool] = {
        "context_length": CONTEXT, "embedding_length": WIDTH, "block_count": LAYERS, "feed_forward_length": HIDDEN,
        "attention.head_count": HEADS, "attention.head_count_kv": HEADS_KV, "attention.key_length": HEAD,
        "attention.value_length": HEAD, "attention.layer_norm_rms_epsilon": 1e-6, "rope.freq_base": 10000.0,
    }  # fmt: skip
    for key, value in (common | dict(family.keys)).items():
        if isinstance(value, bool):
            writer.add_bool(f"{name}.{key}", value)
        elif isinstance(value, int):
            writer.add_uint32(f"{name}.{key}", value)
        else:
            writer.add_float32(f"{name}.{key}", value)
    vocabulary = _sentencepiece(writer, family) if not family.pre else _byte_pairs(writer, family)
    writer.add_chat_template(family.template)
    random = np.random.default_rng(7)
    shapes: dict[str, tuple[int, ...]] = {
        "token_embd.weight": (vocabulary, WIDTH), "output_norm.weight": (WIDTH,), "output.weight": (vocabulary, WIDTH)
    }  # fmt: skip
    for number in range(LAYERS):
        shapes |= {f"blk.{number}.{tensor}": shape for tensor, shape in family.layer(number)}
    for tensor, shape in shapes.items():
        values = random.standard_normal(shape, dtype=np.float32)
        writer.add_tensor(tensor, np.abs(values) if tensor.endswith("norm.weight") else values / np.float32(8))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _byte_pairs(writer: gguf.GGUFWriter, family: Family) -> int:
    """A byte-level vocabulary with real merges, and the family's control tokens behind it."""
    letters, merges = _learnt_pairs()
    tokens = [*letters, *(left + right for left, right in merges)]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(family.pre)
    writer.add_token_merges([f"{left} {right}" for left, right in merges])
    return _finish(writer, family, tokens, [gguf.TokenType.NORMAL] * len(tokens))


def _sentencepiece(writer: gguf.GGUFWriter, family: Family) -> int:
    """Bytes, the letters of a text, and its words; scores prefer the longer piece."""
    letters = sorted(set(_TEXT.replace(" ", "▁")))
    words = sorted({"▁" + word for word in _TEXT.split() if word.isascii()} - set(letters))
    # Each beginning of a word is a token too: a word is built from the left, two pieces at a time.
    begun = sorted({word[:size] for word in words for size in range(2, len(word) + 1)} - set(letters))
    tokens = ["<unk>", *(f"<0x{byte:02X}>" for byte in range(256)), *letters, *begun]
    kinds = [
        gguf.TokenType.UNKNOWN,
        *[gguf.TokenType.BYTE] * 256,
        *[gguf.TokenType.NORMAL] * (len(letters) + len(begun)),
    ]
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_add_space_prefix(False)
    size = _finish(writer, family, tokens, kinds)
    writer.add_token_scores([float(len(token)) for token in tokens] + [0.0] * (size - len(tokens)))
    writer.add_unk_token_id(0)
    return size


def _finish(writer: gguf.GGUFWriter, family: Family, tokens: list[str], kinds: list[gguf.TokenType]) -> int:
    first = len(tokens)
    marks = ["<think>", "</think>"] if "<think>" in family.thinks else []
    writer.add_token_list([*tokens, *family.controls, *marks])
    writer.add_token_types(
        [*kinds, *[gguf.TokenType.CONTROL] * len(family.controls), *[gguf.TokenType.USER_DEFINED] * len(marks)]
    )
    writer.add_bos_token_id(first)
    writer.add_eos_token_id(first + 1)
    writer.add_add_bos_token("bos_token" in family.template)
    return first + len(family.controls) + len(marks)


@cache
def _learnt_pairs() -> tuple[list[str], list[tuple[str, str]]]:
    """The 256 letters that stand for bytes, and 150 pairs merged one after another, each time the most frequent one."""
    letters = _byte_letters()
    words = [[letters[byte] for byte in word.encode()] for word in _TEXT.replace(" ", "\n ").split("\n")]
    merges: list[tuple[str, str]] = []
    known = set(letters)
    while len(merges) < 150:
        pairs = Counter(pair for word in words for pair in itertools.pairwise(word))
        left, right = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append((left, right))
        words = [_merged(word, left, right) for word in words]
        known.add(left + right)
    assert len(known) == 256 + 150
    return letters, merges


def _merged(word: list[str], left: str, right: str) -> list[str]:
    merged: list[str] = []
    for piece in word:
        if merged and merged[-1] == left and piece == right:
            merged[-1] = left + right
        else:
            merged.append(piece)
    return merged


def _byte_letters() -> list[str]:
    """GPT-2's letter for each byte: itself where it can be seen, else one from U+0100 on."""
    seen = {*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    hidden = iter(range(256, 512))
    return [chr(byte) if byte in seen else chr(next(hidden)) for byte in range(256)]
