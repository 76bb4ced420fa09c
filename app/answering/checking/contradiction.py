"""What in a claim contradicts its evidence: opposites, denials, and names or words in each other's place. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from app.answering.comparison.term_overlap import NO_NAME
from retrieval.text.folding import fold, han_runs
from retrieval.text.highlight import LATIN_STOP, stem

# Rows of words of which only one can be true: days, seasons, directions, open and closed.
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
    """Whether the claim names a day, season, direction ... and the evidence names only others of the same row.

    >>> excluded("They close on Mondays.", "周二休息"), excluded("It opens in the morning.", "上午开门")
    (True, False)
    """
    claimed, shown = fold(claim), fold(evidence)
    for row in _ROWS:
        here = [bool(member.search(claimed)) for member in row]
        if any(here) and not all(here):
            there = [bool(member.search(shown)) for member in row]
            if any(there) and not any(a and b for a, b in zip(here, there, strict=True)):
                return True
    return False


_CLAUSE = re.compile(r"[,，。.;；:：!！?？\n、]|\b(?:but|and|although|while|which)\b|但是?|不过|而且|可是|然后")
_FOLDED_WORD = re.compile(r"[a-z0-9]+(?:['’][a-z]+)?")
# "not only", "no doubt", 不错, 不仅, 差不多 deny nothing; 是不是 asks.
_NO_DENIAL = re.compile(
    r"\bnot (?:only|just|to mention)\b|\bno (?:doubt|wonder|matter)\b|\bno\.\s?\d|\bnothing but\b"
    r"|\bcan(?:not|'t|’t) wait\b"
    r"|不(?:错|仅|但|只是|光|过(?!滤)|同|少|久|得不|妨|亏|愧|禁|由得|论|管)|差不多|无论|无线|无锡|非常|特别|别的|别人|没想到|没事|免费|未来|未必"
    r"|(.)[不没]\1|有没有|能不能|可不可以|会不会|要不要"
)
_DENIES = re.compile(
    r"\b(?:not|no|never|without|neither|nor|none|nobody|nothing|cannot|hardly|barely|\w+n['’]t|isnt|arent|dont|doesnt|didnt|wont"
    r"|cant|wasnt|werent|lacks?|lacking"
    r"|fail(?:s|ed)? to|unable to|refuses? to|refused to|stopped|bann?e?d|forbidden|prohibit\w*)\b"
    r"|不|没有?|无(?!法?人)|未|别(?!墅)|勿|非(?!洲)|禁止|拒绝|停止|取消|缺乏|谢绝"
)
# How far a denial reaches, in words and in Chinese characters.
_REACH_WORDS, _REACH_HAN = 4, 6


def denials_differ(claim: str, evidence: str) -> bool:
    """Whether the claim denies a word that the evidence affirms wherever it occurs, or the other way round.

    >>> denials_differ("Dogs are allowed.", "Dogs are not allowed."), denials_differ("不能带狗", "可以带狗，不能带猫")
    (True, True)
    >>> denials_differ("It is not only cheap.", "It is cheap."), denials_differ("不错的店", "这家店很不错")
    (False, False)
    """
    claimed, shown = _polarities(claim), _polarities(evidence)
    return any(shown.get(word) == {not next(iter(how))} for word, how in claimed.items() if len(how) == 1)


def _polarities(text: str) -> dict[str, set[bool]]:
    """For each content word (English) and pair of characters (Chinese): denied (True), affirmed (False), or both."""
    found: dict[str, set[bool]] = {}
    for clause in _CLAUSE.split(_NO_DENIAL.sub(lambda match: "＿" * len(match.group()), fold(text))):
        denials = [match.span() for match in _DENIES.finditer(clause)]
        for unit, start in _content_units(clause):
            if not any(first <= start < last for first, last in denials):
                found.setdefault(unit, set()).add(any(_reaches(clause, last, start) for _, last in denials))
    return found


def _reaches(clause: str, denial_end: int, start: int) -> bool:
    if start < denial_end:
        return False
    between = clause[denial_end:start]
    return sum(map(len, han_runs(between))) < _REACH_HAN and len(_FOLDED_WORD.findall(between)) < _REACH_WORDS


def _content_units(clause: str) -> Iterator[tuple[str, int]]:
    for match in _FOLDED_WORD.finditer(clause):
        if match.group() not in LATIN_STOP:
            yield stem(match.group()), match.start()
    for match in re.finditer(r"(?=([\u3400-\u9fff]{2}))", clause):
        yield match.group(1), match.start()


_UNIT = re.compile(r"[a-z0-9]+(?:['’][a-z]+)?|[\u3400-\u9fff]")
_WORD = re.compile(r"[A-Za-z0-9]+(?:['’][A-Za-z]+)?")
_HAN = "\u3400-\u9fff"
_FEWEST = 4
# A stretch of this many characters that are not in the evidence is a name or noun of its own.
_STRETCH = 2


def exchanged(claim: str, evidence: str) -> bool:
    """Whether the claim is a stretch of the evidence word for word, except that two parts changed places.

    >>> exchanged("The tenant paid the landlord.", "Well, the landlord paid the tenant.")
    True
    >>> exchanged("租客赔了房东", "房东赔了租客"), exchanged("租客赔了房东", "租客赔了房东")
    (True, False)
    """
    mine, theirs = _units(claim), _units(evidence)
    if len(mine) < _FEWEST:
        return False
    stretches = [theirs[at : at + len(mine)] for at in range(len(theirs) - len(mine) + 1)]
    return mine not in stretches and any(_two_changed(mine, stretch) for stretch in stretches)


def replaced(claim: str, evidence: str) -> bool:
    """Whether Chinese characters that only the claim has stand where the evidence has others.

    >>> replaced("可以在迪卡侬租自行车", "可以在捷安特租自行车"), replaced("牛肉面很美味", "牛肉面很好吃")
    (True, False)
    """
    mine, theirs = fold(claim), fold(evidence)
    own, shown = set(mine), set(theirs)
    for run in han_runs(mine):
        for found in re.finditer("x{2,}", "".join("x" if character not in shown else "." for character in run)):
            behind = run[found.end() : found.end() + _STRETCH]
            if behind:
                # The end of a stretch must be an end there too: 人民路。 beside 解放路，
                end = "" if len(behind) == _STRETCH else f"(?![{_HAN}])"
                for place in re.finditer(re.escape(behind) + end, theirs):
                    before = theirs[max(0, place.start() - _STRETCH) : place.start()]
                    if len(before) == _STRETCH and re.fullmatch(f"[{_HAN}]+", before) and not set(before) & own:
                        return True
    return False


def misnamed(claim: str, evidence: str) -> bool:
    """Whether a name that only the claim has stands where the evidence has another word.

    >>> misnamed("We stayed with Peter at the farm", "We stayed with Daniel at the farm")
    True
    >>> misnamed("The Ruby YouTube award", "The Ruby award")
    False
    """
    mine, theirs = _WORD.findall(claim), _WORD.findall(evidence)
    own, shown = {stem(fold(word)) for word in mine}, [stem(fold(word)) for word in theirs]
    for at, word in enumerate(mine):
        if at == 0 or not word[0].isupper() or len(word) < 3 or stem(fold(word)) in shown or NO_NAME.fullmatch(word):
            continue
        left = stem(fold(mine[at - 1]))
        right = stem(fold(mine[at + 1])) if at + 1 < len(mine) else None
        for place, other in enumerate(theirs):
            if shown[place] in own:
                continue
            sides = (place > 0 and shown[place - 1] == left) + (
                right is not None and shown[place + 1 : place + 2] == [right]
            )
            if sides == 2 or (sides == 1 and other[0].isupper() and place > 0):
                return True
    return False


def _two_changed(mine: Sequence[str], theirs: Sequence[str]) -> bool:
    differ = [at for at, (one, other) in enumerate(zip(mine, theirs, strict=True)) if one != other]
    if len(differ) < 2 or len(differ) % 2:
        return False
    half = len(differ) // 2
    first, second = differ[:half], differ[half:]
    if first[-1] - first[0] != half - 1 or second[-1] - second[0] != half - 1:
        return False
    return [mine[at] for at in first] == [theirs[at] for at in second] and [mine[at] for at in second] == [
        theirs[at] for at in first
    ]


def _units(text: str) -> list[str]:
    return [stem(unit) for unit in _UNIT.findall(fold(text))]
