"""What a text affirms and what it denies, word by word. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from retrieval.text.folding import fold, han_runs
from retrieval.text.highlight import LATIN_STOP, stem

_CLAUSE = re.compile(r"[,，。.;；:：!！?？\n、]|\b(?:but|and|although|while|which)\b|但是?|不过|而且|可是|然后")
_WORD = re.compile(r"[a-z0-9]+(?:['’][a-z]+)?")
# "not only", "no doubt", 不错, 不仅, 差不多 deny nothing; 是不是 asks.
_NO_DENIAL = re.compile(
    r"\bnot (?:only|just|to mention)\b|\bno (?:doubt|wonder|matter)\b|\bno\.\s?\d|\bnothing but\b"
    r"|\bcan(?:not|'t|’t) wait\b"
    r"|不(?:错|仅|但|只是|光|过(?!滤)|同|少|久|得不|妨|亏|愧|禁|由得|论|管)|差不多|无论|无线|无锡|非常|特别|别的|别人|没想到|没事|免费|未来|未必"
    r"|(.)[不没]\1|有没有|能不能|可不可以|会不会|要不要"
)
_DENIES = re.compile(
    r"\b(?:not|no|never|without|neither|nor|none|nobody|nothing|cannot|hardly|barely|\w+n['’]t|isnt|arent|dont|doesnt|didnt|wont"
    r"|cant|wasnt|werent|lacks?|lacking"
    r"|fail(?:s|ed)? to|unable to|refuses? to|refused to|stopped|bann?e?d|forbidden|prohibit\w*)\b"
    r"|不|没有?|无(?!法?人)|未|别(?!墅)|勿|非(?!洲)|禁止|拒绝|停止|取消|缺乏|谢绝"
)
# How many words, and characters of Chinese, a denial reaches.
_REACH_WORDS, _REACH_HAN = 4, 6


def denials_differ(claim: str, evidence: str) -> bool:
    """Whether a word is denied in the claim and affirmed wherever it stands in the evidence, or the other way round.

    >>> denials_differ("Dogs are allowed.", "Dogs are not allowed."), denials_differ("不能带狗", "可以带狗，不能带猫")
    (True, True)
    >>> denials_differ("It is not only cheap.", "It is cheap."), denials_differ("不错的店", "这家店很不错")
    (False, False)
    """
    said, shown = _polarities(claim), _polarities(evidence)
    return any(shown.get(word) == {not next(iter(how))} for word, how in said.items() if len(how) == 1)


def _polarities(text: str) -> dict[str, set[bool]]:
    """For each telling word (English) and pair of characters (Chinese), whether it stands denied, affirmed, or both."""
    found: dict[str, set[bool]] = {}
    for clause in _CLAUSE.split(_NO_DENIAL.sub(lambda match: "＿" * len(match.group()), fold(text))):
        denials = [match.span() for match in _DENIES.finditer(clause)]
        for unit, start in _units(clause):
            if not any(first <= start < last for first, last in denials):
                found.setdefault(unit, set()).add(any(_reaches(clause, last, start) for _, last in denials))
    return found


def _reaches(clause: str, denial_end: int, start: int) -> bool:
    if start < denial_end:
        return False
    between = clause[denial_end:start]
    return sum(map(len, han_runs(between))) < _REACH_HAN and len(_WORD.findall(between)) < _REACH_WORDS


def _units(clause: str) -> Iterator[tuple[str, int]]:
    for match in _WORD.finditer(clause):
        if match.group() not in LATIN_STOP:
            yield stem(match.group()), match.start()
    for match in re.finditer(r"(?=([\u3400-\u9fff]{2}))", clause):
        yield match.group(1), match.start()
