from ipaddress import IPv4Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from animoto.addresses import Addresses
from cloudkon.errors import InputError

PUBLIC = ["1.1.1.1", "8.8.8.8", "100.63.255.255", "172.32.0.1", "192.0.1.1", "223.255.255.255", "2606:4700::1111"]
REFUSED = {
    "0.0.0.0": "unspecified",
    "10.1.2.3": "private",
    "100.64.0.1": "carrier-grade NAT",
    "127.0.0.1": "loopback",
    "127.255.255.254": "loopback",
    "169.254.169.254": "link-local, where clouds keep credentials",
    "169.254.170.2": "link-local, where clouds keep credentials",
    "172.16.0.1": "private",
    "172.31.255.255": "private",
    "192.0.0.192": "reserved for protocols",
    "192.0.2.1": "documentation",
    "192.88.99.1": "a 6to4 relay",
    "192.168.1.1": "private",
    "198.19.0.1": "benchmarking",
    "224.0.0.1": "multicast",
    "255.255.255.255": "reserved",
    "::": "unspecified",
    "::1": "loopback",
    "::ffff:8.8.8.8": "IPv4 in disguise",
    "::ffff:169.254.169.254": "IPv4 in disguise",
    "::8.8.8.8": "reserved",
    "64:ff9b::a9fe:a9fe": "NAT64",
    "64:ff9b:1::1": "NAT64",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2": "Teredo",
    "2001:db8::1": "documentation",
    "2002:7f00:1::1": "6to4",
    "100::1": "reserved",
    "fd00:ec2::254": "private",
    "fe80::1": "link-local",
    "fe80::1%eth0": "link-local",
    "fec0::1": "reserved",
    "ff02::1": "multicast",
    "": "not an internet address",
    "localhost": "not an internet address",
    "127.1": "not an internet address",
}


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_may_be_fetched_from(address: str) -> None:
    """Anyone's addresses may be fetched from."""
    assert Addresses().refusal(address) is None


@pytest.mark.parametrize("address", REFUSED)
def test_local_addresses_are_refused_by_their_kind(address: str) -> None:
    """Addresses that lead elsewhere from each machine are refused, by their kind."""
    assert Addresses().refusal(address) == REFUSED[address]


@given(st.ip_addresses(v=4), st.sampled_from(["::ffff:{}", "64:ff9b::{}", "::{}"]))
def test_no_local_address_passes_wrapped_into_ipv6(address: IPv4Address, wrapping: str) -> None:
    """No IPv4 address comes in wrapped into one of IPv6."""
    assert Addresses().refusal(wrapping.format(address))


@given(st.ip_addresses())
def test_no_wider_than_python(address: object) -> None:
    """Nothing passes that Python itself takes for private, reserved or multicast."""
    if Addresses().refusal(str(address)) is None:
        parsed = ip_address(str(address))
        assert parsed.is_global
        assert not parsed.is_multicast


def test_allowed_networks_are_let_in_and_nothing_else() -> None:
    """The networks of a setting are let in, and nothing else."""
    addresses = Addresses.parse(" 127.0.0.0/8, ::1 ,")
    assert addresses.refusal("127.9.9.9") is None
    assert addresses.refusal("::1") is None
    assert addresses.refusal("10.0.0.1") == "private"
    assert addresses.refusal("::ffff:127.0.0.1") == "IPv4 in disguise"


@pytest.mark.parametrize("text", ["localhost", "127.0.0.1/8", "1.2.3", "::/129"])
def test_a_setting_that_is_no_network_is_refused(text: str) -> None:
    """A setting that is no list of networks is refused."""
    with pytest.raises(InputError, match="Write allowed networks"):
        Addresses.parse(text)
