"""Words of which only one can be true: days, seasons, directions, open and closed, in Chinese and English. Pure."""

from __future__ import annotations

import re

from retrieval.text.folding import fold

_EXCLUSIVE: tuple[tuple[str, ...], ...] = (
    (
        r"\bmon(?:days?)?\b|周一|星期一|礼拜一",
        r"\btue(?:s|sdays?)?\b|周二|星期二|礼拜二",
        r"\bwed(?:nesdays?)?\b|周三|星期三|礼拜三",
        r"\bthu(?:rs|rsdays?)?\b|周四|星期四|礼拜四",
        r"\bfri(?:days?)?\b|周五|星期五|礼拜五",
        r"\bsat(?:urdays?)?\b|周六|星期六|礼拜六",
        r"\bsun(?:days?)\b|周日|周天|星期[日天]|礼拜[日天]",
    ),
    (
        r"\bspring\b|春[天季]|开春",
        r"\bsummers?\b|夏[天季]|暑假",
        r"\bautumn\b|\bfall season\b|秋[天季]",
        r"\bwinters?\b|冬[天季]|寒假",
    ),
    (
        r"\bmornings?\b|早上|上午|早晨|清晨|清早",
        r"\bafternoons?\b|下午",
        r"\bevenings?\b|\bnights?\b|晚上|傍晚|夜里|夜间|夜晚|晚间",
    ),
    (
        r"\bnorth(?:ern)?\b|北(?=[边面侧门岸口])",
        r"\bsouth(?:ern)?\b|南(?=[边面侧门岸口])",
        r"\beast(?:ern)?\b|东(?=[边面侧门岸口])",
        r"\bwest(?:ern)?\b|西(?=[边面侧门岸口])",
    ),
    (
        r"\bleft (?:side|hand|of)\b|\bon the left\b|左(?=[边手侧面转拐])",
        r"\bright (?:side|hand|of)\b|\bon the right\b|右(?=[边手侧面转拐])",
    ),
    (
        r"\bcheap(?:er|est)?\b|\binexpensive\b|便宜|实惠",
        r"\b(?<!not )expensive\b|\bpricey\b|昂贵|(?<![不别没])太?贵(?![州阳宾人])",
    ),
    (r"\bfree(?: of charge)?\b|免费", r"\bcosts? (?:money|extra)\b|\bpaid\b|收费|付费|要钱|另收"),
    (
        r"\ballow(?:s|ed)?\b|\bpermitted\b|\bwelcome\b|允许|可以|欢迎",
        r"\bbann?e?d\b|\bforbidden\b|\bprohibited\b|禁止|谢绝|不让|不许|不允许|不可以|不准",
    ),
    (
        r"\bopens?\b|\bopened\b|\bopening\b|开门|开业|营业|开放",
        r"\bclos(?:e|es|ed|ing)\b|\bshut(?:s| down)?\b|关门|闭店|打烊|歇业|关闭|停业|倒闭",
    ),
    (r"\bbefore\b|之前|以前", r"\bafter\b|之后|以后"),
    (r"\bbefore (?:eating|meals?|food)\b|饭前|餐前", r"\bafter (?:eating|meals?|food)\b|饭后|餐后"),
    (
        r"\bincreas\w+|\brose\b|\brises?\b|\bwent up\b|\braised\b|上涨|涨到|涨价|涨了|增加|上升",
        r"\bdecreas\w+|\bfell\b|\bdropped\b|\bwent down\b|\blowered\b|下降|下跌|降到|降价|降了|减少",
    ),
    (
        r"\bincluded?\b|\bincludes\b|\bincluding\b|包含|包括|含(?=[早餐税])",
        r"\bexclud\w+|\bnot included?\b|\bnot include\b|不包含?|不含|不包括",
    ),
    (r"\bupstairs\b|楼上", r"\bdownstairs\b|楼下"),
    (r"\bindoors?\b|\binside\b|室内|里面", r"\boutdoors?\b|\boutside\b|室外|户外|外面"),
    (r"\bhot\b|热(?=的|饮|水|茶|美式|拿铁|汤)", r"\bcold\b|\biced\b|冷(?=的|饮|水|茶|汤)|冰(?=的|饮|水|美式|拿铁)"),
    (
        r"\bboys?\b|\bmen\b|\bhusband\b|男(?=生|士|的|孩|厕|朋友)|老公|丈夫",
        r"\bgirls?\b|\bwomen\b|\bwife\b|女(?=生|士|的|孩|厕|朋友)|老婆|妻子",
    ),
    (r"\bcash(?: only)?\b|现金", r"\bcards? only\b|扫码|刷卡|移动支付"),
    (r"\bbest\b|最好", r"\bworst\b|最差|最糟"),
    (r"\bmost expensive\b|最贵", r"\bcheapest\b|最便宜"),
    (r"\bweekdays?\b|工作日|平日", r"\bweekends?\b|周末|双休"),
    (r"\bsafe\b|安全", r"\bunsafe\b|\bdangerous\b|危险"),
    (r"\bclean\b|干净", r"\bdirty\b|\bfilthy\b|脏"),
    (r"\bquiet\b|安静", r"\bnoisy\b|\bloud\b|吵|嘈杂"),
    (r"\beasy\b|简单|容易", r"\bhard to\b|\bdifficult\b|困难|很难"),
    (r"\blove[ds]?\b|\blike[ds]\b|喜欢|推荐", r"\bhate[ds]?\b|\bdislike[ds]?\b|讨厌|避雷|踩雷|不推荐|不喜欢"),
)
_ROWS = tuple(tuple(re.compile(member) for member in row) for row in _EXCLUSIVE)


def excluded(claim: str, evidence: str) -> bool:
    """Whether the claim names a day, season, direction, opposite ... and the evidence only others of the same row.

    >>> excluded("They close on Mondays.", "周二休息"), excluded("It opens in the morning.", "上午开门")
    (True, False)
    """
    said, shown = fold(claim), fold(evidence)
    for row in _ROWS:
        here = [bool(member.search(said)) for member in row]
        if any(here) and not all(here):
            there = [bool(member.search(shown)) for member in row]
            if any(there) and not any(a and b for a, b in zip(here, there, strict=True)):
                return True
    return False
