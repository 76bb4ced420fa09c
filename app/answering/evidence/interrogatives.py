"""Whether a sentence of a post is itself a question or a request, and so answers nothing. Pure; Chinese and English.

A question mark is not enough: posts ask without one ("够不够啊", "anyone know if it gets cold"), and ask for help
without a question ("怕冷星人求助", "looking for advice"). Sentences that only mention a question are recognised by
their words: 不管冷不冷, 可以向前台求助, "whether it is cold depends on the wind".
"""

from __future__ import annotations

import re
from functools import lru_cache

from retrieval.text.folding import fold
from retrieval.text.sentences import sentences

_TAG = re.compile(r"[#＃][^\s#＃]+")
# What may follow the last word: punctuation and emoji.
_TAIL = re.compile(r"(?<![^\w?？\"'”’」』])[^\w?？\"'”’」』]++$")
# Inside brackets or quotation marks it doubts a word ("since May?)") or reports what somebody asked.
_MARKED = re.compile(r"[?？][^\w\"'”’」』)）\]】?？]*+$")
# "It doesn't open at 4:30 any more?!" says what surprised its author.
_SURPRISED = re.compile(r"[?？][!！]|[!！][?？]")
# "Sour? Grind finer." and 蓝鲸？还行 ask nobody.
_HEADING, _HEADING_HAN = 20, 5
_HAN = re.compile(r"[\u4e00-\u9fff]")
_CLAUSE = re.compile(r"[，,；;:：。!！\s]+")

# A particle that ends a question; 多么, 什么 and the like are words.
_PARTICLE = re.compile(r"(?:吗|(?<![这那什怎多要])么|[了过]没有?)[啊呀哈]?$")
# 够不够, 能不能; but 不错不错 praises, 时不时 is now and then, 见怪不怪 and 爱去不去 mean not caring.
_CHOICE = re.compile(
    r"(?<![不爱该见])([\u4e00-\u9fff])(?<!时)(?<!动)(?<!得)[不没]\1|可不可以|能不能够|合不合适|舒不舒服|值不值得|方不方便|喜不喜欢"
    r"|知不知道|[能可]否|^[\u4e00-\u9fff]{0,4}是否"
)
_ASKING = re.compile(
    r"什么|怎么|怎样|咋|如何|哪|谁(?!让)|(?<![好十百没这那])几[点号块元岁天次]|多少|多[久大厚远长高]|为何|啥|何时"
)
# 呢 ends a question that holds a question word or a choice, and 那周末呢.
_TOPIC = re.compile(r"^那.{1,6}呢$")
_ENDS_ASKING = re.compile(
    r"(?:怎么[办样弄选走去买卖算订约玩做]|咋[办样弄整选]|多少钱?|哪[里儿家个天种款]|几[点号块元]|多[久大厚远长]|什么时候"
    r"|为(?:什么|啥)|什么价格?)(?:一[碗杯斤次晚天份个张间]|比较好|更好|好一?点|好|合适)?[啊呀]?$"
)
# Mentions a question: what nobody knows or cares about, what somebody checks or tells, and 想吃什么就点什么.
_SPOKEN_OF = re.compile(
    r"不管|无论|不论|不在乎|不知|清楚|不记得|不见|不了多|不咋|不怎么|只有|忘了|没[什怎几多啥]|无所谓|取决|决定|关于|确认|问(?!题)"
    r"|检查|告诉|知道|记录|研究|明白|了解|(?:^|[要得就先键去再多( ])[看听闻摸试]|什么都|谁都|哪[里儿]?都|怎么都"
    r"|就[\u4e00-\u9fff]{1,4}(?:什么|多少|哪)|看.{0,2}(.)[不没]\1|(.)[不没]\2.{0,3}[看听]"
)
_TOLD = re.compile(r"(?:问(?!题|一?下)|不管|无论).{0,300}[吗么]")
# Requests for help, anywhere in the sentence. 要求 and 追求 do not ask readers for anything.
_REQUEST = re.compile(
    r"(?<![不所要请追需寻力恳哀乞苛强])求(?:推荐|建议|解答?|问|指教|指点|科普|攻略|分享|链接|安利|告知|各位|大佬|姐妹|同款"
    r"|介绍|帮忙?)(?![了得者的])|[跪急]求|在线等|蹲一?个|^(?:弱弱地?)?问一?下"
    r"|(?:^|[，,。!！\s])(?:请问|求问|想问|请教(?=一?下|大家|各位|$|[:：，,]|姐妹))(?![“\"「])"
    r"|(?<![查看问听认下])有没有(?:人|谁|哪|什么|姐妹|宝|朋友|大佬|小伙伴|友友|大神|同学|家长|推荐|懂|知道|用过|去过|住过|试过|了解)"
    r"|(?:^|[，,。!！\s])(?:有人|有谁|哪位|谁(?!知道|懂|了解))(?:能|可以)?(?:知道|懂|了解|告诉|推荐|解答|讲讲)(?![了得的])"
    r"|(?:大家|各位|你们|姐妹们?)(?:有|能|可以|都)?(?:什么|啥)?(?:推荐|建议)(?:一?下|个)?[吗么呢啊]?$"
)
_HELP = re.compile(r"求助(?=$|[帖贴:：,，!！~～。…\s])")
_HELP_OF_OTHERS = re.compile(r"(?:向|可以?|能|去|找|再|已经?|被|来|发帖).{0,8}求助")

# What people ask others for. "Tips" alone may be money.
_WANTED = r"(?:advice|recommendations?|recs|suggestions?|tips|help|ideas|opinions|pointers)"
_BEGIN = r"^(?:(?:so|hi|hey|hello|ok|okay|and|but|also|all|everyone|folks|guys|question|or|btw)\b\W*)*"
_THEM = r"(?:i|you|we|they|people|one|it|he|she|your?|my)"
_INVERTED = r"(?:do|does|did|can|should|could|would|will)"
_ENGLISH = re.compile(
    r"\b(?:does|did|has|have|is|are|can|could|would|will) (?:anyone|anybody|any of you|you guys)\b"
    rf"|(?:{_BEGIN}|[,;:] )(?:can|could|would|will|does|has) (?:someone|somebody|y['’]?all)\b"
    rf"|{_BEGIN}(?:"
    r"any(?:one|body|1)(?: else)?(?: (?:here|in|on|at|from)(?: \w+){0,3}?)?"
    r" (?:know|knows|tried|try|been|got|have|used|ever|recommend)\b"
    rf"|any(?: \w+)? (?:{_WANTED}|thoughts|experiences?|luck)"
    r"(?:(?! (?:is|are|was|were|will|has|have|gets?|costs?) ).)*$"
    r"|(?:is|are|does|can|could|would) (?:it|there|this|these|those|they|you|i|we|he|she)\b(?!['’])"
    r"|(?:was|were|did) (?:it|they|you|i|we|he|she)\b|should (?:i|we|it|they|he|she)\b|do (?:you|they|i|we) |have you "
    r"|is (?:the|my|your) .*\b(?:or not|ok|okay|worth it|enough)$"
    rf"|(?:where|how|why|who|which|what)(?: (?!{_THEM}\b)\w+){{0,3}}? {_INVERTED} {_THEM}\b|when {_INVERTED} {_THEM}\b"
    r"|how (?:much|many|long|far|cold|hot|warm|busy|bad|hard|big|expensive|safe|old|often)"
    r" (?:is|are|was|were|does|do|did|can|should)\b"
    r"|(?:what|where)(?:['’]?s| is| are) (?:the best|the cheapest|a good|your|everyone['’]?s)"
    r"|which (?:one )?(?:is|are) (?:better|best)|asking for (?:an?|my|our)(?: \w+){1,4}$)"
    r"|(?<!like it)(?<!believe it)(?<!ready) or (?:no|not)$"
    rf"|(?:^|[,;:—-] ?|\b(?:i['’]?m|i am|we['’]?re|we are|still|just|also|here) )"
    rf"(?:looking|searching|asking|hoping|hunting) for (?:\w+ ){{0,3}}?(?:{_WANTED}|a friend)\b"
    rf"|(?:^|\b(?:i|we) )(?:(?:really|just|still|also|could|would) )*(?:need|want|use|seek|seeking|appreciate)"
    rf" (?:some |any |your |a bit of |all )?(?:\w+ )?(?!tips\b){_WANTED}\b"
    rf"|\b(?<!no )(?:any tips|(?!tips\b){_WANTED}) (?:(?:is|are|would be|very|much|greatly|gratefully|most|surely) )*"
    r"(?:needed|wanted|please|pls|welcome|appreciated|requested)\b"
    r"|\bplease (?:help(?! yourself| keep| us keep)|advise|recommend|suggest)\b"
    r"|(?:\b(?:i['’]?m|i am|i was|we['’]?re|we are|we were) |^(?:just |been |was |still )?)wondering"
    r" (?:if|whether|how|what|where|when|which|why|about|who)\b"
    r"|\bi(?:['’]d| would) (?:love|like) to (?:know|hear)\b"
    r"|\b(?:let|tell) me know (?:if|what|where|how|whether|which) (?:you|any|it|there|i)\b"
)


def asks(text: str) -> bool:
    """Whether every sentence of a piece of a post asks for something.

    >>> asks("大理能到吗"), asks("睡袋够不够啊\\n怕冷星人求助🥶"), asks("does anyone know if it gets cold")
    (True, True, True)
    >>> asks("能到大理。"), asks("够不够看天气"), asks("Is it cold? It was 4 degrees.")
    (False, False, False)
    """
    found = [text[span.start : span.end] for span in sentences(text)]
    said = [one for one in found if any(map(str.isalnum, _TAG.sub("", one)))]
    return bool(said) and all(map(_asks, said))


@lru_cache(maxsize=16384)
def _asks(sentence: str) -> bool:
    bare = _TAG.sub("", sentence).strip()
    if _MARKED.search(bare) and not _SURPRISED.search(bare):
        return True
    folded = _TAIL.sub("", fold(bare))
    return _asks_in_chinese(folded) if _HAN.search(folded) else _asks_in_english(folded)


def heads(sentence: str) -> bool:
    """Whether this is a few words with a question mark that introduce the next sentence.

    >>> heads("Sour?"), heads("老城呢？"), heads("How much is the ferry to the island?")
    (True, True, False)
    """
    bare = _TAG.sub("", sentence).strip()
    return bool(_MARKED.search(bare)) and len(bare) <= (_HEADING_HAN if _HAN.search(bare) else _HEADING)


def _asks_in_chinese(folded: str) -> bool:
    if _REQUEST.search(folded) or (_HELP.search(folded) and not _HELP_OF_OTHERS.search(folded)):
        return True
    last = _CLAUSE.split(folded)[-1]
    if _PARTICLE.search(last):
        return not _TOLD.search(last)
    if _SPOKEN_OF.search(last):
        return False
    chooses = bool(_CHOICE.search(last))
    if last.endswith("呢"):
        return chooses or bool(_ASKING.search(last)) or bool(_TOPIC.search(last))
    return chooses or bool(_ENDS_ASKING.search(last))


def _asks_in_english(folded: str) -> bool:
    return bool(_ENGLISH.search(folded))
