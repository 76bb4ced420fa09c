"""Whether the posts support what a sentence adds to its question. Pure.

A sentence that repeats the question looks supported by every post on the topic, whatever else it says: all of "the visa
is free of papers" but "free" is in the question. So what is new is checked by itself, and so is each clause.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.answering.comparison.numerals import CLASSIFIERS, ENGLISH_NUMERALS
from retrieval.text.folding import fold
from retrieval.text.highlight import query_pairs, query_words, stem

# Share of a sentence's new words, and of its new pairs of Chinese characters, that its posts must hold. Rewording
# a sentence creates new pairs without saying anything new.
_LEAST_WORDS, _LEAST_PAIRS = 0.6, 0.5
# A spelled-out number says as much as one in digits.
_NUMERALS = frozenset(map(stem, ENGLISH_NUMERALS))
_HAN_NUMERALS = "一二两三四五六七八九十百千万"
_NO_NUMERAL = frozenset(
    [
        "一家",
        "一起",
        "一些",
        "一样",
        "一般",
        "一定",
        "一直",
        "一种",
        "一个",
        "一下",
        "一共",
        "一律",
        "一点",
        "万一",
        "十分",
        "千万",
        "百分",
    ]
)
_EACH = CLASSIFIERS + "晚天月年人斤"
# Amounts are checked as numbers; a writer adds the unit and "each" to a bare 38.
_AMOUNT = re.compile(rf"\d[\d.,]*(?:元|块钱?)?(?:[一每][{_EACH}])?")
_CLAUSE = re.compile(r"[,;:，；：、]\s*")
# How a model introduces what it reports.
_LEAD_IN = re.compile(
    r"\b(?:according to|based on) (?:the|these|one|several)? ?(?:posts?|authors?|comments?)\b"
    r"|\b(?:the|one|several|some|these) (?:posts?|authors?|comments?) (?:also )?(?:says?|mentions?|reports?|notes?)\b"
    r"|(?:根据|按照?|据)(?:这些|各|该|以上)?帖子?(?:所说|的说法|内容)?"
    r"|(?:有的?|一条|这些|各|该)?帖子?(?:里|中)?(?:说|提到|写道|介绍)"
    r"|\b(?:in short|overall|in summary|however|also|in addition|for example)\b|总之|此外|另外|不过|例如",
    re.IGNORECASE,
)
_DENIAL = re.compile(r"\b(?:not|no|never|without|none|nothing|cannot|\w+n['’]t|free)\b|[不没无勿别未非]", re.IGNORECASE)
_WORD = re.compile(r"[a-z0-9]+(?:['’][a-z]+)?")


def new_content_is_supported(sentence: str, question: str, texts: Sequence[str]) -> bool:
    """Whether these texts hold enough of what the sentence says beyond the question, and they or the question hold
    something of each clause.
    """
    sentence = _LEAD_IN.sub(" ", sentence)
    if _DENIAL.search(sentence) and not _DENIAL.search(" ".join((*texts, question))):
        return False
    shown = fold("\n".join(texts))
    asked = fold(question)
    known = {stem(word) for word in _WORD.findall(shown)} | {stem(word) for word in query_words(shown)}
    given = {stem(word) for word in _WORD.findall(asked)} | {stem(word) for word in query_words(asked)}
    words = {stem(word) for word in query_words(sentence)} - given
    if words & _NUMERALS - known:
        return False
    if words and len(words & known) < _LEAST_WORDS * len(words):
        return False
    pairs = {pair for pair in query_pairs(_AMOUNT.sub(" ", sentence)) if pair not in asked}
    if any(_counts(pair) and pair not in shown for pair in pairs):
        return False
    if pairs and sum(pair in shown for pair in pairs) < _LEAST_PAIRS * len(pairs):
        return False
    return not any(_is_invented(clause, known | given, f"{shown}\n{asked}") for clause in _CLAUSE.split(sentence))


def _counts(pair: str) -> bool:
    """Whether a pair of Chinese characters says how many; 一杯 and 一晚 mostly say "a" or "each"."""
    return pair[0] in _HAN_NUMERALS and pair not in _NO_NUMERAL and not (pair[0] == "一" and pair[1] in _EACH)


def _is_invented(clause: str, words: set[str], text: str) -> bool:
    own, pairs = {stem(word) for word in query_words(clause)}, query_pairs(clause)
    return len(own) + len(pairs) >= 2 and not own & words and not any(pair in text for pair in pairs)
