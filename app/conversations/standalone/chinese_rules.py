"""Completes Chinese follow-up questions from the question before: 它, 那家; 那周末呢; and those without a subject.

Pure. Needs neither dictionary nor parser: it knows the few forms that follow-up questions take.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.conversations.standalone.chinese_words import (
    ANIMAL,
    ASPECT,
    CITY,
    END,
    LEAD,
    OTHER,
    PRONOUN,
    SEEKS,
    TIME,
    name_of_title,
    subject,
    topic,
)
from app.conversations.standalone.context import EarlierQuestion
from retrieval.text.folding import fold, han_runs

_OF_A_PLACE = re.compile(
    r"[几多]点|开门|关门|营业|打烊|地址|哪[里儿]|位置|电话|停车|插座|wi-?fi|厕所|排队|订位|带[狗猫宠小娃孩电]|地铁|怎么[去走]|远|座位|老板|招牌"
)
_BROUGHT = re.compile(r"带(?:狗狗?|猫咪?|宠物|小?孩子?|小朋友|娃|婴儿车)")
_SUBJECTLESS = re.compile(
    r"^(?:还|也)?(?:可以|可不可以|能不能|能|要不要|用不用|要|需要|需不需要|用|会不会|会|是不是|是|得|让|应该|必须|怎么|如何|为什么|为啥|在哪|去哪|哪里|多久|几)"
)
_SUBJECTLESS_SUBJECT = 2  # content characters that such a question may still have: 能邮寄吗
_MOST_OPEN = 6  # content characters of a question that may leave its subject out: 为啥有人说咸
_CORRECTION = re.compile(
    r"^(?:不对|不是|说错了?|打错了?|我?(?:是)?(?:问的是|是问|想问的是|是说|说的是))[，,\s]*(?:我?(?:问的是|是问|想问的是|是说|说的是|问)|是)?"
)
_MOST_ITEM = 4  # characters of an item that the posts mention: 手冲 in 手冲多少钱
_END_WORD = re.compile(r"呢$")


def complete(asked: str, earlier: Sequence[EarlierQuestion]) -> str | None:
    """The question, so that it stands alone; None if it already does, or if no earlier question helps.

    Args:
        asked: As typed.
        earlier: Earlier questions, oldest first.
    """
    before = next((one for one in reversed(earlier) if subject(fold(one.question)) or topic(fold(one.question))), None)
    if before is None:
        return None
    folded = END.sub("", fold(asked).strip())
    bare = LEAD.sub("", folded).strip()
    mark = "？"
    if (corrected := _CORRECTION.sub("", folded)) and corrected != folded:
        return _changed(corrected, before) + mark
    if OTHER.search(bare):
        return _the_other(before, bare) + mark
    if CITY.fullmatch(_END_WORD.sub("", bare)) and not CITY.search(fold(before.question)):
        # 那北京呢 refers to the last question about some city.
        before = next((one for one in reversed(earlier) if CITY.search(fold(one.question))), before)
    if _END_WORD.search(bare) and not ASPECT.search(bare) and not SEEKS.search(bare):
        thing = _END_WORD.sub("", bare)
        thing = PRONOUN.sub("", thing) if PRONOUN.match(thing) else thing
        return (_changed(thing, before) if thing else _about("", before)) + mark
    bare = _END_WORD.sub("", bare)
    found = PRONOUN.search(bare)
    if found is not None and not subject(bare[: found.start()]):
        word = found.group()
        own = "的" if word.endswith("的") else ""
        return f"{bare[: found.start()]}{referent(before, bare)}{own}{bare[found.end() :]}{mark}"
    rest = subject(bare)
    if bare and not rest:
        if TIME.fullmatch(bare):
            return _changed(bare, before) + mark
        return _about(bare, before) + mark
    if _SUBJECTLESS.match(bare) and len(rest) <= _SUBJECTLESS_SUBJECT and not SEEKS.match(bare):
        return _about(bare, before) + mark
    if _asks_about_item(bare, rest, before):
        return f"{referent(before, '在哪')}的{bare}{mark}"
    if _leaves_out(bare, rest, before):
        return _about(bare, before) + mark
    return None


def _leaves_out(bare: str, rest: str, before: EarlierQuestion) -> bool:
    """Whether a short question names no place and speaks of what the question before, or its posts, speak of."""
    if CITY.search(bare) or SEEKS.search(bare) or len(rest) > _MOST_OPEN:
        return False
    told = fold(" ".join([before.question, *before.titles, before.post_text]))
    pairs = [rest[at : at + 2] for at in range(len(rest) - 1)] or [rest]
    return any(pair in told for pair in pairs)


def _asks_about_item(bare: str, rest: str, before: EarlierQuestion) -> bool:
    """Whether a question is only about an item that the posts cited before mention."""
    asks = bool(ASPECT.search(bare)) and not CITY.search(bare) and not SEEKS.search(bare)
    return (
        asks and 2 <= len(rest) <= _MOST_ITEM and rest in fold(before.post_text) and rest not in fold(before.question)
    )


def referent(before: EarlierQuestion, asked: str = "") -> str:
    """What 它 stands for after a question: the name in the cited title if it looked for something, else its topic."""
    question = fold(before.question)
    about = topic(question)
    if seeks(question):
        name = next((name for title in before.titles if (name := name_of_title(fold(title), question))), "")
        if name:
            return name
    if _OF_A_PLACE.search(asked) and not seeks(question):
        # A shop has hours and sockets; what it sells does not.
        owner, _, item = about.rpartition("的")
        return owner if owner and item else about
    brought = _BROUGHT.search(question)
    return f"{about}{brought.group()}" if brought and brought.group() not in about else about


def seeks(folded: str) -> bool:
    """Whether a question looks for something whose name is in the post that was found."""
    return bool(SEEKS.search(folded)) or not (ASPECT.search(folded) or re.search(r"[吗呢么什谁]", folded))


def _about(bare: str, before: EarlierQuestion) -> str:
    """A question without a subject, completed with the subject of the question before."""
    return f"{referent(before, bare)}{bare}"


def _the_other(before: EarlierQuestion, bare: str) -> str:
    question = fold(before.question)
    named = list(
        dict.fromkeys(n for title in before.titles if (n := name_of_title(fold(title), "")) and n not in question)
    )
    other = named[1] if len(named) > 1 else named[0] if named and not seeks(question) else topic(question)
    rest = OTHER.sub("", bare, count=1)
    return other + ("" if rest in ("", "呢") else rest)


def _changed(thing: str, before: EarlierQuestion) -> str:
    """The question before, with the new part in place of the part it replaces."""
    question = END.sub("", fold(before.question))
    if TIME.fullmatch(thing):
        return _put(TIME, thing, question) or _before_what_is_asked(question, thing)
    if CITY.fullmatch(thing) and CITY.search(question):
        return CITY.sub(thing, question, count=1)
    if CITY.fullmatch(thing):
        return f"{thing}{question}"
    if not subject(thing):
        return f"{topic(question)}{thing}"
    if ANIMAL.fullmatch(thing) and ANIMAL.search(question):
        return ANIMAL.sub(thing, question, count=1)
    alike = _alike(thing, question)
    if alike:
        return question.replace(alike, thing, 1)
    about = topic(question)
    owner, _, item = about.rpartition("的")
    if owner and item:
        return question.replace(about, f"{owner}的{thing}", 1)
    return question.replace(about, f"{about}{thing}", 1) if len(about) <= 2 else f"{thing}{question}"


def _put(pattern: re.Pattern[str], new: str, question: str) -> str:
    return pattern.sub(new, question, count=1) if pattern.search(question) else ""


def _before_what_is_asked(question: str, new: str) -> str:
    """无事咖啡几点关门 and 周末 give 无事咖啡周末几点关门."""
    about = topic(question)
    at = question.find(about) + len(about)
    return f"{question[:at]}{new}{question[at:]}"


def _alike(thing: str, question: str) -> str:
    """The part of the question that ends like the new item, as 大索道 for 小索道; "" if there is none."""
    size = len(thing)
    for shared in range(size - 1, 0, -1):
        if shared < 2 and size > 2:
            break
        at = question.find(thing[size - shared :])
        if at >= size - shared and han_runs(question[at - (size - shared) : at + shared]):
            return question[at - (size - shared) : at + shared]
    return ""
