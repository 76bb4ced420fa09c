"""What a small model may write, as GBNF: nothing but the words of a post. Pure.

Source of the notation: https://github.com/ggml-org/llama.cpp/blob/master/grammars/README.md
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from retrieval.text.sentences import sentences

_MOST_SENTENCES = 40


def copying(texts: Sequence[str]) -> str:
    """A grammar that allows only whole, adjacent sentences of one of these texts.

    Instead of almost repeating the post, a small model then chooses which of its words answer.

    Args:
        texts: At least one that is not blank.
    """
    rules: list[str] = []
    for text in texts:
        spans = sentences(text)[: _MOST_SENTENCES - len(rules)]
        for number, span in enumerate(spans):
            rule = f"s{len(rules)} ::= {_literal(text[span.start : span.end])}"
            if number + 1 < len(spans):
                gap = text[span.end : spans[number + 1].start]
                rule += f" ({_literal(gap) + ' ' if gap else ''}s{len(rules) + 1})?"
            rules.append(rule)
    assert rules, "there is something to copy"
    return "\n".join(("root ::= " + " | ".join(f"s{number}" for number in range(len(rules))), *rules))


def _literal(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
