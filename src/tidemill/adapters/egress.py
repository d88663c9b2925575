"""Which addresses the server's own requests may go to, when an app or a user chose the destination.

The rule is ours: `ipaddress.is_global` lets NAT64, 6to4 and multicast pass.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, TypeAlias

import msgspec

Address: TypeAlias = IPv4Address | IPv6Address

SETTING: Final = "TIDEMILL_EGRESS_ALLOW"

# IANA's special-purpose registries (RFC 6890 and later), plus what is multicast or reserved.
_DENIED: Final = tuple(
    ip_network(block)
    for block in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::/16",
        "64:ff9b:1::/48",
        "100::/32",
        "2001::/23",
        "2001:db8::/32",
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",
        "fe80::/9",
        "ff00::/8",
    )
)
_NAT64: Final = IPv6Network("64:ff9b::/96")
_PUBLIC_V6: Final = IPv6Network("2000::/3")
# Digits, hexadecimal and dots alone: C libraries read such a host as an address, whatever its form.
_NUMERIC_HOST: Final = re.compile(r"^(?:0x[0-9a-f]*|\d+)(?:\.(?:0x[0-9a-f]*|\d+))*\.?$", re.IGNORECASE)
_PLAIN_V4: Final = re.compile(r"^(?:0|[1-9]\d{0,2})(?:\.(?:0|[1-9]\d{0,2})){3}$")


class Allowed(msgspec.Struct, frozen=True):
    """One entry of the allow-list: a network or a host name, optionally on one port only."""

    network: str = ""
    host: str = ""
    port: int | None = None


class AllowListInvalid(ValueError):
    """The allow-list setting holds something that is neither host, network nor host:port."""


def parse_allow_list(text: str) -> tuple[Allowed, ...]:
    """Read the setting: entries divided by commas or blanks, each a host, an address, a CIDR, or one with :port.

    Raises:
        AllowListInvalid: An entry cannot be read.
    """
    return tuple(_entry(item) for item in re.split(r"[,\s]+", text.strip()) if item)


class EgressPolicy:
    """Public addresses, and what the allow-list opens on purpose."""

    def __init__(self, allow: Sequence[Allowed] = ()) -> None:
        self._hosts = {(entry.host, entry.port) for entry in allow if entry.host}
        self._networks = [(ip_network(entry.network), entry.port) for entry in allow if entry.network]

    def permits(self, host: str, port: int, address: Address) -> bool:
        """Whether a connection to `address`, which `host` resolved to, may be opened."""
        name = host.lower().rstrip(".")
        if (name, None) in self._hosts or (name, port) in self._hosts:
            return True
        for network, allowed_port in self._networks:
            if allowed_port in (None, port) and address.version == network.version and address in network:
                return True
        return is_public(address)

    @staticmethod
    def is_odd(host: str) -> bool:
        """Whether a host is an address in a spelling that programs read differently (2130706433, 0x7f.1)."""
        return _NUMERIC_HOST.match(host) is not None and _PLAIN_V4.match(host.rstrip(".")) is None


def is_public(address: Address) -> bool:
    """Whether an address is one of the open internet, looking through addresses that carry another inside."""
    inner = embedded(address)
    if inner is not None:
        return is_public(inner)
    if isinstance(address, IPv6Address) and address not in _PUBLIC_V6:
        return False
    return not any(address in network for network in _DENIED if network.version == address.version)


def embedded(address: Address) -> Address | None:
    """The IPv4 address inside a mapped, NAT64, 6to4 or Teredo address."""
    if isinstance(address, IPv4Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def _entry(text: str) -> Allowed:
    network = _network(text)
    if network is not None:
        return Allowed(network=network)
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if colon and port.isdigit() and int(port) < 65536 and host:
        network = _network(host)
        return Allowed(network=network, port=int(port)) if network else Allowed(host=host.lower(), port=int(port))
    name = text.lower().removeprefix("[").removesuffix("]").rstrip(".")
    network = _network(name)
    if network is not None:
        return Allowed(network=network)
    if not re.fullmatch(r"[\w.-]+", name):
        raise AllowListInvalid(
            f"`{text}` in {SETTING} is neither a host, a network such as 10.0.0.0/8, nor host:port. Correct it."
        )
    return Allowed(host=name)


def _network(text: str) -> str | None:
    try:
        return str(ip_network(text, strict=False))
    except ValueError:
        return None


def read_address(text: str) -> Address | None:
    """An address in its plain spelling, None for anything else."""
    try:
        return ip_address(text.split("%", 1)[0])
    except ValueError:
        return None
