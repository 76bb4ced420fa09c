"""What a question is about, apart from what it asks of it: the words in which two posts must agree. Pure."""

from __future__ import annotations

import re

from app.answering.comparison.term_overlap import units_of
from retrieval.text.folding import fold

# What a question wants to know, and words of time, days and measures: posts say them of the thing.
_SAID_OF_IT = re.compile(
    r"\b(?:(?:mon|tues|wednes|thurs|fri|satur|sun)days?|weekdays?|weekends?|every ?day|daily|today|now(?:adays)?"
    r"|currently|still|these days|at the moment|this year|right now|(?:19|20)\d\d|open(?:s|ing)?|clos(?:ed?|es|ing)"
    r"|costs?|prices?|fees?|hours?|times?|dates?|days?|long|much|many|far|often)\b"
    r"|什么时候|何时|哪一?[天年]|哪个月|几[点月号时天次个块元]|多少[钱块元]?|多[久长远大高重贵]|价[格钱]|费用|收费"
    r"|人均|营业|时间|日期|[开关][门店]|打烊|开放|闭馆|(?:周|星期|礼拜)[一二三四五六日天末]|工作日|平时|每天|天天|现在|目前|如今"
    r"|今年|最近|(?:19|20)\d\d年?|[一每][碗杯份斤次晚天张个间位月年人圈]|大概|一般|需要|要花?"
)


def about(question: str) -> frozenset[str]:
    """The telling units of what a question is about, without those of what it wants to know.

    >>> sorted(about("How much is a flat white at Tidewater now?")), sorted(about("马三哥多少钱一碗"))
    (['flat', 'tidewater', 'white'], ['三哥', '马三'])
    """
    return frozenset(units_of(_SAID_OF_IT.sub(" | ", fold(question))).telling)


def held(units: frozenset[str], text: str) -> frozenset[str]:
    """The units that stand in a text.

    So does a pair of Chinese characters where both belong to pairs that stand there: 鹿角的咖啡 holds 角咖.
    """
    shown = units_of(text)
    there = {unit for unit in units if shown.holds(unit)}
    characters = {character for unit in there if not unit.isascii() for character in unit}
    return frozenset(there | {unit for unit in units if not unit.isascii() and set(unit) <= characters})
