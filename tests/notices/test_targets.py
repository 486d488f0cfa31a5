"""What is called and what is not: every way known to us of leading a webhook to where its keeper may not go (hard test 57)."""

from dataclasses import replace
from ipaddress import ip_network
from typing import Final

import pytest

from app.notices.targets import Reach, TargetRefused, judge, target

OPEN: Final = Reach()
INSIDE: Final = Reach(
    hosts=frozenset({"hooks.intranet.example"}), networks=(ip_network("10.1.0.0/16"), ip_network("fd00:1::/32"))
)
LOOP: Final = Reach(plain_loopback=True)

TAKEN: Final = [
    ("https://hooks.example.com", "https://hooks.example.com/"),
    ("https://hooks.example.com/", "https://hooks.example.com/"),
    ("HTTPS://Hooks.Example.COM:443/a/b?c=d&e=%20", "https://hooks.example.com/a/b?c=d&e=%20"),
    ("https://hooks.example.com:8443?x", "https://hooks.example.com:8443/?x"),
    ("https://xn--fiqs8s.example/x", "https://xn--fiqs8s.example/x"),
    ("https://93.184.216.34/x", "https://93.184.216.34/x"),
    ("https://[2606:2800:220:1::1]/x", "https://[2606:2800:220:1::1]/x"),
    ("https://hooks.example.com/a@b", "https://hooks.example.com/a@b"),
]

REFUSED: Final = [
    ("", "malformed"),
    ("hooks.example.com", "malformed"),
    ("//hooks.example.com", "malformed"),
    ("https:hooks.example.com", "malformed"),
    ("https://", "malformed"),
    ("https:///x", "malformed"),
    ("https://hooks.example.com/a b", "malformed"),
    ("https://hooks.example.com/\r\nX-Evil: 1", "malformed"),
    ("https://hooks.example.com/#fragment", "malformed"),
    ("https://hooks.example.com\\@127.0.0.1/", "credentials"),
    ("https://hooks.example.com\t/", "malformed"),
    (" https://hooks.example.com/", "malformed"),
    ("https://hooks。example。com/", "malformed"),
    ("https://\uff48ooks.example.com/", "malformed"),
    ("https://①②⑦.0.0.1/", "malformed"),
    ("https://[fe80::1%25eth0]/", "malformed"),
    ("https://hooks.example.com:/", "malformed"),
    ("https://hooks.example.com:99999999/", "malformed"),
    (f"https://hooks.example.com/{'a' * 2048}", "malformed"),
    ("https://user:secret@hooks.example.com/", "credentials"),
    ("https://user@hooks.example.com/", "credentials"),
    ("https://@hooks.example.com/", "credentials"),
    ("https://hooks.example.com@127.0.0.1/", "credentials"),
    ("http://hooks.example.com/", "scheme"),
    ("http://127.0.0.1/", "scheme"),
    ("ftp://hooks.example.com/", "scheme"),
    ("file://localhost/etc/passwd", "scheme"),
    ("gopher://hooks.example.com/", "scheme"),
    ("unix://run/docker.sock", "scheme"),
    ("https://hooks.example.com:22/", "port"),
    ("https://hooks.example.com:0/", "port"),
    ("https://hooks.example.com:65536/", "port"),
    ("https://hooks.example.com:6379/", "port"),
    ("https://.example.com/", "host"),
    ("https://example..com/", "host"),
    ("https://example.com./", "host"),
    ("https://-a.example.com/", "host"),
    (f"https://{'a' * 64}.example.com/", "host"),
    (f"https://{'a.' * 130}com/", "host"),
    ("https://2130706433/", "host"),
    ("https://0x7f000001/", "host"),
    ("https://0x7f.0.0.1/", "host"),
    ("https://0177.0.0.1/", "host"),
    ("https://127.1/", "host"),
    ("https://127.0.1/", "host"),
    ("https://0/", "host"),
    ("https://1.2.3.4.5/", "host"),
    ("https://256.1.1.1/", "host"),
    ("https://[127.0.0.1]/", "host"),
    ("https://[::1/", "malformed"),
    ("https://127.0.0.1/", "address"),
    ("https://[::1]/", "address"),
    ("https://[::ffff:127.0.0.1]/", "address"),
    ("https://[::ffff:7f00:1]/", "address"),
    ("https://10.0.0.1/", "address"),
]

NOT_PUBLIC: Final = [
    "127.0.0.1",
    "127.255.255.254",
    "10.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.1.1",
    "100.64.0.1",
    "100.127.255.255",
    "192.0.2.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "::1",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fd00:1::1",
    "fec0::1",
    "2001:db8::1",
    "::ffff:10.0.0.1",
    "::ffff:127.0.0.1",
    "64:ff9b::a00:1",
    "64:ff9b::7f00:1",
    "4000::1",
]

NOBODY_MAY: Final = [
    "0.0.0.0",  # noqa: S104 — an address that is refused
    "0.1.2.3",
    "::",
    "::ffff:0.0.0.0",
    "224.0.0.1",
    "239.255.255.255",
    "ff02::1",
    "240.0.0.1",
    "255.255.255.255",
    "169.254.169.254",
    "169.254.170.2",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "fd00:ec2::254",
    "2002:7f00:1::",
    "2001:0:53aa:64c:0:7fff:f5ff:fffe",
    "64:ff9b:1::1",
    "::7f00:2",
    "not an address",
    "",
]

EVERYTHING: Final = Reach(
    hosts=frozenset({"hooks.intranet.example"}), networks=(ip_network("0.0.0.0/0"), ip_network("::/0"))
)


@pytest.mark.parametrize(("given", "read"), TAKEN)
def test_a_public_https_address_is_read_and_written_anew(given: str, read: str) -> None:
    assert target(given, OPEN).url == read


@pytest.mark.parametrize(("given", "fault"), REFUSED, ids=[each[0][:60] for each in REFUSED])
def test_everything_else_is_refused_by_its_form(given: str, fault: str) -> None:
    with pytest.raises(TargetRefused) as refused:
        target(given, OPEN)
    assert refused.value.fault == fault
    assert given == "" or given not in str(refused.value)


@pytest.mark.parametrize("address", [*NOT_PUBLIC, *NOBODY_MAY])
def test_a_name_that_leads_inside_is_refused(address: str) -> None:
    called = target("https://hooks.example.com/", OPEN)
    for found in ([address], ["93.184.216.34", address], [address, "2606:2800:220:1::1"]):
        with pytest.raises(TargetRefused) as refused:
            judge(called, found, OPEN)
        assert refused.value.fault == "address"


def test_a_name_that_stands_for_nothing_is_refused() -> None:
    with pytest.raises(TargetRefused):
        judge(target("https://hooks.example.com/", OPEN), [], OPEN)


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::5db8:d822", "::ffff:93.184.216.34"]
)
def test_public_addresses_pass(address: str) -> None:
    assert judge(target("https://hooks.example.com/", OPEN), [address], OPEN)


def test_an_address_inside_another_is_connected_to_as_itself() -> None:
    called = target("https://hooks.example.com/", OPEN)
    assert judge(called, ["::ffff:93.184.216.34", "64:ff9b::5db8:d822"], OPEN) == ["93.184.216.34", "93.184.216.34"]


@pytest.mark.parametrize("address", NOBODY_MAY)
def test_what_nobody_may_allow(address: str) -> None:
    for url in ("https://hooks.intranet.example/", "https://elsewhere.example/"):
        for reach in (EVERYTHING, replace(EVERYTHING, plain_loopback=True)):
            with pytest.raises(TargetRefused):
                judge(target(url, reach), [address], reach)


def test_an_allowed_host_may_be_inside_and_no_other() -> None:
    inside = target("https://hooks.intranet.example/", INSIDE)
    assert judge(inside, ["10.9.9.9", "fd99::1"], INSIDE) == ["10.9.9.9", "fd99::1"]
    with pytest.raises(TargetRefused):
        judge(target("https://hooks.intranet.example.evil.example/", INSIDE), ["10.9.9.9"], INSIDE)


def test_an_allowed_network_is_that_network() -> None:
    called = target("https://hooks.example.com/", INSIDE)
    assert judge(called, ["10.1.2.3", "fd00:1::9"], INSIDE)
    for address in ("10.2.0.1", "fd00:2::1", "127.0.0.1"):
        with pytest.raises(TargetRefused):
            judge(called, [address], INSIDE)
    assert target("https://10.1.0.9/x", INSIDE).host == "10.1.0.9"
    with pytest.raises(TargetRefused):
        target("https://10.2.0.9/x", INSIDE)


def test_loopback_is_a_setting_of_its_own_and_nothing_more() -> None:
    plain = target("http://127.0.0.1:9377/hook", LOOP)
    assert judge(plain, ["127.0.0.1"], LOOP) == ["127.0.0.1"]
    assert judge(target("http://localhost:80/", LOOP), ["::1", "127.0.0.1"], LOOP)
    for url, address, fault in (
        ("http://hooks.example.com/", "93.184.216.34", "scheme"),
        ("http://hooks.example.com/", "10.0.0.1", "scheme"),
        ("https://hooks.example.com:9377/", "93.184.216.34", "port"),
        ("https://hooks.example.com/", "10.0.0.1", "address"),
    ):
        with pytest.raises(TargetRefused) as refused:
            judge(target(url, LOOP), [address], LOOP)
        assert refused.value.fault == fault
    with pytest.raises(TargetRefused):
        judge(plain, ["127.0.0.1", "10.0.0.1"], LOOP)


def test_a_query_is_not_shown() -> None:
    assert target("https://h.example/x?token=abc", OPEN).shown == "https://h.example/x?…"
    assert target("https://h.example/x", OPEN).shown == "https://h.example/x"
