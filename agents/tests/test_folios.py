"""Folios in the back office: in the palette, in a queue's search, in an address and in forms."""

import pytest
from django.urls import reverse

from accounts.tests.factories import (
    make_administrator,
    make_agent,
    make_department,
    make_supervisor,
    make_user,
)
from tickets.tests.factories import make_ticket
from tickets.workflow.asks import DuplicateField

from .factories import signed_in
from .test_queues import change, folios_in, of

pytestmark = pytest.mark.django_db
WRITTEN = [
    "#{folio}",
    "ticket {folio}",
    "{lower}",
    "{number}",
    "https://desk.example/tickets/{lower}/?a=1#mensaje-7",
]


def written(form: str, ticket) -> str:
    return form.format(folio=ticket.folio, lower=ticket.folio.lower(), number=ticket.folio.partition("-")[2])


@pytest.mark.parametrize("form", WRITTEN)
def test_search_finds_a_pasted_folio(form):
    ticket, _other = make_ticket(), make_ticket()
    client = signed_in(make_supervisor())
    text = written(form, ticket)
    assert folios_in(client.get(of("todos"), {"q": text})) == [ticket.folio]
    palette = client.get(reverse("agents:palette"), {"q": text})
    assert palette["Location"] == reverse("agents:ticket", args=[ticket.folio])
    options = client.get(
        reverse("agents:palette"), {"q": text}, headers={"HX-Request": "true"}
    ).content.decode()
    assert reverse("agents:ticket", args=[ticket.folio]) in options
    assert options.count("/agentes/tickets/MA-") == 1


def test_search_finds_several_folios_at_once():
    one, two, _three = (make_ticket() for _ in range(3))
    client = signed_in(make_supervisor())
    text = f"{one.folio}, {two.folio}"
    assert set(folios_in(client.get(of("todos"), {"q": text}))) == {one.folio, two.folio}
    assert client.get(reverse("agents:palette"), {"q": text})["Location"].startswith(of("todos"))


def test_search_by_folio_finds_only_visible_tickets():
    hidden = change(make_ticket(), department=make_department("cca"))
    client = signed_in(make_agent())
    assert folios_in(client.get(of("todos"), {"q": hidden.folio})) == []
    palette = client.get(reverse("agents:palette"), {"q": f"#{hidden.folio}"})
    assert palette["Location"].startswith(of("todos"))


@pytest.mark.parametrize("form", ["{lower}", "{number}", "%23{folio}", "MA%E2%80%93{number}"])
@pytest.mark.parametrize("page", ["agents:ticket", "agents:ticket_due", "agents:prepare_ticket"])
def test_address_leads_to_the_folio_as_it_is_stored(form, page):
    ticket = make_ticket()
    right = reverse(page, args=[ticket.folio])
    typed = right.replace(ticket.folio, written(form, ticket)) + "?cola=todos&desde=x"
    client = signed_in(make_supervisor())
    assert client.get(typed)["Location"] == f"{right}?cola=todos&desde=x"
    assert client.get(right).status_code == 200


def test_address_tells_a_stranger_nothing():
    """The redirect depends on the writing alone: tickets that one may not see and tickets that do not exist answer
    alike."""
    hidden = change(make_ticket(), department=make_department("cca"))
    client = signed_in(make_agent())
    for folio in (hidden.folio, "MA-99999"):
        response = client.get(f"/agentes/tickets/{folio.lower()}/")
        assert response["Location"] == f"/agentes/tickets/{folio}/"
        assert client.get(response["Location"]).status_code == 404
    assert client.post(f"/agentes/tickets/{hidden.folio.lower()}/mensajes/").status_code == 404


@pytest.mark.parametrize("form", WRITTEN)
def test_surviving_ticket_is_found_by_a_pasted_folio(form):
    customer = make_user()
    ticket, survivor = make_ticket(requester=customer), make_ticket(requester=customer)
    assert DuplicateField(ticket).clean(written(form, survivor)) == survivor


def test_surviving_ticket_must_be_one_and_of_the_same_requester():
    customer = make_user()
    ticket, one, two = (make_ticket(requester=customer) for _ in range(3))
    strangers = make_ticket()
    for text, told in (
        (f"{one.folio} {two.folio}", "más de un folio"),
        (strangers.folio, "No encontramos"),
        (ticket.folio, "No encontramos"),
    ):
        with pytest.raises(Exception, match=told):
            DuplicateField(ticket).clean(text)
    assert DuplicateField(ticket).clean(f"{one.folio} {strangers.folio}") == one


def test_admin_finds_a_pasted_folio():
    ticket, _other = make_ticket(), make_ticket()
    admin = make_administrator()
    page = signed_in(admin).get(reverse("admin:tickets_ticket_changelist"), {"q": f"#{ticket.folio.lower()}"})
    assert [row.folio for row in page.context["cl"].result_list] == [ticket.folio]
