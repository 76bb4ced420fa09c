"""The main job, with nothing stood in: real posts, real models, a real server process, a real browser."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect

ROOT = Path(__file__).parents[1]
QUESTIONS = (
    "How much is a flat white at Pebble & Pour these days?",
    "quiet cafe shanghai",
    "手冲咖啡水温",
    "鹿角现在喝一杯手冲要多少钱？",
)

pytestmark = pytest.mark.model


def stipple(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "stipple", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=environment(data), capture_output=True, text=True, check=False, timeout=250
    )


def environment(data: Path) -> dict[str, str]:
    # No hub may be asked for anything: the default embedders are installed, and the tests' small writer.
    return {**os.environ, "STIPPLE_DATA_DIR": str(data), "HF_HUB_OFFLINE": "1", "STIPPLE_LLM": "smollm2"}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("main job")
    ran = stipple(folder, "reindex", "sample_posts")
    assert ran.returncode == 0, ran.stderr
    assert "453 added" in ran.stdout
    return folder


@pytest.fixture(scope="module")
def server(data: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "stipple", "serve", "--port", "0"]
    log = (data / "serve.log").open("w+")
    process = subprocess.Popen(command, cwd=ROOT, env=environment(data), stdout=subprocess.PIPE, stderr=log, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    address = re.search(r"http://[\d.:]+", line)
    assert address, f"no address in {line!r}"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if httpx.get(address.group() + "/readyz").status_code == 200:
                break
        except httpx.TransportError:
            time.sleep(0.1)
    yield address.group()
    process.send_signal(signal.SIGTERM)
    process.stdout.close()
    assert process.wait(timeout=30) in {0, -signal.SIGTERM}
    log.seek(0)
    logged = log.read()
    log.close()
    assert "Traceback" not in logged


def test_a_second_reindex_embeds_nothing(data: Path) -> None:
    ran = stipple(data, "reindex", "sample_posts")
    assert ran.returncode == 0
    assert "453 unchanged" in ran.stdout


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_mark_resolves_and_every_quote_is_verbatim(server: str, question: str) -> None:
    answer: dict[str, Any] = httpx.post(f"{server}/api/answer", json={"question": question}, timeout=60).json()
    assert answer["sentences"]
    assert answer["language"] == ("zh" if re.search("[一-鿿]", question) else "en")
    for citation in (citation for sentence in answer["sentences"] for citation in sentence["citations"]):
        post = answer["hits"][citation["mark"] - 1]["post"]
        assert post["id"] == citation["post_id"]
        part = citation["part"]
        source = post["comments"][citation["comment"]]["text"] if part == "comment" else post[part]
        assert source[citation["start"] : citation["end"]] == citation["quote"]


def test_a_question_off_every_topic_is_declined(server: str) -> None:
    answer = httpx.post(
        f"{server}/api/answer", json={"question": "How do I file my income tax in Canada?"}, timeout=60
    ).json()
    assert (answer["kind"], answer["sentences"]) == ("declined", [])
    assert answer["hits"]


@pytest.mark.browser
@pytest.mark.parametrize("question", [QUESTIONS[0], QUESTIONS[2]])
def test_someone_asks_in_a_browser_and_follows_a_mark_to_its_quote(
    server: str, chromium: Browser, question: str
) -> None:
    page = chromium.new_page()
    page.goto(server)
    page.get_by_role("combobox", name="Question or words to look for").fill(question)
    page.keyboard.press("Enter")
    mark = page.locator("#sentences a.mark").first
    expect(mark).to_be_visible(timeout=60_000)
    mark.click()
    card = page.locator(":target")
    expect(card).to_be_in_viewport()
    expect(card.locator("mark.quote").first).to_be_visible()
    page.close()


def test_a_reindex_beside_the_server_is_picked_up_without_one_failed_search(
    data: Path, server: str, tmp_path: Path
) -> None:
    new = {"id": "new-1", "text": "The heron teahouse on Moganshan road serves smoked plum tea.", "author": "newcomer"}
    (tmp_path / "new.jsonl").write_text(json.dumps(new) + "\n", "utf-8")
    statuses: list[int] = []
    done = threading.Event()

    def ask_on() -> None:
        while not done.is_set():
            statuses.append(httpx.get(f"{server}/api/search", params={"q": "smoked plum tea"}).status_code)

    asking = threading.Thread(target=ask_on)
    asking.start()
    try:
        ran = stipple(data, "reindex", str(tmp_path / "new.jsonl"))
        assert "1 added" in ran.stdout, ran.stderr
        deadline = time.monotonic() + 30
        found: list[str] = []
        while "new-1" not in found and time.monotonic() < deadline:
            hits = httpx.get(f"{server}/api/search", params={"q": "smoked plum tea"}).json()["hits"]
            found = [hit["post"]["id"] for hit in hits]
    finally:
        done.set()
        asking.join()
    assert found[0] == "new-1"
    assert set(statuses) == {200}


def test_commands_ask_the_server_while_it_holds_the_index(data: Path, server: str) -> None:
    host, port = server.removeprefix("http://").split(":")
    command = [sys.executable, "-m", "stipple", "search", "quiet cafe", "--limit", "2"]
    env = {**environment(data), "STIPPLE_HOST": host, "STIPPLE_PORT": port}
    ran = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=120)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("[1] ")
