"""Who a request is from: believed only from proxies that are declared."""

from __future__ import annotations

import pytest
from starlette.types import Scope

from app.web.client_address import Networks, client_of
from retrieval.errors import FixableError


def scope(peer: str, *forwarded: str) -> Scope:
    headers = [(b"x-forwarded-for", one.encode()) for one in forwarded]
    return {"type": "http", "client": (peer, 1), "headers": headers}


PROXIES = Networks.read("127.0.0.1, 10.0.0.0/8", "STIPPLE_TRUSTED_PROXIES")


def test_a_header_from_nobodys_proxy_is_not_believed() -> None:
    assert client_of(scope("203.0.113.7", "198.51.100.1"), PROXIES).name == "203.0.113.7"
    assert client_of(scope("127.0.0.1", "198.51.100.1"), Networks(())).name == "127.0.0.1"


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        (["198.51.100.1"], "198.51.100.1"),
        (["1.1.1.1, 198.51.100.1, 10.0.0.3"], "198.51.100.1"),  # what stands before the client is its own invention
        (["1.1.1.1", "198.51.100.1"], "198.51.100.1"),
        (["198.51.100.1:4711"], "198.51.100.1"),
        (["[2001:db8:1:2::5]:4711"], "2001:db8:1:2::/64"),
        (["::ffff:198.51.100.1"], "198.51.100.1"),
        (["nonsense"], "127.0.0.1"),
        (["198.51.100.1, " * 10_000 + "nonsense, 10.0.0.1"], "10.0.0.1"),
    ],
)
def test_from_a_declared_proxy_the_last_address_that_is_no_proxy_counts(forwarded: list[str], client: str) -> None:
    assert client_of(scope("127.0.0.1", *forwarded), PROXIES).name == client


def test_only_who_asks_without_a_proxy_sits_at_this_machine() -> None:
    assert client_of(scope("127.0.0.1"), PROXIES).at_this_machine
    assert client_of(scope("::1"), PROXIES).at_this_machine
    assert not client_of(scope("127.0.0.1", "127.0.0.1"), PROXIES).at_this_machine
    assert not client_of(scope("192.168.1.4"), PROXIES).at_this_machine


def test_a_setting_that_names_no_network_is_refused_with_its_name() -> None:
    with pytest.raises(FixableError, match="STIPPLE_TRUSTED_PROXIES is 'localhost'"):
        Networks.read("localhost", "STIPPLE_TRUSTED_PROXIES")
