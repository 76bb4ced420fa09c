"""The tokenizer of multilingual-e5-small, from its pieces: SentencePiece in parts of `tokenizers`. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Tokenizer

# The ids of these are their places, in the file and in every smaller vocabulary that is made of it.
SPECIAL_TOKENS = ("<s>", "<pad>", "</s>", "<unk>")
_START, _PAD, _END, _UNKNOWN = SPECIAL_TOKENS

# Where the model's own table of code points differs from NFKC. Tokens that it was not trained on would come of that.
_DELETED = r"[\x00-\x08\x0b\x0e-\x1f\x7f\x{8f}\x{9f}]"
_SPACES = r"[\t\n\f\r\x{1680}\x{200b}-\x{200f}\x{2028}\x{2029}\x{2581}\x{feff}\x{fffd}]"
_TILDE, _STAND_IN = "\uff5e", "\U0010fffd"  # ～ is a piece of its own, which NFKC would make ~


def e5_tokenizer(pieces: Sequence[str], scores: Sequence[float]) -> Tokenizer:
    """A tokenizer over these pieces, the special tokens first.

    Words are split at white space before `▁` is put before each: otherwise a token's span would begin with the space
    before it, and the first one of a text that is read behind a prompt would seem to belong to the prompt.
    """
    from tokenizers import AddedToken, Regex, Tokenizer, normalizers, pre_tokenizers, processors
    from tokenizers.models import Unigram

    assert tuple(pieces[: len(SPECIAL_TOKENS)]) == SPECIAL_TOKENS, f"the vocabulary begins with {pieces[:4]}"
    tokenizer = Tokenizer(Unigram(list(zip(pieces, scores, strict=True)), SPECIAL_TOKENS.index(_UNKNOWN), False))
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in SPECIAL_TOKENS])
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Replace(Regex(_DELETED), ""),
            normalizers.Replace(Regex(_SPACES), " "),
            normalizers.Replace(_TILDE, _STAND_IN),
            normalizers.NFKC(),
            normalizers.Replace(_STAND_IN, _TILDE),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(prepend_scheme="always")]
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{_START} $A {_END}",
        pair=f"{_START} $A {_END} {_END} $B {_END}",
        special_tokens=[(token, SPECIAL_TOKENS.index(token)) for token in (_START, _END)],
    )
    return tokenizer
