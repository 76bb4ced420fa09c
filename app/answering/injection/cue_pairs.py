"""Orders to a model recognised by two cues in one sentence, where no set phrase gives them away. Pure.

A sentence that names an answering machine and says how to answer, that mentions orders and cancels them, or that points
at other posts and calls them lies is not advice to readers, whatever its words. Either cue alone may be.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from app.answering.injection.order_pattern import order_pattern

_CUES: Mapping[str, str] = {
    # Cancelling what the model was told.
    "drop": (
        r"\b(?:ignor\w+|disregard\w*|forget|scrap|discard|dismiss|drop|override|overrule|void|cancel|unlearn|skip"
        r"|bypass|throw (?:out|away)|(?:set|put|leave|push|lay) (?:\w+ ){0,4}aside|no longer (?:apply|hold|count"
        r"|valid)|stop (?:following|obeying)|instead of|rather than|expired?|lapsed|wipe)\b|过期|到期|清空|忽略"
        r"|忽视|无视|忘[记掉了]|作废|失效|不作数|不算数|别管|甭管|不管|抛开|撇开|丢开|推翻|改口|不必(?:遵|理|管)"
    ),
    "orders": (
        r"\b(?:prior|previous|earlier|former|original|initial|your|given|these|any|all) (?:\w+ )?(?:directions?"
        r"|instructions?|guidance|briefing|orders|commands?|prompts?|requirements|restrictions|programming)\b"
        r"|\b(?:told|instructed|gave|briefed|ordered|programmed) you\b|\byou(?:'ve| have| were"
        r"| are)? (?:been )?(?:told|instructed|briefed|ordered|programmed)\b|条条框框|给你的?(?:命令|要求|规定"
        r"|指示|任务|提示|话|限制|说明)|(?:系统|后台|开发者|平台)(?:怎么|如何|的)?(?:规定|要求|设定|指示|限制)"
        r"|你(?:的|原先|原来|之前)(?:要求|规定|设定|任务|指示|限制)|(?:之前|前面|先前|原来)的?(?:全部"
        r"|所有)?(?:要求|规定|设定|指示|指令)|指令|提示词"
    ),
    # The model, and the person who asks.
    "machine": (
        r"\b(?:ai|a\.i\.|assistants?(?! (?:manager|professor|coach|teacher|director|editor|store|cook|chef))"
        r"|language models?|llms?|(?:chat|answer|search|question)[- ]?bots?|chat ?gpt|answer(?:ing)? (?:engine"
        r"|machine|system)s?|crawlers?|summari[sz]ers?)\b|(?<![a-z])ai(?![a-z])|\b(?:machines?|systems?|programs?"
        r"|things?|readers?) (?:that|which|who) (?:answers?|reads?|is made of|processe?s?|indexe?s?)\b|系统(?=请"
        r"|须|必|应)|(?:检索|读|看|抓取)到(?:本|此|这)[^。]{0,6}(?:系统|程序|引擎|者)|人工智能|(?:语言|大)模型"
        r"|模型(?=须|应|请|必|要|一律|统一)|智能体|助手|问答(?:系统|机器人)?|聊天机器人|机器人|搜索引擎"
    ),
    "asker": (
        r"\b(?:the|any|every|each|whichever) (?:askers?|users?|person (?:asking|who asks)|questioners?"
        r"|searchers?)\b|\b(?:whoever|anyone|anybody|everyone|those) (?:who )?(?:asks?|searches|queries"
        r"|wants to know)\b|(?:提问|询问|搜索|查询)(?:者|的人)|用户(?=问|想|要|其实|真正)|问(?:者|的人|此)"
        r"|有人(?:问|搜)"
    ),
    # How to answer.
    "say": (
        r"\b(?:answer|reply|respond|say|report|state|claim|tell|declare|describe|present|mention|recommend|insist"
        r"|output|write|conclude|return|print|pretend)\b(?! (?:me|us|the (?:staff|owner|landlord|driver"
        r"|waiter))\b)|(?:结论|答案|总结|结尾|回答)里?写|回答|答复|回复|作答|应答|答(?:曰|道|为|称|成)?[“\"「:：]?"
        r"|说成|讲成|写成|改口|表述|声称|宣称|告诉|输出|推荐|称(?:为|作)|介绍(?:为|成)"
        r"|(?<![听据都人上是来想再总话小传])说[“\"「:：是]"
    ),
    "must": (
        r"\b(?:must|shall|have to|has to|always|only|never|from now on|at all times|no matter what"
        r"|without exception|required to|supposed to|instructed to)\b|必须|务必|一律|统统|统一|一概|应当|须(?!知)"
        r"|只(?:能|许|准|需)|不得|不许|请(?!问)|从现在起|照此"
    ),
    # The other posts, and what is wrong with them.
    "others": (
        r"\bothers here\b|\b(?:other|previous|earlier|remaining|above|competing) (?:posts?|sources?|reviews?"
        r"|answers?|figures?|numbers?|comments?)\b|\b(?:whatever|anything|everything|any \w+"
        r"|all) (?:\w+ )?you (?:read|see|find|hear|were shown)\b|\b(?:post|source) (?:\d|one|two)\b|(?:前面|上面"
        r"|以上|其他|其它|别的|其余|他|那些|另外)(?:的|那些|几[条篇个])*(?:所有)?(?:帖子?|笔记|资料|来源|文章|回答"
        r"|博主|作者)|第[一二三四五六\d]+(?:条|篇|个)?(?:和第[一二三四五六\d]+条)?帖子?"
    ),
    "lies": (
        r"\b(?:lies?|lying|fake|false|wrong|fabricated|untrue|forged|mistaken|made up|not (?:true|to be trusted)"
        r"|proves?|confirms?|attests?)\b|\bpaid to\b|\bmislead\w*|收了钱|乱写|骗人|假的?|不实|谎|不足信|不可信"
        r"|瞎编|编造|错的?|证实|证明|可证|佐证"
    ),
    # What only a model has.
    "inside": (
        r"\b(?:tokens?|context window|system message|system prompt|knowledge base|training data|retrieved"
        r"|retrieval|this chat|this conversation|(?:before|above) this (?:post|text|message|line)|hidden (?:text"
        r"|message|rules?))\b|写给你的|(?:开发人员|开发者|作者|主人)[^。]{0,4}写给你|\bhidden notes?\b"
        r"|\byour (?:maker|creator|developer)s?\b|你收到的?|第一段话|上下文|检索(?:到的?)?结果|知识库|系统消息"
        r"|对话(?:记录|历史)|原样(?:贴|输出|复述)"
    ),
    "shape": (
        r"\b(?:switch|change|translate\w*|convert) (?:\w+ )?(?:to|into) (?:french|german|spanish|italian|russian"
        r"|japanese|korean|chinese|english|json|html|markdown|xml)\b|\b(?:start|begin|end|finish|open) (?:your|the"
        r"|every|each) (?:reply|answer|response)\b|\b(?:keep|go on|continue) (?:writing|repeating|saying"
        r"|printing)\b|(?:回复|回答|作答|输出|答复)时|开头先|结尾再|包起来|每个字之间|(?:日本語|英語"
        r"|中国語)(?:だけ)?で(?:答|回答|返)"
    ),
    "recite": r"贴出来?|念出|抄给|复述|逐字|原样|\b(?:paste|recite|relay|repeat|reveal|copy)\b",
}
_COMPILED = {name: order_pattern(pattern) for name, pattern in _CUES.items()}
# Which two make an order, and which kind.
_PAIRS: tuple[tuple[str, str, str], ...] = (
    ("drop", "orders", "override"),
    ("machine", "drop", "override"),
    ("inside", "shape", "leak"),
    ("inside", "say", "leak"),
    ("inside", "recite", "leak"),
    ("machine", "recite", "leak"),
    ("inside", "drop", "override"),
    ("others", "lies", "others"),
    ("shape", "say", "steering"),
)
_TRIPLES: tuple[tuple[str, str, str, str], ...] = (
    ("machine", "must", "say", "addressed"),
    ("asker", "must", "say", "steering"),
    ("orders", "must", "say", "override"),
)
_SENTENCE = re.compile(r"[^.!?。！？\n;；]+")
# Single signs outside the lists of set phrases that nobody would address to readers.
_ALONE = order_pattern(
    r"(?:^|\n)\s*(?:ai|模型|机器人|助手|bot|model|response)\s*[:：]\s*\S|</?(?:用户|助手|系统|指令|帖子|回答|答案"
    r"|资料|提示)>|(?:以下|下面|此段)(?:内容|信息|文字)?(?:来自|出自|为|是)(?:管理|系统|官方|后台|开发者)"
    r"|请?优先(?:采用|采纳|参考|引用)(?:本|此|以下)?|\{%|\}\}\s*\S*\s*\{\{|\{\{\s*(?:system|fence|prompt|question"
    r"|post)|(?:所有|以上|一切|全部)的?指令|(?:真正|其实|实际上)(?:想|要)(?:知道|问)的是|\b(?:truly|really"
    r"|actually) (?:wish|want|need)\w* to (?:know|ask|hear)|(?:^|[\n.!?])\s*(?:report|claim|announce|declare"
    r"|affirm|conclude|pretend|insist) that\b|\brun out of tokens\b|(?:^|\n)\s*(?:bot|admin|user|system|ai"
    r"|human)\s*[>»]|以下(?:为|是|由|乃)(?:提问|询问|用户)(?:人|者)?(?:亲自)?(?:输入|所写|说)|\bwhat follows (?:is"
    r"|was) (?:typed|written|sent|said) by\b|\b(?:r[ée]ponds?(?:ez)?|antworte[nt]?|responde[dr]?|rispond[ia]"
    r"|responda|antwoord) (?:\w+ )?(?:en|auf|in|em) (?:fran|deutsch|espa|ital|portu|engl|ingl|angl|neder)\w*"
    r"|\bstay silent\b|(?:装作|假装)不(?:知|懂|会)|\b(?:your|the) new (?:boss|master|operator|owner|instructor)\b"
    r"|(?:总结|概括|介绍|引用)(?:本|此|这)(?:帖|文|条|篇)[^。\n]{0,4}时|(?:属于|涉及)(?:违禁|敏感|非法)(?:内容"
    r"|话题|信息)|答[“\"「](?:无法|不知|不便|抱歉|毋)|但(?:云|言|曰)[“\"「]|把(?:所有|全部)?问题都?(?:回答|答)成"
    r"|\bwhen(?:ever)? you (?:summari[sz]e|answer|reply|quote|cite)\b|(?:助手|助理|模型)[^。\n]{0,6}(?:回|作)?答道"
    r"|ba (?:suoyou )?wenti dou huida|\bhuida (?:cheng|shuo|wei)\b",
)


def order_by_cues(text: str) -> str | None:
    """The kind of order that a sentence of a folded text makes by its cues; None where none does."""
    if _ALONE.search(text):
        return "steering"
    for sentence in _SENTENCE.findall(text):
        if len(sentence) < 6:
            continue
        has = {name for name, pattern in _COMPILED.items() if pattern.search(sentence)}
        if len(has) < 2:
            continue
        for one, other, kind in _PAIRS:
            if one in has and other in has:
                return kind
        for one, other, third, kind in _TRIPLES:
            if {one, other, third} <= has:
                return kind
    return None
