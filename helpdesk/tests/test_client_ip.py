"""Read a client's address in one notation, and from a proxy's header only if the proxy is trusted (B23)."""

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from helpdesk.middleware import trusted_proxies
from web.client_ip import UNKNOWN, client_ip, client_network


def address(request: HttpRequest) -> HttpResponse:
    return HttpResponse(client_ip(request))


@pytest.mark.parametrize(
    ("remote", "ip", "network"),
    [
        ("198.51.100.7", "198.51.100.7", "198.51.100.7"),
        ("198.51.100.7:5432", "198.51.100.7", "198.51.100.7"),
        ("::ffff:198.51.100.7", "198.51.100.7", "198.51.100.7"),
        ("2001:DB8:0:1::7", "2001:db8:0:1::7", "2001:db8:0:1::/64"),
        ("[2001:db8:0:1::8]:443", "2001:db8:0:1::8", "2001:db8:0:1::/64"),
        ("fe80::1%eth0", "fe80::1", "fe80::/64"),
        ("", UNKNOWN, UNKNOWN),
        ("nonsense", UNKNOWN, UNKNOWN),
        ("1.2.3.4\r\nX: 1", UNKNOWN, UNKNOWN),
    ],
)
def test_client_ip_has_one_form(rf: RequestFactory, remote, ip, network):
    request = rf.get("/", REMOTE_ADDR=remote)

    assert (client_ip(request), client_network(request)) == (ip, network)


@pytest.mark.parametrize(
    ("remote", "forwarded", "ip"),
    [
        ("203.0.113.9", "198.51.100.7", "203.0.113.9"),  # not a proxy: the header is forged
        ("10.0.0.1", "1.2.3.4, 198.51.100.7", "198.51.100.7"),  # the visitor forged the first address
        ("10.0.0.1", "198.51.100.7:9999, 10.0.0.2", "198.51.100.7"),
    ],
)
def test_client_ip_trusts_only_trusted_proxies(settings, rf: RequestFactory, remote, forwarded, ip):
    settings.DESK_TRUSTED_PROXIES = ["10.0.0.0/8"]
    request = rf.get(
        "/",
        REMOTE_ADDR=remote,
        headers={"X-Forwarded-For": forwarded, "CF-Connecting-IP": "6.6.6.6", "X-Real-IP": "6.6.6.6"},
    )

    assert trusted_proxies(address)(request).content.decode() == ip
