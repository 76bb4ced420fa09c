"""A replaced object is closed once, when its last user is done."""

from retrieval.pins import Pins


def test_a_replaced_object_is_closed_when_its_last_user_is_done() -> None:
    closed: list[str] = []
    pins = Pins("old", closed.append)
    with pins.pin() as first:
        with pins.pin() as second:
            pins.replace("new")
            assert (first, second, pins.current, closed) == ("old", "old", "new", [])
        assert closed == []
        with pins.pin() as later:
            assert later == "new"
        assert (closed, pins.busy) == ([], True)
    assert (closed, pins.busy) == (["old"], False)


def test_an_object_that_nobody_uses_is_closed_at_once() -> None:
    closed: list[str] = []
    pins = Pins("old", closed.append)
    pins.replace("new")
    assert closed == ["old"]
    with pins.pin():
        pass
    assert closed == ["old"]
