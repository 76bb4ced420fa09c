"""Where a text gives a way to reach somebody or something outside: hosts, telephone numbers, messenger handles. Pure.

A quote with such a way sends readers to whoever wrote the post, so it is cut out. Readers see through disguises, so
disguises are read too: full-width and circled characters, "dot" and 点 for a full stop, brackets, invisible letters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

from tldextract import TLDExtract

from app.answering.comparison.quantities import quantities
from retrieval.text.folding import fold, han_runs
from retrieval.text.highlight import query_words
from retrieval.text.sentences import sentences
from retrieval.types import Span


@dataclass(frozen=True, slots=True)
class Contact:
    """A way to reach somebody.

    Attributes:
        disguised: Whether it is written so that machines and moderators miss it; nobody does that by chance.
    """

    span: Span
    disguised: bool


# One character as the one that it looks like: full-width, circled, mathematical and other forms of ASCII.
_AS_ASCII = {
    code: (unicodedata.normalize("NFKC", chr(code)) or " ")
    for ranged in ((0x2070, 0x209F), (0x2460, 0x24FF), (0xFF01, 0xFF5E), (0x1D400, 0x1D7FF))
    for code in range(ranged[0], ranged[1] + 1)
    if len(unicodedata.normalize("NFKC", chr(code))) == 1 and unicodedata.normalize("NFKC", chr(code)).isascii()
}
_AS_ASCII |= {
    code: str(unicodedata.digit(chr(code))) for code in range(0x2776, 0x2794) if unicodedata.digit(chr(code), 10) < 10
}
_AS_ASCII |= {ord(dot): "." for dot in "․﹒｡"} | {ord("➕"): "+", ord("﹢"): "+"}
_UNSEEN = re.compile("[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]")

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_PLAIN_DOT = r"\."
_SPELLED_DOT = (
    r"\s?[\[({<（【]\s?(?:dot|d0t|\.|点|點)\s?[\])}>）】]\s?|\s(?:dot|d0t|点|點)\s|(?<=[a-z0-9])[点點。](?=[a-z])"
    r"|\s\.(?=[a-z])"
)
_HOST = re.compile(
    rf"(?<![a-z0-9@.])(?P<host>{_LABEL}(?:(?:{_PLAIN_DOT}|{_SPELLED_DOT}){_LABEL}){{1,4}})(?![a-z0-9@])"
    r"(?P<path>(?::\d{2,5})?(?:/[^\s\u3000-\u9fff\uff00-\uffef]{0,300}|\s(?:slash|斜杠)\s\S{1,80})?)"
)
# Only a space for the full stop, where "slash" follows or the word is none.
_SPACED_HOST = re.compile(
    rf"(?<![a-z0-9@.])(?P<label>{_LABEL})\s(?P<suffix>[a-z]{{2,6}})\s(?:slash|/)\s\S{{1,80}}"
    rf"|(?<![a-z0-9@.])[a-z0-9-]{{4,40}}\scom(?![a-z0-9])"
)
_DOT = re.compile(_SPELLED_DOT)
# Top-level domains that are words, or end names of files: where no space follows a full stop, "good.it was" is no host.
_WORDS = frozenset(
    (
        *("am", "an", "as", "at", "be", "by", "do", "et", "he", "in", "is", "it"),
        *("la", "ma", "md", "me", "mu", "my", "na", "no", "of", "pa", "pl", "pm"),
        *("py", "rs", "so", "to", "tv", "us", "we"),
    )
)
_TO_A_HOST = re.compile(
    r"(?:\bwww\.|\b(?:at|on|visit|see|via|open|website|site|page|link)\s|网址|网站|官网|链接|登录|打开|上)\s?$"
)
_ADDRESS_OF_4 = re.compile(
    r"(?<![\w.])(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3}(?::\d{2,5})?(?![\w.])"
)
_ADDRESS_OF_6 = re.compile(
    r"(?<![\w:])(?:[0-9a-f]{1,4}:){4,7}[0-9a-f]{1,4}(?![\w:])|(?<![\w:])(?:[0-9a-f]{1,4}:){1,6}:[0-9a-f]{1,4}(?![\w:])"
)
_NO_SCHEME = re.compile(r"(?<![:/\w])//(?:[a-z0-9-]{1,63}\.){1,4}[a-z]{2,24}[^\s\u3000-\u9fff]{0,300}")

_PHONE = re.compile(
    r"(?<![a-z0-9_.,:/$€£¥])(?:\+\s?|\()?\d{1,11}\)?(?:[ .\-–/()]{1,3}\d{1,8}){0,6}(?![a-z0-9_%‰]|[.,:]\d|\s?(?:元|块"
    r"|米|人|公里|yuan|euros?|pounds?|km|m\b|€|£|\$))"
)
_SPELLED_PHONE = re.compile(r"[零〇一二三四五六七八九幺壹贰叁肆伍陆柒捌玖]{7,15}")
_CALLED = re.compile(
    r"(?:\b(?:tel|telephone|phone|phones|call|ring|dial|mobile|cell|text|sms|fax|hotline|number|whatsapp|whats app)\b"
    r"|电话|手机|拨打|致电|热线|座机|联系方式|号码|短信|☎|📞|📱)[^\n]{0,24}$"
)
_DATE = re.compile(
    r"(?:19|20)\d\d\s?[-./–]\s?\d{1,2}\s?[-./–]\s?\d{1,2}|\d{1,2}\s?[-./–]\s?\d{1,2}\s?[-./–]\s?(?:19|20)\d\d"
    r"|(?:19|20)\d\d(?:\s?[-–/]\s?(?:19|20)?\d\d|\s(?:19|20)\d\d){1,5}(?!\d)|(?:19|20)\d\d(?:0\d|1[0-2])[0-3]\d(?!\d)"
    r"|[01]?\d[./][0-3]?\d\s?[-–]\s?[01]?\d[./][0-3]?\d"
)
_HOURS = re.compile(
    r"[012]?\d[.]?[0-5]\d\s?[-–/]\s?[012]?\d[.]?[0-5]\d(?:[\s/]{1,3}[012]?\d[.]?[0-5]\d\s?[-–]\s?[012]?\d[.]?[0-5]\d)?"
)
_DECIMAL = re.compile(r"\d{1,9}\.\d{1,9}(?:\s?[-–/]\s?\d{1,9}\.\d{1,9})?")
_THOUSANDS = re.compile(r"\d{1,3}(?: \d{3}){1,2}")
# How a number is written that is dialled whether or not anybody says so: from abroad, with a trunk 0, a Chinese mobile
# or service number, in groups of three, three and four.
_DIALLED = re.compile(
    r"\+.*|\(?0\d.*|1[3-9]\d(?:[ -]?\d{4}){2}|1-\d{3}-\d{3}-\d{4}|[48]00[ -]\d{3,4}[ -]\d{3,4}"
    r"|\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}|\d{3}-\d{4}"
)

_WECHAT = (
    r"微\s?信|薇\s?信|威\s?信|维\s?信|徽\s?信|v\s?信|weixin|wechat|(?<![a-z])(?:vx|wx|weix)(?![a-z])"
    r"|🛰|绿泡泡|绿色软件|(?:加|\+|add)\s?(?:我|老板|店主|店家|客服|师傅)?的?\s?(?:v|薇|威|微|卫星?|徽|唯)(?![a-z]{3})"
)
_HANDLES = re.compile(
    rf"(?:{_WECHAT})(?:号|id|：|:|同|❤|♥|💚|✉|是|为|[\s\-_=~>→]){{0,8}}(?:[a-z][a-z0-9_-]{{4,19}}|\d{{5,12}}"
    rf"|[同一][号名])"
    r"|(?:(?<![a-z])qq|扣扣|扣群|q群|企鹅|球球)(?:群|号|：|:|是|[\s\-=]){0,6}\d{5,12}"
    r"|(?:(?<![a-z])(?:telegram|tg|whats\s?app|viber|kakao(?:talk)?|skype|discord|snap(?:chat)?|insta(?:gram)?|ig"
    r"|signal"
    r"|line)(?![a-z])|飞机|电报|ライン|小红书号|抖音号|公众号)\s?(?:(?:user(?:name)?|id|handle|account|号)\s?[:：]?\s?"
    r"|[:：「『“\"]\s?@?|\s?@)"
    r"[a-z0-9_.]{3,32}"
    r"|(?:\b(?:dm|message|text|contact|write|add|ping)(?:\sto)?|私信|联系|关注|找)\s?@[a-z0-9_.]{3,32}"
    r"|\b(?:dm|message|text|contact|write(?:\sto)?|ping|add|reach)\s(?!(?:the|them|him|her|us|your|my|our|me|an?|it"
    r"|his|their)\b)"
    r"[\w.]{2,30}(?:\s[\w.]{2,20})?\s(?:on|via|by|over|through|in)\s"
    r"(?:telegram|whats\s?app|signal|we\s?chat|viber|discord|insta(?:gram)?|snapchat|line|kakao)\b"
    r"|\btext(?:ing)?\s\w{1,20}\sto\s\d{4,7}\b|发送?\s?\w{1,10}\s?[到至]\s?\d{4,12}"
)
_PLAIN_HANDLE = re.compile(
    r"text|发|微信|wechat|qq|telegram|whats\s?app|signal|line|@|instagram|公众号|抖音号|小红书号"
)
# Codes that an app opens when they are copied.
_SHARE_CODE = re.compile(
    r"(?:[抖淘吱快]口令|口令[:：]|复制(?:这|本|此|整|全|该|[上下以后并])?[^\n。,，\d]{0,6}打开|打开[^\n。]{0,8}(?:抖音"
    r"|淘宝|拼多多|闲鱼)[^\n。]{0,12}(?:搜|复制|领))"
    r"|[￥¥€₤]\s?[a-z0-9]{8,14}\s?[￥¥€₤]|(?<![a-z])[a-z]{2,4}:/(?!/)"
)
# What tells readers to use a contact.
_USE_IT = re.compile(
    r"\b(?:whats ?app|telegram|signal|call|ring|dial|text|message|contact|write|e-?mail|add|visit|go to|fill|book"
    r"|order|sign up|register|click"
    r"|tap|download|scan|dm|ask)\b|联系|拨打|致电|加|咨询|私|下单|扫码?|关注|搜|登录|点击|填|预约|报名|打电话|戳"
)
_FEWEST_WORDS, _FEWEST_HAN = 5, 10
_CLAUSE = re.compile(r"[,，;；。！!?？\n、()（）—|]|\.\s|\s[-–]\s")


def contacts(text: str) -> list[Contact]:
    """The contacts of a text, in order; they may overlap."""
    read, places = _as_read(text)
    found = list(_found(read))
    if places is None:
        return sorted((Contact(span, hidden) for span, hidden in found), key=lambda one: one.span.start)
    moved = []
    for span, hidden in found:
        start, end = places[span.start], places[span.end - 1] + 1
        # A letter that nobody sees, in the middle of a contact, is there to hide it.
        moved.append(Contact(Span(start, end), hidden or end - start > span.end - span.start))
    return sorted(moved, key=lambda one: one.span.start)


@lru_cache(maxsize=2048)
def contact_spans(text: str) -> tuple[Span, ...]:
    """What is not quoted of a text because of its contacts, in order; spans may overlap.

    A sentence whose contact is disguised is not quoted at all, nor one that only tells readers to use its contact; of
    others, the clause with the contact is cut, and of a clause with a price, a time or a measure the contact alone.
    """
    found = contacts(text)
    if not found:
        return ()
    spans: list[Span] = []
    for sentence in sentences(text):
        own = [one for one in found if one.span.start < sentence.end and one.span.end > sentence.start]
        if own:
            spans += _cut_from(text, sentence, own)
    return tuple(spans or [one.span for one in found])


def _cut_from(text: str, sentence: Span, own: list[Contact]) -> Iterator[Span]:
    if any(one.disguised for one in own):
        yield Span(min(sentence.start, own[0].span.start), max(sentence.end, own[-1].span.end))
        return
    cut, uses = [], False
    for one in own:
        clause = _clause(text, sentence, one.span)
        around = text[clause.start : one.span.start] + " | " + text[one.span.end : clause.end]
        uses |= _USE_IT.search(fold(around)) is not None
        cut.append(one.span if _states(around) or (not uses and _says_more(around)) else clause)
    left = _without(text, sentence, cut)
    if uses and not _states(left):
        yield sentence
    else:
        yield from cut


def _states(text: str) -> bool:
    """Whether a text holds a price, a time, a date or a measure."""
    return any(one.measure or one.value >= 10 for one in quantities(text))


def _says_more(text: str) -> bool:
    """Whether a clause says something besides that there is a contact."""
    return len(query_words(text)) >= _FEWEST_WORDS or sum(map(len, han_runs(text))) >= _FEWEST_HAN


def _clause(text: str, sentence: Span, contact: Span) -> Span:
    start = sentence.start
    for stop in _CLAUSE.finditer(text, sentence.start, max(sentence.start, contact.start)):
        start = stop.end()
    last = _CLAUSE.search(text, contact.end, sentence.end)
    return Span(min(start, contact.start), max(last.start() if last else sentence.end, contact.end))


def _without(text: str, sentence: Span, cut: list[Span]) -> str:
    left, at = [], sentence.start
    for span in sorted(cut, key=lambda one: one.start):
        left.append(text[at : max(at, span.start)])
        at = max(at, span.end)
    return " | ".join([*left, text[at : sentence.end]])


def _as_read(text: str) -> tuple[str, list[int] | None]:
    """The text in lower case as a reader sees it, and where each character of it stands; None: where it did."""
    lower = text.lower()
    if text.isascii():
        return lower, None
    if len(lower) != len(text):  # the lower case of a few letters is two
        lower = "".join(one.lower() if len(one.lower()) == 1 else one for one in text)
    shown = lower.translate(_AS_ASCII)
    if not _UNSEEN.search(shown):
        return shown, None
    places = [at for at, one in enumerate(shown) if not _UNSEEN.match(one)]
    return "".join(shown[at] for at in places), places


def _found(read: str) -> Iterator[tuple[Span, bool]]:
    if "." in read or "dot" in read or "d0t" in read or "点" in read or "點" in read or "。" in read:
        yield from _hosts(read)
        for match in _ADDRESS_OF_4.finditer(read):
            yield Span(*match.span()), False
    for match in _SPACED_HOST.finditer(read):
        if match["suffix"] is None or _suffix(f"{match['label']}.{match['suffix']}") == match["suffix"]:
            yield Span(*match.span()), True
    if ":" in read:
        for match in _ADDRESS_OF_6.finditer(read):
            yield Span(*match.span()), False
    if "//" in read:
        for match in _NO_SCHEME.finditer(read):
            yield Span(*match.span()), False
    for match in _HANDLES.finditer(read):
        yield Span(*match.span()), not _PLAIN_HANDLE.search(match.group())
    for match in _SHARE_CODE.finditer(read):
        yield Span(*match.span()), True
    yield from _phones(read)


def _hosts(read: str) -> Iterator[tuple[Span, bool]]:
    for match in _HOST.finditer(read):
        host, path = match["host"], match["path"]
        disguised = _DOT.search(host) is not None
        suffix = _suffix(_DOT.sub(".", host))
        if not suffix or suffix == host:
            continue
        if suffix in _WORDS and not path and "." in host:
            label = host[: -len(suffix) - 1]
            told = _TO_A_HOST.search(read[max(0, match.start() - 12) : match.start()])
            if disguised or not (told or "-" in label or any(map(str.isdigit, label)) or "." in label):
                continue
        elif suffix in _WORDS and disguised and not path:
            continue
        if not any(map(str.isalpha, host[: -len(suffix)])) and not path and disguised:
            continue  # 3点 and a word
        yield Span(*match.span()), disguised


@cache
def _suffixes() -> TLDExtract:
    return TLDExtract(suffix_list_urls=(), cache_dir=None)  # the list that the library carries: nothing is fetched


@lru_cache(maxsize=4096)
def _suffix(host: str) -> str:
    return _suffixes()(host).suffix


def _phones(read: str) -> Iterator[tuple[Span, bool]]:
    for match in _PHONE.finditer(read):
        written = match.group().strip()
        digits = sum(map(str.isdigit, written))
        if not 7 <= digits <= 15 or any(pattern.fullmatch(written) for pattern in (_DATE, _HOURS, _DECIMAL)):
            continue
        called = _CALLED.search(read[max(0, match.start() - 40) : match.start()])
        if called or (_DIALLED.fullmatch(written) and not _THOUSANDS.fullmatch(written)):
            yield Span(*match.span()), False
    for match in _SPELLED_PHONE.finditer(read):
        yield Span(*match.span()), True
