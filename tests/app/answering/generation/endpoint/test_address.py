"""An endpoint's address, as people write it."""

from __future__ import annotations

import pytest

from app.answering.generation.endpoint.refusals import EndpointAddress
from retrieval.errors import FixableError


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("http://h:8080/v1", "http://h:8080/v1"),
        ("http://h:8080", "http://h:8080/v1"),
        ("https://h/v1/", "https://h/v1"),
        ("https://h/api/v1/chat/completions", "https://h/api/v1"),
        ("http://[::1]:8080/v1", "http://[::1]:8080/v1"),
    ],
)
def test_an_address_may_be_written_as_people_write_it(typed: str, url: str) -> None:
    assert EndpointAddress.parse(typed, "").url == url


def test_a_password_in_the_address_is_not_shown() -> None:
    address = EndpointAddress.parse("http://me:pass@h:1/v1", "")
    assert (address.url, address.shown) == ("http://me:pass@h:1/v1", "http://h:1/v1")


@pytest.mark.parametrize("typed", ["http://", "http:///v1", "http://h:port/v1"])
def test_an_address_without_a_host_is_refused(typed: str) -> None:
    with pytest.raises(FixableError, match="names no host"):
        EndpointAddress.parse(typed, "")
