"""Names in Chinese text, which has no capitals: recognised by their characters and by occurring in two posts. Pure."""

from __future__ import annotations

import re

from app.answering.question.folded_text import FoldedText
from retrieval.text.highlight import HAN_STOP

# The most common surnames, somewhat over a hundred.
_SURNAMES = (
    "赵钱孙李周吴郑王冯陈卫蒋沈韩杨朱秦许何吕施张孔曹严华金魏陶姜谢邹苏潘葛范彭鲁韦马方俞任袁柳史唐费廉薛雷贺倪汤罗郝毕安常于傅齐康伍余顾孟黄"
    "穆萧尹姚邵汪毛戴宋庞熊纪舒屈项祝董梁杜阮蓝闵季贾江童颜郭梅林钟徐邱骆高夏蔡田樊胡凌霍万柯卢莫房丁邓洪包左石崔龚程陆翁段侯武刘叶白赖乔谭申冉"
    "桑桂牛尚温庄习欧司诸"
)
# Characters used to spell foreign names.
_SPELLING = frozenset(
    "阿埃艾安昂奥巴班贝本比毕彼宾波伯勃博布查达戴丹当道德登邓迪蒂杜顿多恩尔法范菲费芬弗佛福夫富盖冈高格戈贡古哈海汉翰赫亨霍基吉加贾杰金卡凯坎"
    "康考科克肯孔库昆拉莱赖兰朗劳勒雷蕾李里丽利莉列林琳隆卢鲁路露伦罗洛马玛迈麦曼梅门蒙米密明莫姆穆纳娜南内尼妮宁纽努诺欧帕潘佩彭皮蓬平珀普"
    "奇契恰乔切钦琼萨塞赛桑瑟森沙莎山珊舍圣施什史士斯丝思索苏塔泰坦汤特滕提廷汀图托瓦万旺威韦维魏温文翁沃乌伍武西希锡席夏香谢辛欣休修逊雅亚延"
    "扬耶叶伊依因英尤约泽扎詹珍芝朱兹宗佐·•"
)
_WELL_KNOWN = re.compile(
    "中国|美国|英国|法国|德国|日本|韩国|朝鲜|南非|巴西|俄罗斯|意大利|西班牙|葡萄牙|加拿大|澳大利亚|新西兰|印度|卡塔尔|阿联酋|瑞士|瑞典|荷兰|希腊"
    "|埃及|墨西哥|阿根廷|比利时|波兰|挪威|芬兰|丹麦|奥地利|土耳其|泰国|越南|新加坡|马来西亚|以色列|伊朗|伊拉克|乌克兰|北京|上海|广州|深圳|天津"
    "|重庆|成都|杭州|南京|武汉|西安|香港|澳门|台湾|台北|巴黎|伦敦|纽约|东京|莫斯科|柏林|罗马|华盛顿|悉尼|首尔"
)
PERSON = re.compile(
    r"[\u4e00-\u9fff]{1,4}[·•・‧][\u4e00-\u9fff]{1,5}(?:[·•・‧][\u4e00-\u9fff]{1,5})?"
    rf"|[{_SURNAMES}][\u4e00-\u9fff]{{1,2}}(?=[，。、（(\s]|先生|女士|老师|医生|教授|导演|执导|编剧|主演|[是在于说为和与获夺任当])"
    r"|[\u4e00-\u9fff]{1,4}(?:先生|女士|老师|师傅|医生|教授)|@\w+"
)
PLACE = re.compile(
    r"[\u4e00-\u9fff]{1,5}(?:[省市县区国路街巷弄号村镇楼店站门湖山岛州馆园寺城桥院河海洲]|广场|体育场|球场|机场|码头|大学)"
    rf"|(?:{_WELL_KNOWN.pattern}|旁边|对面|附近|里面)"
)
_SPELLED = 0.75


def shared_names(one: FoldedText, other: FoldedText, question: str, place: bool) -> dict[str, tuple[int, int]]:
    """Names of persons, teams and countries (or places) that both texts hold and the question does not.

    Args:
        question: Folded.

    Returns:
        By name, where it begins in each folded text.
    """
    asked = set(question)
    return {
        name: starts
        for name, starts in _shared(one.folded, other.folded).items()
        if _is_name(name, place)
        and name not in question
        and sum(character in asked for character in name) * 2 <= len(name)
        and sum(character in HAN_STOP for character in name) * 2 < len(name)
    }


def _is_name(text: str, place: bool) -> bool:
    spelled = sum(character in _SPELLING for character in text) >= _SPELLED * len(text) and len(text) >= 3
    if _WELL_KNOWN.fullmatch(text) or spelled:
        return True
    if place:
        return 2 < len(text) < 7 and text[-1] in "省市县州岛镇村路街区馆湖寺"
    return "·" in text or "•" in text or (2 <= len(text) <= 3 and text[0] in _SURNAMES)


def _shared(one: str, other: str) -> dict[str, tuple[int, int]]:
    """The longest stretches of two or more Chinese characters that both texts hold, each where it first occurs."""
    found: dict[str, tuple[int, int]] = {}
    before = [0] * (len(other) + 1)
    for row, character in enumerate(one, start=1):
        lengths = [0] * (len(other) + 1)
        if "\u4e00" <= character <= "\u9fff" or character == "·":
            for column, its in enumerate(other, start=1):
                if its != character:
                    continue
                lengths[column] = length = before[column - 1] + 1
                ends = row == len(one) or column == len(other) or one[row] != other[column]
                if length >= 2 and ends:
                    found.setdefault(one[row - length : row], (row - length, column - length))
        before = lengths
    return found
