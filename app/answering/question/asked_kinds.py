"""What kind of thing a question asks for, and whether a sentence holds one. Pure, for Chinese and English.

Posts on the topic that lack the fact look as near as those that state it; whether there is a price in a sentence
can be seen.
"""

from __future__ import annotations

import re
from typing import Literal

from retrieval.text.folding import fold

Kind = Literal["amount", "price", "time", "date", "place", "person", "way"]

_ASKS: dict[Kind, re.Pattern[str]] = {
    "price": re.compile(
        r"\b(?:how much (?:is|are|does|do|did|for|to)|prices?|costs?|fees?|rent|fare|cheap|expensive|budget|pay)\b"
        r"|多少钱|价格|价钱|费用|收费|门票|租金|房租|贵不贵|几块|几元|多少块|人均|报价|便宜"
    ),
    "amount": re.compile(
        r"\b(?:how (?:many|much|long|far|big|tall|heavy|old|often|high)"
        r"|what (?:temperature|number|percentage|size|ratio))\b"
        r"|多少|几(?!乎)|多久|多长|多远|多大|多高|多重|几天|几次|温度|比例"
    ),
    "time": re.compile(
        r"\b(?:what time|opening hours|open|opens|close|closes|closing|until when|hours)\b|几点|营业时间|开门|关门|时间"
    ),
    "date": re.compile(
        r"\b(?:when|what (?:year|date|day|month)|which (?:year|month|day)|what season)\b"
        r"|什么时候|哪一?年|哪一?天|几月|几号|何时|哪个月|日期|时间"
    ),
    "place": re.compile(
        r"\b(?:where|address|location|which (?:city|street|district|country))\b|哪里|哪儿|在哪|地址|什么地方|位置"
    ),
    "person": re.compile(r"\b(?:who|whom|whose)\b|谁|哪位|什么人"),
    "way": re.compile(r"\b(?:how (?:do|to|can|should)|steps|recipe|way to)\b|怎么|如何|怎样|步骤|方法|教程|攻略"),
}

_NUMERAL = r"(?:\d+(?:[.,]\d+)*|[一二两三四五六七八九十百千万半]+)"
_HOLDS: dict[Kind, re.Pattern[str]] = {
    "price": re.compile(
        rf"[¥$€£￥]\s?\d|\d\s?(?:[¥$€£￥]|yuan|rmb|cny|usd|eur|euros?|dollars?|pounds?|yen|quid|k\b|kuai)"
        rf"|{_NUMERAL}\s?(?:元|块|圆|刀|万|w\b)|人均\s?\d|免费|\bfree\b"
    ),
    "amount": re.compile(
        rf"\d|{_NUMERAL}(?:个|次|天|年|月|周|小时|分钟|公里|米|斤|克|度|人|间|张|点|成)"
        r"|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|dozen|half|hundred|thousand|million)\b"
    ),
    "time": re.compile(
        rf"\d{{1,2}}[:：]\d{{2}}|\b\d{{1,2}}\s?(?:am|pm|a\.m|p\.m|h\b|o'clock)|{_NUMERAL}点|\b(?:noon|midnight|24/7|daily)\b"
        r"|早上|晚上|中午|全天|凌晨"
    ),
    "date": re.compile(
        rf"\b(?:19|20)\d\d\b|(?:19|20)\d\d年|{_NUMERAL}月|{_NUMERAL}[日号]"
        # 11/24 is a day, and 3.15打假; 6.8 kg, $4.50 and 1.5公里 are not.
        r"|(?<![\d./-])(?:0?[1-9]|1[0-2])[/-](?:[12]\d|3[01]|0?[1-9])(?![\d%./-])"
        r"|(?<![\d.,$€£¥￥])(?:0?[1-9]|1[0-2])\.(?:[12]\d|3[01]|0?[1-9])"
        r"(?=[一-鿿])(?![公斤千克米元块万亿分折倍度升寸平小个])"
        r"|\b(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]*\b"
        r"|\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b|周[一二三四五六日末]|春天|夏天|秋天|冬天|暑假|寒假|周末"
        r"|\b(?:spring|summer|autumn|winter|weekend)s?\b"
    ),
    "place": re.compile(
        r"[路街道巷弄号村镇区市省县楼层店站门]"
        r"|\b(?:street|road|st|rd|lane|avenue|district|gate|station|near|next to|floor|metro|line|behind"
        r"|opposite|corner|in|at)\b"
    ),
    "person": re.compile(r"\b[A-Z][a-z]+ [A-Z][a-z]+|@\w+|先生|女士|老师|医生|师傅|老板|[·・]"),
    "way": re.compile(
        r"\b(?:first|then|step|use|put|add|take|go|try|mix|press|wait|apply|book)\b|先|然后|再|用|把|步|记得"
    ),
}
# Questions that no single sentence answers: for an account, for how several things led to one, for all of a kind.
_BROAD = re.compile(
    r"\b(?:summari[sz]e|summary|overview|outline|describe|explain|compare|analy[sz]e|discuss|pros and cons"
    r"|what (?:are|were) the (?:main |key |major )?(?:\w+ )?(?:steps|measures|factors|reasons|differences|ways|effects"
    r"|impacts|changes|events|initiatives|achievements|risks|strategies)"
    r"|how (?:did|do|does|has|have|was|were)\b.{8,}\b(?:contribute|lead|affect|impact|influence|improve|enhance"
    r"|support|impacted|affected|help|result))\b"
    r"|总结|概括|概述|综述|简述|描述|说明一下|介绍一下|对比|分析|(?:和|与|跟).{1,20}(?:相比|比较|区别|不同)|优缺点|哪些(?:措施|因素|原因|步骤|方面|影响|变化|事件|举措|区别|不同|成就|风险)"
    r"|(?:如何|怎样|怎么|是怎么)通过|(?:如何|怎样|怎么).{0,12}(?:影响|导致|促进|提升|改善|推动|支持)"
)


_CASED: frozenset[Kind] = frozenset({"person"})


def asked_for(question: str) -> frozenset[Kind]:
    """The kinds of thing that a question asks for; none where it does not tell."""
    folded = fold(question)
    kinds = {kind for kind, pattern in _ASKS.items() if pattern.search(folded)}
    # "How much is it" asks for a price alone; a price is an amount, and any number would pass for one.
    return frozenset(kinds - {"amount"} if "price" in kinds else kinds)


def is_broad(question: str) -> bool:
    """Whether a question has several parts, so that its answer is an account and no single fact."""
    return bool(_BROAD.search(fold(question)))


def holds(kinds: frozenset[Kind], sentence: str) -> float:
    """Share of the asked kinds that a sentence holds, 0 to 1; 1 where nothing in particular is asked."""
    if not kinds:
        return 1.0
    folded = fold(sentence)
    return sum(bool(_HOLDS[kind].search(sentence if kind in _CASED else folded)) for kind in kinds) / len(kinds)
