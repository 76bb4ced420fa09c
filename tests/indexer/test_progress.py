"""What a person sees during a run."""

import io

from indexer.progress import PlainProgress, QuietProgress, TerminalProgress, minutes, progress_on


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_plain_lines_come_every_five_seconds_with_rate_and_time_left() -> None:
    stream, clock = io.StringIO(), Clock()
    progress = PlainProgress(stream, clock)
    for second in range(13):
        clock.now = float(second)
        progress.embedding(82 * second, 5_036)
    assert stream.getvalue().splitlines() == [
        "embedded 410 of about 5,036 passages, 82/s, 0:56 left",
        "embedded 820 of about 5,036 passages, 82/s, 0:51 left",
    ]


def test_the_rate_is_that_of_late_so_that_vectors_from_disk_promise_nothing() -> None:
    stream, clock = io.StringIO(), Clock()
    progress = PlainProgress(stream, clock)
    done = 0
    for second in range(61):
        clock.now = float(second)
        done += 10_000 if second < 3 else 50
        progress.embedding(done, 100_000)
    assert ", 50/s, " in stream.getvalue().splitlines()[-1]


def test_reading_is_reported_too_and_a_short_run_prints_nothing() -> None:
    stream, clock = io.StringIO(), Clock()
    progress = PlainProgress(stream, clock)
    progress.reading(1_000)
    assert stream.getvalue() == ""
    clock.now = 5.0
    progress.reading(12_000)
    assert stream.getvalue() == "read 12,000 lines\n"


def test_a_terminal_gets_a_bar_and_messages_do_not_break_it() -> None:
    stream = Terminal()
    progress = progress_on(stream, quiet=False)
    assert isinstance(progress, TerminalProgress)
    progress.reading(3)
    progress.saying("posts.jsonl:3: field 'likes' is -1")
    progress.embedding(10, 20)
    progress.embedding(20, 20)
    progress.finishing()
    progress.close()
    assert "posts.jsonl:3: field 'likes' is -1\n" in stream.getvalue()
    assert "20/20" in stream.getvalue()


def test_quiet_is_quiet_except_for_messages() -> None:
    stream = Terminal()
    progress = progress_on(stream, quiet=True)
    assert isinstance(progress, QuietProgress)
    progress.reading(1)
    progress.embedding(1, 2)
    progress.finishing()
    progress.saying("a reject")
    assert stream.getvalue() == "a reject\n"


def test_time_is_rounded_before_it_is_split() -> None:
    assert minutes(59.6) == "1:00"
