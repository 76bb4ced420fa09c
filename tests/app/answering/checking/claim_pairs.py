"""Claims beside posts that support them, or that differ in one thing: invented, of the kind that people post."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Pair:
    """A claim and what a post says.

    Attributes:
        kind: "same": supported in other words. Otherwise what was changed: "number", "name", "negation", "place",
            "time", "who" (who did what to whom), or "other" (on the topic, and not said).
    """

    kind: str
    claim: str
    post: str

    @property
    def supported(self) -> bool:
        return self.kind == "same"


ENGLISH = (
    Pair("same", "A flat white costs 28 yuan.", "Their flat white is 28 yuan, the cheapest on the street."),
    Pair(
        "same",
        "The cafe opens at nine in the morning.",
        "Finally tried the corner cafe. It opens at 9 am, queue by ten.",
    ),
    Pair("same", "Dogs are not allowed inside.", "Heads up: they do not let dogs inside, only on the terrace."),
    Pair(
        "same",
        "The loop around the moat is five kilometres long.",
        "My morning run: the moat loop, 5 km, lit until eleven.",
    ),
    Pair(
        "same",
        "Parking costs 30 yuan per night at the camp.",
        "We paid thirty yuan a night for parking at the lakeside camp.",
    ),
    Pair(
        "same", "The ferry takes about 90 minutes.", "The ferry to the island takes an hour and a half, bring a jacket."
    ),
    Pair("same", "Rent for the room is 3500 a month.", "The room is 3.5k a month, deposit of one month. Quiet street."),
    Pair(
        "same",
        "Mia recommends the beef noodles.",
        "Mia here again. If you come, get the beef noodles, I recommend them to everyone.",
    ),
    Pair("same", "The hostel is closed in winter.", "Note that the hostel closes in winter; it opens again in April."),
    Pair("same", "You need to book two days ahead.", "Walk-ins get turned away, so book 2 days ahead."),
    Pair("same", "The museum is free on Tuesdays.", "Go on a Tuesday: the museum is free then, other days 60."),
    Pair(
        "same",
        "The trail starts behind the temple.",
        "Walk through the temple, the trail starts right behind it and climbs to the ridge.",
    ),
    Pair("same", "The shop only takes cash.", "Cash only at this shop, no cards, no phone payment."),
    Pair("same", "The last bus leaves at 22:30.", "Careful, the last bus back leaves at 10:30 pm."),
    Pair(
        "same",
        "About 30% of the seats are by the window.",
        "Nice light; roughly 30 percent of the seats are by the window.",
    ),
    Pair("same", "Breakfast is included in the price.", "Price was fair and breakfast is included, buffet style."),
    Pair("same", "The repair took three weeks.", "They needed 3 weeks for the repair of my bike."),
    Pair("same", "Oat milk costs 3 yuan extra.", "For oat milk they charge 3 yuan extra, which is okay."),
    Pair("same", "The pool is on the second floor and it is heated.", "We loved the heated pool on the 2nd floor."),
    Pair(
        "same", "Swimming in the lake is forbidden.", "There are signs everywhere: swimming in the lake is forbidden."
    ),
    Pair("number", "A flat white costs 82 yuan.", "Their flat white is 28 yuan, the cheapest on the street."),
    Pair("number", "The moat loop is eight kilometres long.", "My morning run: the moat loop, 5 km, lit until eleven."),
    Pair("number", "Parking is 50 yuan a night.", "We paid thirty yuan a night for parking at the lakeside camp."),
    Pair("number", "The ferry takes 90 hours.", "The ferry to the island takes 90 minutes, bring a jacket."),
    Pair(
        "number",
        "About 80% of the seats are by the window.",
        "Nice light; roughly 30 percent of the seats are by the window.",
    ),
    Pair("number", "The deposit is two months of rent.", "The room is 3.5k, deposit of one month. Quiet street."),
    Pair("name", "The Red Door serves the best flat white.", "The Blue Door serves the best flat white in town."),
    Pair("name", "The noodles at Lanzhou House are great.", "The noodles at Chongqing House are great, very spicy."),
    Pair("name", "You can rent bikes from Decathlon.", "You can rent bikes from Giant, 40 a day."),
    Pair("name", "We stayed with Peter at the farm.", "We stayed with Daniel at the farm for a week."),
    Pair("negation", "Dogs are allowed inside.", "Heads up: dogs are not allowed inside."),
    Pair("negation", "The pool is not heated.", "The pool is heated and open all year."),
    Pair("negation", "They do not accept cards.", "They accept cards and phones."),
    Pair("negation", "Breakfast is included in the price.", "Breakfast is not included in the price."),
    Pair("negation", "You should swim in the lake.", "You should never swim in the lake, there are currents."),
    Pair("place", "The camp is on the north side of the lake.", "The camp is on the south side of the lake."),
    Pair("place", "The shop is next to the library.", "The shop is next to the hospital."),
    Pair("time", "The museum is free on Mondays.", "Go on a Tuesday: the museum is free then."),
    Pair("time", "The cafe opens at nine in the evening.", "It opens at 9 am, queue by ten."),
    Pair("time", "The hostel is closed in summer.", "The hostel is closed in winter."),
    Pair(
        "who",
        "The landlord paid the tenant for the broken window.",
        "The tenant paid the landlord for the broken window.",
    ),
    Pair("who", "Cats chase the dogs out of the yard.", "The dogs chase the cats out of the yard every day."),
    Pair(
        "other",
        "The cafe has a roof terrace with a view of the harbour.",
        "Their flat white is 28 yuan and the owner is kind.",
    ),
    Pair("other", "The trail is dangerous after rain.", "The trail starts behind the temple and climbs to the ridge."),
    Pair("other", "The bike was stolen in front of the station.", "They needed 3 weeks for the repair of my bike."),
)

CHINESE = (
    Pair("same", "拿铁28元一杯。", "这家的拿铁28块一杯，算是整条街最便宜的了。"),
    Pair("same", "咖啡馆早上九点开门。", "街角的咖啡馆早上9点开门，十点就要排队。"),
    Pair("same", "狗不能进店。", "提醒一下，狗不能进店，只能待在露台。"),
    Pair("same", "护城河一圈五公里。", "晨跑路线：护城河一圈5公里，灯亮到十一点。"),
    Pair("same", "营地停车费一晚30元。", "湖边的营地停车费三十元一晚，洗手间很干净。"),
    Pair("same", "轮渡要90分钟。", "去岛上的轮渡要一个半小时，记得带外套。"),
    Pair("same", "房租每月3500元。", "房租3.5千一个月，每月交，押一付一。"),
    Pair("same", "牛肉面很香。", "巷口那家面馆的牛肉面很香，推荐给大家。"),
    Pair("same", "青旅冬天关门。", "注意青旅冬天关门，四月再开。"),
    Pair("same", "需要提前两天预约。", "直接去会被拒，需要提前2天预约。"),
    Pair("same", "博物馆周二免费。", "周二去吧，博物馆免费，其他时间60。"),
    Pair("same", "步道从寺庙后面开始。", "穿过寺庙，步道就从寺庙后面开始，一直爬到山脊。"),
    Pair("same", "这家店只收现金。", "这家店只收现金，不能刷卡也不能扫码。"),
    Pair("same", "末班车22:30发车。", "小心，回来的末班车晚上十点半发车。"),
    Pair("same", "大约三成座位靠窗。", "光线很好，大约30%的座位靠窗。"),
    Pair("same", "房价包含早餐。", "价格合理，房价包含早餐，是自助的。"),
    Pair("same", "修车花了三周。", "我的自行车修车花了3周才好。"),
    Pair("same", "换燕麦奶要加3元。", "换燕麦奶要加三块钱，还行。"),
    Pair("same", "湖里禁止游泳。", "到处都有牌子：湖里禁止游泳。"),
    Pair("same", "人均消费150元左右。", "人均消费一百五左右，菜量很大。"),
    Pair("number", "拿铁82元一杯。", "这家的拿铁28块一杯，算是整条街最便宜的了。"),
    Pair("number", "护城河一圈八公里。", "晨跑路线：护城河一圈5公里，灯亮到十一点。"),
    Pair("number", "停车费一晚五十元。", "湖边的营地停车费三十元一晚，洗手间很干净。"),
    Pair("number", "轮渡要90小时。", "去岛上的轮渡要90分钟，记得带外套。"),
    Pair("number", "大约八成座位靠窗。", "光线很好，大约30%的座位靠窗。"),
    Pair("number", "房租每月3.5万元。", "房租3500元一个月，押一付一。"),
    Pair("name", "红门咖啡的拿铁最好喝。", "蓝桥咖啡的拿铁最好喝，推荐。"),
    Pair("name", "兰州拉面馆的牛肉面很香。", "重庆小面馆的牛肉面很香，很辣。"),
    Pair("name", "可以在迪卡侬租自行车。", "可以在捷安特租自行车，一天40。"),
    Pair("name", "我们和老王一起住在农场。", "我们和小李一起住在农场，住了一周。"),
    Pair("negation", "狗可以进店。", "提醒一下，狗不可以进店。"),
    Pair("negation", "泳池不是恒温的。", "泳池是恒温的，全年开放。"),
    Pair("negation", "这家店不收现金。", "这家店收现金，也可以扫码。"),
    Pair("negation", "房价包含早餐。", "房价不包含早餐，另收30。"),
    Pair("negation", "湖里可以游泳。", "湖里不能游泳，水流很急。"),
    Pair("negation", "周末需要预约。", "周末不需要预约，直接去就行。"),
    Pair("place", "营地在湖的北边。", "营地在湖的南边，开车十分钟。"),
    Pair("place", "这家店在图书馆旁边。", "这家店在医院旁边，很好找。"),
    Pair("place", "骑行路线从古城出发。", "骑行路线从码头出发，沿着海走。"),
    Pair("time", "博物馆周一免费。", "周二去吧，博物馆免费。"),
    Pair("time", "咖啡馆晚上九点开门。", "街角的咖啡馆早上9点开门。"),
    Pair("time", "青旅夏天关门。", "注意青旅冬天关门。"),
    Pair("who", "房东赔了租客一扇窗户的钱。", "租客赔了房东一扇窗户的钱。"),
    Pair("other", "咖啡馆有能看到海港的露台。", "拿铁28块一杯，老板人很好。"),
    Pair("other", "下雨以后步道很危险。", "步道从寺庙后面开始，一直爬到山脊。"),
)
