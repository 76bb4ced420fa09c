"""What kind of thing a question asks for: all kinds that it mentions, and the one that answers it. Pure.

Posts on the topic look equally relevant with or without the fact; whether a sentence holds a price can be checked.
"When did the cafe open" mentions a time and a date; its answer is a date.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from app.answering.question.chinese_names import PERSON, PLACE
from app.answering.question.folded_text import FoldedText
from retrieval.text.folding import fold
from retrieval.text.highlight import stem

Kind = Literal["amount", "price", "time", "date", "place", "person", "way"]
AnswerType = Literal["year", "time", "date", "price", "amount", "person", "place"]
# Types that can be seen for certain: a sentence without a digit or a number word states no price.
SEEN: frozenset[AnswerType] = frozenset({"year", "time", "date", "price", "amount"})

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

_HELD_NUMERAL = r"(?:\d{1,15}(?:[.,]\d{1,6}){0,4}|[一二两三四五六七八九十百千万半]{1,9})"
_HOLDS: dict[Kind, re.Pattern[str]] = {
    "price": re.compile(
        rf"[¥$€£￥]\s?\d|\d\s?(?:[¥$€£￥]|yuan|rmb|cny|usd|eur|euros?|dollars?|pounds?|yen|quid|k\b|kuai)"
        rf"|{_HELD_NUMERAL}\s?(?:元|块|圆|刀|万|w\b)|人均\s?\d|免费|\bfree\b"
    ),
    "amount": re.compile(
        rf"\d|{_HELD_NUMERAL}(?:个|次|天|年|月|周|小时|分钟|公里|米|斤|克|度|人|间|张|点|成)"
        r"|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|dozen|half|hundred|thousand|million)\b"
    ),
    "time": re.compile(
        rf"\d{{1,2}}[:：]\d{{2}}|\b\d{{1,2}}\s?(?:am|pm|a\.m|p\.m|h\b|o'clock)|{_HELD_NUMERAL}点|\b(?:noon|midnight|24/7|daily)\b"
        r"|早上|晚上|中午|全天|凌晨"
    ),
    "date": re.compile(
        rf"\b(?:19|20)\d\d\b|(?:19|20)\d\d年|{_HELD_NUMERAL}月|{_HELD_NUMERAL}[日号]"
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
# Questions that no single sentence answers: for a summary, for how several things led to one, for all of a kind.
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


def asked_kinds(question: str) -> frozenset[Kind]:
    """The kinds of thing that a question asks for; empty where it does not say."""
    folded = fold(question)
    kinds = {kind for kind, pattern in _ASKS.items() if pattern.search(folded)}
    # "How much is it" asks for a price alone; a price is an amount, and any number would pass for one.
    return frozenset(kinds - {"amount"} if "price" in kinds else kinds)


def is_broad(question: str) -> bool:
    """Whether a question has several parts, so that no single fact answers it."""
    return bool(_BROAD.search(fold(question)))


def holds(kinds: frozenset[Kind], sentence: str) -> float:
    """Share of the asked kinds that a sentence holds, 0 to 1; 1 where nothing in particular is asked."""
    if not kinds:
        return 1.0
    folded = fold(sentence)
    return sum(bool(_HOLDS[kind].search(sentence if kind in _CASED else folded)) for kind in kinds) / len(kinds)


# The first match decides: "how much is it" is about money before it is about an amount.
_WANTS: dict[AnswerType, re.Pattern[str]] = {
    "year": re.compile(r"\b(?:what|which|in what|in which) years?\b|哪一?年|何年"),
    "time": re.compile(
        r"\bwhat time\b|opening hours|\bhours\b|\b(?:when|how late) (?:does|do|is|are)\b.*\b(?:open|close)s?\b"
        r"|几点|营业时间|几时"
    ),
    "date": re.compile(
        r"^when\b|\bwhen (?:did|was|were|is|are|does|do|will|has|can|should)\b"
        r"|\b(?:what|which) (?:date|day|month|season)\b|\bdates?\b"
        r"|什么时候|何时|哪一?天|几月|几号|日期|什么时间|哪个月|哪一?世纪|什么季节|时间[？?]?$"
        r"|(?:上映|发售|开始|开幕|举办|发布|成立|发射|去世|出生|建成|上市|播出|开业)时间"
    ),
    "price": re.compile(
        r"\bhow much (?:is|are|does|do|did|for|to|was|were|money)\b"
        r"|\b(?:prices?|costs?|fees?|rent|fare|revenue|budget|salary|pay)\b"
        r"|多少钱|价格|价钱|费用|收费|门票|租金|房租|几块|几元|多少块|多少元|人均|报价|营收|票价"
    ),
    "amount": re.compile(
        r"\bhow (?:many|much|long|far|big|tall|heavy|old|often|high|large|deep|wide|fast)\b"
        r"|\b(?:what|which) (?:temperature|number|percent\w*|size|ratio|proportion|share|population|age)\b"
        r"|\bnumber of\b|\bpercentage\b"
        r"|多少|几[个次天年人位名种家条张间度层楼成座支]|多久|多长|多远|多大|多高|多重|比例|百分之几|温度|震级"
        r"|率[？?]?$|人口数"
    ),
    "person": re.compile(
        r"\bwho(?:m|se)?\b|\b(?:director|author|winner|coach|ceo|president|chairman|founder|singer|actor|champion)\b"
        r"|谁|哪位|什么人|导演|编剧|作者|创始人|行政长官|总统|主席|教练|歌手|主演|冠军"
    ),
    "place": re.compile(
        r"\b(?:where|location|address)\b"
        r"|\b(?:what|which) (?:city|country|town|state|street|district|county|place|region|continent|area|river"
        r"|building|hospital|university|venue|stadium)\b"
        r"|哪里|哪儿|在哪|地址|什么地方|位置|地点|哪个?(?:国|城市|省|市|地区|国家|区|洲|州|县)|举办国|举办地|国家$"
    ),
}

_NUMERAL = r"(?:\d{1,15}(?:[.,]\d{1,6}){0,4}|[一二两三四五六七八九十百千万亿]{1,12})"
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)\.?"
)
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
_NUMBER_WORD = (
    r"\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen"
    r"|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundreds?|thousands?|millions?|billions?"
    r"|dozens?|half|twice|quarter|third)\b"
)
_COUNTED = "个|次|天|年|月|周|小时|分钟|公里|米|斤|克|度|人|间|张|点|成|名|位|家|种|条|万|亿|%|级|倍|座|支|届|岁"
_THINGS: dict[AnswerType, re.Pattern[str]] = {
    "year": re.compile(r"(?<![\d.])(?:1[0-9]|20)\d\d(?![\d.%])|\b\d{3,4} (?:bc|ad|ce)\b|公元前?\d+"),
    "date": re.compile(
        rf"\b{_MONTH}\s{{0,3}}{_DAY}(?:,?\s{{0,3}}(?:19|20)\d\d)?|\b{_DAY}\s+(?:of\s+)?{_MONTH}(?:,?\s*(?:19|20)\d\d)?"
        rf"|\b{_MONTH}\s+(?:of\s+)?(?:19|20)\d\d|(?:(?:19|20)\d\d年)?{_NUMERAL}月(?:{_NUMERAL}[日号])?"
        rf"|(?<![\d.])(?:1[0-9]|20)\d\d(?![\d.%])年?|\b\d{{1,2}}/\d{{1,2}}(?:/\d+)?"
        r"|\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b|周[一二三四五六日末]|[春夏秋冬][天季]"
        rf"|\b(?:spring|summer|autumn|winter|weekends?)\b|{_NUMERAL}世纪|\b\d+(?:th|st|nd|rd) century|\b\d{{3,4}}s\b"
        rf"|工作日|\b{_MONTH}\b(?= )|年底|年初"
    ),
    "price": re.compile(
        r"(?:us)?[¥$€£￥]\s?\d[\d.,]{0,20}(?:\s?(?:billion|million|bn|m|k)\b)?"
        r"|\d[\d.,]{0,20}\s?(?:billion|million|thousand)?\s?(?:¥|元|块|yuan|rmb|usd|euros?|dollars?|pounds?|yen|quid|kuai|bucks)"
        rf"|{_NUMERAL}\s?[万亿千百]?多?(?:元|块|美元|欧元|圆|刀|英镑)|人均\s?\d+|免费|不要钱|\bfree\b"
        r"|\d[\d.,]{0,20}\s(?:billion|million)\b"
    ),
    "amount": re.compile(
        r"\d+(?:[.,]\d+)*\s?(?:%|‰|percent|per cent|million|billion|km|m|kg|g|ml|°|度|级)?"
        rf"|{_NUMERAL}(?:{_COUNTED})|百分之{_NUMERAL}|{_NUMBER_WORD}"
    ),
    "time": re.compile(
        rf"\d{{1,2}}[:：]\d{{2}}(?:\s?[ap]\.?m)?|\b\d{{1,2}}\s?(?:am|pm|a\.m|p\.m|o'clock)|{_NUMERAL}点[半多]?"
        r"|\b(?:noon|midnight|24/7|dawn|sunrise|sunset|morning|evening|afternoon|eleven|nine|ten|eight|seven|six)\b"
        r"|早上|晚上|中午|全天|凌晨|傍晚|下午"
    ),
    "person": PERSON,
    "place": PLACE,
}
_NAME = re.compile(
    r"(?:[A-Z][\w'’.-]*\w|[A-Z]{2,}|[A-Z]\.)(?:\s+(?:(?:of|the|de|van|von|da|del|la|and|bin|al)\s+)?"
    r"(?:[A-Z][\w'’.-]*\w|[A-Z]\.))*"
)
# Capitalised words that are not names.
_NO_NAME = frozenset(
    re.findall(
        r"\w+",
        """
        january february march april may june july august september october november december jan feb mar apr jun jul
        aug sep sept oct nov dec monday tuesday wednesday thursday friday saturday sunday the a an in on at it he she
        they we this that these those there but and or if when while after before during for from by with as his her
        its their our what who how why where which i you my your no yes not so then also some many most all both each
        other however although since because according more such first second
        """,
    )
)
# A date before a dash, dots or a colon at the start says when something was posted, not what it is about.
_BYLINE = re.compile(r"\s{0,20}(?:\.\.\.|…|[-:—·|])")

# The unit that an amount must have: what asks for it, and what it looks like.
_UNITS = [
    (re.compile(asked), re.compile(unit))
    for asked, unit in (
        (r"率|比例|百分|增长|占比|\bpercent|\bproportion|\bratio\b|\bshare\b", r"%|‰|百分|成|percent|per cent"),
        (r"震级|magnitude", r"级|magnitude|m[sw]?"),
        (r"温度|temperature", r"度|°|degree|[cf]\b"),
        (
            r"多久|how long|几天|几年|几个?小时|how old|多大年",
            r"天|年|月|周|小时|分|秒|岁|时|day|year|month|week|hour|minute|second|century|decade",
        ),
        (
            r"多远|多长|多高|多深|how (?:far|tall|high|deep|wide)",
            r"米|公里|里|km|\bm\b|mile|feet|foot|ft|meter|metre|inch|kilo|分钟|minute|hour",
        ),
        (
            r"多少人|几个?人|多少名|how many (?:people|persons|students|employees)|population",
            r"人|名|位|people|person|student|employee|million|thousand|inhabitant|resident|member",
        ),
    )
]
_HOW_MANY = re.compile(r"\bhow many ((?:[a-z]+ ?){1,2})")
_WHICH_COUNT = re.compile(r"(?:多少|几)([\u4e00-\u9fff]{1,3})")
_OTHER_UNIT = 0.4


@dataclass(frozen=True, slots=True)
class Candidate:
    """What in a text may be the answer.

    Attributes:
        name: One form for all spellings, so that agreement between posts can be seen.
        start, end: Code points of the folded text.
        fit: 1 where its unit or what it counts is what was asked for, less where it is not.
    """

    name: str
    start: int
    end: int
    fit: float = 1.0


def answer_type(question: str) -> AnswerType | None:
    """The type of thing that answers a question; None where it asks for something else, or does not say."""
    folded = fold(question)
    return next((kind for kind, pattern in _WANTS.items() if pattern.search(folded)), None)


def candidates(kind: AnswerType, text: FoldedText, question: str) -> list[Candidate]:
    """All things of a type in a text that the question does not itself name."""
    asked = fold(question)
    if kind not in SEEN:
        named = [(match.start(), match.end(), match.group()) for match in _THINGS[kind].finditer(text.folded)]
        found = [Candidate(_one_form(kind, name), start, end) for start, end, name in named if name not in asked]
        return [one for one in found if one.name] + _capitalised(text, asked)
    # The 12 of "May 12" and of "12:30" counts nothing.
    elsewhere = [] if kind not in ("amount", "price") else _spans("date", text) + _spans("time", text)
    found = []
    for match in _THINGS[kind].finditer(text.folded):
        start, end = match.span()
        if any(first <= start < last for first, last in elsewhere) or match.group() in asked:
            continue
        if start == 0 and _BYLINE.match(text.folded, end):
            continue
        name = _one_form(kind, match.group())
        if name:
            found.append(Candidate(name, start, end, _fit(asked, text.folded, start, end) if kind == "amount" else 1.0))
    return found


def _spans(kind: AnswerType, text: FoldedText) -> list[tuple[int, int]]:
    return [match.span() for match in _THINGS[kind].finditer(text.folded)]


def _capitalised(text: FoldedText, asked: str) -> list[Candidate]:
    known = {stem(word) for word in re.findall(r"[a-z0-9]+", asked)}
    found = []
    for match in _NAME.finditer(text.original):
        words = [word.lower() for word in re.findall(r"[\w'’-]+", match.group())]
        new = [word for word in words if stem(word) not in known and word not in _NO_NAME and not word.isdigit()]
        if new:
            found.append(Candidate(" ".join(new), *text.folded_span(match.start(), match.end())))
    return found


def _one_form(kind: AnswerType, name: str) -> str:
    if kind in ("price", "amount"):
        return re.sub(r"[^\d.a-z\u4e00-\u9fff%‰]", "", name.replace(",", ""))
    if kind == "date":
        bare = re.sub(r"(\d)(?:st|nd|rd|th)\b", r"\1", re.sub(r"[.,]", "", name))
        return " ".join(sorted(word[:3] if word.isascii() and word.isalpha() else word for word in bare.split()))
    return re.sub(r"\W+", " ", name).strip()


def _fit(asked: str, folded: str, start: int, end: int) -> float:
    after = folded[start : end + 12]
    for asks, unit in _UNITS:
        if asks.search(asked):
            return 1.0 if unit.search(after) else _OTHER_UNIT
    counted = _HOW_MANY.search(asked)
    if counted:
        things = {stem(word) for word in counted.group(1).split()}
        around = {stem(word) for word in re.findall(r"[a-z]+", folded[max(0, start - 25) : end + 35])}
        return 1.0 if things & around else _OTHER_UNIT
    which = _WHICH_COUNT.search(asked)
    if which:
        return 1.0 if set(which.group(1)) & set(folded[end - 2 : end + 12]) else _OTHER_UNIT
    return 1.0
