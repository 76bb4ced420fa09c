"""All words of the page, in English and Chinese, and which of the two a reader gets. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Ui = Literal["en", "zh"]


@dataclass(frozen=True, slots=True)
class Counted:
    """A phrase about a number of things, with `{n}` where the number stands."""

    one: str
    many: str

    def __call__(self, n: int) -> str:
        return (self.one if n == 1 else self.many).format(n=f"{n:,}")


@dataclass(frozen=True, slots=True)
class Labels:
    """One language's words. A field that one language lacks does not pass the type checker."""

    html_lang: str
    other_ui: str
    other_ui_name: str
    tagline: str
    skip: str
    query: str
    placeholder: str
    search: str
    suggestions: str
    kind_query: str
    kind_tag: str
    kind_title: str
    try_these: str
    nothing_else: str

    filters: str
    filter_author: str
    filter_tag: str
    filter_language: str
    filter_since: str
    filter_until: str
    filter_min_likes: str
    filter_likes: str
    filter_near: str
    filter_phrase: str
    filter_without: str
    filter_without_tag: str
    filter_without_author: str
    any_language: str
    apply: str
    remove: str

    answer: str
    looking: str
    reading: Counted
    withheld: Counted
    withheld_so_far: Counted
    written_by: str
    quoted: str
    declined: str
    citation: str
    took: str
    lost: str
    again: str
    without_script: str

    posts: str
    nearest_posts: str
    later_posts: str
    first_page: str
    more: str
    sort: str
    sort_relevance: str
    sort_newest: str
    sort_most_liked: str
    tags_found: str
    similar: Counted
    fold_similar: str
    no_posts: str
    no_posts_filtered: str
    untitled: str
    likes: Counted
    collects: Counted
    comments: Counted
    comment_by: str
    comment_by_nobody: str
    pictures: Counted
    original: str
    whole_post: str
    shortened: str

    failed: str
    not_found: str
    broken: str
    home: str
    too_long: str
    bad_date: str
    bad_number: str
    too_many: str


EN = Labels(
    html_lang="en",
    other_ui="zh",
    other_ui_name="中文",
    tagline="Answers made of posts, and every sentence shows the post it stands on.",
    skip="To the answer",
    query="Question or words to look for",
    placeholder="Ask, or search the posts",
    search="Search",
    suggestions="Suggestions",
    kind_query="asked before",
    kind_tag="tag",
    kind_title="post",
    try_these="Try",
    nothing_else="This page loads nothing from other sites.",
    filters="Filters",
    filter_author="Author",
    filter_tag="Tag",
    filter_language="Language",
    filter_since="From (UTC)",
    filter_until="Up to and including",
    filter_min_likes="Likes, at least",
    filter_likes="Likes",
    filter_near="Near",
    filter_phrase="Exact words",
    filter_without="Without",
    filter_without_tag="Without tag",
    filter_without_author="Not by",
    any_language="any",
    apply="Apply",
    remove="Remove the filter {name}: {value}",
    answer="Answer",
    looking="looking for posts…",
    reading=Counted("reading {n} post…", "reading {n} posts…"),
    withheld=Counted(
        "{n} sentence was not shown: it failed the check", "{n} sentences were not shown: they failed the check"
    ),
    withheld_so_far=Counted("{n} sentence withheld", "{n} sentences withheld"),
    written_by="Written by {model} from the posts below",
    quoted="Quoted from the posts",
    declined="These posts don't say.",
    citation="citation {n}: {author}",
    took="{seconds} s",
    lost="The connection was lost before the answer was complete.",
    again="Ask again",
    without_script="Show the answer without JavaScript",
    posts="Posts",
    nearest_posts="Nearest posts",
    later_posts="Posts from number {n}",
    first_page="Back to the answer and the first posts",
    more="More posts",
    sort="Sort",
    sort_relevance="Best match",
    sort_newest="Newest",
    sort_most_liked="Most liked",
    tags_found="Tags of these posts",
    similar=Counted("{n} similar post", "{n} similar posts"),
    fold_similar="Fold similar posts",
    no_posts="No posts found.",
    no_posts_filtered="No posts found with these filters. Remove one and look again.",
    untitled="Post",
    likes=Counted("{n} like", "{n} likes"),
    collects=Counted("{n} save", "{n} saves"),
    comments=Counted("{n} comment", "{n} comments"),
    comment_by="comment by @{author}",
    comment_by_nobody="comment",
    pictures=Counted("{n} picture", "{n} pictures"),
    original="Original post",
    whole_post="Whole post",
    shortened="Shortened here.",
    failed="No answer now: {problem}.",
    not_found="There is no such page.",
    broken="Something broke here. It has been written to the log.",
    home="To the empty search box",
    too_long="That is {n} characters long; {limit} is the most that can be asked. Shorten it and ask again.",
    bad_date="“{name}” is {value!r}: write a date as YYYY-MM-DD.",
    bad_number="“{name}” is {value!r}: write a whole number from {least} to {most}.",
    too_many="More than {limit} values for “{name}”.",
)

ZH = Labels(
    html_lang="zh-Hans",
    other_ui="en",
    other_ui_name="English",
    tagline="由帖子拼成的回答，每一句都看得到出处。",
    skip="跳到回答",
    query="问题或关键词",
    placeholder="提问，或搜索帖子",
    search="搜索",
    suggestions="联想",
    kind_query="有人搜过",
    kind_tag="标签",
    kind_title="帖子",
    try_these="试试",
    nothing_else="本页不从其他网站加载任何内容。",
    filters="筛选",
    filter_author="作者",
    filter_tag="标签",
    filter_language="语言",
    filter_since="起始日期（UTC）",
    filter_until="截止日期（含当天）",
    filter_min_likes="点赞不少于",
    filter_likes="点赞",
    filter_near="附近",
    filter_phrase="精确短语",
    filter_without="不含",
    filter_without_tag="不含标签",
    filter_without_author="不看作者",
    any_language="不限",
    apply="应用",
    remove="去掉筛选 {name}：{value}",
    answer="回答",
    looking="正在找帖子…",
    reading=Counted("正在读 {n} 篇帖子…", "正在读 {n} 篇帖子…"),
    withheld=Counted("{n} 句未通过核对，未显示", "{n} 句未通过核对，未显示"),
    withheld_so_far=Counted("已略去 {n} 句", "已略去 {n} 句"),
    written_by="由 {model} 根据下列帖子写成",
    quoted="摘自帖子原文",
    declined="这些帖子没有提到。",
    citation="出处 {n}：{author}",
    took="{seconds} 秒",
    lost="连接中断，回答没有显示完。",
    again="再问一次",
    without_script="不用 JavaScript 显示回答",
    posts="帖子",
    nearest_posts="最接近的帖子",
    later_posts="第 {n} 篇起",
    first_page="回到回答和前面的帖子",
    more="更多帖子",
    sort="排序",
    sort_relevance="最相关",
    sort_newest="最新",
    sort_most_liked="最多赞",
    tags_found="这些帖子的标签",
    similar=Counted("{n} 篇相似的帖子", "{n} 篇相似的帖子"),
    fold_similar="收起相似的帖子",
    no_posts="没有找到帖子。",
    no_posts_filtered="在这些筛选条件下没有找到帖子，去掉一个再试。",
    untitled="帖子",
    likes=Counted("{n} 赞", "{n} 赞"),
    collects=Counted("{n} 收藏", "{n} 收藏"),
    comments=Counted("{n} 评论", "{n} 评论"),
    comment_by="@{author} 的评论",
    comment_by_nobody="评论",
    pictures=Counted("{n} 张图", "{n} 张图"),
    original="原帖",
    whole_post="全文",
    shortened="此处有删节。",
    failed="现在无法回答：{problem}。",
    not_found="没有这个页面。",
    broken="这里出错了，已记入日志。",
    home="回到搜索框",
    too_long="这里有 {n} 个字符，最多可以问 {limit} 个。请缩短后再问。",
    bad_date="“{name}”是 {value!r}：日期请写成 YYYY-MM-DD。",
    bad_number="“{name}”是 {value!r}：请写 {least} 到 {most} 的整数。",
    too_many="“{name}”的值超过了 {limit} 个。",
)

LABELS: Mapping[Ui, Labels] = {"en": EN, "zh": ZH}

# What somebody may ask who has indexed the sample posts; each language shows both, its own first.
EXAMPLES: Mapping[Ui, tuple[str, ...]] = {
    "en": ("quiet cafe to study", "Where has Pebble & Pour moved?", "大理 咖啡馆"),
    "zh": ("大理 咖啡馆", "鹿角咖啡搬到哪里了？", "quiet cafe to study"),
}

# Languages offered as a filter, in their own names; a post may be in any other, and its code works in the address.
POST_LANGUAGES: Mapping[str, str] = {
    "zh": "中文", "en": "English", "ja": "日本語", "ko": "한국어", "es": "Español", "fr": "Français", "de": "Deutsch",
    "pt": "Português", "ru": "Русский", "ar": "العربية", "th": "ไทย", "vi": "Tiếng Việt",
}  # fmt: skip

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def choose_ui(accept_language: str) -> Ui:
    """The language of the page that fits an Accept-Language header best; English where neither is asked for.

    >>> choose_ui("fr, zh-CN;q=0.9, en;q=0.8"), choose_ui("")
    ('zh', 'en')
    """
    best: Ui = "en"
    best_quality = 0.0
    for offer in accept_language.split(","):
        tag, _, parameter = offer.strip().partition(";")
        try:
            quality = float(parameter.strip().removeprefix("q=")) if parameter else 1.0
        except ValueError:
            continue
        primary = tag.strip().lower().split("-")[0]
        if quality > best_quality and primary in ("en", "zh"):
            best, best_quality = ("zh" if primary == "zh" else "en"), quality
    return best


def day(moment: datetime, ui: Ui) -> str:
    """The day of a moment, in the time zone that its post was written in."""
    if ui == "zh":
        return f"{moment.year}年{moment.month}月{moment.day}日"
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}"
