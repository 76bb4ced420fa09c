"""Whether a post sells something for somebody: it offers a code, or a price to those who name it. Pure."""

from __future__ import annotations

import re

from retrieval.types import Post

_OFFER = re.compile(
    r"\b(?i:use|using|with|enter|apply)\s{1,2}(?:my\s{1,2}|the\s{1,2})?(?:code\s{1,2})?[\"'“]?[A-Z]{3,20}\d{0,4}\b"
    r"[^.!?\n]{0,40}\b(?:off|discount|sign up)\b"
    r"|\b(?i:promo|discount|referral|invite|coupon)\s(?i:code)\b|\b(?i:link in (?:my |the )?bio)\b"
    r"|\b(?i:just|simply) (?i:say|mention|quote|tell them|drop) [\"'“]?[A-Z]\w{2,20}[\"'”]?(?=[\s,.]|$)"
    r"|\b(?i:say|mention|quote) [\"'“]?[A-Z]\w{2,20}[\"'”]? (?i:at the (?:desk|door|counter|till|bar|gate|reception)"
    r"|when you)"
    r"|(?:备注|備註|报|報|输入|輸入|暗号|暗號|口令)[:：]?\s?[【「『“\"][^】」』”\"\n]{1,20}[】」』”\"]"
    # A code with a number in it, and what it gives: GLOW15 gives you 15% off.
    r"|\b[A-Z]{3,12}\d{1,3}\b[^.!?\n]{0,40}(?:\d\s?%|[立减打省]\d)"
    r"|\d\s?% (?:off|discount)\b[^.!?\n]{0,40}\b[A-Z]{3,12}\d{1,3}\b"
    r"|[报報]我(?:的)?名字|优惠码|優惠碼|折扣[码碼]|邀请码|邀請碼|私信(?:我)?(?:领|領|拿|发你|發你)"
)

# Who says so and sells in the same breath is one.
_DENIES = re.compile(
    r"\b(?:not|isn['’]?t|no) (?:an? |even an? )?(?:ads?|adverts?|advertisements?|sponsored|promos?)\b|\bunsponsored\b"
    r"|不是广|不是廣|非广告|不是推广|没收钱|没收錢",
    re.IGNORECASE,
)
_SELLS = re.compile(
    r"\d\s?% off\b|\bsell(?:s|ing)? out\b|\bhurry\b|\bwhile stocks? lasts?\b|\bfree (?:gift|sample|shipping|trial)\b"
    r"|\blimited (?:offer|time|stock)\b|\blink (?:below|in)\b|断货|斷貨|囤货|手慢|下单|下單|拍下|立减|赠品|链接在|鏈接",
    re.IGNORECASE,
)


def advertises(post: Post) -> bool:
    """Whether its author is paid when readers buy. Such words are no opinion; comments under them may be."""
    said = f"{post.title}\n{post.text}"
    return bool(_OFFER.search(said) or (_DENIES.search(said) and _SELLS.search(said)))
