"""From paths to posts, and to rejects for everything else."""

import contextlib
import gzip
import io
import json
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from indexer.readers.formats.jsonl import Offered, line_record, offered
from indexer.readers.formats.lines import LONGEST_LINE, RawLine
from indexer.readers.mapping.mapping_file import mapping_of
from indexer.readers.record_kinds import FileContext, PostRecord
from indexer.readers.record_reader import ReadOptions
from indexer.readers.records import Record
from indexer.readers.sources import find_sources, read_posts
from indexer.rejects import Rejected, RejectsLog
from retrieval.errors import FixableError

GOOD = b'{"id": "1", "text": "flat white"}\n'


def read(*paths: Path | str, stdin: bytes = b"") -> list[Offered | Rejected]:
    return list(read_posts(find_sources([str(path) for path in paths]), io.BytesIO(stdin)))


def only_reject(data: bytes, tmp_path: Path) -> Rejected:
    file = tmp_path / "posts.jsonl"
    file.write_bytes(data)
    [rejected] = [found for found in read(file) if isinstance(found, Rejected)]
    return rejected


def ids(found: list[Offered | Rejected]) -> list[str]:
    return [offered.post.id for offered in found if isinstance(offered, Offered)]


def a_line(post_id: str) -> bytes:
    return json.dumps({"id": post_id, "text": "flat white"}).encode() + b"\n"


def test_a_folder_is_walked_in_order_and_what_holds_no_posts_is_skipped(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / ".git").mkdir()
    (tmp_path / "b" / "2.jsonl.gz").write_bytes(gzip.compress(a_line("gz")))
    (tmp_path / "a.jsonl.zst").write_bytes(zstandard.ZstdCompressor().compress(a_line("zst")))
    (tmp_path / "c.jsonl").write_bytes(a_line("plain"))
    judged = ("queries.jsonl", "queries.en.jsonl", "questions.dev.jsonl", "dialogues.dev.jsonl")
    for name in (*judged, "x.rejects.jsonl", ".hidden.jsonl", "notes.txt", ".git/d.jsonl"):
        (tmp_path / name).write_bytes(a_line("never"))
    assert ids(read(tmp_path)) == ["zst", "plain", "gz"]


def test_a_file_that_is_named_is_always_read(tmp_path: Path) -> None:
    (tmp_path / "queries.txt").write_bytes(GOOD)
    assert ids(read(tmp_path / "queries.txt")) == ["1"]


def test_a_file_that_is_named_twice_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(GOOD)
    assert ids(read(tmp_path, tmp_path / "a.jsonl", tmp_path)) == ["1"]


@pytest.mark.parametrize("data", [GOOD, gzip.compress(GOOD, mtime=0), zstandard.ZstdCompressor().compress(GOOD)])
def test_standard_input_is_unpacked_when_it_is_packed(data: bytes) -> None:
    [offered] = read("-", stdin=data)
    assert isinstance(offered, Offered)
    assert (offered.source, offered.line, offered.post.id) == ("stdin", 1, "1")


def test_a_byte_order_mark_and_blank_lines_are_skipped_and_still_counted(tmp_path: Path) -> None:
    file = tmp_path / "posts.jsonl"
    file.write_bytes(b"\xef\xbb\xbf" + a_line("1") + b"\n   \r\n" + a_line("2"))
    assert [(found.post.id, found.line) for found in read(file) if isinstance(found, Offered)] == [("1", 1), ("2", 4)]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"not json", "the line is not valid JSON: Expecting value at character 1"),
        (b'{"id": "1", "text": "a"', "the line is not valid JSON"),
        (b'{"id": "1", "text": "a"} {}', "the line is not valid JSON: Extra data at character 26"),
        (b'{"id": "1", "text": "a\tb"}', "the line is not valid JSON: Invalid control character"),
        (b'{"id": "1", "text": "a", "likes": NaN}', "the line is not valid JSON: NaN is not a JSON number"),
        (b'{"id": ' + b"1" * 5000 + b"}", "more than 4,300 digits"),
        (b'{"id": "1", "text": "\xff"}', "byte 21 of the line is 0xff, which is not valid UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_a_line_that_is_not_json_is_rejected_as_a_whole(line: bytes, problem: str, tmp_path: Path) -> None:
    rejected = only_reject(line + b"\n" if b"\0" not in line else line, tmp_path)
    assert (rejected.line, rejected.field) == (1, "")
    assert problem in rejected.problem
    assert rejected.raw == line[: 64 * 1024]


@pytest.mark.parametrize("text", [b"a\0b", b"a\\u0000b", b"a\\ud83d"])
def test_invalid_characters_are_reported_with_their_field(text: bytes, tmp_path: Path) -> None:
    assert only_reject(b'{"id": "1", "title": "x", "text": "' + text + b'"}', tmp_path).field == "text"


def test_ten_megabytes_of_text_are_rejected_and_the_lines_around_them_are_read(tmp_path: Path) -> None:
    file = tmp_path / "posts.jsonl"
    file.write_bytes(a_line("1") + a_line("x" * 10_000_000) + a_line("2"))
    found = read(file)
    assert ids(found) == ["1", "2"]
    [rejected] = [one for one in found if isinstance(one, Rejected)]
    assert (rejected.line, rejected.problem) == (2, "the line has 10,000,032 bytes")
    assert rejected.expected == f"at most {LONGEST_LINE:,} bytes a line"


@pytest.mark.parametrize("suffix", ["gz", "zst"])
def test_a_packed_file_that_is_cut_short_gives_the_posts_before_the_cut(suffix: str, tmp_path: Path) -> None:
    lines = b"".join(a_line(f"{number}-{number**5}") for number in range(20_000))
    packed = gzip.compress(lines) if suffix == "gz" else zstandard.ZstdCompressor().compress(lines)
    (tmp_path / f"a.jsonl.{suffix}").write_bytes(packed[: len(packed) // 2])
    (tmp_path / "b.jsonl").write_bytes(a_line("after"))
    *before, rejected, after = read(tmp_path)
    assert len(before) > 100
    assert isinstance(rejected, Rejected)
    assert (rejected.line, rejected.problem) == (len(before) + 1, "the compressed data ends too early")
    assert isinstance(after, Offered)


@pytest.mark.parametrize(
    "packed", [gzip.compress(GOOD * 99, mtime=0), zstandard.ZstdCompressor(write_checksum=True).compress(GOOD * 99)]
)
def test_a_packed_file_that_is_damaged_is_rejected(packed: bytes, tmp_path: Path) -> None:
    packed = packed[:12] + b"\xff\x00\xff\x00" * 4 + packed[28:]
    (tmp_path / "a.jsonl").write_bytes(packed)
    found = read(tmp_path / "a.jsonl")[-1]
    assert isinstance(found, Rejected)
    assert found.problem == "the compressed data is damaged"


def test_a_path_that_does_not_exist_is_reported_before_anything_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(GOOD)
    for path in (tmp_path / "nowhere", tmp_path / ("x" * 300), "a\0b"):
        with pytest.raises(FixableError, match="does not exist"):
            find_sources([str(tmp_path), str(path)])


def test_a_folder_without_post_files_is_reported(tmp_path: Path) -> None:
    (tmp_path / "queries.jsonl").write_bytes(GOOD)
    with pytest.raises(FixableError, match="contains no post file"):
        find_sources([str(tmp_path)])


@pytest.mark.parametrize("data", [b"", b"\n \n", b"\xef\xbb\xbf"])
def test_files_without_one_line_are_reported(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(data)
    with pytest.raises(FixableError, match="contains no lines"):
        read(tmp_path)
    with pytest.raises(FixableError, match="stdin contains no lines"):
        read("-", stdin=data)


def test_an_empty_file_among_others_is_reported_and_the_others_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").touch()
    (tmp_path / "b.jsonl").write_bytes(GOOD)
    offered, rejected = read(tmp_path)
    assert isinstance(offered, Offered)
    assert isinstance(rejected, Rejected)
    assert str(rejected) == f"{tmp_path}/a.jsonl: the file is empty: expected one post a line"


def test_fields_are_moved_before_they_are_judged(tmp_path: Path) -> None:
    line = {"id": "1", "lang": "en", "title": None, "body": "hi", "comments": 4, "views": 9, "parent": None}
    (tmp_path / "a.jsonl").write_text(json.dumps(line))
    mapping = mapping_of(["text=body", "comment_count=comments", "language=lang"])
    sources = find_sources([str(tmp_path)])
    [found] = read_posts(sources, io.BytesIO(), ReadOptions(mapping=mapping, ignore_unknown=True))
    assert isinstance(found, Offered)
    assert (found.post.text, found.post.comment_count, found.post.language) == ("hi", 4, "en")
    [rejected] = read_posts(sources, io.BytesIO(), ReadOptions(mapping=mapping))
    assert isinstance(rejected, Rejected)
    assert rejected.field == "views"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    ["id", "title", "text", "author", "tags", "language", "created_at", "likes", "comment_count", "url", "images",
     "place", "comments", "body", "{", "%s"]
)  # fmt: skip
PARTS = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("url", "alt", "name", "latitude", "longitude", "author", "text", "likes"), JSON)
)
LINES = JSON | st.dictionaries(FIELDS, JSON | PARTS | st.lists(PARTS, max_size=3), max_size=8)


@given(LINES, st.booleans())
def test_any_json_value_is_a_post_or_a_reject(value: object, ignore_unknown: bool) -> None:
    data = json.dumps(value).encode()
    record = line_record(RawLine(1, data, len(data)), "any")
    if isinstance(record, Record) and isinstance(record.value, dict):
        [moved] = mapping_of(["text=body", "author=a.b"]).read(record.value, FileContext("any"))
        assert isinstance(moved, PostRecord)
        record = Record(1, moved.post, record.raw)
    found = offered(record, "any", ignore_unknown) if isinstance(record, Record) else record
    assert isinstance(found, Offered | Rejected)
    if isinstance(found, Rejected):
        assert found.problem
        assert found.expected
        assert "\n" not in str(found)


@given(st.binary(max_size=200))
def test_any_bytes_are_posts_or_rejects(data: bytes) -> None:
    for packing in (b"", b"\x1f\x8b\x08\x00", b"\x28\xb5\x2f\xfd", GOOD):
        found: list[Offered | Rejected] = []
        with contextlib.suppress(FixableError):  # "contains no lines", which another test asks for
            found = list(read_posts(find_sources(["-"]), io.BytesIO(packing + data)))
        assert all(isinstance(one, Offered | Rejected) for one in found)


def test_rejects_are_written_whole_and_the_first_twenty_are_shown(tmp_path: Path) -> None:
    shown: list[str] = []
    log = RejectsLog(tmp_path / "rejects" / "now.rejects.jsonl", shown.append)
    assert not log.path.parent.exists()
    with log:
        for line in range(1, 24):
            log.add(
                Rejected(
                    "a\udcff.jsonl", line, "likes", "is '5'", "a number", b'\xff{"likes": "5", "text": "\xe4\xb8\x83"}'
                )
            )
    entries = [json.loads(line) for line in log.path.read_text("utf-8").splitlines()]
    assert [entry["line"] for entry in entries] == list(range(1, 24))
    assert entries[0] == {
        "source": "a\udcff.jsonl", "line": 1, "field": "likes", "problem": "is '5'", "expected": "a number",
        "raw": '\\xff{"likes": "5", "text": "七"}',
    }  # fmt: skip
    assert shown[0] == "a\udcff.jsonl:1: field 'likes' is '5': expected a number"
    assert len(shown) == 22
    assert shown[20:] == ["... and 3 more", f"rejected lines are in {log.path}"]


def test_no_rejects_leave_no_file(tmp_path: Path) -> None:
    with RejectsLog(tmp_path / "now.rejects.jsonl", print):
        pass
    assert list(tmp_path.iterdir()) == []
