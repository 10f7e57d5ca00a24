"""Which addresses outbound requests may reach: public ones, and the private hosts that the owner names.

The check happens on addresses, never on names: a name says nothing about where it leads, and the ways to write
127.0.0.1 (``2130706433``, ``0x7f.1``, ``::ffff:7f00:1``) are without number.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import quote, urlsplit

from framework.errors import ForbiddenAddress

Address = IPv4Address | IPv6Address

# IANA special-purpose registries (RFC 6890 and updates), multicast, and cloud metadata on public addresses.
_NOT_PUBLIC_V4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT, and Alibaba's metadata at 100.100.100.200
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's wire server
        "169.254.0.0/16",  # link-local, and the metadata address of most clouds
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
_GLOBAL_UNICAST_V6 = IPv6Network("2000::/3")
_NOT_PUBLIC_V6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",
        "2002::/16",  # 6to4 carries any IPv4 address, private ones too
        "3fff::/20",
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")

_PORTS = {"http": 80, "https": 443}
_HOST_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")
_SAFE_IN_TARGET = "%/:=&?~#+!$,;'@()*[]"
_LONGEST_URL = 8192


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public internet. IPv6 wrappings of IPv4 are judged by what they wrap."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address in _NAT64:
            return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
        return address in _GLOBAL_UNICAST_V6 and not any(address in network for network in _NOT_PUBLIC_V6)
    return not any(address in network for network in _NOT_PUBLIC_V4)


@dataclass(frozen=True, slots=True)
class Target:
    """Where a URL leads: what is connected to and what is asked for, from one parse, so that no two can differ."""

    scheme: str
    host: str  # lower case, ASCII, an IPv6 address without brackets
    port: int
    path: str  # with the query, percent-encoded

    @property
    def authority(self) -> str:
        """The value of the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The normalised URL."""
        return f"{self.scheme}://{self.authority}{self.path}"


def parse_target(url: str) -> Target:
    """Take a URL apart. Raises ``ForbiddenAddress`` for anything but a plain http or https URL."""
    if len(url) > _LONGEST_URL:
        raise ForbiddenAddress(url[:100] + "...", f"The address is longer than {_LONGEST_URL} characters")
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ForbiddenAddress(url, "This is no valid web address") from None
    scheme = parts.scheme.lower()
    if scheme not in _PORTS:
        raise ForbiddenAddress(url, f"Only http and https addresses are fetched, not {scheme or 'a bare name'}")
    if parts.username is not None or parts.password is not None:
        shown = f"{scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
        raise ForbiddenAddress(shown, "Addresses with a user name or password inside are not fetched")
    path = quote(parts.path or "/", safe=_SAFE_IN_TARGET)
    query = f"?{quote(parts.query, safe=_SAFE_IN_TARGET)}" if parts.query else ""
    return Target(scheme, _ascii_host(host, url), port or _PORTS[scheme], path + query)


def _ascii_host(host: str, url: str) -> str:
    host = host.removesuffix(".")
    if literal := parse_address(host):
        return str(literal)
    try:
        ascii_host = host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        ascii_host = ""
    if len(ascii_host) > 253 or not _HOST_NAME.fullmatch(ascii_host.lower()):
        raise ForbiddenAddress(url, "The address has no valid host name")
    return ascii_host.lower()


def parse_address(text: str) -> Address | None:
    """An IP address in its standard text form, else ``None``."""
    try:
        return ip_address(text)
    except ValueError:
        return None


class AddressPolicy:
    """Public addresses on the web's ports, plus the hosts that the owner named.

    ``allow_hosts`` holds host names or addresses, alone (every port) or with a port: ``localhost``,
    ``127.0.0.1:8000``, ``[::1]:8000``.
    """

    def __init__(self, allow_hosts: Iterable[str] = ()) -> None:
        self._allowed = frozenset(name.strip().lower().replace("[", "").replace("]", "") for name in allow_hosts)

    def is_allowed_by_name(self, host: str, port: int) -> bool:
        """Whether the owner named this host, so that it may be private and on any port."""
        return host in self._allowed or f"{host}:{port}" in self._allowed

    def check(self, url: str, host: str, port: int, addresses: Iterable[Address]) -> None:
        """Raise ``ForbiddenAddress`` unless every address of ``host`` may be connected to.

        One private address among public ones forbids the host: such a name is being used to get inside.
        """
        if self.is_allowed_by_name(host, port):
            return
        if port < 1024 and port not in _PORTS.values():
            raise ForbiddenAddress(
                url, f"Port {port} is no port of the web; name {host}:{port} in allow_hosts if meant"
            )
        for address in addresses:
            if not is_public(address):
                raise ForbiddenAddress(
                    url, f"{host} leads to {address}, which is not public; name {host} in allow_hosts if that is meant"
                )
