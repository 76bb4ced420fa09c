"""Signing in and out in a browser, with JavaScript and without."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from app.main import create_app
from app.readers import Readers
from app.services import Services
from retrieval.models.embedding import HashEmbedder
from retrieval.settings import Settings
from retrieval.stores.factory import open_store
from tests.app.web.served_app import served
from tests.small_index import POSTS, indexed

pytestmark = pytest.mark.browser
PASSWORD = "flat white at nine"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The application itself, for readers with accounts."""
    folder = tmp_path_factory.mktemp("signed-in")
    indexed(folder, POSTS, HashEmbedder(256))
    Readers(folder / "readers.sqlite").add("小鹿", PASSWORD)
    settings = Settings(data_dir=folder, llm="none", readers="accounts", limit_sign_in="", _env_file=None)
    app = create_app(settings, Services(settings, open_store(settings), HashEmbedder(256), None))
    with served(app) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.mark.parametrize("scripted", [True, False])
def test_a_reader_signs_in_reads_an_answer_and_signs_out(chromium: Browser, url: str, scripted: bool) -> None:
    context = chromium.new_context(locale="en-GB", java_script_enabled=scripted)
    context.set_default_timeout(10_000)
    page = context.new_page()
    question = f"{url}/search?q=How+much+is+a+flat+white+at+Blue+Door%3F"
    page.goto(question)
    expect(page).to_have_url(
        f"{url}/sign-in?next=%2Fsearch%3Fq%3DHow%2Bmuch%2Bis%2Ba%2Bflat%2Bwhite%2Bat%2BBlue%2BDoor%253F"
    )
    page.get_by_label("Name").fill("小鹿")
    page.get_by_label("Password").fill("a wrong guess")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_have_text("That is not right. Try again.")
    page.get_by_role("link", name="中文").click()
    page.get_by_label("用户名").fill("小鹿")
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    expect(page.locator("#sentences")).to_contain_text("28 yuan")
    [cookie] = context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("status")).to_have_text("You are signed out.")
    assert context.cookies() == []
    page.goto(question)
    expect(page.get_by_label("Password")).to_be_visible()
    page.go_back()
    expect(page.get_by_text("28 yuan")).to_have_count(0)
    context.close()


def test_another_site_cannot_sign_a_reader_out(chromium: Browser, url: str) -> None:
    context = chromium.new_context(locale="en-GB")
    page = context.new_page()
    page.goto(f"{url}/sign-in")
    page.get_by_label("Name").fill("小鹿")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    elsewhere = url.replace("127.0.0.1", "localhost")  # another site, to a browser
    other = context.new_page()
    other.route(f"{elsewhere}/forged", lambda route: route.fulfill(
        content_type="text/html",
        body=f'<form method="post" action="{url}/sign-out"><button>win a prize</button></form>',
    ))  # fmt: skip
    other.goto(f"{elsewhere}/forged")
    other.get_by_role("button", name="win a prize").click()
    expect(other.get_by_text("Another site sent this")).to_be_visible()
    page.reload()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    context.close()
