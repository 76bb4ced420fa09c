"""Weibo's posts as its crawlers write them."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

from tests.indexer.readers.exports.test_exports import Read

TABLE = (
    "\ufeffid,bid,user_id,用户昵称,微博正文,发布位置,话题,转发数,评论数,点赞数,发布时间,微博图片url,retweet_id\n"
    '51,Aa1,9,阿舟,"今天开船\n#渡口# 五元一位",昆明·码头,"渡口,开船",1,2,3.1万,2024-05-12 08:05,"https://i.example/1.jpg,https://i.example/2.jpg",\n'
    "52,Aa2,8,路人,转发微博,,,0,0,0,2024-05-12 09:05,,51\n"
)


def test_a_table_gives_counts_topics_pictures_and_the_time_of_china(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(TABLE, "utf-8")
    read = Read(tmp_path)
    [post] = read.posts.values()
    assert (post.id, post.url, post.likes, post.tags) == (
        "weibo:51",
        "https://weibo.com/9/Aa1",
        31_000,
        ("渡口", "开船"),
    )
    assert post.created_at == datetime.fromisoformat("2024-05-12T08:05:00+08:00")
    assert len(post.images) == 2
    assert read.passed() == "reposts without words (1)"


def test_what_a_post_reposts_is_marked_and_only_if_all_may_read_it(tmp_path: Path) -> None:
    inner = {"id": "50", "bid": "Z", "text": "渡口&nbsp;停航", "user": {"screen_name": "海事"}, "attitudes_count": 1}
    post = {"id": "53", "bid": "Aa3", "text": "注意", "user": {"id": 9, "screen_name": "阿舟"}, "attitudes_count": 2,
            "visible": {"type": 0, "list_id": 0}, "created_at": "Sun May 12 08:05:00 +0800 2024"}  # fmt: skip
    hidden = inner | {"visible": {"type": 10}}
    records = [post | {"retweeted_status": inner}, post | {"id": "54", "retweeted_status": hidden}]
    (tmp_path / "a.json").write_text(json.dumps({"user": {"id": 9}, "weibo": records}), "utf-8")
    read = Read(tmp_path)
    assert read.posts["weibo:53"].text == "注意\n\n> 海事: 渡口\xa0停航"
    assert read.posts["weibo:54"].text == "注意"
