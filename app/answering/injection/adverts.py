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
    r"|[报報]我(?:的)?名字|优惠码|優惠碼|折扣[码碼]|邀请码|邀請碼|私信(?:我)?(?:领|領|拿|发你|發你)"
)


def advertises(post: Post) -> bool:
    """Whether its author is paid when readers buy. Such words are no opinion; comments under them may be."""
    return _OFFER.search(f"{post.title}\n{post.text}") is not None
