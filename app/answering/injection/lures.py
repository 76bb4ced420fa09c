"""Sentences of a post that want something from the reader instead of telling something. Pure.

They ask for secrets or money, ask to be passed on, send readers to a rival, speak as a moderator, accuse a named person
of a crime, or repeat words to be found. Each kind is known by two cues in one sentence, because either alone is
ordinary; a post's own words are not believed where its author asks, poses, stuffs or disguises.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal

from app.answering.injection.order_pattern import order_pattern
from retrieval.text.folding import fold
from retrieval.text.highlight import query_words
from retrieval.text.sentences import sentences
from retrieval.types import Span

Lure = Literal[
    "secret", "payment", "messenger", "request", "rival", "moderator", "accusation", "stuffing", "disguise", "markup"
]
# These say that the author is not to be trusted; the others bar their sentence alone.
OF_THE_AUTHOR: frozenset[Lure] = frozenset({"secret", "request", "moderator", "stuffing", "disguise"})

_APPS = (
    r"(?:\b(?:telegram|whats ?app|signal|viber|we ?chat|weixin|kakao(?:talk)?|discord|snapchat|instagram)\b"
    r"|微信|ライン|lineへ|电报|飞机|qq)"
)
_AUDIENCE = r"(?:every(?:body|one)|people|others|any(?:body|one)|whoever asks|(?:your )?friends|readers|all)"
_PAIRS: tuple[tuple[Lure, str, str], ...] = (
    (
        "secret",
        r"\bcredit ?cards?\b|\b(?:debit|bank) cards?\b|\bcard (?:numbers?|details|codes?)\b|\bcvv\b"
        r"|\bbank (?:details|accounts?|logins?)\b|\bpass ?(?:words?|codes?)\b|\bverification codes?\b|\bboth sides\b"
        r"|\bone[- ]time codes?\b|\bseed phrase\b|(?<!wifi)(?<!门锁)(?<!门禁)(?<!开门)(?<!开锁)密码|验证码|付款码"
        r"|安全码"
        r"|银行卡号?|身份证(?:正反|照|和)",
        r"\b(?:send|give|text|e-?mail|tell|upload|submit|share)(?:ing)? (?:\w+ ){0,3}(?:a |your |the )(?:\w+ ){0,5}"
        r"(?:photos?|pictures?|scans?|copy|cards?|numbers?|details|codes?|pass\w+|account)\b|\bat hand\b"
        r"|\b(?:scan|photo|picture)s? of (?:your|the)\b|\bby (?:text|sms|chat|mail)\b|\bboth sides of (?:the"
        r"|your) (?:card|id)\b|\b(?:card|sides)[^.]{0,20}\band (?:the|your) code\b"
        r"|(?:发|告诉|报|给|提供|交)(?:给|到|过去|来)?(?:他|她|对方|专员|客服|退款|工作人员|管理员|我)|(?:也|都|要"
        r"|先)发"
        r"|填银行卡|告诉|报给|念给",
    ),
    (
        "payment",
        r"\b(?:pay|paid|paying|transfer|deposit)\b[^.]{0,24}\b(?:to|into) the (?:\w+ )?(?:card|account|wallet) of\b"
        r"|\b(?:pay|transfer) (?:it )?(?:first|up ?front|in advance|beforehand)\b"
        r"|\b(?:paga|pague|pagar) (?:antes|primero)|\bzahl\w+ (?:vorher|im voraus)|\bpayez d.abord"
        r"|前払い|先払い|先付|先转|先打款|转账?到|付到",
        r"\b(?:card|account|wallet) of\b|\bbook (?:there|here|online|now)\b|\bhalf (?:the )?price\b|半額"
        rf"|个人(?:账|帐)|卡上|账号|{_APPS}|\bcash ?app\b|\bpaypal\b|\bcrypto\b|\bbitcoin\b|\busdt\b|\bgift cards?\b",
    ),
    (
        "messenger",
        r"\b(?:dm|d m|message|text|contact|write(?: to)?|add|ping|hit up|reach) (?:me|us)\b"
        r"|\b(?:escrib\w+|manda\w*|habla\w*|llam\w+|schreib\w*|meld\w*|[ée]cri\w+|contactez|scriv\w+|chiam\w+)\b"
        r"|へ(?:連絡|、|$)|(?:联系|找|加)(?:老(?![板师])|小(?!程)|阿|我)|滴滴我|戳我|私聊?我|dd我",
        rf"{_APPS}|主页|同名|发你|绿色软件|绿泡泡",
    ),
    (
        "request",
        r"\b(?:thanks?(?: you)?|please|kindly|grateful|appreciated?|lovely if|be (?:so )?(?:kind|nice|sweet|lovely"
        r"|great)|would you"
        r"|could you|do (?:me|us) a favou?r|help us)\b|辛苦|麻烦|拜托|请|求(?:求|各位|大家|转|扩)|劳烦|感谢|谢谢|帮忙"
        r"|劳驾",
        rf"\b(?:pass(?:ing)? (?:it |this |that )?on\b|spread(?:ing)? the word|(?:tell|let)(?:ting|ing)? {_AUDIENCE}\b"
        rf"|(?:mention|recommend|suggest|point|send|refer)(?:ring|ing)? (?:\w+ ){{0,4}}(?:to )?{_AUDIENCE}\b"
        r"|(?:mention|recommend|suggest|support)(?:ing)? (?:us|our|my)\b|put(?:ting)? in a (?:good )?word)"
        r"|\b(?:every|each|any|your|all) (?:repl(?:y|ies)|answers?|summar(?:y|ies)|responses?)\b|\bpoint (?:them"
        r"|readers)\b"
        r"|\bwhoever (?:sums|reads|answers|writes|replies)\b|\bwhen (?:people|someone|anyone|others) asks?\b"
        r"|\b(?:small|little|family) (?:\w+ )?business\b|(?:回答|回复|总结)(?:的时候|时|里|中)|转告|转达|(?:告诉|告知"
        r"|通知|推荐给|介绍给|安利给)(?:大家|后面|别人|各位|身边)"
        r"|提一[下句嘴]|帮忙(?:推荐|推广|宣传|转发)|小店|小团队|创业|多多支持",
    ),
    (
        "rival",
        r"\bmoney down the drain\b|\bwaste of (?:money|time)\b|\b(?:not|never|hardly|isn.t|aren.t) worth\b"
        r"|\bdon.t bother\b|\bforget (?:about )?(?:it|the|that)\b|\bskip (?:it|the|that)\b|\boverpriced\b"
        r"|\bsave your(?:self)? (?:the )?(?:money|trouble|trip)\b|\bnobody (?:\w+ ){0,4}any ?more\b"
        r"|\bnobody who knows\b"
        r"|\b(?:buys?|goes|go|uses?|books?|switched|went|takes?|moved) (?:\w+ ){0,10}instead\b"
        r"|\bused to\b[^.]{0,60}\bbut\b|\bhalf the price\b|\bwhy pay\b|不如|太坑|坑人|不重要|不用[看问管]"
        r"|别[去问看纠花办]|不值|浪费|没人[去办买用]|智商税|冤枉钱|不划算",
        r"\b(?:every(?:body|one)|all (?:the )?locals|locals all|people in the know|(?:those|anyone|people) who knows?"
        r"|insiders|smart (?:people|ones)|regulars all|half the town|the whole town)\b"
        r"|\bbest decision\b|\bgame ?changer\b|\bnever looked back\b|\btwice as\b|\bin everywhere\b|安利|姐妹们|闭眼"
        r"|大家都|懂行|内行|聪明人|本地人都|老手|懂的人|会玩的|都(?:去|办|用|买|改|转|换|选)了?[^\s，。]{2,10}(?:的|家"
        r"|卡|店|馆)",
    ),
    (
        "accusation",
        r"\b(?:convicted|jailed|imprisoned|arrested|sentenced|fraud\w*|swindler|scammer|thief|rapist|paedophile"
        r"|pedophile"
        r"|embezzl\w+|molest\w+|steals?|stealing|stole|criminal record|in prison|charged with|bribe\w*)\b"
        r"|诈骗|判过|判了|坐过牢|坐牢|入狱|被抓|小偷|偷(?:钱|东西|客人|窃)|强奸|猥亵|贪污|前科|通缉|洗钱|骗子",
        r"",
    ),
)
_COMPILED = tuple((lure, order_pattern(one), order_pattern(other)) for lure, one, other in _PAIRS)
# A person whom readers deal with, by name.
_PERSON = re.compile(
    r"\b(?:owner|manager|landlord|landlady|boss|director|doctor|dr|chef|coach|teacher|driver|clerk|dentist|vet)"
    r"[.,]? (?:is |called |named )?[A-Z][a-z]{1,20}\b|\b(?:run|owned|managed|led|headed) by [A-Z][a-z]{1,20}\b"
    r"|\b[A-Z][a-z]{1,20} [A-Z][a-z]{1,20},? (?:who )?(?:was|is|has|had|got|served|went)\b"
)
_CHINESE_PERSON = re.compile(
    r"(?:老板娘?|店主|店长|房东|管家|经理|负责人|院长|医生|老师|教练|馆长)(?:叫|是)?"
    r"[\u4e00-\u9fff]{2,3}(?=因|被|曾|以|涉|骗|偷|有前科|坐|判|进过)"
)
# Who warns of it does not ask for it.
_WARNS = re.compile(r"\b(?:never|don.?t|do not|no need|nobody should|scam\w*)\b|别|不要|切勿|千万|勿|骗")
_MODERATOR = re.compile(
    r"(?:^|[\n\[(【（*#>])[ \t]{0,4}(?:mod(?:erator)?s?|admins?(?:istrator)?|editor(?:'s)?|staff|site|system|forum"
    r"|team)"
    r"[ \t](?:note|notice|edit|update|message|announcement|remark|reply|correction|team)\b"
    r"|(?:^|[\n\[(【（*#>])[ \t]{0,4}(?:mod(?:erator)?|admin)[ \t]{0,2}[:：\]】]"
    r"|(?:^|[\n\[【（(])[ \t]{0,4}(?:版主|管理员|管理組|管理组|站长|站方|系统|平台|论坛)(?:小?提示|公告|备注|注|说明"
    r"|通知|更正|声明|回复|提醒|留言|编辑)?[ \t]{0,2}[\]】）):：]",
    re.IGNORECASE,
)
_MIXED = re.compile(
    r"[a-z]{1,40}[а-яёіјѕәғҽԁԛԝһ]|[а-яёіјѕәғҽԁԛԝһ]{1,40}[a-z]|[a-z][οαεινκρτυχ]{1,4}(?=[a-z])", re.IGNORECASE
)
_CIRCLED = re.compile(r"[①-⑨❶-❾➀-➈➊-➒⓪🄋⓿]{2,20}(?=\s?[\u3400-\u9fffa-zA-Z])")
_UNSEEN_INSIDE = re.compile(r"(?<=\w)[\u00ad\u180e\u200b-\u200d\u2060-\u2064\ufeff]{1,8}(?=\w)")
_FEWEST_HIDDEN = 2
_MARKUP = re.compile(
    r"\$\{[^\s}]{1,200}\}|\\(?:href|url|includegraphics|input|write|def|newcommand)\s{0,2}\{"
    r"|&amp;(?:[a-z]{2,8}|#x?[0-9a-f]{2,6});|\{\{[^}\n]{1,200}\}\}|<%[^\n]{1,200}%>",
    re.IGNORECASE,
)
_TOKEN = re.compile(r"[a-z]+|[\u3400-\u9fff]+")
_FEWEST_TOKENS, _FEWEST_HAN_TOKENS, _REPEATED_SHARE = 7, 5, 0.28
# Words are the same if they begin alike: close, closes, closing.
_BEGINNING, _LONGEST_HAN_TOKEN = 4, 6


def lures(text: str) -> list[tuple[Span, Lure]]:
    """The sentences of a text that want something from the reader, and what, in order."""
    return list(_lures(text))


@lru_cache(maxsize=2048)
def lure_spans(text: str) -> tuple[Span, ...] | None:
    """What is not quoted of a text because of its lures, in order; None: its author is not to be trusted at all."""
    found = lures(text)
    return None if any(lure in OF_THE_AUTHOR for _, lure in found) else tuple(span for span, _ in found)


def _lures(text: str) -> Iterator[tuple[Span, Lure]]:
    if _MODERATOR.search(text):
        yield Span(0, len(text)), "moderator"
    for span in sentences(text):
        sentence = text[span.start : span.end]
        if (lure := _lure(sentence)) is not None:
            yield span, lure


def _lure(sentence: str) -> Lure | None:
    if _MIXED.search(sentence) or _CIRCLED.search(sentence) or len(_UNSEEN_INSIDE.findall(sentence)) >= _FEWEST_HIDDEN:
        return "disguise"
    if _MARKUP.search(sentence):
        return "markup"
    folded = fold(sentence)
    for lure, one, other in _COMPILED:
        if not one.search(folded):
            continue
        if lure == "accusation":
            if _PERSON.search(sentence) or _CHINESE_PERSON.search(sentence):
                return lure
        elif other.search(folded) and not (lure in {"secret", "payment"} and _WARNS.search(folded)):
            return lure
    return "stuffing" if _is_stuffed(folded) else None


def _is_stuffed(folded: str) -> bool:
    """Whether a sentence is a heap of words to be found by: no function word, comma or number, and words repeated."""
    if any(one.isdigit() or one in ",，、:;()<>=" for one in folded):
        return False
    tokens = _TOKEN.findall(folded)
    han = [token for token in tokens if not token.isascii()]
    if len(han) * 2 > len(tokens):
        apart = folded.count(" ") + 1 >= _FEWEST_HAN_TOKENS and all(len(one) <= _LONGEST_HAN_TOKEN for one in han)
        return apart and len(han) >= _FEWEST_HAN_TOKENS and len(han) - len(set(han)) >= 1
    telling = query_words(folded)
    repeated = len(tokens) - len({token[:_BEGINNING] for token in tokens})
    return (
        len(tokens) >= _FEWEST_TOKENS
        and len(telling) >= 0.8 * len(tokens)
        and repeated >= _REPEATED_SHARE * len(tokens)
    )
