"""Short texts about anything, invented, none like another: what an unrelated text is for an embedder. Data alone.

Of each language 32 posts, the same in both line by line, and 10 texts that say nothing: to an embedder those are like
one another, so that a query without sense is near them, and nothing in an index is near it.
"""

ENGLISH = tuple(
    """
The bridge toll goes up on Monday, and the ferry is free for a month.
My grandfather repaired watches for forty years and never wore one.
Second half was better, but we still lost by nine points at home.
Has anyone else's laptop fan become louder after the last update?
Pruned the roses today; the neighbour's cat supervised from the fence.
The choir needs two more tenors before the concert in December.
Interest rates went up again, so we put off buying the flat.
I finished the novel at three in the morning and cried on the last page.
The dentist says my wisdom tooth has to come out next week.
A red kite circled over the motorway for ten minutes this morning.
The election count in our village hall took until midnight.
He proposed at the top of the lighthouse, and she said maybe.
Our physics teacher dropped a melon from the roof to explain gravity.
The old cinema reopens on Friday with a silent film and a live pianist.
How do you get red wine out of a wool carpet?
The parcel was left behind the bin and it rained all night.
New law: shops have to take back old batteries free of charge.
I learned to juggle during the strike, three balls, not four.
The museum lent its largest painting to a school for a week.
My sister's band plays the second stage at six, bring earplugs.
The volcano has been quiet since spring, says the observatory.
We bred sheep here long before there was a road.
This drill eats batteries; go for the one with a cable.
The judge sent both of them home and told them to apologise.
Chess club meets in the library, beginners are welcome on Tuesdays.
I dreamt that my old boss was selling umbrellas on the moon.
The satellite was launched on time, but its antenna did not unfold.
Mum knitted a scarf so long that two of us can wear it.
The wheat came up late this year, and half of it was eaten by geese.
Translated my first poem from Polish; the rhymes did not survive.
The lift is out of order, so the piano stays on the ground floor.
Their new goalkeeper is nineteen and already talks to the press too much.
asdfg hjkl
vorbel trunk zibbit
xqpl wzrk
aaaaaaa
dolor consectetur
0987654321
ok thx
Test test 1 2 3
ERR_4102: null
😀😀😀
""".strip().split("\n")
)

CHINESE = tuple(
    """
过桥费周一开始涨价，渡轮免费一个月。
爷爷修了四十年手表，自己从来不戴。
下半场打得好一些，主场还是输了九分。
最近一次更新以后，有人的笔记本风扇也变吵了吗？
今天修剪了月季，邻居家的猫蹲在围墙上监工。
合唱团十二月演出之前还缺两个男高音。
利率又涨了，买房的事先放一放。
凌晨三点把小说看完了，最后一页哭了。
牙医说我的智齿下周必须拔掉。
今早一只红色的鸢在高速公路上空盘旋了十分钟。
我们村的选举计票一直数到半夜。
他在灯塔顶上求婚，她说再想想。
物理老师从楼顶扔了个西瓜来讲重力。
老电影院周五重新开张，放默片，现场钢琴伴奏。
羊毛地毯上的红酒渍怎么洗掉？
快递被放在垃圾桶后面，淋了一夜的雨。
新规定：商店必须免费回收旧电池。
停工那几天学会了抛接球，三个可以，四个不行。
博物馆把最大的一幅画借给学校挂了一周。
姐姐的乐队六点在第二舞台演出，记得带耳塞。
观测站说这座火山入春以来一直很平静。
这里还没有路的时候，我们就在养羊了。
这把电钻太费电池，还是买带线的吧。
法官让两个人都回家，互相道个歉。
象棋社在图书馆活动，周二欢迎新手。
梦见以前的老板在月球上卖雨伞。
卫星准时发射了，可是天线没有展开。
妈妈织的围巾长得够两个人一起围。
今年麦子出苗晚，一半被大雁吃了。
第一次把波兰语的诗翻译过来，韵脚全丢了。
电梯坏了，钢琴只能放在一楼。
他们新来的门将才十九岁，话已经太多了。
啊啊啊啊啊
嗯嗯好的
哈哈哈哈
阿巴阿巴
测试测试一二三
囧囗屮巜
收到谢谢
00000000
呵呵哒
😀😀😀
""".strip().split("\n")
)
