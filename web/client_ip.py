"""Whose request it is, as far as an address says. Who may say so was decided by `middleware.trusted_proxies`:
REMOTE_ADDR is the visitor's, read from X-Forwarded-For only when a proxy of DESK_TRUSTED_PROXIES sent it (B23)."""

import ipaddress
import re

from django.http import HttpRequest

UNKNOWN = (
    "unknown"  # a socket without address, or a proxy that writes nonsense: all of them share one allowance
)
_WITH_PORT = re.compile(r"\[(?P<v6>[^\]]+)\](?::\d+)?|(?P<v4>[0-9.]+):\d+")


def client_ip(request: HttpRequest) -> str:
    """The visitor's address in its plain form, without port; `UNKNOWN` when there is none."""
    address = str(request.META.get("REMOTE_ADDR", "")).strip()
    if match := _WITH_PORT.fullmatch(address):
        address = match["v6"] or match["v4"]
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return UNKNOWN
    return str(getattr(ip, "ipv4_mapped", None) or ip)


def client_network(request: HttpRequest) -> str:
    """What one visitor can be told apart by: an IPv4 address, or the /64 that every IPv6 customer is given whole."""
    address = client_ip(request)
    if ":" not in address:
        return address
    return str(ipaddress.ip_network(f"{address}/64", strict=False))
