"""Validates posts: from a line's JSON value to a Post, or to a PostError that says what to fix."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from indexer.posts.audience import audience_fields
from indexer.posts.dates import DateError, read_moment
from indexer.posts.field_values import MOST_TAGS, is_blank, show
from indexer.posts.hashtags import hashtags
from indexer.posts.schema import PARTS, Line, PlaceLine, PostLine
from retrieval.text.folding import fold
from retrieval.text.language import detect_language
from retrieval.types import Comment, Image, Place, Post

# What other exports call our fields. difflib finds typos; it cannot know that "body" is a text.
OTHER_NAMES = {
    "text": "body content description desc message selftext",
    "title": "headline subject",
    "author": "user username nickname handle name",
    "tags": "hashtags topics keywords",
    "language": "lang",
    "created_at": "created created_utc date time timestamp published_at publish_time",
    "likes": "score like_count liked_count favorites upvotes",
    "collects": "saves collect_count collected_count bookmarks",
    "comment_count": "num_comments comments_count",
    "url": "link permalink href src",
    "images": "pictures photos image_list",
    "place": "location geo poi",
    "comments": "replies",
    "id": "post_id note_id _id",
    "latitude": "lat",
    "longitude": "lon lng",
}
_COMMENT_ID = re.compile(r"(?:comment|reply|answer|message|status)s?_?id$")
ALIASES = {other: ours for ours, others in OTHER_NAMES.items() for other in others.split()}


class PostError(ValueError):
    """Why a line is not a post.

    Attributes:
        field: Where, as "comments[3].likes"; "" for the line as a whole.
        problem: What is there; follows the field in a sentence: "is '12'".
        expected: What should be there.
    """

    def __init__(self, field: str, problem: str, expected: str) -> None:
        super().__init__(f"{field} {problem}: expected {expected}")
        self.field, self.problem, self.expected = field, problem, expected


class OptedOut(PostError):
    """A line whose author wants the post forgotten.

    Attributes:
        post_id: The post's id.
    """

    def __init__(self, post_id: str) -> None:
        super().__init__("opt_out", "is true: the post is forgotten", "posts that may be found")
        self.post_id = post_id


def to_post(raw: object, ignore_unknown: bool = False) -> Post:
    """The post that a line's JSON value describes.

    Args:
        raw: A parsed JSON value. Null means absent for every optional field.
        ignore_unknown: Ignore fields that a post does not have, instead of rejecting the line.

    Raises:
        PostError: It is not a post; names the field, what is there and what should be.
        OptedOut: Its author wants it forgotten.
    """
    if not isinstance(raw, dict):
        raise PostError("", f"the line is {show(raw)}", "one JSON object a line")
    if not ignore_unknown and (unknown := list(_unknown_fields(raw))):
        raise _all_unknown(unknown)
    try:
        if raw.get("opt_out") is True:
            raise OptedOut(PostLine.model_validate({"id": raw.get("id"), "text": "forgotten"}).id)
        line = PostLine.model_validate(raw)
    except ValidationError as error:
        raise _first_of(error.errors(include_url=False), raw) from None
    return _post(line)


def without_unreadable_dates(raw: object) -> tuple[object, list[str]]:
    """The line without dates that cannot be read, and what is wrong with each, as a sentence."""
    if not isinstance(raw, dict):
        return raw, []
    line, lost = dict(raw), list[str]()
    if problem := _unreadable(line.get("created_at")):
        del line["created_at"]
        lost.append(f"'created_at' {problem}")
    comments = line.get("comments")
    if isinstance(comments, list):
        kept: list[object] = []
        for at, comment in enumerate(comments):
            problem = _unreadable(comment.get("created_at")) if isinstance(comment, dict) else ""
            if problem:
                lost.append(f"'comments[{at}].created_at' {problem}")
                kept.append({name: value for name, value in comment.items() if name != "created_at"})
            else:
                kept.append(comment)
        line["comments"] = kept
    return line, lost


def _unreadable(written: object) -> str:
    """What is wrong with a date; "" if it can be read, or is none."""
    if written is None or isinstance(written, bool) or not isinstance(written, str | int | float):
        return "" if written is None else f"is {show(written)}, which is not a date"
    try:
        if not isinstance(written, str) or written.strip():
            read_moment(written)
    except DateError as error:
        return f"is {show(written)}, {error}"
    return ""


def unknown_columns(names: Sequence[str]) -> PostError | None:
    """One error for all unknown columns of a table; None if a post has every column."""
    unknown = list(_unknown_fields(dict.fromkeys(names)))
    return _all_unknown(unknown) if unknown else None


def _post(line: PostLine) -> Post:
    comments = tuple(Comment(c.author, c.text, c.likes, c.created_at) for c in line.comments)
    place = line.place
    return Post(
        id=line.id,
        title=line.title,
        text="" if is_blank(line.text) else line.text,
        author=line.author,
        tags=_tags(line),
        language=line.language or detect_language(f"{line.title}\n{line.text}"),
        created_at=line.created_at,
        likes=line.likes,
        collects=line.collects,
        comment_count=max(line.comment_count, len(comments)),
        url=line.url,
        images=tuple(Image(image.url, image.alt) for image in line.images),
        place=Place(place.name, place.latitude, place.longitude) if place and place != PlaceLine() else None,
        comments=comments,
    )


def _tags(line: PostLine) -> tuple[str, ...]:
    """The tags that are listed, then those that title and text have besides."""
    listed = set(map(_key, line.tags))
    inline = {_key(tag): tag for tag in hashtags(f"{line.title}\n{line.text}")}
    besides = [tag for key, tag in inline.items() if key not in listed]
    return (*line.tags, *besides[: MOST_TAGS - len(line.tags)])


def _key(tag: str) -> str:
    return fold(tag).casefold()


def _unknown_fields(raw: Mapping[str, object]) -> Iterator[tuple[str, str, str | None]]:
    """For each field that a post does not have: its path, the problem, and the post's field that may be meant."""
    if type(raw.get("comments")) is int and "comment_count" not in raw:
        # Many exports call the number of comments "comments".
        yield "comments", f"is the number {show(raw['comments'])}; did you mean 'comment_count'?", "comment_count"
    for name in raw:
        if name not in PostLine.model_fields:
            yield _unknown(name, "", PostLine, raw)
    for part, model in PARTS.items():
        value = raw.get(part)
        for at, entry in enumerate(value if isinstance(value, list) else [value]):
            where = f"{part}[{at}]." if isinstance(value, list) else f"{part}."
            for name in entry if isinstance(entry, dict) else ():
                if name not in model.model_fields:
                    yield (*_unknown(name, where, model, entry)[:2], None)


def _all_unknown(unknown: Sequence[tuple[str, str, str | None]]) -> PostError:
    """One error for all of them, with the options that would read the line."""
    field, problem, _ = unknown[0]
    if len(unknown) > 1:
        problem += f" (also unknown: {', '.join(other for other, _, _ in unknown[1:12])})"
    offers = Counter(new for _, _, new in unknown)
    # Of two fields that may be the text, or the id, one would take the other's place.
    sure = [(new, old) for old, _, new in unknown if new and (offers[new] == 1 or new not in {"id", "text", "title"})]
    meant = {new: old for new, old in reversed(sure) if old.isidentifier()}
    moves = " ".join(f"--map {new}={old}" for new, old in reversed(meant.items()))
    fix = f"{moves} reads {'it' if len(meant) == 1 else 'them'}, " if moves else ""
    expected = f"only the fields of docs/posts.md ({fix}--ignore-unknown drops what is unknown"
    if private := audience_fields([name for name, _, _ in unknown]):
        named = ", ".join(map(repr, private[:4]))
        expected += f"; {named} may say who may read it: posts of which it does not say that all may are passed over"
    return PostError(field, problem, f"{expected})")


def _unknown(name: str, where: str, model: type[Line], beside: Mapping[str, object]) -> tuple[str, str, str | None]:
    meant = ALIASES.get(name.lower())
    if meant not in model.model_fields:
        close = get_close_matches(name.lower(), model.model_fields, n=1, cutoff=0.7)
        # A "uid" is spelled nearly like an id, and is the same for all posts of a person.
        meant = next((field for field in close if field != "id"), None)
    if meant in beside or not _may_be(meant, name, beside):
        meant = None
    return where + _name(name), "is unknown" + (f"; did you mean {meant!r}?" if meant else ""), meant


def _may_be(field: str | None, name: str, beside: Mapping[str, object]) -> bool:
    """Whether a field's value looks like that of a post's field. Of columns the values are not known: they are None."""
    value = beside.get(name)
    match field:
        case "id":
            # Beside a comment's own id, that of its post is the same for many comments.
            own = any(_COMMENT_ID.search(other.lower()) for other in beside if other != name)
            return not own and (value is None or isinstance(value, str | int))
        case "comments" | "images":
            needed = {"text"} if field == "comments" else {"url", "src"}
            entries = value if isinstance(value, list) else []
            fits = all(isinstance(one, str) or (isinstance(one, dict) and one.keys() & needed) for one in entries)
            return value is None or (field == "images" and isinstance(value, str)) or (isinstance(value, list) and fits)
        case "text" | "title" | "author" | "url":
            return value is None or isinstance(value, str)
    return True


def _first_of(errors: list[ErrorDetails], raw: Mapping[str, object]) -> PostError:
    """The first problem, with the names of the other wrong fields, so that the line can be fixed at once."""
    if errors[0]["type"] == "empty_post":
        missing = raw.get("text") is None
        problem = "is missing, and there is no 'title'" if missing and not raw.get("title") else errors[0]["msg"]
        return PostError("text", problem, "a string that is not empty, in 'text' or 'title'")
    fields = list(dict.fromkeys(_path(error["loc"]) for error in errors))
    also = f" (also wrong: {', '.join(fields[1:6])})" if len(fields) > 1 else ""
    return PostError(fields[0], _problem(errors[0]) + also, _expected(errors[0]["loc"]))


def _problem(error: ErrorDetails) -> str:
    value = error["input"]
    match error["type"]:
        case "missing":
            return "is missing"
        case "reason":
            return error["msg"]
        case "string_unicode":
            return "contains an unpaired surrogate, which is not a character"
        case (
            "string_too_long" | "too_long"
        ):  # the second also for strings whose limit is checked after our own validator
            return f"has {len(value):,} {'characters' if isinstance(value, str) else 'entries'}"
        case "string_too_short" | "too_short":
            return "is empty"
    return f"is {show(value)}"


def _expected(loc: tuple[int | str, ...]) -> str:
    model: type[Line] = PostLine
    expected = "a post"
    for name in loc:
        if isinstance(name, str) and name in model.model_fields:
            extra = model.model_fields[name].json_schema_extra
            assert isinstance(extra, dict), f"{name} was not declared by _field"
            expected = str(extra["expected"])
            model = PARTS.get(name, model)
    return expected


def _path(loc: tuple[int | str, ...]) -> str:
    return "".join(f"[{name}]" if isinstance(name, int) else f".{name}" for name in loc).removeprefix(".")


def _name(name: str) -> str:
    """An untrusted field name for a terminal: no control characters, no lone surrogates, not too long."""
    return repr(name[:60])[1:-1]
