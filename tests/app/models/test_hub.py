"""Models from a hub on loopback: chosen, resumed, checked, kept; and each way in which the hub can fail, named."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.models.hub import choose, download, is_on_hub
from retrieval.errors import ModelMissing

REPOSITORY = "somebody/Tiny-GGUF"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
MODEL = b"GGUF" + bytes(range(256)) * 4000  # about a megabyte


@dataclass
class Hub:
    """What it has and how it misbehaves.

    Attributes:
        breaks: Times that a download breaks off half-way from now on.
        digest: The sha256 that it claims; "" for the right one.
        size: The size that it claims; 0 for the right one.
        status: What it answers to everything; 0 for what is right.
        asked: Requests, as "METHOD path range".
    """

    files: dict[str, bytes]
    breaks: int = 0
    digest: str = ""
    size: int = 0
    status: int = 0
    error_code: str = ""
    asked: list[str] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    # huggingface_hub reads HF_HUB_OFFLINE once, when it is imported; a run of the tests may have set it.
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    offered = Hub({"tiny-Q4_K_M.gguf": MODEL, "tiny-Q8_0.gguf": MODEL + b"8", "README.md": b"# Tiny"})

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def _answer(self, *, body: bool) -> None:
            wanted = self.headers.get("Range", "")
            offered.asked.append(f"{self.command} {self.path} {wanted}".strip())
            if offered.status:
                self._send(offered.status, b'{"error": "no"}', body=body, X_Error_Code=offered.error_code)
            elif re.match(rf"/api/models/{REPOSITORY}(/tree/main|/revision/main)?(\?|$)", self.path):
                listed = [
                    {"type": "file", "path": name, "rfilename": name, "size": len(data), "oid": "0" * 40}
                    for name, data in offered.files.items()
                ]
                tree = "/tree/" in self.path
                whole = {"id": REPOSITORY, "sha": COMMIT, "siblings": listed}
                self._send(200, json.dumps(listed if tree else whole).encode(), body=body)
            elif (name := self.path.rpartition(f"/{REPOSITORY}/resolve/main/")[2]) in offered.files:
                self._file(offered.files[name], wanted, body=body)
            else:
                self._send(404, b"", body=body, X_Error_Code="EntryNotFound")

        def _file(self, data: bytes, wanted: str, *, body: bool) -> None:
            start = int(wanted.removeprefix("bytes=").partition("-")[0]) if wanted else 0
            digest = offered.digest or hashlib.sha256(data).hexdigest()
            self.send_response(206 if wanted else 200)
            for header, value in {
                "X-Repo-Commit": COMMIT, "ETag": f'"{digest}"', "X-Linked-Etag": f'"{digest}"',
                "X-Linked-Size": str(offered.size or len(data)), "Content-Length": str(len(data) - start),
                "Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}",
            }.items():  # fmt: skip
                self.send_header(header, value)
            self.end_headers()
            if not body:
                return
            if offered.breaks:
                offered.breaks -= 1
                self.wfile.write(data[start : start + (len(data) - start) // 2])
                self.close_connection = True
                return
            self.wfile.write(data[start:])

        def _send(self, status: int, data: bytes, *, body: bool, **headers: str) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            if body:
                self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A client that disconnected is not an error here."""

    server = Server(("127.0.0.1", 0), Handler)
    offered.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield offered
    server.shutdown()
    thread.join()
    server.server_close()


def get(hub: Hub, cache: Path, wanted: str = "") -> Path:
    return download(REPOSITORY + wanted, cache, hub.url)


@pytest.mark.parametrize("wanted", ["", ":Q4_K_M", ":q4_k_m", ":tiny-Q4_K_M.gguf"])
def test_a_model_is_chosen_downloaded_checked_and_from_then_on_at_hand_without_the_hub(
    hub: Hub, tmp_path: Path, wanted: str
) -> None:
    path = get(hub, tmp_path, wanted)
    assert path.name == "tiny-Q4_K_M.gguf"
    assert path.read_bytes() == MODEL
    hub.asked.clear()
    assert get(hub, tmp_path, wanted) == path
    assert hub.asked == []


def test_progress_is_on_standard_error_and_nothing_on_standard_output(
    hub: Hub, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    get(hub, tmp_path)
    output, progress = capfd.readouterr()
    assert output == ""
    assert "tiny-Q4_K_M.gguf" in progress


def test_a_download_that_breaks_half_way_goes_on_from_there(hub: Hub, tmp_path: Path) -> None:
    hub.files["tiny-Q4_K_M.gguf"] = large = MODEL * 40  # the library writes what came in pieces of 10 MB
    hub.breaks = 1
    assert get(hub, tmp_path).read_bytes() == large
    ranges = [int(found[1]) for asked in hub.asked if (found := re.search(r"bytes=(\d+)-", asked))]
    assert ranges
    assert min(ranges) > 0


def test_a_download_that_a_process_did_not_finish_is_finished_by_the_next_one(hub: Hub, tmp_path: Path) -> None:
    blobs = tmp_path / "models--somebody--Tiny-GGUF" / "blobs"
    blobs.mkdir(parents=True)
    (blobs / f"{hashlib.sha256(MODEL).hexdigest()}.stipple-part").write_bytes(MODEL[:700_000])
    assert get(hub, tmp_path).read_bytes() == MODEL
    assert any("bytes=700000-" in asked for asked in hub.asked)
    assert not list(blobs.glob("*.stipple-part"))


def test_what_is_not_what_the_hub_has_is_thrown_away(hub: Hub, tmp_path: Path) -> None:
    hub.digest = "ab" * 32
    with pytest.raises(ModelMissing, match="is not what the hub has: its sha256 is") as caught:
        get(hub, tmp_path)
    assert "try again" in caught.value.fix
    hub.digest = ""
    assert get(hub, tmp_path).read_bytes() == MODEL


def test_the_remains_of_a_damaged_download_do_not_spoil_the_next_one(hub: Hub, tmp_path: Path) -> None:
    blobs = tmp_path / "models--somebody--Tiny-GGUF" / "blobs"
    blobs.mkdir(parents=True)
    begun = blobs / f"{hashlib.sha256(MODEL).hexdigest()}.stipple-part"
    begun.write_bytes(b"x" * 1000)
    with pytest.raises(ModelMissing, match="sha256"):
        get(hub, tmp_path)
    assert get(hub, tmp_path).read_bytes() == MODEL
    begun.write_bytes(b"x" * (len(MODEL) + 1))
    assert get(hub, tmp_path).read_bytes() == MODEL


def test_a_model_that_the_disk_has_no_room_for_is_not_begun(hub: Hub, tmp_path: Path) -> None:
    hub.size = 10**17
    with pytest.raises(ModelMissing, match=r"takes 100000000\.0 GB, and the disk of .* GB free") as caught:
        get(hub, tmp_path)
    assert "HF_HOME" in caught.value.fix
    assert not any(asked.startswith("GET") and "/resolve/" in asked for asked in hub.asked)


@pytest.mark.parametrize(
    ("status", "code", "problem", "fix"),
    [
        (401, "GatedRepo", "is gated", "HF_TOKEN"),
        (403, "GatedRepo", "is gated", "HF_TOKEN"),
        (401, "RepoNotFound", "no repository", "STIPPLE_LLM"),
        (404, "RepoNotFound", "no repository", "STIPPLE_LLM"),
        (500, "", "does not give", "try again"),
    ],
)
def test_each_refusal_of_the_hub_is_named_with_its_mend(
    hub: Hub, tmp_path: Path, status: int, code: str, problem: str, fix: str
) -> None:
    hub.status, hub.error_code = status, code
    with pytest.raises(ModelMissing, match=problem) as caught:
        get(hub, tmp_path)
    assert fix in caught.value.fix


def test_what_the_repository_has_is_told_to_who_asks_for_something_else(hub: Hub, tmp_path: Path) -> None:
    for wanted in (":Q2_K", ":other.gguf"):
        with pytest.raises(ModelMissing, match=r"it has tiny-Q4_K_M\.gguf, tiny-Q8_0\.gguf") as caught:
            get(hub, tmp_path, wanted)
        assert f"{REPOSITORY}:tiny-Q4_K_M.gguf" in caught.value.fix
    hub.files = {"model.safetensors": b"x"}
    with pytest.raises(ModelMissing, match="has no GGUF file"):
        get(hub, tmp_path)


def test_a_hub_that_cannot_be_reached_is_named(tmp_path: Path, hub: Hub) -> None:
    with pytest.raises(ModelMissing, match="does not give") as caught:
        download(REPOSITORY, tmp_path, "http://127.0.0.1:9")
    assert "a file's path" in caught.value.fix


def test_without_a_network_by_choice_nothing_is_asked(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelMissing, match="HF_HUB_OFFLINE"):
        get(hub, tmp_path)
    assert hub.asked == []


def test_all_parts_of_a_model_are_brought(hub: Hub, tmp_path: Path) -> None:
    parts = {f"big/big-Q4_K_M-{number:05}-of-00003.gguf": MODEL + bytes([number]) for number in (1, 2, 3)}
    hub.files = parts
    path = get(hub, tmp_path, ":Q4_K_M")
    assert path.name == "big-Q4_K_M-00001-of-00003.gguf"
    assert sorted(part.name for part in path.parent.iterdir()) == sorted(name.removeprefix("big/") for name in parts)


@pytest.mark.parametrize(
    ("llm", "on_hub"),
    [
        ("owner/repo", True),
        ("owner/repo:Q4_K_M", True),
        ("owner/repo:sub/file.gguf", True),
        ("models/qwen.gguf", False),
        ("./owner/repo", False),
        ("/models/qwen.gguf", False),
        ("smollm2", False),
        ("C:/models/qwen.gguf", False),
    ],
)
def test_a_name_on_the_hub_is_told_from_a_path(llm: str, on_hub: bool) -> None:
    assert is_on_hub(llm) is on_hub


_NAMES = st.lists(
    st.sampled_from(
        ["a-Q4_K_M.gguf", "a-Q4_K_S.gguf", "a-Q4_0.gguf", "a.Q8_0.gguf", "mmproj-a-F16.gguf", "a-F16.gguf",
         "b-Q8_0-00001-of-00002.gguf", "b-Q8_0-00002-of-00002.gguf", "x.bin", "weird.gguf"]
    ),
    unique=True,
)  # fmt: skip


@given(_NAMES, st.sampled_from(["", "Q4_K_M", "Q4_K", "q8_0", "a-Q4_0.gguf", "IQ1_S"]))
def test_what_is_chosen_is_offered_is_a_model_and_is_what_was_asked_for(files: list[str], wanted: str) -> None:
    chosen = choose(files, wanted)
    assert set(chosen) <= set(files)
    assert all(name.endswith(".gguf") and "mmproj" not in name for name in chosen)
    assert all(wanted.lower() in name.lower() for name in chosen)
    assert not (wanted == "Q4_K" and chosen)  # Q4_K_M is another one
    if "a-Q4_K_M.gguf" in files and wanted in {"", "Q4_K_M"}:
        assert chosen == ["a-Q4_K_M.gguf"]
