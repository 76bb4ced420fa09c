from __future__ import annotations

from dataclasses import replace

import pytest

from app.web.page.page_request import PageRequest
from app.web.page.views.cards import Card, card
from app.web.page.words.labels import EN, ZH
from retrieval.text.web_address import is_web_address
from retrieval.types import Comment, Hit, Image, Passage
from tests.app.web.page.invented_posts import CAFES, a_hit, a_post, cited


def shown(hit: Hit, *quotes: str) -> Card:
    return card(1, hit, [cited([hit], 1, quote) for quote in quotes], PageRequest("coffee"), EN, "en")


def test_a_quote_far_from_the_best_passage_is_shown_too() -> None:
    text = "The best passage. " + "filler " * 60 + "The quote is here." + " more" * 60
    made = shown(a_hit(a_post(text=text), end=17), "The quote is here.")
    assert [excerpt.cut_before for excerpt in made.excerpts] == [False, True]
    assert made.excerpts[0].html == "The best passage."
    assert made.excerpts[1].html == '<mark class="quote">The quote is here.</mark>'
    assert made.excerpts[1].cut_after


def test_a_quote_of_a_comment_brings_that_comment_into_the_card() -> None:
    made = shown(a_hit(CAFES[0]), "there is a two hour limit at weekends now.")
    (comment,) = made.comments
    assert comment.author == "lena_reads"
    assert "Went on a Sunday: <mark" in comment.excerpts[0].html


def test_a_quote_of_the_title_is_marked_in_the_title() -> None:
    made = shown(a_hit(a_post(title="Open until 22:00", text="Come by.")), "Open until 22:00")
    assert made.title == '<mark class="quote">Open until 22:00</mark>'


def test_a_passage_from_a_comment_is_shown_as_a_comment() -> None:
    made = shown(a_hit(CAFES[0], comment=1))
    assert made.excerpts == ()
    assert [comment.author for comment in made.comments] == ["tofu_rider"]


def test_a_post_without_title_is_headed_by_its_first_words_but_not_shown_twice() -> None:
    made = shown(a_hit(a_post(title="", text="First line here\nand a second")))
    assert (made.title, made.title_seen) == ("First line here", False)


def test_a_post_without_title_and_text_still_has_a_heading() -> None:
    post = a_post(title="", text="", comments=(Comment("a", "only a comment"),))
    assert shown(a_hit(post, comment=0)).title == "Post"


def test_a_title_alone_makes_a_card_without_excerpts() -> None:
    post = a_post(title="Just a title", text="")
    hit = replace(a_hit(a_post()), post=post, passage=Passage(post.id, 0, "text", None, 0, 0, ""))
    made = shown(hit)
    assert (made.title, made.excerpts) == ("Just a title", ())


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "JAVASCRIPT:x", "data:text/html,x", "//h/p", "/p", "http:", "", "http://[::1"]
)
def test_an_address_that_is_not_of_the_web_is_not_linked(url: str) -> None:
    assert not is_web_address(url)
    assert shown(a_hit(a_post(url=url))).url == ""


def test_pictures_are_told_in_words() -> None:
    post = a_post(images=(Image("https://x.example/1", "a cat"), Image("u", " "), Image("v", "a dog")))
    assert shown(a_hit(post)).pictures == "3 pictures: a cat · a dog"
    assert card(1, a_hit(post), [], PageRequest(), ZH, "zh").pictures.startswith("3 张图")


def test_quotes_of_another_post_mark_nothing() -> None:
    hits = [a_hit(a_post(1)), a_hit(a_post(2))]
    quote = cited(hits, 2, "It has a second sentence.")
    assert "<mark" not in card(1, hits[0], [quote], PageRequest(), EN, "en").excerpts[0].html


def test_a_card_leads_to_its_post_with_the_quotes_lit_there() -> None:
    made = shown(a_hit(CAFES[0]), "Flat white is 28 yuan", "there is a two hour limit at weekends now.")
    assert made.address == "/post/post-1?q=coffee&quote=text-91-112&quote=comment0-18-60"
