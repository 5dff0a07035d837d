"""Hostile requests by signed-in people: tickets of other departments, and values that no page sends."""

import re
import uuid

import pytest
from django.urls import reverse

from accounts.tests.factories import make_agent, make_department, make_supervisor, make_user
from tickets.models import Ticket
from tickets.tests.factories import make_ticket

from .factories import signed_in, snapshot
from .test_tickets import prepared

pytestmark = pytest.mark.django_db
NONSENSE = ["\x00", "x__y", "9" * 5000, "-1", "²", "'; select 1--"]
PAGES = [
    ("ticket", {}), ("ticket_due", {}), ("ticket_mentions", {}), ("ticket_account", {}), ("ticket_contact", {}),
    ("prepare_ticket", {}), ("ticket_action", {"action": "preparar"}), ("ticket_property", {"name": "assignee"}),
]  # fmt: skip
ACTS = [
    ("ticket_send", {}), ("ticket_draft", {}), ("ticket_pulse", {}), ("ticket_contribution", {}),
    ("ticket_standing", {}), ("ticket_files", {}), ("ticket_checklist", {"item": "x"}),
    ("ticket_retry", {"pk": 1}), ("ticket_file_remove", {"file": uuid.UUID(int=1)}),
]  # fmt: skip


@pytest.fixture
def hidden() -> Ticket:
    """A ticket of a department that the agent does not belong to."""
    ticket = make_ticket(title="Denuncia reservada")
    Ticket.objects.filter(pk=ticket.pk).update(department=make_department("academico"))
    return ticket


@pytest.mark.parametrize(("name", "extra"), PAGES + ACTS)
def test_ticket_of_another_department_is_not_found(hidden: Ticket, name: str, extra: dict):
    """B18, B19: no page shows and no POST changes a ticket that the person may not see."""
    client, before = signed_in(make_agent()), snapshot(hidden)
    url = reverse(f"agents:{name}", kwargs={"folio": hidden.folio, **extra})
    body = {"body": "hola", "mode": "note", "value": "1", "standing": "active", "is_open": "1"}
    answers = [client.post(url, body)] + ([client.get(url)] if (name, extra) in PAGES else [])
    for answer in answers:
        assert answer.status_code in (404, 405)
        assert hidden.title not in answer.content.decode()
    assert snapshot(hidden) == before


def test_ticket_of_another_department_is_never_listed(hidden: Ticket):
    """B19: search by folio, palette, the customer's page and assigning several tickets."""
    agent = make_agent()
    client, before = signed_in(agent), snapshot(hidden)
    pages = [
        reverse("agents:queue_of", args=["todos"]) + f"?q={hidden.folio}",
        reverse("agents:palette") + f"?q={hidden.folio}",
        reverse("agents:customer", args=[hidden.requester_id]),
    ]
    for page in pages:
        for headers in ({}, {"HX-Request": "true"}):
            assert hidden.title not in client.get(page, headers=headers, follow=True).content.decode()
    client.post("/agentes/tickets/asignar/", {"sel": [hidden.folio], "assignee": agent.pk})
    assert snapshot(hidden) == before


def test_customers_cannot_act_on_their_ticket_here(hidden: Ticket):
    """B21: no page of the back office answers a customer, not even about their own ticket."""
    client, before = signed_in(hidden.requester), snapshot(hidden)
    for name, extra in PAGES + ACTS:
        url = reverse(f"agents:{name}", kwargs={"folio": hidden.folio, **extra})
        assert client.post(url, {"body": "x", "mode": "solution", "role": "administrator"}).status_code in (
            404,
            405,
        )
    assert snapshot(hidden) == before


@pytest.mark.parametrize("value", NONSENSE)
def test_hostile_values_crash_nothing(value: str):
    """B1, B36: such values are refused or ignored, and those that PostgreSQL rejects never reach it."""
    ticket, supervisor = make_ticket(requester=make_user()), make_supervisor()
    client = signed_in(supervisor)
    bulk = {"sel": [ticket.folio, value], "assignee": value, "key": value, "next": value}
    assert client.post("/agentes/tickets/asignar/", bulk).status_code == 302
    bulk |= {"assignee": str(supervisor.pk)}
    assert client.post("/agentes/tickets/asignar/", bulk).status_code == 302
    for name in ("ticket_send", "prepare_ticket", "ticket_contact", "ticket_account"):
        url = reverse(f"agents:{name}", kwargs={"folio": ticket.folio})
        names = (
            "mode",
            "body",
            "key",
            "version",
            "quitar",
            "department",
            "assignee",
            "due_at",
            "kind",
            "url",
        )
        assert client.post(url, dict.fromkeys(names, value)).status_code in (200, 302, 422)
    asked = dict.fromkeys(
        ("q", "desde", "severidad", "categoria", "responsable", "proceso", "assignee__password"), value
    )
    page = client.get(reverse("agents:queue_of", args=["todos"]), asked)
    assert page.status_code == 200
    assert "assignee__password" in page.content.decode()  # reported, escaped and ignored
    assert ticket.messages.count() == 1


def test_no_folio_of_a_duplicate_tells_whether_a_hidden_ticket_has_the_same_requester():
    """A hidden ticket of the requester was refused above the form, an unknown folio beside its field."""
    agent, customer = make_agent(), make_user()
    shown = prepared(make_ticket(requester=customer), agent)
    hidden = make_ticket(requester=customer, category="notas")
    foreign = make_ticket(requester=make_user(), category="notas")
    client = signed_in(agent)

    def answer(folio: str) -> tuple[int, str]:
        data = {"duplicate_of": folio, "version": shown.version, "key": "k"}
        response = client.post(reverse("agents:ticket_action", args=[shown.folio, "cancelar"]), data)
        text = response.content.decode().replace(folio, "FOLIO")
        return response.status_code, re.sub(
            r'(csrfmiddlewaretoken|key)" value="[^"]*"|X-CSRFToken[^}]*', "", text
        )

    assert answer(hidden.folio) == answer(foreign.folio) == answer("MA-99999")
    assert answer(f"{hidden.folio} MA-99999") == answer(f"{foreign.folio} MA-99999")
