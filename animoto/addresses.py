"""Which addresses a picture may come from: a task must not make a worker read what only the worker can reach."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from cloudkon.errors import InputError

Network = IPv4Network | IPv6Network

# Written down, since ipaddress.is_global changes with Python's version, and passes NAT64 and 6to4, which lead on to
# any IPv4 address. https://www.iana.org/assignments/iana-ipv4-special-registry
_REFUSED_IPV4 = {
    ip_network(network): kind
    for network, kind in {
        "0.0.0.0/8": "unspecified",
        "10.0.0.0/8": "private",
        "100.64.0.0/10": "carrier-grade NAT",
        "127.0.0.0/8": "loopback",
        "169.254.0.0/16": "link-local, where clouds keep credentials",
        "172.16.0.0/12": "private",
        "192.0.0.0/24": "reserved for protocols",
        "192.0.2.0/24": "documentation",
        "192.88.99.0/24": "a 6to4 relay",
        "192.168.0.0/16": "private",
        "198.18.0.0/15": "benchmarking",
        "198.51.100.0/24": "documentation",
        "203.0.113.0/24": "documentation",
        "224.0.0.0/4": "multicast",
        "240.0.0.0/4": "reserved",
    }.items()
}
# https://www.iana.org/assignments/iana-ipv6-special-registry
_REFUSED_IPV6 = {
    ip_network(network): kind
    for network, kind in {
        "::/128": "unspecified",
        "::1/128": "loopback",
        "::ffff:0:0/96": "IPv4 in disguise",
        "64:ff9b::/96": "NAT64",
        "64:ff9b:1::/48": "NAT64",
        "2001::/32": "Teredo",
        "2001::/23": "reserved for protocols",
        "2001:db8::/32": "documentation",
        "2002::/16": "6to4",
        "3fff::/20": "documentation",
        "fc00::/7": "private",
        "fe80::/10": "link-local",
        "ff00::/8": "multicast",
    }.items()
}
_GLOBAL_UNICAST = IPv6Network("2000::/3")
"""All of IPv6 that is given out. https://www.iana.org/assignments/ipv6-address-space"""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Public addresses, and whatever networks the worker's operator allows beside them."""

    allowed: tuple[Network, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "Addresses":
        """Read the allowed networks, parted by commas: "127.0.0.0/8, ::1"; raise InputError if one is none."""
        try:
            return cls(tuple(ip_network(part.strip()) for part in text.split(",") if part.strip()))
        except ValueError as error:
            raise InputError(f"{error}. Write allowed networks like this: 127.0.0.0/8,::1/128") from error

    def refusal(self, address: str) -> str | None:
        """Why nothing may be fetched from an address (as a socket names it); None if it may."""
        try:
            parsed = ip_address(address)
        except ValueError:
            return "not an internet address"
        if any(parsed in network for network in self.allowed):
            return None
        return _refusal(parsed)


def _refusal(address: IPv4Address | IPv6Address) -> str | None:
    refused = _REFUSED_IPV4 if address.version == 4 else _REFUSED_IPV6
    for network, kind in refused.items():
        if address in network:
            return kind
    if address.version == 6 and address not in _GLOBAL_UNICAST:
        return "reserved"
    return None
