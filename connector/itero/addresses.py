"""Which hosts we talk to: an exact list of scheme, host and port, and never a private address."""

import ipaddress
import re
import socket
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import urlsplit

from connector.itero.errors import ConnectionLost, HostNotAllowed

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_PLAIN = re.compile(r"[\x21-\x5b\x5d-\x7e]+")  # printable ASCII without blank and backslash
_LOOPBACK_NAMES = ("localhost",)


class Origin(NamedTuple):
    """Scheme, host and port, all explicit: two addresses are the same place only if all three are equal."""

    scheme: str
    host: str
    port: int


def read_origin(url: str) -> Origin:
    """The origin of an absolute http(s) URL; raises HostNotAllowed for anything that could be read in two ways."""
    if not _PLAIN.fullmatch(url):
        raise HostNotAllowed("the address holds characters that no address may hold")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise HostNotAllowed("the address cannot be read") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc or "%" in parts.netloc:
        raise HostNotAllowed("the address is not a plain http(s) address")
    return Origin(parts.scheme, parts.hostname, port or (443 if parts.scheme == "https" else 80))


class AllowedHosts:
    """The exact list, plus the two rules that hold for every entry: https, and no private address."""

    def __init__(self, origins: Iterable[Origin], *, allow_loopback: bool) -> None:
        self._origins = frozenset(origins)
        self._allow_loopback = allow_loopback
        for origin in self._origins:
            self._check_scheme(origin)

    def check(self, url: str) -> None:
        """Raise HostNotAllowed unless the URL's scheme, host and port are on the list."""
        origin = read_origin(url)
        if origin not in self._origins:
            raise HostNotAllowed("the address is not on the list of allowed hosts")
        self._check_scheme(origin)

    def _check_scheme(self, origin: Origin) -> None:
        address = _literal(origin.host)
        loopback = origin.host in _LOOPBACK_NAMES or (address is not None and address.is_loopback)
        if origin.scheme != "https" and not (loopback and self._allow_loopback):
            raise HostNotAllowed("the address is not https")
        if address is not None:
            self.check_address(origin.host)

    def check_address(self, text: str) -> None:
        """Raise HostNotAllowed unless an IP address is public (or loopback, where that is allowed)."""
        address = _unwrap(ipaddress.ip_address(text.partition("%")[0]))
        if address.is_loopback and self._allow_loopback:
            return
        if not address.is_global or address.is_multicast or address.is_reserved:
            raise HostNotAllowed("the host name leads to a private address")

    def resolve(self, host: str, port: int) -> list[str]:
        """The addresses of a host; a name of which even one address is private is refused altogether."""
        try:
            # getaddrinfo has no time-out of its own; the system resolver's (5 to 30 s) is the bound here.
            answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise ConnectionLost("the host name was not found") from None
        addresses = list(dict.fromkeys(str(answer[4][0]) for answer in answers))
        for address in addresses:
            self.check_address(address)
        return addresses


def _literal(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _unwrap(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The IPv4 address that an IPv6 one carries inside, since that is where the packets end up."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address
