"""Files and folders that are watched."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from indexer.commands.cli import watch_into
from indexer.readers.file_watch import changed_sources
from retrieval.models.embedding import HashEmbedder
from retrieval.settings import Settings
from retrieval.stores.edge.store import EdgeStore
from retrieval.text.terms import TermWeigher
from tests.indexer.commands.test_reindex import arguments


class Ended(Exception):
    """The steps of a test are over."""


def doing(*steps: Callable[[], object]) -> Callable[[], None]:
    """A pause that takes one of the steps each time, and raises after the last."""
    remaining: Iterator[Callable[[], object]] = iter(steps)

    def pause() -> None:
        step = next(remaining, None)
        if step is None:
            raise Ended
        step()

    return pause


def nothing() -> None:
    pass


def seen(paths: list[Path], *steps: Callable[[], object]) -> list[list[str]]:
    """The names of the files that were yielded, each time."""
    given: list[list[str]] = []
    with suppress(Ended):
        given.extend(
            [Path(source.name).name for source in sources]
            for sources in changed_sources([str(path) for path in paths], doing(*steps))
        )
    return given


def test_a_file_is_given_when_it_was_written_and_again_when_it_changed(tmp_path: Path) -> None:
    first, second = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    first.write_text("x")
    given = seen(
        [tmp_path],
        nothing, nothing, nothing, lambda: second.write_text("y"), nothing, nothing, lambda: first.write_text("xx"),
        nothing, first.unlink, nothing, lambda: first.write_text("xx"), nothing, nothing,
    )  # fmt: skip
    assert given == [["a.jsonl"], ["b.jsonl"], ["a.jsonl"], ["a.jsonl"]]


def test_a_file_that_is_still_written_is_waited_for(tmp_path: Path) -> None:
    growing = tmp_path / "a.jsonl"

    def write() -> None:
        with growing.open("a") as file:
            file.write("more\n")

    assert seen([tmp_path], write, write, write, write) == []
    assert seen([tmp_path], write, write, nothing, nothing) == [["a.jsonl"]]


def test_a_folder_that_is_not_there_yet_is_waited_for(tmp_path: Path) -> None:
    folder = tmp_path / "later"
    given = seen([folder], nothing, folder.mkdir, lambda: (folder / "a.jsonl").write_text("x"), nothing, nothing)
    assert given == [["a.jsonl"]]


def test_what_changes_in_a_watched_folder_is_indexed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, settings = tmp_path / "posts", Settings(data_dir=tmp_path / "data")
    folder.mkdir()
    store = EdgeStore(settings.data_dir)

    def write(name: str, *ids: str) -> Callable[[], object]:
        lines = [json.dumps({"id": post_id, "text": f"coffee {name}"}) for post_id in ids]
        return lambda: (folder / name).write_text("\n".join(lines))

    held = store.writing()
    args = arguments("reindex", "--watch", folder, "--quiet")
    steps = [
        write("a.jsonl", "1", "2"), nothing, write("bad.jsonl"), nothing, write("b.jsonl", "2", "3"),
        held.__enter__, nothing, nothing, lambda: held.__exit__(None, None, None), nothing, nothing,
    ]  # fmt: skip
    with pytest.raises(Ended):
        watch_into(store, HashEmbedder(), TermWeigher(), [str(folder)], args, settings, doing(*steps))
    assert {one.post.id: one.post.text for one in store.stored_posts()} == {
        "1": "coffee a.jsonl", "2": "coffee b.jsonl", "3": "coffee b.jsonl",
    }  # fmt: skip
    told = capsys.readouterr()
    assert told.out.count("indexed") == 2
    assert "bad.jsonl" in told.err
    assert "another process is writing" in told.err
