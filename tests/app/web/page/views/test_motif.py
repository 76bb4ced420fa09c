from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from app.web.page.views.motif import HEIGHT, TINTS, WIDTH, motif


def test_two_posts_look_different_and_one_always_the_same() -> None:
    motif.cache_clear()
    first, second = motif("post-1"), motif("post-2")
    motif.cache_clear()
    assert motif("post-1") == first != second


@given(st.text(max_size=200))
def test_every_id_draws_a_picture_of_bounded_size_with_one_lit_dot_inside(identity: str) -> None:
    drawn = motif(identity)
    paths = "".join(dots.path for dots in drawn.dots)
    assert 100 < len(paths) < 6000
    assert re.fullmatch(r"(M\d+ \d+h0)+", paths)
    assert 0 <= drawn.tint < TINTS
    assert 0 <= drawn.shape < 3
    assert 0 < drawn.lit[0] < WIDTH
    assert 0 < drawn.lit[1] < HEIGHT


def test_a_hundred_posts_use_every_tint_and_every_height() -> None:
    drawn = [motif(f"post-{number}") for number in range(100)]
    assert {one.tint for one in drawn} == set(range(TINTS))
    assert {one.shape for one in drawn} == {0, 1, 2}
