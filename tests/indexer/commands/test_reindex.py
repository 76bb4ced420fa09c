"""`stipple reindex` and `stipple status` as used in a shell."""

from __future__ import annotations

import argparse
import gzip
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from indexer.commands.cli import add_commands, reindex_into
from indexer.readers.sources import find_sources
from indexer.run.run_history import RunHistory
from retrieval.errors import FixableError
from retrieval.models.embedding import HashEmbedder
from retrieval.settings import Settings
from retrieval.stores.factory import open_store
from retrieval.text.terms import TermWeigher
from retrieval.types import SCHEMA_VERSION

POSTS = Path(__file__).parents[3] / "sample_posts"


def a_line(post_id: str, **fields: object) -> str:
    return json.dumps({"id": post_id, "text": f"coffee number {post_id}"} | fields) + "\n"


def arguments(*given: str | Path) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_commands(parser.add_subparsers())
    return parser.parse_args([str(one) for one in given])


def reindex(folder: Path, *given: str | Path) -> int:
    """The command over the embedded store in a folder, with a small embedder."""
    args, settings = arguments("reindex", *given), Settings(data_dir=folder)
    store = open_store(settings)
    return reindex_into(store, HashEmbedder(), TermWeigher(), find_sources(args.paths), args, settings)


def status(folder: Path, *given: str) -> int:
    args = arguments("status", *given)
    code: int = args.run(args, Settings(data_dir=folder))
    return code


def shell(folder: Path, *given: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """The real command in a process of its own."""
    script = "import sys; from stipple.cli import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", script, *map(str, given)],
        input=stdin, capture_output=True, check=False, env=os.environ | {"STIPPLE_DATA_DIR": str(folder)},
    )  # fmt: skip


def test_the_summary_is_one_line_and_the_second_run_has_nothing_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "posts.jsonl").write_text(a_line("1") + a_line("2"))
    assert reindex(tmp_path / "data", tmp_path / "posts.jsonl") == 0
    first = capsys.readouterr().out
    assert first.startswith("indexed 2 posts (2 passages) in ")
    assert " s: 2 added, 0 changed, 0 unchanged, 0 rejected; generation 0001-" in first
    assert reindex(tmp_path / "data", tmp_path / "posts.jsonl") == 0
    second = capsys.readouterr().out
    assert second.startswith("nothing new in ")
    assert "0 added, 0 changed, 2 unchanged, 0 rejected; generation 0001-" in second
    assert first.count("\n") == second.count("\n") == 1


def test_rejected_lines_are_reported_on_stderr_and_in_a_file_and_by_the_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "posts.jsonl").write_text(a_line("1") + a_line("2", collects="12") + "no json\n" + a_line("1"))
    assert reindex(tmp_path / "data", tmp_path / "posts.jsonl") == 3
    told = capsys.readouterr()
    assert "1 added, 0 changed, 0 unchanged, 3 rejected" in told.out
    assert f"{tmp_path}/posts.jsonl:2: field 'collects' is the string '12': expected a whole number" in told.err
    [file] = (tmp_path / "data" / "rejects").iterdir()
    assert f"rejected lines are in {file}" in told.err
    assert [json.loads(line)["line"] for line in file.read_text().splitlines()] == [2, 3, 4]


def test_rejects_go_where_they_are_asked_to_and_never_over_what_is_read(tmp_path: Path) -> None:
    posts = tmp_path / "posts.jsonl"
    posts.write_text(a_line("1") + "no json\n")
    assert reindex(tmp_path / "data", posts, "--rejects", tmp_path / "mine.jsonl") == 3
    assert (tmp_path / "mine.jsonl").read_text().count("\n") == 1
    with pytest.raises(FixableError, match="would overwrite it"):
        reindex(tmp_path / "data", posts, "--rejects", posts)
    with pytest.raises(FixableError, match="/dev/full cannot be written"):
        reindex(tmp_path / "data", posts, "--rejects", "/dev/full")
    assert "no json" in posts.read_text()


def test_the_summary_is_json_when_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "posts.jsonl").write_text(a_line("1"))
    reindex(tmp_path / "data", tmp_path, "--json", "--quiet")
    told = capsys.readouterr()
    summary = json.loads(told.out)
    assert (summary["posts"], summary["added"], summary["embedded"], summary["written"]) == (1, 1, 1, True)
    assert told.err == ""


def test_an_export_with_other_fields_is_read_by_moving_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    export = {
        "id": 7,
        "lang": "en",
        "title": None,
        "body": "Tamping matters",
        "comments": 4,
        "views": 130,
        "parent": None,
    }
    (tmp_path / "export.jsonl").write_text(json.dumps(export))
    moves = ["--map", "text=body", "--map", "comment_count=comments", "--map", "language=lang"]
    assert reindex(tmp_path / "data", tmp_path, *moves, "--ignore-unknown") == 0
    [stored] = open_store(Settings(data_dir=tmp_path / "data")).stored_posts()
    assert (stored.post.id, stored.post.text, stored.post.comment_count) == ("7", "Tamping matters", 4)


def test_status_says_what_is_indexed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(FixableError, match="nothing is indexed"):
        status(tmp_path / "data")
    (tmp_path / "posts.jsonl").write_text(a_line("1") + a_line("2"))
    reindex(tmp_path / "data", tmp_path)
    (tmp_path / "posts.jsonl").write_text(a_line("3") + a_line("4", likes="many"))
    reindex(tmp_path / "data", tmp_path / "posts.jsonl")
    capsys.readouterr()
    assert status(tmp_path / "data", "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    second, first = facts["runs"]
    assert (first["state"], first["summary"]["added"], second["summary"]["rejected"]) == ("done", 2, 1)
    assert second["rejected"] == {
        "'likes': expected a whole number without quotes, below 0 where votes against are counted too": 1
    }
    assert Path(second["rejects_file"]).exists()
    assert (facts["posts"], facts["passages"], facts["model"], facts["dimension"]) == (3, 3, "hash-64", 64)
    assert facts["generation"].startswith("0002-")
    assert [name[:4] for name in facts["other_generations"]] == ["0001"]
    assert facts["index_bytes"] > facts["embeddings_bytes"] > 0
    assert status(tmp_path / "data") == 0
    assert "posts              3 (3 passages)" in capsys.readouterr().out


def test_the_sample_posts_are_all_posts(tmp_path: Path) -> None:
    assert reindex(tmp_path / "data", POSTS) == 0


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["reindex"], "the following arguments are required: PATH"),
        (["reindex", "x", "--map", "body"], "'body' is not NEW=OLD"),
        (["reindex", "x", "--map", "txt=body"], "did you mean 'text'?"),
        (["fill"], "invalid choice: 'fill'"),
    ],
)
def test_wrong_usage_exits_2(given: list[str], told: str, tmp_path: Path) -> None:
    done = shell(tmp_path / "data", *given)
    assert done.returncode == 2
    assert told in done.stderr.decode()


@pytest.mark.parametrize("path", ["nowhere", ".", "queries.jsonl/x"])
def test_what_cannot_be_done_exits_1_in_two_lines_without_a_traceback(path: str, tmp_path: Path) -> None:
    done = shell(tmp_path / "data", "reindex", tmp_path / path)
    assert done.returncode == 1
    problem, fix = done.stderr.decode().splitlines()
    assert problem.startswith("stipple: ")
    assert fix.startswith("to fix: ")
    assert not (tmp_path / "data").exists()


def test_a_reader_that_leaves_is_not_reported(tmp_path: Path) -> None:
    script = f"{sys.executable} -c 'import sys; from stipple.cli import main; sys.exit(main())' --help | head -c 0"
    done = subprocess.run(["bash", "-c", script], capture_output=True, check=False)
    assert done.stderr == b""


def test_help_and_version_come_without_loading_a_model() -> None:
    script = "import sys; from stipple.cli import main; main(sys.argv[1:])"
    for given in ("--help", "--version"):
        done = subprocess.run(
            [sys.executable, "-X", "importtime", "-c", script, given], capture_output=True, check=True
        )  # fmt: skip
        assert done.stdout
        imported = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.decode().splitlines()}
        assert not imported & {"torch", "numpy", "sentence_transformers", "llama_cpp", "qdrant_edge", "fastapi"}


@pytest.mark.model
def test_standard_input_is_indexed_by_a_real_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STIPPLE_EMBEDDING_MODEL", "all-MiniLM-L6-v2")
    posts = gzip.compress((a_line("1") + a_line("2", title="拿铁")).encode())
    done = shell(tmp_path, "reindex", "-", stdin=posts)
    assert done.stderr.decode() in {"", "building the search structures\n"}
    assert (done.returncode, done.stdout.decode().split(" in ")[0]) == (0, "indexed 2 posts (2 passages)")


def test_a_killed_run_leaves_the_index_and_its_embeddings_and_the_next_one_completes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, old, new = tmp_path / "data", tmp_path / "old.jsonl", tmp_path / "new.jsonl"
    old.write_text(a_line("old"))
    new.write_text("".join(map(a_line, map(str, range(3_000)))))
    reindex(data, old)
    script = f"""
import time
from pathlib import Path
from retrieval.models.embedding import HashEmbedder
from tests.indexer.commands import test_reindex as here

class Slow(HashEmbedder):
    def embed_passages(self, texts):
        time.sleep(0.05)
        return super().embed_passages(texts)

here.HashEmbedder = Slow
here.reindex(Path({str(data)!r}), Path({str(new)!r}))
"""
    running = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.DEVNULL, cwd=POSTS.parent)
    cache = data / "embeddings.sqlite-wal"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (cache.exists() and cache.stat().st_size > 500_000):
        assert running.poll() is None, "the run ended before it could be killed"
        time.sleep(0.005)
    running.kill()
    running.wait()

    store = open_store(Settings(data_dir=data))
    assert [stored.post.id for stored in store.stored_posts()] == ["old"]
    capsys.readouterr()
    status(data)
    told = capsys.readouterr().out
    assert f"reindex {new}: died" in told
    assert "at embedding" in told
    assert "what was embedded is kept" in told
    assert reindex(data, new, "--json") == 0
    summary = json.loads(capsys.readouterr().out)
    assert (summary["posts"], summary["added"], summary["carried"]) == (3_001, 3_000, 1)
    assert 0 < summary["embedded"] < 3_000


def test_a_run_that_goes_on_says_how_far_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def broken_off_by(error: BaseException) -> None:
        with RunHistory(tmp_path).record("reindex x") as record:
            record.at("embedding", 1_200, 5_000)
            status(tmp_path)
            raise error

    with pytest.raises(KeyboardInterrupt):
        broken_off_by(KeyboardInterrupt())
    told = capsys.readouterr().out
    assert "reindex x: is running" in told
    assert "at embedding, 1,200 of about 5,000 passages" in told
    status(tmp_path)
    assert "reindex x: was interrupted" in capsys.readouterr().out
    with pytest.raises(FixableError):
        broken_off_by(FixableError("the disk is full", "free space"))
    assert [(run.state, run.problem) for run in RunHistory(tmp_path).last()] == [
        ("failed", "the disk is full"), ("interrupted", "")
    ]  # fmt: skip


def test_a_dry_run_and_pruning_by_number(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    posts, data = tmp_path / "posts.jsonl", tmp_path / "data"
    posts.write_text("".join(a_line(str(number)) for number in range(10)))
    reindex(data, posts)
    posts.write_text("".join(a_line(str(number), likes=number) for number in range(4)))
    capsys.readouterr()
    assert reindex(data, posts, "--dry-run", "--prune") == 0
    assert "3 with other counters, 1 unchanged, 0 rejected, 6 not in the input and deleted" in capsys.readouterr().out
    with pytest.raises(FixableError) as raised:
        reindex(data, posts, "--prune")
    assert "--prune-up-to 6" in raised.value.fix
    assert reindex(data, posts, "--prune", "--prune-up-to", "6") == 0
    assert [one.post.likes for one in open_store(Settings(data_dir=data)).stored_posts()] == [0, 1, 2, 3]


def test_rolling_back_uses_the_generation_before(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    posts, data = tmp_path / "posts.jsonl", tmp_path / "data"
    for text in (a_line("1"), a_line("2")):
        posts.write_text(text)
        reindex(data, posts)
    capsys.readouterr()
    args = arguments("rollback")
    assert args.run(args, Settings(data_dir=data)) == 0
    first, second = f"0001-hash-64-s{SCHEMA_VERSION}", f"0002-hash-64-s{SCHEMA_VERSION}"
    assert f"generation {first} of 20" in capsys.readouterr().out
    assert list(open_store(Settings(data_dir=data)).stored_ids()) == ["1"]
    with pytest.raises(FixableError, match=f"there is no generation before {first}; others: {second}"):
        args.run(args, Settings(data_dir=data))
    args = arguments("rollback", second)
    assert args.run(args, Settings(data_dir=data)) == 0
    assert len(list(open_store(Settings(data_dir=data)).stored_ids())) == 2


def test_the_summary_ends_with_what_was_passed_over_by_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    boost = {"type": "Announce", "actor": "https://s.example/users/mo", "object": "https://s.example/9"}
    note = {"type": "Note", "id": "https://s.example/1", "content": "a calm sea", "to": ["as:Public"]}
    post = {"type": "Create", "actor": "https://s.example/users/mo", "object": note}
    (tmp_path / "outbox.json").write_text(json.dumps({"orderedItems": [boost, boost, post]}))
    assert reindex(tmp_path / "data", tmp_path / "outbox.json") == 0
    assert capsys.readouterr().out.rstrip().endswith("; passed over: boosts (2); generation " + _generation(tmp_path))
    reindex(tmp_path / "data", tmp_path / "outbox.json", "--json")
    summary = json.loads(capsys.readouterr().out)
    assert (summary["passed_over"], summary["unusual"]) == ({"boosts": 2}, "")


def _generation(tmp_path: Path) -> str:
    return str(open_store(Settings(data_dir=tmp_path / "data")).current())


def test_pictures_alone_are_no_failure_and_the_index_stays_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "posts.jsonl").write_text(json.dumps({"id": "1", "images": [{"url": "https://i.example/1.jpg"}]}))
    assert reindex(tmp_path / "data", tmp_path / "posts.jsonl") == 0
    told = capsys.readouterr().out
    assert told.startswith("no posts in ")
    assert told.rstrip().endswith("passed over: pictures without words (1)")
    (tmp_path / "more.jsonl").write_text(a_line("2"))
    assert reindex(tmp_path / "data", tmp_path / "more.jsonl", tmp_path / "posts.jsonl", "--prune") == 0


def test_a_date_that_cannot_be_read_costs_the_date_and_is_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    comments = [{"text": "yes", "created_at": "05/03/2024"}]
    lines = [a_line(str(number), created_at="2024-05-12T07:20:00Z") for number in range(30)]
    lines += [a_line("x", created_at="the day before", comments=comments)]
    (tmp_path / "posts.jsonl").write_text("".join(lines))
    assert reindex(tmp_path / "data", tmp_path / "posts.jsonl") == 0
    told = capsys.readouterr()
    assert "31 added, 0 changed, 0 unchanged, 0 rejected; kept without: dates that cannot be read (2)" in told.out
    assert (
        "posts.jsonl:31: 'created_at' is the string 'the day before', which is not a date: the post is read" in told.err
    )


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        ({"created_at": "long ago"}, "dates that cannot be read (3)"),
        ({"text": "the sea \ufffd\ufffd calm"}, "garbled words (characters are lost, or in a wrong encoding) (3)"),
        ({"audience": "friends"}, "posts whose 'audience' is 'friends' (3)"),
    ],
)
def test_an_unusual_share_of_posts_that_were_passed_over_or_garbled_is_said_and_exits_3(
    bad: dict[str, object], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [a_line(str(number)) for number in range(9)] + [a_line(f"x{number}", **bad) for number in range(3)]
    (tmp_path / "posts.jsonl").write_text("".join(lines))
    assert reindex(tmp_path / "data", tmp_path / "posts.jsonl", "--ignore-unknown") == 3
    assert f"of 12 posts, unusually many could not be read whole, or at all: {told}" in capsys.readouterr().err


def test_a_time_without_a_zone_is_counted_and_a_zone_can_be_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    posts = tmp_path / "posts.jsonl"
    posts.write_text(
        a_line("1", created_at="2024-05-12 07:05", comments=[{"text": "a", "created_at": "2024-05-12 08:00"}])
        + a_line("2", created_at="2024-05-12T07:05:00+08:00") + a_line("3", created_at="2024-05-12")
    )  # fmt: skip
    assert reindex(tmp_path / "data", posts) == 0
    assert (
        "kept without: time zones: dates that say none are read as UTC (--zone names another) (1)"
        in capsys.readouterr().out
    )
    assert reindex(tmp_path / "data", posts, "--zone", "Asia/Shanghai") == 0
    assert "time zones" not in capsys.readouterr().out
    stored = {one.post.id: one.post for one in open_store(Settings(data_dir=tmp_path / "data")).stored_posts()}
    assert stored["1"].created_at == stored["2"].created_at
    assert str(stored["1"].comments[0].created_at) == "2024-05-12 08:00:00+08:00"


def test_mojibake_is_mended_and_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    garbled = "洱海边的船".encode().decode("latin-1")
    (tmp_path / "posts.jsonl").write_text(a_line("1", text=garbled, tags=[garbled]) + a_line("2", text="海边"))
    assert reindex(tmp_path / "data", tmp_path / "posts.jsonl") == 0
    assert "; mended: mojibake (UTF-8 that was read as Latin-1) (1)" in capsys.readouterr().out
    stored = {one.post.id: one.post for one in open_store(Settings(data_dir=tmp_path / "data")).stored_posts()}
    assert (stored["1"].text, stored["1"].tags, stored["1"].language) == ("洱海边的船", ("洱海边的船",), "zh")
