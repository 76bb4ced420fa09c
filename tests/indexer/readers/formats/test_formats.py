"""Post files in all formats, detected by content, are read as the same posts."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.readers.formats.delimited import Header, sniff_delimiter, table_rows
from indexer.readers.formats.detect import text_format
from indexer.readers.formats.json_document import json_items
from indexer.readers.formats.jsonl import Offered
from indexer.readers.mapping.mapping_file import mapping_of
from indexer.readers.record_reader import ReadOptions
from indexer.readers.records import Record
from indexer.readers.sources import find_sources, read_posts
from indexer.rejects import Rejected
from retrieval.errors import FixableError
from retrieval.types import Post

ROWS: list[dict[str, Any]] = [
    {"id": "1", "text": 'Flat white, "25" yuan\n\nby the gate', "likes": 3, "tags": ["coffee", "dali"],
     "created_at": "2024-05-12"},
    {"id": "2", "title": "洱海边的咖啡车", "text": "周一不开门。", "author": "mo"},
]  # fmt: skip


def posts(path: Path, **options: Any) -> list[Post]:
    found = list(read_posts(find_sources([str(path)]), io.BytesIO(), options=ReadOptions(**options)))
    assert [str(one) for one in found if isinstance(one, Rejected)] == []
    return [one.post for one in found if isinstance(one, Offered)]


def rejects(path: Path, **options: Any) -> list[Rejected]:
    found = read_posts(find_sources([str(path)]), io.BytesIO(), options=ReadOptions(**options))
    return [one for one in found if isinstance(one, Rejected)]


def written(folder: Path, name: str) -> Path:
    """The same two posts in the format of a name's ending."""
    path = folder / name
    columns = ["id", "title", "text", "author", "likes", "tags", "created_at"]
    if name.endswith((".csv", ".tsv")):
        with path.open("w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, columns, delimiter="\t" if name.endswith(".tsv") else ",")
            table.writeheader()
            table.writerows(row | {"tags": ",".join(map(str, row.get("tags", [])))} for row in ROWS)
    elif name.endswith(".parquet"):
        pyarrow = pytest.importorskip("pyarrow", reason="what reads Parquet is not here")
        parquet = pytest.importorskip("pyarrow.parquet", reason="what reads Parquet is not here")
        parquet.write_table(pyarrow.Table.from_pylist([dict.fromkeys(columns) | row for row in ROWS]), path)
    elif name.endswith(".sqlite"):
        database = sqlite3.connect(path)
        database.execute(f"CREATE TABLE posts ({', '.join(columns)})")
        rows = [
            [json.dumps(row[name]) if name == "tags" and name in row else row.get(name) for name in columns]
            for row in ROWS
        ]
        database.executemany(f"INSERT INTO posts VALUES ({', '.join('?' * len(columns))})", rows)
        database.execute("CREATE TABLE users (id, mail)")
        database.execute("INSERT INTO users VALUES (1, 'mo@posts.example')")
        database.commit()
        database.close()
    elif name.endswith(".json"):
        path.write_text(json.dumps(ROWS, indent=1))
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return path


NAMES = ["a.jsonl", "a.json", "a.csv", "a.tsv", "a.parquet", "a.sqlite"]


@pytest.mark.parametrize("name", NAMES)
def test_the_same_posts_come_out_of_every_format(name: str, tmp_path: Path) -> None:
    assert posts(written(tmp_path, name)) == posts(written(tmp_path, "b.jsonl"))


def test_a_folder_may_hold_all_of_them_and_so_may_a_zip(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with zipfile.ZipFile(tmp_path / "all.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name in NAMES:
            archive.write(written(folder, name), f"inner/{name}")
    assert len(posts(folder)) == len(posts(tmp_path / "all.zip")) == 2 * len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_lies_does_not_matter(name: str, tmp_path: Path) -> None:
    lying = written(tmp_path, name).rename(tmp_path / "export.data")
    assert len(posts(lying)) == 2
    assert len(posts(lying.rename(tmp_path / ("a.csv" if name != "a.csv" else "a.json")))) == 2


@pytest.mark.parametrize(
    ("name", "head", "found"),
    [
        ("a.json", b'{"id": 1}\n{"id": 2}\n', "jsonl"),
        ("a.json", b'{\n "id": 1}', "json"),
        ("a.jsonl", b'[\n{"id": 1}]', "json"),
        ("a.jsonl", b'{"id": 1, "te', "jsonl"),
        ("a.js", b"window.YTD.tweets.part0 = [ {", "json"),
        ("a.csv", b"<?xml version='1.0'?><rss>", "xml"),
        ("a.xml", b"id,text\n1,a\n", "csv"),
        ("a.txt", b"id\ttext\n1\ta\n", "tsv"),
        ("a.csv", b"id\n1\n", "csv"),
        ("a.csv", b"  <!doctype html><html>", "html"),
        ("stdin", b'{"id": "1", "text": "a"}', "jsonl"),
    ],
)
def test_the_format_is_detected_by_content(name: str, head: bytes, found: str) -> None:
    assert text_format(name, head) == found


def test_a_format_can_be_forced(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("id|text\n1|a, b\n")
    [post] = posts(tmp_path / "a.jsonl", format="csv")
    assert post.text == "a, b"


@pytest.mark.parametrize(
    ("sample", "delimiter"),
    [
        ("id,text\n1,a;b;c\n", ","),
        ("id;text\n1;a,b,c\n2;d,e\n", ";"),
        ("id\ttext\n1\ta, b\n", "\t"),
        ('id|text\n1|"a,b|c"\n', "|"),
        ('"id","text, or none"\n"1","a"\n', ","),
        ("id\n1\n", ","),
    ],
)
def test_the_delimiter_is_what_parts_rows_evenly(sample: str, delimiter: str) -> None:
    assert sniff_delimiter(sample) == delimiter


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=12)


@given(st.lists(st.lists(CELLS, min_size=3, max_size=3), max_size=6), st.sampled_from([",", ";", "\t", "|"]))
def test_what_csv_writes_comes_back_cell_by_cell(rows: list[list[str]], delimiter: str) -> None:
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerows([["id", "text", "title"], *rows])
    found = list(table_rows(io.BytesIO(file.getvalue().encode()), "a.csv"))
    assert isinstance(found[0], Header)
    expected = [{name: cell for name, cell in zip(("id", "text", "title"), row, strict=True) if cell} for row in rows]
    assert [row.value for row in found[1:] if isinstance(row, Record)] == [row for row in expected if row]


def test_a_row_whose_quotation_mark_is_not_closed_affects_no_other_row(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('id,text\n1,a\n2,"open\n3,c\n4,"d"\n5,e\n')
    found = list(read_posts(find_sources([str(path)]), io.BytesIO()))
    assert [one.post.id for one in found if isinstance(one, Offered)] == ["1", "3", "4", "5"]
    [rejected] = [one for one in found if isinstance(one, Rejected)]
    assert (rejected.line, rejected.raw) == (3, b'2,"open')


def test_two_hundred_columns_are_read_where_they_are_asked_to_be_skipped_and_reported_once_otherwise(
    tmp_path: Path,
) -> None:
    names = ["id", "text", *(f"column{number}" for number in range(198))]
    (tmp_path / "a.csv").write_text(
        ",".join(names) + "\n" + "\n".join(",".join(f"{n}x" for _ in names) for n in range(9))
    )
    assert len(posts(tmp_path / "a.csv", ignore_unknown=True)) == 9
    [rejected] = rejects(tmp_path / "a.csv")
    assert (rejected.line, rejected.field) == (0, "column0")


def test_cells_are_read_as_what_their_column_holds(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "id;text;likes;tags;created_at;place.name;place.latitude;place.longitude;images\n"
        '7;a;12;"#a #b";31.12.2024;Dali;25.69;100.16;https://i.example/1.jpg\n8;b;NULL;;;;;;\n'
    )
    first, second = posts(tmp_path / "a.csv")
    assert (first.likes, first.tags, first.place and first.place.latitude) == (12, ("a", "b"), 25.69)
    assert first.images[0].url == "https://i.example/1.jpg"
    assert (second.likes, second.created_at, second.place) == (0, None, None)


def test_fields_of_a_table_can_be_moved(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("nr,body,more\n1,a,x\n")
    mapping = mapping_of(["id=nr", "text=body"])
    assert posts(tmp_path / "a.csv", mapping=mapping, ignore_unknown=True)[0].text == "a"


@pytest.mark.parametrize("first", ["1,hello,2024-05-12", "hello,hello", "https://a.example,b"])
def test_a_table_without_a_header_is_reported(first: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f"{first}\n2,b,2024-05-13\n")
    assert rejects(tmp_path / "a.csv")[0].problem == "the first line names no columns"


def test_a_table_of_something_else_is_rejected_once_and_none_of_it_kept(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("user,mail\n" + "mo,mo@posts.example\n" * 9)
    [rejected] = rejects(tmp_path / "a.csv")
    assert (rejected.field, rejected.raw) == ("id", b"")
    assert "user, mail" in rejected.problem


def test_sqlite_is_read_by_table_and_never_written(tmp_path: Path) -> None:
    path = written(tmp_path, "a.sqlite")
    before = path.read_bytes(), sorted(tmp_path.iterdir())
    assert len(posts(path)) == 2
    [rejected] = rejects(path, table="users")
    assert (rejected.field, rejected.raw) == ("text", b"")
    with pytest.raises(FixableError, match="has no table 'comments'; there is: posts, users"):
        posts(path, table="comments")
    assert (path.read_bytes(), sorted(tmp_path.iterdir())) == before


@pytest.mark.parametrize("name", ["a.parquet", "a.sqlite"])
def test_a_binary_file_that_is_cut_short_is_reported(name: str, tmp_path: Path) -> None:
    path = written(tmp_path, name)
    path.write_bytes(path.read_bytes()[: -700 if name == "a.parquet" else -5_000])
    [rejected] = rejects(path)
    assert "damaged" in rejected.problem or "SQLite cannot read on" in rejected.problem


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["items", "a", 'b"']), inner, max_size=4)
    ),
    max_leaves=12,
)


def elements(value: object) -> list[object]:
    if isinstance(value, list):
        return value
    if isinstance(value, dict) and isinstance(value.get("items"), list):
        found: list[object] = value["items"]
        return found
    return [value]


@settings(max_examples=200)
@given(st.lists(JSON, max_size=3), st.sampled_from([None, 1]), st.integers(1, 40))
def test_however_a_document_is_cut_into_reads_its_elements_come_out_whole(
    values: list[object], indent: int | None, size: int
) -> None:
    data = "\n".join(json.dumps(value, indent=indent) for value in values).encode()
    found = json_items(Trickle(data, size), {("items",)})
    assert [json.loads(item.data) for item in found] == [element for value in values for element in elements(value)]


@given(st.text('[]{}",:\\ a1\n', max_size=40), st.integers(1, 9))
def test_no_text_makes_the_scanner_of_json_fail_or_stand_still(text: str, size: int) -> None:
    list(json_items(Trickle(text.encode(), size), {("items",)}))


class Trickle(io.BytesIO):
    """A stream that returns a few bytes at a time."""

    def __init__(self, data: bytes, size: int) -> None:
        super().__init__(data)
        self._size = size

    def read(self, _: int | None = -1, /) -> bytes:
        return super().read(self._size)


def test_the_documents_own_words_are_known_to_its_elements() -> None:
    [item] = json_items(io.BytesIO(b'{"language": "zh", "items": [{"id": 1}], "more": 2}'), {("items",)})
    assert (json.loads(item.document), item.data) == ({"language": "zh"}, b'{"id": 1}')
