"""Forms that anybody may post: hostile text costs time in proportion to its length, and nothing typed is lost."""

import pytest
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from accounts.validators import validate_address
from content.tests.hostile_text import HOSTILE, assert_grows_linearly, hostile
from tickets.models import Process, Ticket
from tickets.workflow.conversation import MENTION

from .browsing import url
from .factories import DETAILS
from .guide import PAGO, Guide

pytestmark = [pytest.mark.slow, pytest.mark.django_db]
# One text of each kind that costs more than its length somewhere in Unicode, HTML or an address.
KINDS = (
    "marks out of order",
    "marks that decompose",
    "long decompositions",
    "addresses",
    "tags",
    "hidden characters",
)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("url_name", "fields"),
    [
        ("account_login", ("login", "password")),
        ("account_request_login_code", ("email",)),
        ("account_signup", ("email", "name", "phone", "password1")),
        ("account_reset_password", ("email",)),
        ("portal:resend_link", ("folio", "email")),
    ],
)
def test_anonymous_form_costs_what_its_text_costs(
    client: Client, url_name: str, fields: tuple[str, ...], kind: str
):
    def post(size: int) -> None:
        cache.clear()  # no rate limit: it would refuse the second post without reading it
        text = hostile(kind, size)
        assert client.post(reverse(url_name), dict.fromkeys(fields, text)).status_code in (200, 422)

    assert_grows_linearly(post, short=20_000, floor=0.01)


@pytest.mark.parametrize("kind", KINDS)
def test_guide_costs_what_its_text_costs(client: Client, guest_process: Process, kind: str):
    guide = Guide(client, PAGO)

    def fill(size: int) -> None:
        cache.clear()
        assert guide.fill(dict.fromkeys(DETAILS, hostile(kind, size))).status_code == 422

    assert_grows_linearly(fill, short=20_000, floor=0.02)


@pytest.mark.parametrize("kind", HOSTILE)
def test_contact_step_costs_what_its_text_costs(client: Client, guest_process: Process, kind: str):
    guide = Guide(client, PAGO)
    guide.fill(DETAILS)

    def send(size: int) -> None:
        cache.clear()
        text = hostile(kind, size)
        assert guide.send(email=f"a@{text}.co", name=text, phone=text).status_code == 422

    assert_grows_linearly(send, short=20_000, floor=0.02)


@pytest.mark.parametrize("kind", HOSTILE)
def test_address_and_mentions_cost_what_their_text_costs(kind: str):
    def check(size: int) -> None:
        MENTION.findall(f"@{hostile(kind, size)}")
        with pytest.raises(ValidationError):
            validate_address(f"a@{hostile(kind, size)}")

    assert_grows_linearly(check, short=20_000, floor=0.002)


def test_address_of_marks_is_refused_at_once():
    def refuse(size: int) -> None:
        with pytest.raises(ValidationError):
            validate_address("a@" + "\u0301\u0316" * size + ".co")

    assert_grows_linearly(refuse, short=5_000, floor=0.0002)


@pytest.mark.parametrize("query", ["q", "desde", "tipo", "estado", "folio"])
def test_search_and_list_parameters_cost_what_their_text_costs(
    client: Client, guest_process: Process, query: str
):
    addresses = [reverse(f"portal:{name}") for name in ("search", "report", "resend_link", "home")]

    def ask(size: int) -> None:
        for address in addresses:
            for kind in ("marks out of order", "long decompositions"):
                client.get(address, {query: hostile(kind, size)})

    assert_grows_linearly(ask, short=2_000, floor=0.02)


@pytest.mark.parametrize("text", ["No abre. " * 3_000, "\u0301\u0316" * 350_000], ids=["words", "marks"])
def test_refused_text_stays_in_the_form_with_the_reason(client: Client, guest_process: Process, text: str):
    guide = Guide(client, PAGO)
    typed = f"Hola {text}"

    answer = guide.fill(DETAILS | {"description": typed})

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "caracteres y caben 20000" in page
    assert typed in page
    assert DETAILS["title"] in page


def test_reply_with_too_many_marks_is_sent_without_them(in_work: Ticket, customer_client: Client):
    customer_client.post(url(in_work, "responder/"), {"body": "Z" + "\u0301\u0316" * 2_000 + "algo"})

    body = in_work.messages.last().body
    assert body.endswith("algo")
    assert len(body) < 40
