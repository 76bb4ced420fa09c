"""Chinese words that show whether a question depends on the one before it. Pure; for folded text."""

from __future__ import annotations

import re

from retrieval.query.places import CITIES
from retrieval.text.folding import han_runs

# What can be asked about nearly any topic, longer forms first. A question of these words alone names no subject.
ASPECT = re.compile(
    r"多少钱(?:一?[碗杯份个晚天张只斤次人位月年套件瓶])?|[几多]少?[块元](?:钱)?|人均(?:多少)?|什么价(?:格|位)?|价格?(?:是)?多少|价(?:格|位|钱)"
    r"|(?:费用|门票|租金|房租|押金|定金|票价|学费|运费|中介费)(?:是?多少)?|收费吗?|要钱吗?|免费吗?|便宜|贵不贵|贵吗?|划算|值不值(?:得)?|值得(?:去|买)?|涨价|降价|打折|优惠"
    r"|[几多]点(?:钟)?(?:开门|关门|营业|打烊|开始|结束|下班|上班)?|营业(?:时间|到)?|开门|关门|打烊|开放时间|什么时候|何时|时间|多久(?:一次)?|多长(?:时间)?|几[天年月周次小时分钟人个]+|周几|哪[天年月]|店休|休息|关店"
    r"|搬(?:家|走|到)?(?:去|到)?(?:哪[里儿]?)?|在?(?:什么地方|哪[里儿个]?(?:区|路|站|条路)?)|地址|位置|地铁(?:站)?|怎么(?:去|走|买|办|做|预约|订|约|样|弄|用|坐|选|玩|收费|联系)?|如何|怎样|远不远|远吗?|多远|附近"
    r"|停车(?:位|场|方便)?|插座|wi-?fi|网速|厕所|洗手间|空调|电梯|座位|位子|位置多"
    r"|电话|联系方式|微信|公众号|链接|名字|叫什么(?:名字)?|是谁|谁"
    r"|(?:可以|能|让|允许)?带(?:狗狗?|猫咪?|宠物|小?孩子?|小朋友|娃|婴儿车|电脑|行李)(?:进去|进店|去|来)?|儿童椅"
    r"|排队|排不排队|等位|预约|预订|预定|订位|提前|取消|退款|退票|刷卡|支付宝|现金|邮寄|快递|外卖|外带|打包|堂食"
    r"|材料|资料|证件|手续|步骤|流程|条件|要求|办理|申请|有效期|续签"
    r"|好吃|好喝|好看|好玩|好用|好住|好不好(?:吃|喝|用|玩)?|难吃|干净|卫生|安全|危险|安静|吵不吵|吵|拥挤|人多(?:不多)?|人少|挤|味道|口味|辣不辣|辣|甜|分量|质量|效果|评价|口碑|推荐|真的|靠谱"
    r"|为什么|为啥|原因|怎么回事|区别|不同|缺点|优点|坏处|好处|注意(?:事项|什么)?|详细|具体|更多|其他|其它|别的|还有|另外|一样|多大|多重|多高|几岁|多少度?|大不大|小吗"
    r"|周边|环境|服务|老板|店员|菜单|招牌|素食|清真|老人|学生|学生票"
)
_FUNCTION = re.compile(
    r"[的了吗呢吧啊呀嘛么是有和与或跟我你您咱就也还都又再很太更最比较这那哪去到从对给把被会能可以要需用得着过想请问一下现在今年目前一般"
    r"大概到底究竟应该必须什么没不个些点们里店家之后前]|有没有|是不是|会不会|能不能|可不可以|要不要|需不需要"
)
TIME = re.compile(
    r"工作日|周末|双休日?|节假日|假期|国庆(?:节)?|春节|过年|五一|暑假|寒假|(?:周|星期|礼拜)[一二三四五六日天末](?!个)|\d{1,2}月(?:份)?|[一二三四五六七八九十]{1,2}月(?:份)?"
    r"|春天|夏天|秋天|冬天|春季|夏季|秋季|冬季|雨季|旺季|淡季|早上|上午|中午|下午|晚上|夜里|凌晨|今天|明天|后天|今年|明年|去年|20\d\d年?"
)
ANIMAL = re.compile(r"猫咪|猫猫|小猫|母猫|公猫|猫|狗狗|小狗|狗|兔子|宠物")
PRONOUN = re.compile(
    r"[它他她]们?的?|[这那](?:一)?(?:家店?|间店?|个店|个地方|里|儿|边|个|只|款|本|位|条|篇|辆|台)(?!月|星期|礼拜|时候|人|天|周)(?:店)?|该店|此店"
)
OTHER = re.compile(r"另外?一?[家个间款只]|另一[家个间款只]|其他那[家个]")
LEAD = re.compile(
    r"^(?:嗯+|哦+|好的|好[，,]|谢谢|那么?|然后|还有|另外|而且|所以|但是?|可是|不过|如果是?|要是|换成|改成|请问|想问)[，,\s]*(?!里|儿|边|家|个|间|款|只|条|本|位)"
)
END = re.compile(r"(?<![\s?？!！。.~～…])[\s?？!！。.~～…]++$")
# Words that look for something.
SEEKS = re.compile(r"有什么|有没有|有哪些|哪家|哪里有|哪里可以|哪里能|求推荐|推荐|哪个好|什么好|求")
_NAMED = re.compile(
    r"[\u4e00-\u9fff]{1,6}?(?:咖啡馆?|面馆|牛肉面|客栈|酒店|民宿|餐厅|食堂|小馆|书店|医院|诊所|烘焙|工作室|公园|猫咖|古镇|驿站|搬家)"
)
# A kind of shop, not the name of one: 深夜咖啡.
_KIND = re.compile(
    r"深夜|安静|自习|宠物|网红|精品|手冲|独立|平价|本地|附近|老式|日式|社区|小众|好喝|好吃|这|那|一|有|喝|家|的"
)
_PARTS = re.compile(r"[\s|｜,，。！!?？:：、·—~～\-→（）()【】\[\]]+")
# Where the name in a title ends.
_AFTER_NAME = re.compile(
    r"可以|怎么|到底|真的|全过程|攻略|搬家?了|涨价?了|变化|新规|新价|为什么|值不值|好吃|避雷|价格|不收|现在|终于|又|太|还|也|要|没|去|在|是|的|了|开"
)
_CITY_NAMES = sorted((name for name in CITIES if han_runs(name)), key=len, reverse=True)
CITY = re.compile(
    "|".join(
        map(
            re.escape,
            (
                *_CITY_NAMES,
                "日本",
                "泰国",
                "韩国",
                "台湾",
                "云南",
                "香格里拉",
                "欧洲",
                "英国",
                "美国",
                "德国",
                "法国",
                "意大利",
            ),
        )
    )
)


def subject(folded: str) -> str:
    """A question's subject: what is left without aspects, times and function words.

    >>> subject("鹿角咖啡几点开门？"), subject("需要预约吗")
    ('鹿角咖啡', '')
    """
    bare = PRONOUN.sub(" ", LEAD.sub("", END.sub("", folded)))
    for pattern in (SEEKS, TIME, ASPECT, _FUNCTION):
        bare = pattern.sub(" ", bare)
    return "".join(re.findall(r"[\w&]+", bare))


def topic(folded: str) -> str:
    """The part of a question before what it asks; all of it if it asks nothing.

    >>> topic("蓝门咖啡的拿铁多少钱？"), topic("7月去大理合适吗"), topic("大理 咖啡馆")
    ('蓝门咖啡的拿铁', '7月去大理合适', '大理 咖啡馆')
    """
    bare = LEAD.sub("", END.sub("", folded))
    cut = re.compile(
        rf"(?:{TIME.pattern})?(?:现在|一般|大概|到底|究竟|是不是|有没有|需要|需|可以|能不能|能|会不会|会|要|得|是|有|在)*(?:{ASPECT.pattern}).*$"
    )
    head = cut.sub("", bare, count=1)
    head = re.sub(r"[吗呢吧啊呀嘛]$", "", head if len(han_runs(head)) or re.search(r"\w{2}", head) else bare)
    head = SEEKS.sub("", re.sub(r"(?:应该|可以|能|会|要|是|有|在|的|现在)+$", "", head))
    return head.strip(" ，,") or bare


def name_of_title(title: str, question: str) -> str:
    """The shop, thing or person that a post's title names; "" if none is recognised.

    Args:
        question: What was asked. In a title of several parts, the part that the question does not have is the name.

    >>> name_of_title("成都玉林|无事咖啡可以坐到晚上十点", "成都晚上 咖啡")
    '无事咖啡'
    >>> name_of_title("大理古城 有猫的咖啡馆 慢半拍", "大理古城有猫的咖啡馆")
    '慢半拍'
    """
    parts = [part for part in _PARTS.split(title) if part]
    for part in parts:
        for found in _NAMED.finditer(part):
            name = re.split(r"这家|那家|的|家|在|去|是", found.group())[-1]
            if name not in question and len(name) > 2 and not CITY.match(name) and not _KIND.match(name):
                return name
    head = _AFTER_NAME.split(parts[0], maxsplit=1)[0] if parts else ""
    if head != (parts or [""])[0] and 2 <= len(head) <= 5 and han_runs(head) == [head] and not _is_no_name(head):
        return head
    for part in parts[1:] if len(parts) > 1 else ():
        head = _AFTER_NAME.split(part, maxsplit=1)[0]
        new = not any(part[at : at + 2] in question for at in range(len(part) - 1))
        if new and head == part and 2 <= len(part) <= 5 and han_runs(part) == [part] and not ASPECT.search(part):
            return part
    return ""


def _is_no_name(head: str) -> bool:
    return bool(CITY.match(head) or _KIND.match(head) or ASPECT.search(head) or TIME.search(head) or SEEKS.search(head))
