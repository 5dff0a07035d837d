"""The IP address of a request's visitor. `middleware.trusted_proxies` has already set REMOTE_ADDR to it, from
X-Forwarded-For only if a proxy of DESK_TRUSTED_PROXIES sent the request (B23)."""

import ipaddress
import re

from django.http import HttpRequest

UNKNOWN = "unknown"  # no address, or one that cannot be read; all such requests share one rate limit
_WITH_PORT = re.compile(r"\[(?P<v6>[^\]]+)\](?::\d+)?|(?P<v4>[0-9.]+):\d+")


def client_ip(request: HttpRequest) -> str:
    """Return the visitor's address in canonical form, without port; `UNKNOWN` if there is none."""
    address = str(request.META.get("REMOTE_ADDR", "")).strip()
    if match := _WITH_PORT.fullmatch(address):
        address = match["v6"] or match["v4"]
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return UNKNOWN
    return str(getattr(ip, "ipv4_mapped", None) or ip)


def client_network(request: HttpRequest) -> str:
    """Return what identifies one visitor: the IPv4 address or the IPv6 /64 network, which providers give whole to one
    customer."""
    address = client_ip(request)
    if ":" not in address:
        return address
    return str(ipaddress.ip_network(f"{address}/64", strict=False))
