"""Truncated, misnamed, hostile, unreadable files and other encodings: reported clearly, and everything else is read."""

from __future__ import annotations

import gzip
import io
import json
import sqlite3
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import pytest
import zstandard

from indexer.readers.archives import UNPACK_LIMITS, UnpackLimits
from indexer.readers.formats.encodings import is_gb18030
from indexer.readers.formats.jsonl import Offered
from indexer.readers.formats.lines import LONGEST_LINE
from indexer.readers.record_reader import ReadOptions
from indexer.readers.sources import find_sources, read_posts
from indexer.rejects import Rejected
from retrieval.errors import FixableError
from retrieval.types import Post

CHINESE = "今天在大理喝了一杯咖啡，第{}次，味道很好，价格是二十五元，老板说周一不开门。"


def a_line(post_id: object, **fields: object) -> str:
    return json.dumps({"id": str(post_id), "text": f"flat white number {post_id}"} | fields, ensure_ascii=False) + "\n"


class Read:
    def __init__(self, path: Path, limits: UnpackLimits = UNPACK_LIMITS, **options: Any) -> None:
        self.notes: list[str] = []
        sources = find_sources([str(path)])
        given = ReadOptions(**options)
        found = list(read_posts(sources, io.BytesIO(), options=given, tell=self.notes.append, limits=limits))
        self.posts = [one.post for one in found if isinstance(one, Offered)]
        self.rejected = [one for one in found if isinstance(one, Rejected)]

    @property
    def ids(self) -> list[str]:
        return [post.id for post in self.posts]

    @property
    def post(self) -> Post:
        [post] = self.posts
        return post

    @property
    def only_reject(self) -> Rejected:
        [rejected] = self.rejected
        return rejected


def written(tmp_path: Path, name: str, data: bytes | str) -> Path:
    path = tmp_path / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


@pytest.mark.parametrize("encoding", ["gb18030", "gbk", "gb2312"])
def test_chinese_in_gb18030_and_its_elders_is_recognised_and_reported(encoding: str, tmp_path: Path) -> None:
    read = Read(
        written(tmp_path, "a.jsonl", "".join(a_line(n, text=CHINESE.format(n)) for n in range(9)).encode(encoding))
    )
    assert read.posts[3].text == CHINESE.format(3)
    assert read.notes == [f"{tmp_path}/a.jsonl: read as GB18030"]


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("big5", "今天在大理喝了一杯咖啡，味道很好，價格是二十五元，老闆說週一不開門。" * 4),
        ("cp1252", "un café très serré près de l'hôtel à Genève, déjà goûté " * 9),
        ("euc-kr", "오늘 대리에서 커피를 마셨다 정말 맛있었다 가격은 이십오 위안 " * 9),
        ("euc-jp", "今日は大理でコーヒーを飲みました。とても美味しかったです。" * 9),
        ("shift-jis", "今日は大理でコーヒーを飲みました。とても美味しかったです。" * 9),
        ("gb18030", "咖啡"),  # too little to be sure of
    ],
)
def test_what_is_not_certainly_gb18030_is_not_guessed_at_and_can_be_forced(
    encoding: str, text: str, tmp_path: Path
) -> None:
    assert not is_gb18030(text.encode(encoding))
    path = written(tmp_path, "a.jsonl", a_line(1, text=text).encode(encoding))
    assert "--encoding names another" in Read(path).only_reject.expected
    assert Read(path, encoding=encoding).post.text == text


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_byte_order_marks_and_utf_16_are_read(encoding: str, tmp_path: Path) -> None:
    read = Read(written(tmp_path, "a.csv", "id,text\n1,two flat whites and 咖啡\n".encode(encoding)))
    assert read.post.text == "two flat whites and 咖啡"


@pytest.mark.parametrize(("declared", "encoding"), [("gb2312", "gbk"), ("ISO-8859-1", "latin-1"), ("big5", "big5")])
def test_an_xml_file_is_read_in_the_encoding_that_it_declares(declared: str, encoding: str, tmp_path: Path) -> None:
    words = "Café, déjà" if encoding == "latin-1" else "咖啡"
    feed = f'<?xml version="1.0" encoding="{declared}"?><rss><item><title>{words}</title><guid>1</guid></item></rss>'
    assert Read(written(tmp_path, "a.xml", feed.encode(encoding))).post.title == words


def test_a_database_of_something_else_in_a_folder_keeps_nothing_else_from_being_read(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "a.db")
    database.executescript("CREATE TABLE a (x); CREATE TABLE b (y);")
    database.close()
    written(tmp_path, "b.jsonl", a_line(1))
    read = Read(tmp_path)
    assert read.ids == ["1"]
    assert "has several tables; there is: a, b" in read.only_reject.problem


def test_ascii_for_a_long_while_does_not_decide_the_encoding(tmp_path: Path) -> None:
    lines = "".join(a_line(n) for n in range(5_000)) + "".join(
        a_line(f"zh{n}", text=CHINESE.format(n)) for n in range(9)
    )
    assert Read(written(tmp_path, "a.jsonl", lines.encode("gb18030"))).posts[-1].text == CHINESE.format(8)


@pytest.mark.parametrize("suffix", ["gz", "zst"])
def test_a_bomb_is_stopped_and_what_came_before_is_read(suffix: str, tmp_path: Path) -> None:
    whole = a_line(1).encode() + b"x" * 3_000_000
    packed = gzip.compress(whole) if suffix == "gz" else zstandard.ZstdCompressor().compress(whole)
    read = Read(written(tmp_path, f"a.jsonl.{suffix}", packed), UnpackLimits(free_bytes=1_000_000, ratio=100))
    assert read.ids == ["1"]
    assert read.only_reject.problem.startswith("it may be a decompression bomb: ")
    assert "at most 100 times its size" in read.only_reject.expected


def test_the_members_of_a_zip_bomb_count_together(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(20):
            archive.writestr(f"{number:02}.jsonl", a_line(number) + " " * 200_000)
    read = Read(tmp_path / "a.zip", UnpackLimits(free_bytes=1_000_000, ratio=100))
    assert 0 < len(read.posts) < 20
    assert "bomb" in read.only_reject.problem


def test_archives_in_archives_are_left_closed(tmp_path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("a.jsonl", a_line(1))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("inner.zip", inner.getvalue())
        archive.writestr("b.jsonl", a_line(2))
    assert Read(tmp_path / "a.zip").ids == ["2"]


@pytest.mark.parametrize("suffix", ["gz", "zst"])
@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv", "a.xml"])
def test_a_small_packed_file_that_is_cut_short_gives_what_stands_before_the_cut(
    name: str, suffix: str, tmp_path: Path
) -> None:
    rows = [(f"{number}-{number**9}", f"text {number**7}") for number in range(400)]
    whole = {
        "a.jsonl": "".join(a_line(key, text=text) for key, text in rows),
        "a.json": "[" + ",".join(a_line(key, text=text) for key, text in rows) + "]",
        "a.csv": "id,text\n" + "".join(f"{key},{text}\n" for key, text in rows),
        "a.xml": "<l>" + "".join(f'<row id="{key}" text="{text}"/>' for key, text in rows) + "</l>",
    }[name].encode()
    packed = gzip.compress(whole) if suffix == "gz" else zstandard.ZstdCompressor().compress(whole)
    half = len(packed) // 2 if suffix == "gz" else len(packed) - 1  # so little is one block of zstd
    read = Read(written(tmp_path, f"{name}.{suffix}", packed[:half]))
    assert read.only_reject.problem == "the compressed data ends too early"
    assert len(read.posts) > (50 if suffix == "gz" else -1)


def test_a_zip_that_is_cut_short_is_reported(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.jsonl", a_line(1) * 99)
    path = written(tmp_path, "cut.zip", (tmp_path / "a.zip").read_bytes()[:2_000])
    assert Read(path).only_reject.problem == "the zip file is damaged: File is not a zip file"


@pytest.mark.parametrize("name", ["long.jsonl", "long.json", "long.csv", "long.xml"])
def test_fifty_megabytes_in_one_post_are_rejected_with_their_size_and_the_rest_is_read(
    name: str, tmp_path: Path
) -> None:
    long = "x" * 50_000_000
    data = {
        "long.jsonl": a_line(1) + a_line(2, text=long) + a_line(3),
        "long.json": f"[{a_line(1)},{a_line(2, text=long)},{a_line(3)}]",
        "long.csv": f"id,text\n1,a\n2,{long}\n3,b\n",
        "long.xml": f'<l><row id="1" text="a"/><row id="2"><text>{long}</text></row><row id="3" text="b"/></l>',
    }[name]
    path = written(tmp_path, name, data)
    del data, long
    tracemalloc.start()
    read = Read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert read.ids == ["1", "3"]
    assert read.only_reject.line == {"long.csv": 3, "long.xml": 1}.get(name, 2)
    assert "has 50,000," in read.only_reject.problem
    assert peak < 8 * LONGEST_LINE


def test_a_file_that_grows_while_it_is_read_comes_to_an_end_and_is_reported(tmp_path: Path) -> None:
    path = written(tmp_path, "a.jsonl", "".join(map(a_line, range(20_000))))
    notes: list[str] = []
    count = 0
    with path.open("a") as more:
        for found in read_posts(find_sources([str(path)]), io.BytesIO(), tell=notes.append):
            assert isinstance(found, Offered)
            count += 1
            more.write(a_line(f"more{count}"))
            more.flush()
    assert count == 20_000
    assert notes == [f"{path}: it grew while it was read; the next run reads what was added"]


def test_a_file_in_a_folder_that_cannot_be_opened_is_rejected_and_the_others_are_read(tmp_path: Path) -> None:
    written(tmp_path, "a.jsonl", a_line(1))
    (tmp_path / "b.jsonl").symlink_to(tmp_path / "b.jsonl")
    (tmp_path / "c.jsonl").symlink_to(tmp_path / "nowhere")
    written(tmp_path, "d.jsonl", a_line(2))
    read = Read(tmp_path)
    assert read.ids == ["1", "2"]
    assert [(Path(one.source).name, one.line) for one in read.rejected] == [("b.jsonl", 0), ("c.jsonl", 0)]
    assert read.rejected[1].problem == "cannot be read: No such file or directory"


def test_the_only_file_that_cannot_be_opened_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "c.jsonl").symlink_to(tmp_path / "nowhere")
    with pytest.raises(FixableError, match="cannot be read: No such file"):
        Read(tmp_path)


def test_ids_that_differ_by_case_are_different_posts(tmp_path: Path) -> None:
    assert Read(written(tmp_path, "a.jsonl", a_line("Ab") + a_line("aB"))).ids == ["Ab", "aB"]


@pytest.mark.parametrize(
    "bomb",
    [
        '<!DOCTYPE l [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><rss><item><title>&b;</title></item></rss>',
        '<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/hostname">]><rss><item><title>&a;</title></item></rss>',
    ],
)
def test_xml_that_declares_entities_is_refused(bomb: str, tmp_path: Path) -> None:
    assert Read(written(tmp_path, "a.xml", bomb)).only_reject.problem.startswith("the XML declares the entity '")


def test_xml_that_breaks_off_gives_the_records_before(tmp_path: Path) -> None:
    read = Read(written(tmp_path, "a.xml", '<posts>\n<row id="1" text="a"/>\n<row id="2" te'))
    assert read.ids == ["1"]
    assert "the XML is broken" in read.only_reject.problem


def test_a_web_page_is_reported_as_one(tmp_path: Path) -> None:
    assert (
        Read(written(tmp_path, "a.jsonl", "<!DOCTYPE html><html></html>")).only_reject.problem
        == "the file is a web page"
    )
