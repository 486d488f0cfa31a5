"""Which addresses outside this service calls. Pure: text and numbers in, a verdict out.

Whoever may register a webhook must not thereby reach what only this machine can: itself, the network that it stands in, what a cloud tells
its machines about themselves. So an address is a strict form of an https URL, taken apart by one expression and put together again from the
parts (no second parser reads it another way), and a verdict is given on every IP address that its name stands for. The sender asks again
before every request, and connects to the very address that was judged.

Some addresses nobody can allow: unspecified, multicast and reserved ones, tunnels that hide another address, and the metadata services of
clouds, which hand out credentials. All others that are not public an operator may allow by name or by network.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, Literal, TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

Fault = Literal["malformed", "credentials", "scheme", "port", "host", "address"]
"""Why a target is refused: its form, what it carries, or where it leads."""

_FORM: Final = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?:(?P<user>[^/?#]*)@)?"
    r"(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>(?:/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?(?:\?[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?)"
)
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER_LIKE: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
_LONGEST: Final = 2048
_LONGEST_HOST: Final = 253
_MOST_PORT: Final = 65_535
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}

_METADATA: Final = frozenset(
    map(
        ip_address,
        (
            "169.254.169.254",
            "169.254.170.2",
            "169.254.169.123",
            "100.100.100.200",
            "168.63.129.16",
            "192.0.0.192",
            "fd00:ec2::254",
            "fd20:ce::254",
        ),
    )
)
_NEVER: Final[tuple[Network, ...]] = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",
            "224.0.0.0/4",
            "240.0.0.0/4",
            "ff00::/8",
            "2001::/32",
            "2002::/16",
            "100::/64",
            "64:ff9b:1::/48",
            "::/96",
        ),
    )
)
_EMBEDDING: Final = tuple(map(ip_network, ("64:ff9b::/96",)))
"""Networks whose last 32 bits are the IPv4 address that is meant (RFC 6052)."""
_UNICAST: Final = ip_network("2000::/3")
"""All of IPv6 that is given out; what lies outside is nobody's address on the internet."""


class TargetRefused(ValueError):
    """The address is not called; ``fault`` says why, and quotes nothing of it."""

    def __init__(self, fault: Fault) -> None:
        """Name the fault."""
        super().__init__(fault)
        self.fault: Fault = fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What the operator allows beside public addresses on the common ports of https."""

    hosts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()
    ports: frozenset[int] = frozenset({443, 8443})
    plain_loopback: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """An address that may be called as far as its form goes; where it leads is judged by ``judge``."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def literal(self) -> Address | None:
        """The IP address, where the host is one."""
        return _literal(self.host)

    @property
    def authority(self) -> str:
        """Host and port as the header ``Host`` has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The whole address, written anew."""
        return f"{self.scheme}://{self.authority}{self.path}"

    @property
    def shown(self) -> str:
        """The address without its query, which may be a secret."""
        path, asked, _ = self.path.partition("?")
        return f"{self.scheme}://{self.authority}{path}{'?…' if asked else ''}"


def target(url: str, reach: Reach) -> Target:
    """Read an address; raise ``TargetRefused``. A host that is an IP address is judged at once."""
    if len(url) > _LONGEST:
        raise TargetRefused("malformed")
    found = _FORM.fullmatch(url)
    if found is None:
        raise TargetRefused("malformed")
    if found["user"] is not None:
        raise TargetRefused("credentials")
    scheme = found["scheme"].lower()
    if scheme not in _DEFAULT_PORTS:
        raise TargetRefused("scheme")
    host = found["host"].strip("[]").lower()
    port = int(found["port"]) if found["port"] else _DEFAULT_PORTS[scheme]
    if not _is_host(host, bracketed=found["host"].startswith("[")):
        raise TargetRefused("host")
    path = found["path"]
    made = Target(scheme, host, port, path if path.startswith("/") else f"/{path}")
    if scheme == "http" and not reach.plain_loopback:
        raise TargetRefused("scheme")
    if not 0 < port <= _MOST_PORT or (port not in reach.ports and not reach.plain_loopback):
        raise TargetRefused("port")
    literal = made.literal
    if literal is not None:
        judge(made, [str(literal)], reach)
    return made


def judge(called: Target, addresses: Sequence[str], reach: Reach) -> list[str]:
    """Give the addresses to connect to, in their order; raise ``TargetRefused`` when the name stands for any that is not to be called.

    One bad address among good ones spoils them all: an honest name has none.
    """
    if not addresses:
        raise TargetRefused("address")
    judged = [_judged(each) for each in addresses]
    for each in judged:
        _refuse(called, each, reach)
    return [str(each) for each in judged]


def _refuse(called: Target, address: Address, reach: Reach) -> None:
    if _never(address):
        raise TargetRefused("address")
    if reach.plain_loopback and address.is_loopback:
        return
    if called.scheme != "https":
        raise TargetRefused("scheme")
    if called.port not in reach.ports:
        raise TargetRefused("port")
    if _public(address):
        return
    if called.host in reach.hosts or any(address in each for each in reach.networks if each.version == address.version):
        return
    raise TargetRefused("address")


def _public(address: Address) -> bool:
    if address.version == _UNICAST.version and address not in _UNICAST:
        return False
    return address.is_global and not address.is_private


def _never(address: Address) -> bool:
    if address in _METADATA or address.is_multicast or address.is_unspecified:
        return True
    return any(address in each for each in _NEVER if each.version == address.version and address != IPv6Address("::1"))


def _judged(text: str) -> Address:
    """Read an address; one that is written inside another is that one."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        raise TargetRefused("address") from None
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if any(address in each for each in _EMBEDDING):
            return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _is_host(host: str, *, bracketed: bool) -> bool:
    """Tell a name or a canonical IP address from the many ways to write an IPv4 address that only some resolvers read."""
    if bracketed:
        return isinstance(_literal(host), IPv6Address)
    if isinstance(_literal(host), IPv4Address):
        return True
    labels = host.split(".")
    return (
        len(host) <= _LONGEST_HOST
        and all(_LABEL.fullmatch(each) for each in labels)
        and not _NUMBER_LIKE.fullmatch(labels[-1])
    )
