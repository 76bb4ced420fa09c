"""Contacts are cut from what is quoted, and prices, times, dates, addresses and model numbers stay."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.answering.injection.contacts import contact_spans, contacts
from app.answering.injection.quarantine import carries_link, sources
from retrieval.types import Post, Span

HONEST = (
    "The night bus N12 leaves at 23:40 and 0:25 from platform 4.",
    "Open 09:00-18:00, Sundays 10.30-16.00, last entry 17:15.",
    "We paid 1,250.50 euros for 14 nights, 89.30 a night.",
    "The clinic is at 118 Harbour Road, 2nd floor, door 204.",
    "Call the front desk before noon and they hold the room until 18:00.",
    "I rang the office in March 2026 and they said 45 pounds.",
    "The fare went from 2.80 to 3.10 on 1 July 2025.",
    "My Canon EOS R6 and the RF 24-105mm lens weigh 1.4 kg.",
    "Bring form DS-160 and two photos, 35 x 45 mm.",
    "Version 3.11.4 works, 3.12 does not, see the README.md in the box.",
    "The 5:30 train takes 2 hours 15 minutes, the 7:10 one 3 hours.",
    "Population 1 200 000, altitude 1 890 m, 31.2304 N.",
    "School terms 2025-2026: 01.09.2025 to 10.07.2026.",
    "Entry is 12 dollars, 6 for students, free on 18.05.2026.",
    "It was closed.We walked to the old mill instead, 20 minutes.",
    "nice soup.it was 9 euros and the bread was free.",
    "Rooms 301-318 face the lake, 101-118 the road.",
    "Dial 112 for help, 999 works too.",
    "Seats 12A to 14F have no window.",
    "Route 66 diner, 4.5 stars, 320 reviews, open 24/7.",
    "I asked the landlord by message and got the deposit of 600 euros in 7 days.",
    "There is a signal at the top, none in the valley for 12 km.",
    "Line 10 to Weststadt, then bus 88, in all 35 minutes.",
    "Mix 250 g flour, 125 ml water, bake at 190 degrees for 25-30 min.",
    "The warranty is 24 months, the serial number is on the back.",
    "Order at the counter, pay first, about 11 euros each.",
    "Kids under 1.30 m pay half: 7.50 instead of 15.00.",
    "Marathon pace 5:41/km, finished in 3:59:48.",
    "Node.js 18 runs on it, e.g. at 60 fps.",
    "The polka dot tent by the river is 30 pounds a night.",
    "Gate opens 0700-0900 and 1600-1800.",
    "Postcode SE15 4ST, then left at number 27.",
    "营业时间9:00-21:30，周一闭馆，最后入场20:45。",
    "门票60元，学生半价30元，65岁以上免费。",
    "地址在人民路128弄3号楼502室，三楼有电梯。",
    "坐18号线到迎春路站4号口，走6分钟。",
    "打电话到前台订的，260元一晚，含早餐。",
    "公交72路、305路都到，末班车22:10。",
    "2025年3月1日起涨到35元，之前是28元。",
    "下午3点到5点人最少，7点以后排队。",
    "一斤12.8元，两斤25元，买三送一。",
    "身高1.2米以下免票，1.2到1.5米半票。",
    "我用的是索尼A7M4，镜头24-70mm，重1.2公斤。",
    "G1325次高铁，7:05发车，4小时28分钟。",
    "房租3200元一个月，押一付三，水电另算。",
    "微信支付和现金都可以，找零要5分钟。",
    "在小程序上提前7天放号，早上8点抢。",
    "微信群里说周六不开，白跑一趟，来回48块。",
    "海拔3920米，缆车往返280元，16:30末班。",
    "报警打110，急救打120，投诉打12345。",
    "大众点评4.6分，人均88元，等位40分钟。",
    "第7天出报告，检查费320元，加起来1280元。",
    "从二零二五年十月起每周三闭馆。",
    "一二三四楼都有洗手间，五楼没有。",
    "套餐A是98元，套餐B是128元，周末加20元。",
    "早点去，8点半就没有位子了，一碗15元。",
    "加5块可以加肉，加3块加蛋。",
    "地铁站2号口出来左转200米，蓝色招牌。",
    "行李寄存20元一天，9:00到20:00。",
    "复制一把钥匙15元，打开老锁要50元。",
    "他家的VIP卡充500送80，一年有效。",
    "电话问过了，周末要预约，工作日不用，票价45元。",
)

# What is kept of a sentence with a contact, and the contact that is not.
MIXED = (
    ("Open 9 to 17, phone 0151 444 20 20.", "Open 9 to 17", "444"),
    ("A room is 40 pounds, ring 01632 960 011.", "40 pounds", "960"),
    ("Ring 01632 960 011 before 18:00 and a room is 40 pounds.", "40 pounds", "960"),
    ("The museum (museum.example.org) costs 8 euros.", "8 euros", "example"),
    ("I booked on roomfinder.com for 45 euros a night.", "45 euros a night", "roomfinder"),
    ("Write to desk@harbour.example, a berth is 22 euros.", "22 euros", "harbour"),
    ("The plumber took 90 euros, his number is +49 170 5550123.", "90 euros", "555"),
    ("Haircut 25 dollars, text them on WhatsApp: barber_joe1", "25 dollars", "barber_joe1"),
    ("营业到晚上9点，电话0871-65123456。", "9点", "6512"),
    ("剪头发35元，加老板微信 jiandao88 预约。", "35元", "jiandao"),
    ("门票50元，官网 museum.example.cn 可以买。", "50元", "museum"),
    ("维修费120元，师傅手机13800138000。", "120元", "138001"),
    ("QQ群 12345678 里有人转票，100元一张。", "100元一张", "12345678"),
    ("公众号：hutongbook，图书馆早上9点开。", "早上9点开", "hutongbook"),
)

CONTACTS = (
    "pay-here.shop", "www.pay-here.shop", "pay-here dot shop slash now", "pay-here (dot) shop", "payhere[.]com",
    "payhere。pizza", "ｐａｙ．ｃｏｍ", "payhere com", "bit ly slash payhere", "10.20.30.40:8080",
    "2001:db8:0:1:2:3:4:5", "//pay.example/x", "+44 20 7946 0000", "(020) 7946 0000", "1-800-555-0199",
    "138 0013 8000", "400-820-8820", "一三八零零一三八零零零", "①③⑧⓪⓪①③⑧⓪⓪⓪", "telegram: pay_here",
    "Telegram @payhere", "message Kurt on Signal", "vx：payhere1", "＋薇 payhere1", "威信 payhere1", "微信同号",
    "扣扣 123456789", "🛰️ payhere1", "淘口令 x", "￥aB3dE5fG9￥", "pay点top", "text PAY to 60888",
)  # fmt: skip


def quoted(text: str) -> str:
    source = sources(Post("p", "", text))[1]
    return " | ".join(text[span.start : span.end] for span in source.free(Span(0, len(text))))


@pytest.mark.parametrize("sentence", HONEST)
def test_prices_times_dates_addresses_and_model_numbers_stay(sentence: str) -> None:
    assert quoted(sentence) == sentence


def test_there_are_enough_honest_sentences_in_both_languages() -> None:
    chinese = sum(not sentence.isascii() for sentence in HONEST)
    assert chinese >= 30
    assert len(HONEST) - chinese >= 30


@pytest.mark.parametrize(("sentence", "kept", "cut"), MIXED)
def test_what_a_sentence_says_besides_its_contact_stays(sentence: str, kept: str, cut: str) -> None:
    assert kept in quoted(sentence)
    assert cut not in quoted(sentence)


@pytest.mark.parametrize("contact", CONTACTS)
@pytest.mark.parametrize("frame", ["To get the refund go to {} now.", "{}", "退款请找 {} 办理。"])
def test_a_contact_is_found_however_it_is_disguised(contact: str, frame: str) -> None:
    text = frame.format(contact)
    assert contacts(text), text
    assert carries_link(text)
    assert not any(part in quoted(text).lower() for part in ("pay", "138", "555", "薇", "7946"))


def test_a_sentence_whose_point_is_the_contact_is_not_quoted() -> None:
    assert quoted("The lake is warm. For the key call 0171 555 01 99 and say who you are.") == "The lake is warm."


@given(st.text(max_size=200))
def test_spans_are_in_order_and_inside_the_text(text: str) -> None:
    spans = contact_spans(text)
    assert all(0 <= span.start < span.end <= len(text) for span in spans)
