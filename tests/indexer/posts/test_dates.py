"""Dates as exports write them: read if they are unambiguous, rejected otherwise."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.posts.dates import ASSUMED_UTC, DateError, UnreadableDate, read_moment

NOON = datetime(2024, 5, 12, 12, 0, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        1715515205, 1715515205.0, "1715515205", 1715515205000, "1715515205000", 1715515205000000, 1715515205 * 10**9,
        "2024-05-12T12:00:05Z", "2024-05-12T12:00:05", "2024-05-12 20:00:05+08:00", "2024-05-12 12:00:05 UTC",
        "20240512T120005Z", "2024/5/12 12:00:05", "Sun, 12 May 2024 12:00:05 GMT", "Sun, 12 May 2024 20:00:05 +0800",
        "12 May 2024 12:00:05", "May 12, 2024 12:00:05 PM", "Sun May 12 12:00:05 +0000 2024", "12.05.2024 12:00:05",
        "2024年5月12日12时0分5秒", "2024年05月12日 下午 12:00:05", "5/13/2024", "2024-05-12T12:00:05.000000000Z",
    ],
)  # fmt: skip
def test_one_moment_is_read_in_all_these_ways(written: str | float) -> None:
    assert read_moment(written) == (datetime(2024, 5, 13, tzinfo=UTC) if written == "5/13/2024" else NOON)


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("05/03/2024", "may be 2024-05-03 or 2024-03-05"),
        ("8/4/2016 11:52", "may be 2016-08-04 or 2016-04-08"),
        ("2024-13-02", "not a date"), ("2024-02-30", "not a date"), ("yesterday", "not a date"),
        ("3 小时前", "not a date"),
        ("Tue May 05 15:20:00 CST 2024", "not a date"),  # China's time, or Chicago's
        ("32.01.2024", "not a date"), ("2024", "too small"), (20240512, "too small"), (-1, "too small"),
        (1e300, "too large"),
        ("0001-01-01", "not in 1900 to 2999"), (float("nan"), "too large"), ("", "not a date"),
    ],
)  # fmt: skip
def test_what_is_not_a_date_or_could_be_two_is_refused(written: str | float, why: str) -> None:
    with pytest.raises(DateError, match=why):
        read_moment(written)


def test_a_pattern_and_a_zone_say_what_the_value_does_not() -> None:
    shanghai = ZoneInfo("Asia/Shanghai")
    assert read_moment("05/03/2024 08:00", shanghai, "%d/%m/%Y %H:%M") == datetime(2024, 3, 5, tzinfo=UTC)
    assert read_moment("86400000", pattern="ms") == datetime(1970, 1, 2, tzinfo=UTC)
    assert read_moment("2024年5月1日", shanghai) == datetime(2024, 4, 30, 16, tzinfo=UTC)
    with pytest.raises(DateError, match="not written as"):
        read_moment("2024-05-03", pattern="%d/%m/%Y")


MOMENTS = st.datetimes(
    datetime(1974, 1, 1), datetime(2900, 1, 1),  # noqa: DTZ001  # hypothesis adds the zone
    timezones=st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)  # fmt: skip


@given(MOMENTS)
def test_what_standards_write_comes_back_as_the_same_moment(moment: datetime) -> None:
    whole = moment.replace(microsecond=0)
    assert read_moment(moment.isoformat()) == moment
    assert read_moment(format_datetime(whole)) == whole
    assert read_moment(whole.timestamp()) == whole
    if whole.timestamp() < 1.9e10:  # above, it may be 20240512152000
        assert read_moment(int(whole.timestamp()) * 1000) == whole
    assert read_moment(f"{whole:%Y年%m月%d日}").date() == whole.date()


@given(st.text(max_size=40) | st.text("0123456789-/:. TZ年月日+", max_size=30) | st.floats() | st.integers())
def test_anything_is_a_moment_with_a_zone_or_refused_with_a_reason(value: str | float) -> None:
    try:
        moment = read_moment(value)
    except DateError as error:
        told = str(error)
    else:
        told = "which is read" if moment.tzinfo else ""
    assert told.startswith("which ")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("20240512152000", "2024-05-12T15:20:00"), (20240512152000, "2024-05-12T15:20:00"),
        ("202405121520", "2024-05-12T15:20:00"), ("2024-05-12 下午 03:20:00", "2024-05-12T15:20:00"),
        ("2024/5/12 上午9:05", "2024-05-12T09:05:00"), ("2024年5月12日 午後3:20", "2024-05-12T15:20:00"),
        ("Mon, 06 Sept 2021 00:01:00 PDT", "2021-09-06T00:01:00-07:00"),
        ("Mon, 06 Sep 2021 00:01:00 JST", "2021-09-06T00:01:00+09:00"),
        ("Sun, 12 May 2024 15:20:00 CST", "2024-05-12T15:20:00-06:00"),
        ("2024-05-12 15:20 UTC+8", "2024-05-12T15:20:00+08:00"), ("2024-05-12T24:00:00Z", "2024-05-13T00:00:00+00:00"),
    ],
)  # fmt: skip
def test_compact_dates_halves_of_the_day_and_names_of_zones_are_read(written: str | int, meant: str) -> None:
    found = read_moment(written, ASSUMED_UTC)
    assert found == datetime.fromisoformat(meant).replace(tzinfo=datetime.fromisoformat(meant).tzinfo or UTC)
    assert (found.tzinfo is ASSUMED_UTC) == (datetime.fromisoformat(meant).tzinfo is None)


@pytest.mark.parametrize(
    "written", ["2024-05-12 15:20 IST", "20241332152000", "2024-05-12 15:20 +99:00", "12 May 2024 15:20 XYZ"]
)
def test_a_zone_that_is_not_one_alone_and_a_day_that_is_none_are_refused(written: str) -> None:
    with pytest.raises(DateError):
        read_moment(written)


def test_a_date_that_a_mapping_could_not_read_is_not_read_in_another_way() -> None:
    with pytest.raises(DateError, match="as it says"):
        read_moment(UnreadableDate("2024-05-12", "which is not written as it says"))
