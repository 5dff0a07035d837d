import re

import pytest

from accounts.models import User
from accounts.tests.factories import make_agent, make_user
from tickets import reply_address
from tickets.models import Ticket
from tickets.tests.factories import make_ticket

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def reply_domain(settings):
    settings.DESK_REPLY_DOMAIN = "Responde.example.com"


def address_of(ticket: Ticket, user: User | None = None) -> str:
    email = user.email if user else ticket.requester_email
    return reply_address.make(ticket, user=user, email=email)


def test_parse_returns_ticket_and_person():
    ticket, agent = make_ticket(), make_agent()

    sender = reply_address.parse(address_of(ticket, agent))

    assert sender == reply_address.Sender(ticket, agent, agent.email)


def test_guest_address_means_the_requester_email():
    ticket = make_ticket()

    sender = reply_address.parse(address_of(ticket))

    assert sender == reply_address.Sender(ticket, None, ticket.requester_email)


def test_address_is_short_and_case_insensitive():
    ticket, agent = make_ticket(), make_agent()
    address = address_of(ticket, agent)

    assert reply_address.parse(f" {address.upper()} ") == reply_address.parse(address)
    ticket.pk, agent.pk = 10**9, 10**8
    assert len(address_of(ticket, agent).partition("@")[0]) <= 64  # RFC 5321, 4.5.3.1.1
    assert re.fullmatch(r"respuesta\+\d+\.u\d+\.[a-z2-7]{24}@Responde\.example\.com", address)


def test_changed_hash_is_rejected():
    """A forged address must not be accepted (B12)."""
    ticket, agent = make_ticket(), make_agent()
    address = address_of(ticket, agent)
    mac = address.partition("@")[0][-24:]
    flipped = ("b" if mac[0] == "a" else "a") + mac[1:]

    assert reply_address.parse(address.replace(mac, flipped)) is None


@pytest.mark.parametrize("swap", ["ticket", "person", "guest"])
def test_hash_of_one_address_is_invalid_in_another(swap):
    ticket, other_ticket = make_ticket(), make_ticket()
    agent, other_agent = make_agent(), make_agent()
    address = address_of(ticket, agent)
    changed = {
        "ticket": address.replace(f"+{ticket.pk}.", f"+{other_ticket.pk}."),
        "person": address.replace(f".u{agent.pk}.", f".u{other_agent.pk}."),
        "guest": address.replace(f".u{agent.pk}.", ".g."),
    }[swap]

    assert changed != address
    assert reply_address.parse(changed) is None


def test_address_of_inactive_user_is_rejected():
    ticket, agent = make_ticket(), make_agent()
    address = address_of(ticket, agent)
    agent.is_active = False
    agent.save()

    assert reply_address.parse(address) is None


def test_address_is_rejected_after_email_change():
    ticket, user = make_ticket(), make_user()
    address = address_of(ticket, user)
    user.email = "otra@example.com"
    user.save()

    assert reply_address.parse(address) is None


def test_address_survives_a_key_rotation(settings):
    ticket, agent = make_ticket(), make_agent()
    address = address_of(ticket, agent)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "otra clave, también bastante larga y nada adivinable"

    assert reply_address.parse(address) is not None
    assert address_of(ticket, agent) != address

    settings.SECRET_KEY_FALLBACKS = []
    assert reply_address.parse(address) is None


@pytest.mark.parametrize(
    "address",
    [
        "",
        "soporte@responde.example.com",
        "respuesta+1.u1.aaaaaaaaaaaaaaaaaaaaaaaa@otro.example.com",
        "respuesta+1.u1.aaaaaaaaaaaaaaaaaaaaaaaa@responde.example.com",
        "respuesta+99999999999999999999.g.aaaaaaaaaaaaaaaaaaaaaaaa@responde.example.com",
        "respuesta+١.g.aaaaaaaaaaaaaaaaaaaaaaaa@responde.example.com",
        "respuesta+1.g.@responde.example.com",
        "respuesta+1.g.aaaaaaaaaaaaaaaaaaaaaaaa@responde.example.com\r\nBcc: x@y.z",
    ],
)
def test_malformed_address_is_rejected(address):
    make_ticket()

    assert reply_address.parse(address) is None


def test_support_address_is_used_without_reply_domain(settings):
    settings.DESK_REPLY_DOMAIN = ""
    ticket = make_ticket()

    assert address_of(ticket) == settings.DESK_SUPPORT_EMAIL
    assert reply_address.parse("respuesta+1.g.aaaaaaaaaaaaaaaaaaaaaaaa@") is None
