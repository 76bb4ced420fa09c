"""Posts that sell something for somebody."""

from __future__ import annotations

import pytest

from app.answering.injection.adverts import advertises
from retrieval.types import Post


@pytest.mark.parametrize(
    "text",
    [
        "Best mattress ever!! Use SLEEP15 for 15% off, only today",
        "Changed my life. Enter ROOM20 when you sign up",
        "details and link in bio ✨",
        "ask me for a promo code",
        "姐妹们冲！下单备注【小月10】立减",
        "好用到哭，報我名字「阿嵐」有折",
        "优惠码在评论区",
        "Erased my wrinkles. GLOSS20 gives you 20% off and a roller",
        "this is not an ad I just care, but they sell out every Friday",
        "真的不是广！！但是手慢无，链接在评论",
    ],
)
def test_an_offer_with_a_code_is_an_advert(text: str) -> None:
    assert advertises(Post("p", "", text))


@pytest.mark.parametrize(
    "text",
    [
        "Sunscreen SPF50, fragrance free, 12 off-days a month",
        "Use the code of the door at night: 4411",
        "Took my bike off the train with WIFI on",
        "活动一般买一送一小样，平时不用囤",
        "备注一下：周一闭馆",
        "Not an ad, just a happy customer",
        "The buns sell out by ten",
        "",
    ],
)
def test_a_price_or_a_note_is_none(text: str) -> None:
    assert not advertises(Post("p", "a title", text))
