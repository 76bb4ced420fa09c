"""MediaCrawler's notes and comments."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from pathlib import Path

from retrieval.types import Place
from tests.indexer.readers.exports.test_exports import Read

NOTE = {
    "note_id": "n1",
    "type": "normal",
    "title": "湖边的船",
    "desc": "租船 30 元一小时。\n#划船[话题]# #湖边[话题]#",
    "time": 1715498400000,
    "nickname": "阿舟",
    "liked_count": "2.5万",
    "collected_count": "10+",
    "comment_count": "评论",
    "ip_location": "云南",
    "image_list": "https://i.example/1.jpg,https://i.example/2.jpg",
    "tag_list": "划船",
    "last_modify_ts": 1,
    "note_url": "https://www.xiaohongshu.com/explore/n1?xsec_token=A=",
}
COMMENTS = [
    {
        "comment_id": "c1",
        "note_id": "n1",
        "content": "周末要排队",
        "nickname": "路人",
        "like_count": "1.1千",
        "create_time": 1715500000000,
        "parent_comment_id": 0,
    },
    {
        "comment_id": "c2",
        "note_id": "n1",
        "content": "早上不用",
        "nickname": "阿舟",
        "like_count": "赞",
        "create_time": 1715500100000,
        "parent_comment_id": "c1",
    },
    {"comment_id": "c3", "note_id": "elsewhere", "content": "没有笔记", "nickname": "x", "create_time": 1715500100000},
]


def check(read: Read) -> None:
    post = read.posts["xhs:n1"]
    assert (post.likes, post.collects, post.comment_count) == (25_000, 10, 2)
    assert (post.text, post.tags) == ("租船 30 元一小时。\n#划船 #湖边", ("划船", "湖边"))
    assert (post.author, post.place, len(post.images)) == ("阿舟", Place("云南"), 2)
    assert post.created_at == datetime(2024, 5, 12, 7, 20, tzinfo=UTC)
    assert [(one.text, one.likes) for one in post.comments] == [("周末要排队", 1_100), ("早上不用", 0)]
    assert "note_id:elsewhere/c3" in read.posts
    assert not read.rejected


def test_notes_and_comments_are_joined_over_files(tmp_path: Path) -> None:
    (tmp_path / "search_comments.json").write_text(json.dumps(COMMENTS), "utf-8")
    (tmp_path / "search_contents.json").write_text(json.dumps([NOTE]), "utf-8")
    check(Read(tmp_path))


def test_tables_give_what_json_gives(tmp_path: Path) -> None:
    for name, rows in (("contents.csv", [NOTE]), ("comments.csv", COMMENTS)):
        with (tmp_path / name).open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.DictWriter(file, rows[0].keys())
            writer.writeheader()
            writer.writerows(rows)
    check(Read(tmp_path))
