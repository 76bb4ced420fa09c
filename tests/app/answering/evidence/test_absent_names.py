"""Names by letters and digits that no post mentions."""

from __future__ import annotations

import pytest

from app.answering.evidence.absent_names import absent_name

TEXTS = ["Kestrel Two tent, 14 nights in. £210.", "日语N2半年 V60 手冲", "144 hours is plenty", "iPad 9 for notes"]


@pytest.mark.parametrize(
    ("question", "absent"),
    [
        ("how heavy is the kestrel three", "kestrel three"),
        ("is the Kestrel Two dry", ""),
        ("日语N3报名费", "n3"),
        ("日语N2要学多久", ""),
        ("v 60 or V60?", ""),
        ("英国ETA多少钱", "eta"),
        ("is the 144h rule still there", ""),
        ("open till 9 or 10", ""),
        ("", ""),
    ],
)
def test_a_name_with_another_number_is_another_thing(question: str, absent: str) -> None:
    assert absent_name(question, TEXTS) == absent
