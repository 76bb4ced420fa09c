"""The published JSON Schema and the table in the documentation match the code."""

import json
from pathlib import Path

from indexer.posts.schema import FIELDS, CommentLine, ImageLine, PlaceLine, post_schema

DOCS = Path(__file__).parents[3] / "docs"


def test_the_published_schema_is_the_one_that_the_code_makes() -> None:
    published = json.loads((DOCS / "post.schema.json").read_text("utf-8"))
    assert published == post_schema(), "stale: run `python -m indexer.posts.schema > docs/post.schema.json`"


def test_the_documentation_explains_each_field() -> None:
    text = (DOCS / "posts.md").read_text("utf-8")
    parts = [*ImageLine.model_fields, *PlaceLine.model_fields, *CommentLine.model_fields]
    assert [field for field in FIELDS if f"\n| `{field}` |" not in text] == []
    assert [field for field in parts if f"`{field}`" not in text] == []


def test_the_schema_allows_null_and_nothing_unknown() -> None:
    schema = post_schema()
    assert schema["properties"]["likes"]["type"] == ["integer", "null"]
    assert schema["properties"]["id"]["type"] == ["string", "integer"]
    assert all(part["additionalProperties"] is False for part in (schema, *schema["$defs"].values()))
