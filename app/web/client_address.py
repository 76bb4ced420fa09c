"""Who a request is from: an address, or one that a declared proxy vouches for. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

from starlette.types import Scope

from retrieval.errors import FixableError

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

_MOST_FORWARDED = 20  # a longer chain is invented
# One home or one machine in a data centre has a network of so many bits, and as many addresses as it likes.
_IPV6_CLIENT_BITS = 64


@dataclass(frozen=True, slots=True)
class Networks:
    """Networks that a setting names."""

    networks: tuple[Network, ...]

    @classmethod
    def read(cls, listed: str, setting: str) -> Networks:
        """
        Raises:
            FixableError: One of them is neither an address nor a network.
        """
        try:
            return cls(tuple(ip_network(one.strip(), strict=False) for one in listed.split(",") if one.strip()))
        except ValueError as error:
            raise FixableError(
                f"the setting {setting} is {listed!r}: {error}", "write addresses or networks, as 127.0.0.1,10.0.0.0/8"
            ) from None

    def hold(self, address: Address | None) -> bool:
        return address is not None and any(address in network for network in self.networks)


@dataclass(frozen=True, slots=True)
class Client:
    """Who a request is from.

    Attributes:
        address: None where the server does not know it, as in a test.
        forwarded: Whether somebody says that the request comes from another address.
    """

    address: Address | None
    forwarded: bool

    @property
    def at_this_machine(self) -> bool:
        """Whether somebody at this machine asks. A proxy on it that passes others' requests on does not count."""
        return not self.forwarded and (self.address is None or self.address.is_loopback)

    @property
    def name(self) -> str:
        """The address, as it is counted: of IPv6, the network that one client has."""
        if isinstance(self.address, IPv6Address):
            return str(ip_network((self.address, _IPV6_CLIENT_BITS), strict=False))
        return str(self.address or "unknown")


def client_of(scope: Scope, proxies: Networks) -> Client:
    """Who a request is from. `X-Forwarded-For` is believed as far as declared proxies wrote it: from its end, the first
    address that is none of them is the client.
    """
    peer = _address((scope.get("client") or ("",))[0])
    headers: Sequence[tuple[bytes, bytes]] = scope["headers"]
    passed_on = [value.decode("latin-1") for name, value in headers if name == b"x-forwarded-for"]
    if not passed_on or not proxies.hold(peer):
        return Client(peer, bool(passed_on))
    chain = ",".join(passed_on).split(",")[-_MOST_FORWARDED:]
    client = peer
    for written in reversed(chain):
        address = _address(written.strip())
        if address is None:
            break
        client = address
        if not proxies.hold(address):
            break
    return Client(client, True)


def through_proxy(scope: Scope, proxies: Networks) -> bool:
    """Whether a declared proxy sends the request, so that what it says in headers is believed."""
    return proxies.hold(_address((scope.get("client") or ("",))[0]))


def by_https(scope: Scope, proxies: Networks) -> bool:
    """Whether the browser speaks HTTPS, to us or to a declared proxy."""
    said = [value for name, value in scope["headers"] if name == b"x-forwarded-proto"]
    if said and through_proxy(scope, proxies):
        return bytes(said[-1]).strip().lower() == b"https"
    return str(scope["scheme"]) == "https"


def is_loopback(host: str) -> bool:
    """Whether a server that listens there is reached from its own machine alone."""
    address = _address(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def _address(written: str) -> Address | None:
    bare = written.removeprefix("[").partition("]")[0] if written.startswith("[") else written
    if bare.count(":") == 1:  # an IPv4 address with a port
        bare = bare.partition(":")[0]
    try:
        address = ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address
