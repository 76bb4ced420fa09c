"""The fields of a post file's line, and the JSON Schema made from them.

Regenerate `docs/post.schema.json` with `python -m indexer.posts.schema > docs/post.schema.json`.
"""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from indexer.posts.field_values import (
    Address,
    Handle,
    Identifier,
    Language,
    Moment,
    OneLine,
    Prose,
    Tags,
    is_blank,
    visible,
)

LARGEST_COUNT = 2**53  # above it JSON numbers lose digits
A_COUNT = "a whole number, 0 or more, without quotes"
VOTES = "a whole number without quotes, below 0 where votes against are counted too"
A_DATE = "a date or date-time of ISO 8601 from 1900 on, such as 2024-05-12 or 2024-05-12T15:20:00+08:00"
AN_ADDRESS = "an address that begins with http:// or https://, at most 2,000 characters"


def _field(expected: str, meaning: str, default: Any = ..., examples: list[Any] | None = None, **limits: Any) -> Any:
    """A field with the meaning and the expected value for its JSON Schema, and the latter for rejects."""
    return Field(
        default, description=f"{meaning}: {expected}.", examples=examples,
        json_schema_extra={"expected": expected}, **limits,
    )  # fmt: skip


class Line(BaseModel):
    """Common to all parts of a line: types as in JSON, and null means absent."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def null_is_absent(cls, data: Any) -> Any:
        return {name: value for name, value in data.items() if value is not None} if isinstance(data, dict) else data


class ImageLine(Line):
    """A picture."""

    url: Annotated[Address, AfterValidator(visible)] = _field(AN_ADDRESS, "Where it is", max_length=2_000)
    alt: Prose = _field("a string of at most 2,000 characters", "What it shows", "", max_length=2_000)


class PlaceLine(Line):
    """Where a post was made: a name, coordinates, or both."""

    name: OneLine = _field("a string of at most 200 characters", "As the author wrote it", "", max_length=200)
    latitude: float | None = _field("a number from -90 to 90", "Degrees north", None, ge=-90, le=90)
    longitude: float | None = _field("a number from -180 to 180", "Degrees east", None, ge=-180, le=180)

    @model_validator(mode="after")
    def both_or_neither(self) -> PlaceLine:
        if (self.latitude is None) != (self.longitude is None):
            raise PydanticCustomError("reason", "has one of 'latitude' and 'longitude' without the other")
        return self


class CommentLine(Line):
    """What somebody wrote under a post."""

    author: Handle = _field("a string of at most 200 characters", "Handle", "", max_length=200)
    text: Annotated[Prose, AfterValidator(visible)] = _field(
        "a string of 1 to 50,000 characters", "What was written", max_length=50_000
    )
    likes: int = _field(VOTES, "How many liked it", 0, ge=-LARGEST_COUNT, le=LARGEST_COUNT)
    created_at: Moment = _field(A_DATE, "When; without a zone it is UTC", None)


class PostLine(Line):
    """One post: one line of a post file."""

    id: Identifier = _field(
        "a string of 1 to 200 characters without white space at its ends, or a whole number",
        "Unique in an index; the same id again replaces the post", examples=["en-coffee-001"],
        min_length=1, max_length=200,
    )  # fmt: skip
    title: OneLine = _field("a string of at most 1,000 characters", "Headline", "", max_length=1_000)
    text: Prose = _field(
        "a string of at most 200,000 characters, not empty unless there is a title",
        "What the author wrote", "", max_length=200_000,
    )  # fmt: skip
    author: Handle = _field("a string of at most 200 characters", "Handle; a leading @ is removed", "", max_length=200)
    tags: Tags = _field(
        "an array of at most 100 strings of at most 100 characters", "Hashtags; a leading # is removed", []
    )
    language: Language = _field(
        "a two-letter code of ISO 639-1, such as 'en' or 'zh' (zh-CN is read as zh)",
        "Language of the post; detected when absent", "", examples=["en", "zh"],
    )  # fmt: skip
    created_at: Moment = _field(A_DATE, "When it was published; without a zone it is UTC", None)
    likes: int = _field(VOTES, "How many liked it", 0, ge=-LARGEST_COUNT, le=LARGEST_COUNT)
    collects: int = _field(A_COUNT, "People who saved it", 0, ge=0, le=LARGEST_COUNT)
    comment_count: int = _field(
        A_COUNT, "Comments on the platform; never less than those given here", 0, ge=0, le=LARGEST_COUNT
    )
    url: Address = _field(AN_ADDRESS, "The post on its platform", "", max_length=2_000)
    images: list[ImageLine] = _field(
        'an array of at most 100 objects {"url": ..., "alt": ...}', "Pictures", [], max_length=100
    )
    place: PlaceLine | None = _field(
        'an object {"name": ..., "latitude": ..., "longitude": ...}, both coordinates or neither',
        "Where it was made", None,
    )  # fmt: skip
    comments: list[CommentLine] = _field(
        'an array of at most 500 objects {"author": ..., "text": ..., "likes": ..., "created_at": ...}',
        "What was written under it", [], max_length=500,
    )  # fmt: skip

    opt_out: bool = _field(
        "true or false", "Whether its author wants it found no more; true forgets it, and only 'id' is looked at", False
    )

    @model_validator(mode="after")
    def says_something(self) -> PostLine:
        if is_blank(self.title) and is_blank(self.text):
            raise PydanticCustomError("empty_post", "is empty, and so is 'title'")
        return self


FIELDS = tuple(PostLine.model_fields)
PARTS: dict[str, type[Line]] = {"images": ImageLine, "place": PlaceLine, "comments": CommentLine}


def post_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of one line of a post file, made from the models that validate it."""
    schema = PostLine.model_json_schema()
    definitions = schema.pop("$defs")
    for part in (schema, *definitions.values()):
        part["additionalProperties"] = False
        for name, declared in part["properties"].items():
            for noise in ("title", "default", "expected"):
                declared.pop(noise, None)
            if name not in part.get("required", ()):
                part["properties"][name] = _or_null(declared)
    schema["properties"]["id"]["type"] = ["string", "integer"]
    schema["anyOf"] = [{"required": ["text"]}, {"required": ["title"]}]
    schema["title"] = "A post"
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "$defs": definitions}


def _or_null(declared: dict[str, Any]) -> dict[str, Any]:
    if "type" in declared:
        return {**declared, "type": [declared["type"], "null"]}
    return declared  # "anyOf" of something and null: how pydantic writes it


if __name__ == "__main__":
    sys.stdout.write(json.dumps(post_schema(), ensure_ascii=False, indent=2) + "\n")
