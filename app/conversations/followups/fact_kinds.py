"""Kinds of facts in posts about a place, and the question for each, in English and Chinese. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from app.conversations.standalone import chinese_words, english_words
from retrieval.text.folding import fold, han_runs
from retrieval.types import Post

_DAYS = r"(?:mon|tues|wednes|thurs|fri|satur|sun)days?"


@dataclass(frozen=True, slots=True)
class Fact:
    """A kind of fact.

    Attributes:
        asked: Matches a question that asks for it already.
        held: Matches a sentence that states it.
        english, chinese: The question, with "{name}" for the place.
    """

    asked: re.Pattern[str]
    held: re.Pattern[str]
    english: str
    chinese: str


def _fact(asked: str, held: str, english: str, chinese: str) -> Fact:
    return Fact(re.compile(asked), re.compile(held), english, chinese)


FACTS: dict[str, Fact] = {
    "hours": _fact(
        r"\b(?:open|opens|opening|hours|close|closes)\b|[几多]点|营业|开门|关门|打烊",
        r"\bopens?\b[^.]{0,20}\d|\bopen\s\d|\bclos(?:e|es|ing) at\b|\b(?:till|until) \d"
        r"|\d点[^。]{0,6}(?:开门|关门|打烊)|营业到|\d[:：]\d\d就?开",
        "When does {name} open and close?",
        "{name}几点开门、几点关门？",
    ),
    "closed": _fact(
        r"\b(?:closed|day off|which day)\b|哪天休|店休|休息",
        rf"\b(?:closed|shut)\b[^.]{{0,8}}\b{_DAYS}\b|(?:周|星期)[一二三四五六日天](?:店休|休息|不开|闭)",
        "Which day is {name} closed?",
        "{name}哪天休息？",
    ),
    "where": _fact(
        r"\b(?:where|address|location|moved)\b|哪里|哪儿|在哪|地址|搬",
        r"\b(?:road|street|alley|lane|gate|metro|avenue|next to|beside|two streets|uphill)\b|[路街巷弄]|胡同|地铁|搬到",
        "Where exactly is {name}?",
        "{name}具体在哪里？",
    ),
    "queue": _fact(
        r"\b(?:queue|wait|line|busy)\b|排队|等位",
        r"\b(?:queue|waited|line is)\b[^.]{0,30}\d|\d{1,6}\s?min(?:ute)?s?\b[^.]{0,12}\bqueue|排队|排了\d|要等\d",
        "How long is the queue at {name}?",
        "{name}要排队多久？",
    ),
    "sockets": _fact(
        r"\b(?:sockets?|plugs?|power)\b|插座",
        r"\bsockets?\b|插座",
        "Are there sockets at {name}?",
        "{name}有插座吗？",
    ),
    "laptops": _fact(
        r"\blaptops?\b|电脑",
        r"\blaptops? (?:are|is|ok|fine|allowed|welcome|place|rules)\b|\blaptop-free\b|自带电脑|抱着.{0,3}电脑",
        "Are laptops allowed at {name}?",
        "{name}可以带电脑去坐吗？",
    ),
    "dogs": _fact(
        r"\b(?:dogs?|pets?)\b|狗|宠物",
        r"\bdogs? (?:are )?(?:welcome|allowed|leashed|must)|\bdog friendly\b|带狗|宠物友好",
        "Are dogs allowed at {name}?",
        "{name}可以带狗吗？",
    ),
    "paying": _fact(
        r"\b(?:cards?|cash|pay)\b|刷卡|现金|支付",
        r"\bcash only\b|\bcards? (?:accepted|ok|did|worked)|\btakes? (?:ic )?cards?\b",
        "Can one pay by card at {name}?",
        "{name}可以刷卡吗？",
    ),
    "booking": _fact(
        r"\b(?:book|booking|reserve|ahead)\b|预约|预订|提前",
        r"\bbook(?:ed)? (?:a |two |\d+ )?(?:day|days|week|weeks|ahead|online)|\bby appointment\b|提前\d+天|预约",
        "Does one have to book at {name}?",
        "{name}要提前预约吗？",
    ),
}  # fmt: skip

_MONEY = r"(?:[£€$¥]\s?\d[\d.,]*|\d[\d.,]*\s?(?:yuan|yen|euros?|dollars?|pounds?|€|£))"
_PRICED_EN = re.compile(
    rf"(?:(?<=^)|(?<=[\n.,;:!?(] )|(?<=[\n(])|(?<=and ))"
    rf"([A-Za-z][a-zà-ÿ-]+(?: [a-zà-ÿ-]+){{0,2}}?)(?: is| are| was| costs?| now|:)*\s{_MONEY}"
)
_PRICED_ZH = re.compile(
    r"(?:^|[\s，,。、；;：:（(]|的)([\u4e00-\u9fff]{2,6}?)(?:是|要|卖|一律)?(\d+(?:\.\d+)?)\s?(?:元|块)"
)
_NOT_ITEM_WORDS = """
it they rent deposit total fee for from about only paid cost costs charged went was now book then takes an extra
back got yes hmm cheap cheaper small big large half off per each up down to and or with knocked over under around than
"""
_NOT_ITEM = frozenset(_NOT_ITEM_WORDS.split())
_NOT_ITEM_ZH = re.compile(
    r"[了变去今涨降到从省花付共合计人均原价现在以前每大概约差减加退]|价格|一共|房租|押金|报价|只要|不到|左右"
)


def name_in(post: Post) -> str:
    """The name in the post's title, if the post is about a place of that name; "" otherwise."""
    folded = fold(post.title)
    name = chinese_words.name_of_title(folded, "") if han_runs(folded) else english_words.name_of_title(post.title)
    # The first word of a title is capitalised anyway; a name is capitalised in the text too.
    said = name in f"{post.title[1:]} {post.text}" if name.isascii() else fold(name) in fold(f"{post.text} {post.tags}")
    return name if name and post.place is not None and (said or len(name.split()) > 1) else ""


def priced_items(text: str) -> Iterator[str]:
    """Items that a text gives a price for: "flat white" in "Flat white is 28 yuan"; 手冲 in 手冲32元一杯."""
    for found in _PRICED_EN.finditer(text):
        item = found.group(1)
        words = item.lower().split()
        if not set(words) & _NOT_ITEM and len(item) > 3:
            yield item[0].lower() + item[1:]
    for found in _PRICED_ZH.finditer(fold(text)):
        if not _NOT_ITEM_ZH.search(found.group(1)):
            yield found.group(1)


def price_question(item: str, name: str, language: str) -> str:
    """The question what an item costs at a place.

    >>> price_question("espresso", "Blue Door", "en"), price_question("手冲", "鹿角咖啡", "zh")
    ('How much is an espresso at Blue Door?', '鹿角咖啡的手冲多少钱？')
    """
    if language == "zh":
        return f"{name}的{item}多少钱？"
    if item.endswith("s") and not item.endswith("ss"):
        return f"How much are {item} at {name}?"
    return f"How much is {'an' if item[0] in 'aeiou' else 'a'} {item} at {name}?"
