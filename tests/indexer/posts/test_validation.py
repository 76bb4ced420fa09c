"""What a line may contain, what is normalised, and the errors for the rest."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from indexer.posts.field_values import is_blank
from indexer.posts.validation import PostError, to_post
from retrieval.types import Comment, Image, Place, Post


def a_line(**fields: object) -> dict[str, object]:
    return {"id": "p1", "text": "flat white, 32 yuan"} | fields


def refusal(line: object, ignore_unknown: bool = False) -> PostError:
    with pytest.raises(PostError) as raised:
        to_post(line, ignore_unknown)
    return raised.value


def test_a_full_line_becomes_the_post_that_it_describes() -> None:
    line = a_line(
        title="Coffee in Dali",
        author="@mochi_walks",
        tags=["#coffee", "dali"],
        language="en",
        created_at="2024-05-12T15:20:00+08:00",
        likes=3,
        collects=2,
        comment_count=9,
        url="https://posts.example/p/1",
        images=[{"url": "https://posts.example/i/1.jpg", "alt": "a cup"}],
        place={"name": "Dali", "latitude": 25, "longitude": 100.2},
        comments=[{"author": "@bo", "text": "closed", "likes": 1, "created_at": "2024-06-01"}],
    )
    assert to_post(line) == Post(
        id="p1",
        title="Coffee in Dali",
        text="flat white, 32 yuan",
        author="mochi_walks",
        tags=("coffee", "dali"),
        language="en",
        created_at=datetime(2024, 5, 12, 15, 20, tzinfo=timezone(timedelta(hours=8))),
        likes=3,
        collects=2,
        comment_count=9,
        url="https://posts.example/p/1",
        images=(Image("https://posts.example/i/1.jpg", "a cup"),),
        place=Place("Dali", 25.0, 100.2),
        comments=(Comment("bo", "closed", 1, datetime(2024, 6, 1, tzinfo=UTC)),),
    )


def test_an_id_and_a_text_are_enough() -> None:
    assert to_post({"id": 12, "text": "hi"}) == Post(id="12", title="", text="hi", language="en")


def test_a_title_alone_is_a_post() -> None:
    assert to_post({"id": "1", "title": "Lost cat", "text": None}).text == ""


def test_null_means_not_given_wherever_a_field_may_be_left_out() -> None:
    nothing = dict.fromkeys(("title", "author", "tags", "language", "created_at", "likes", "url", "images", "place"))
    comments = [{"text": "yes", "author": None, "likes": None, "created_at": None}]
    assert to_post(a_line(**nothing, comments=comments)) == to_post(a_line(comments=[{"text": "yes"}]))


def test_text_is_composed_and_has_one_kind_of_line_end_and_is_otherwise_as_written() -> None:
    assert to_post(a_line(text=" cafe\u0301\r\n\rend ")).text == " café\n\nend "


def test_tags_lose_their_marks_and_their_copies_and_keep_their_order() -> None:
    assert to_post(a_line(tags=["#b", "a", "＃b", " b ", "#话题#", "C#", "#", ""])).tags == ("b", "a", "话题", "C#")


@pytest.mark.parametrize(
    ("written", "language"),
    [("zh-CN", "zh"), ("EN", "en"), ("pt_BR", "pt"), ("zh-Hant-TW", "zh"), ("", "en"), ("und", "en"), (None, "en")],
)
def test_language_is_reduced_to_two_letters_and_detected_when_absent(written: str | None, language: str) -> None:
    assert to_post(a_line(language=written)).language == language


def test_language_is_detected_from_the_title_where_the_text_has_none() -> None:
    assert to_post(a_line(title="周末去哪里露营", text="🏕️")).language == "zh"


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2024-05-12", datetime(2024, 5, 12, tzinfo=UTC)),
        ("2015-01-27T20:09:32.720", datetime(2015, 1, 27, 20, 9, 32, 720_000, tzinfo=UTC)),
        ("2024-05-12 15:20:00Z", datetime(2024, 5, 12, 15, 20, tzinfo=UTC)),
    ],
)
def test_a_date_without_a_zone_is_utc(written: str, moment: datetime) -> None:
    created_at = to_post(a_line(created_at=written)).created_at
    assert created_at == moment
    assert created_at.tzinfo is not None


def test_votes_against_may_outnumber_likes() -> None:
    assert to_post(a_line(likes=-3, comments=[{"text": "no", "likes": -1}])).likes == -3


def test_comments_are_counted_where_the_platform_did_not_and_never_fewer_than_given() -> None:
    comments = [{"text": "a"}, {"text": "b"}]
    assert to_post(a_line(comments=comments)).comment_count == 2
    assert to_post(a_line(comments=comments, comment_count=1)).comment_count == 2
    assert to_post(a_line(comments=comments, comment_count=40)).comment_count == 40


def test_a_place_may_have_a_name_or_coordinates_and_an_empty_one_is_dropped() -> None:
    assert to_post(a_line(place={"name": "Dali"})).place == Place("Dali")
    assert to_post(a_line(place={"latitude": 1.5, "longitude": 2})).place == Place("", 1.5, 2.0)
    assert to_post(a_line(place={})).place is None


@pytest.mark.parametrize(
    ("fields", "field", "problem"),
    [
        ({"id": None}, "id", "is missing"),
        ({"id": ""}, "id", "is empty"),
        ({"id": True}, "id", "is true"),
        ({"id": 1.5}, "id", "is 1.5"),
        ({"id": " a"}, "id", "white space"),
        ({"id": "a\nb"}, "id", "control characters"),
        ({"id": "x" * 201}, "id", "has 201 characters"),
        ({"text": ""}, "text", "is empty, and so is 'title'"),
        ({"text": " \u200b\n", "title": "\t"}, "text", "is empty, and so is 'title'"),
        ({"text": None}, "text", "is missing, and there is no 'title'"),
        ({"text": ["a"]}, "text", "is an array"),
        ({"text": "x" * 200_001}, "text", "has 200,001 characters"),
        ({"text": "a\0b"}, "text", "NUL"),
        ({"text": "a\ud83d"}, "text", "unpaired surrogate"),
        ({"title": "x" * 1001}, "title", "has 1,001 characters"),
        ({"author": {"name": "bo"}}, "author", "is an object"),
        ({"tags": "coffee dali"}, "tags", "is the string 'coffee dali'"),
        ({"tags": ["a", None]}, "tags[1]", "is null"),
        ({"tags": ["x" * 101]}, "tags[0]", "has 101 characters"),
        ({"tags": list("x" * 101)}, "tags", "has 101 entries"),
        ({"language": "eng"}, "language", "is the string 'eng'"),
        ({"language": "cn"}, "language", "did you mean 'zh'?"),
        ({"created_at": "2024-13-02"}, "created_at", "is the string '2024-13-02', which is not a date"),
        ({"created_at": "2024-02-30"}, "created_at", "which is not a date"),
        ({"created_at": "8/4/2016 11:52"}, "created_at", "which may be 2016-08-04 or 2016-04-08"),
        ({"created_at": "0001-01-01T00:00:00Z"}, "created_at", "not in 1900 to 2999"),
        ({"created_at": 17_000}, "created_at", "is 17000, which is too small"),
        ({"created_at": True}, "created_at", "is true"),
        ({"likes": "12"}, "likes", "is the string '12'"),
        ({"likes": 12.0}, "likes", "is 12.0"),
        ({"likes": -(10**17)}, "likes", "is -100"),
        ({"collects": -1}, "collects", "is -1"),
        ({"likes": True}, "likes", "is true"),
        ({"likes": 10**400}, "likes", "is 1000"),
        ({"url": "javascript:alert(1)"}, "url", "javascript"),
        ({"url": "http://[x"}, "url", "is the string"),
        ({"url": "https://a b"}, "url", "is the string"),
        ({"url": "https://"}, "url", "is the string"),
        ({"images": ["https://posts.example/a.jpg"]}, "images[0]", "is the string"),
        ({"images": [{"alt": "a cup"}]}, "images[0].url", "is missing"),
        ({"images": [{"url": ""}]}, "images[0].url", "is empty"),
        ({"place": "Dali"}, "place", "is the string 'Dali'"),
        ({"place": {"name": "Dali", "latitude": 91, "longitude": 0}}, "place.latitude", "is 91"),
        ({"place": {"name": "Dali", "latitude": 25}}, "place", "without the other"),
        ({"comments": [{"text": "a"}, {"text": "b", "likes": "3"}]}, "comments[1].likes", "is the string '3'"),
        ({"comments": [{"author": "bo"}]}, "comments[0].text", "is missing"),
        ({"comments": [{"text": "x" * 50_001}]}, "comments[0].text", "has 50,001 characters"),
        ({"comments": [{"text": "a"}] * 501}, "comments", "has 501 entries"),
        ({"comments": [None]}, "comments[0]", "is null"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named_with_its_field(fields: dict[str, object], field: str, problem: str) -> None:
    error = refusal(a_line(**fields))
    assert error.field == field
    assert problem in error.problem
    assert error.expected


def test_what_is_expected_is_written_out() -> None:
    assert refusal(a_line(collects="12")).expected == "a whole number, 0 or more, without quotes"


def test_all_fields_at_fault_are_named_at_once() -> None:
    error = refusal(a_line(likes="12", url="ftp://x", tags=5))
    assert error.field == "tags"
    assert error.problem == "is 5 (also wrong: likes, url)"


@pytest.mark.parametrize(
    ("field", "meant"),
    [("body", "text"), ("content", "text"), ("lang", "language"), ("txet", "text"), ("Likes", "likes")],
)  # fmt: skip
def test_an_unknown_field_is_refused_with_the_field_that_may_be_meant(field: str, meant: str) -> None:
    line: dict[str, object] = {"id": "1", field: "x"}
    error = refusal(line)
    assert (error.field, error.problem) == (field, f"is unknown; did you mean {meant!r}?")
    assert f"--map {meant}={field} reads it" in error.expected


def test_all_unknown_fields_are_reported_at_once_with_the_options_that_read_them() -> None:
    line = {"id": "1", "lang": "en", "body": "x", "comments": 4, "views": 3, "parent": None}
    error = refusal(line)
    assert error.field == "comments"
    assert error.problem.endswith("(also unknown: lang, body, views, parent)")
    assert "--map comment_count=comments --map language=lang --map text=body reads them" in error.expected


def test_a_field_that_the_line_already_has_is_not_suggested() -> None:
    assert refusal(a_line(body="x")).problem == "is unknown"


def test_a_number_of_comments_is_recognised() -> None:
    error = refusal(a_line(comments=4))
    assert error.field == "comments"
    assert "did you mean 'comment_count'?" in error.problem


def test_an_unknown_field_inside_a_comment_is_named_by_its_path() -> None:
    error = refusal(a_line(comments=[{"text": "a"}, {"text": "b", "like": 1}]))
    assert (error.field, error.problem) == ("comments[1].like", "is unknown; did you mean 'likes'?")


def test_unknown_fields_are_skipped_when_asked() -> None:
    line = a_line(views=3, comments=[{"text": "a", "id": 7}], place={"name": "Dali", "city": "x"})
    assert to_post(line, ignore_unknown=True).place == Place("Dali")


@pytest.mark.parametrize("value", [None, True, 1, 1.5, "text", [], [{"id": "1", "text": "a"}]])
def test_a_line_that_is_not_an_object_is_refused(value: object) -> None:
    assert refusal(value).expected == "one JSON object a line"


def test_a_message_never_carries_what_a_terminal_obeys() -> None:
    hostile = "\x1b[31m\ud800" * 30
    for line in (a_line(**{hostile: 1}), a_line(likes=hostile), a_line(language=hostile), a_line(created_at=hostile)):
        assert str(refusal(line)).isprintable()


def test_blank_is_what_cannot_be_seen() -> None:
    assert is_blank("")
    assert is_blank(" \n\u200b\ufeff\u3000")
    assert not is_blank("🍜")


@pytest.mark.parametrize(
    ("line", "proposed", "never"),
    [
        ({"note_id": "1", "desc": "a", "user_id": "u"}, ["id=note_id", "text=desc"], []),
        ({"comment_id": "c", "note_id": "1", "content": "a"}, ["text=content"], ["id="]),
        ({"uid": "7", "body": "a"}, ["text=body"], ["id="]),
        ({"id": "1", "body": "a", "content": "b"}, [], ["text="]),
        ({"post_id": "1", "_id": "2", "body": "a"}, ["text=body"], ["id="]),
        ({"name": "chat", "messages": [{"id": 1, "text": "a"}]}, [], ["images=", "text="]),
        ({"id": "1", "text": "a", "selftext": "b"}, [], ["text="]),
        ({"id": "1", "body": ["a", {"b": "c"}]}, [], ["text="]),
    ],
)  # fmt: skip
def test_no_proposal_would_merge_posts_or_put_one_text_in_place_of_another(
    line: dict[str, object], proposed: list[str], never: list[str]
) -> None:
    expected = refusal(line).expected
    assert all(f"--map {one}" in expected for one in proposed)
    assert not any(f"--map {one}" in expected for one in never)


def test_fields_that_may_say_who_reads_a_post_are_named_with_the_proposal() -> None:
    assert (
        "'status', '可见范围' may say who may read it"
        in refusal({"id": "1", "body": "a", "status": "x", "可见范围": "y"}).expected
    )
    assert "who may read" not in refusal({"id": "1", "body": "a"}).expected
