"""Linking a guest's ticket to an existing account or to a new one (S2.26, S2.27)."""

import uuid

import pytest
from django.urls import reverse

from accounts.enums import Role
from accounts.models import User
from accounts.tests.factories import make_agent, make_department, make_supervisor, make_user
from tickets.enums import EventKind
from tickets.models import Ticket
from tickets.tests.factories import make_process, make_ticket

from .factories import signed_in, snapshot, text_of

pytestmark = pytest.mark.django_db
GUEST = "sara.nino@example.com"


@pytest.fixture
def ticket() -> Ticket:
    return make_ticket(make_process("incidencia-tecnica"), guest_email=GUEST)


def url(ticket: Ticket) -> str:
    return reverse("agents:ticket_account", args=[ticket.folio])


def new_account(**changes: str) -> dict[str, str]:
    given = {"create": "", "key": str(uuid.uuid4()), "email": GUEST, "name": "Sara Niño", "phone": ""}
    return given | changes


@pytest.mark.demand("S2.26")
def test_existing_account_is_linked_by_its_address(ticket: Ticket):
    customer = make_user(email=GUEST, name="Sara Niño Prieto")
    client = signed_in(make_agent())
    assert "Ya hay una cuenta con el correo del ticket." in text_of(client.get(url(ticket)))

    response = client.post(url(ticket), {"link": "", "key": str(uuid.uuid4()), "account": GUEST.upper()})
    ticket.refresh_from_db()
    assert response.url == reverse("agents:ticket", args=[ticket.folio])
    assert (ticket.requester, ticket.requester_name) == (customer, "Sara Niño Prieto")
    assert ticket.events.get(kind=EventKind.REQUESTER).data == {"requester": customer.pk}


@pytest.mark.demand("S2.27")
def test_account_is_created_and_its_owner_notified(ticket: Ticket):
    client = signed_in(make_agent())
    data = new_account(phone="+56 9 5555 0101")

    response = client.post(url(ticket), data)
    client.post(url(ticket), data)
    ticket.refresh_from_db()
    created = User.objects.get(email=GUEST)
    assert response.url == reverse("agents:ticket", args=[ticket.folio])
    assert ticket.requester == created
    assert (created.role, created.name, created.phone) == (Role.CUSTOMER, "Sara Niño", "+56 9 5555 0101")
    assert not created.has_usable_password()
    event = ticket.events.get(kind=EventKind.REQUESTER)
    assert event.notify == [{"to": "requester", "template": "account_created"}]


def test_address_with_an_account_gets_no_second(ticket: Ticket):
    make_user(email=GUEST)
    client = signed_in(make_supervisor())
    people = User.objects.count()

    response = client.post(url(ticket), new_account())
    assert response.status_code == 422
    assert "Ya hay una cuenta con ese correo" in text_of(response)
    assert "Sara Niño" in text_of(response)
    assert User.objects.count() == people
    assert Ticket.objects.get(pk=ticket.pk).requester is None


def test_form_cannot_set_role_or_standing(ticket: Ticket):
    """B21: posted values that the form does not ask for are ignored."""
    posted = new_account(
        role="administrator", is_superuser="on", password="secreta-2026", standing="inactive"
    )

    signed_in(make_agent()).post(url(ticket), posted)
    created = User.objects.get(email=GUEST)
    assert (created.role, created.is_superuser, created.standing) == (Role.CUSTOMER, False, "active")
    assert not created.has_usable_password()


def test_errors_keep_input_and_create_no_account(ticket: Ticket):
    client, people = signed_in(make_agent()), User.objects.count()

    for change in ({"email": "sin-arroba"}, {"name": ""}, {"phone": "12"}):
        response = client.post(url(ticket), new_account(**change))
        assert response.status_code == 422
        assert response.context["create"].errors.keys() == change.keys()
    missing = client.post(url(ticket), {"link": "", "account": "nadie@example.com"})
    assert "No hay una cuenta con ese correo" in text_of(missing)
    assert "nadie@example.com" in text_of(missing)
    assert User.objects.count() == people


def test_line_breaks_are_removed_from_names(ticket: Ticket):
    """B32: names are written into the headers of mails."""
    signed_in(make_agent()).post(url(ticket), new_account(name="Sara\r\nBcc: otra@example.com"))

    assert User.objects.get(email=GUEST).name == "Sara Bcc: otra@example.com"


def test_only_staff_who_see_the_ticket_have_access(ticket: Ticket):
    Ticket.objects.filter(pk=ticket.pk).update(department=make_department("academico"))
    before, outsider = snapshot(ticket), make_agent(make_department("cca"))

    for person in (make_user(), outsider):
        client = signed_in(person)
        assert client.get(url(ticket)).status_code == 404
        assert client.post(url(ticket), new_account()).status_code == 404
    assert snapshot(ticket) == before
    assert not User.objects.filter(email=GUEST).exists()


def test_get_changes_nothing(ticket: Ticket):
    client, before = signed_in(make_agent()), snapshot(ticket)

    client.get(url(ticket), new_account())
    assert snapshot(ticket) == before
    assert not User.objects.filter(email=GUEST).exists()


def test_account_page_returns_to_preparing(ticket: Ticket):
    client, missed = signed_in(make_supervisor()), f"{url(ticket)}?volver=preparar"
    preparing = reverse("agents:prepare_ticket", args=[ticket.folio])
    page = text_of(client.get(missed))
    assert f'href="{preparing}"' in page
    assert page.count(f'action="{missed}"') == 2

    assert client.post(missed, new_account()).url == preparing
    assert text_of(client.get(preparing)).count("Creamos la cuenta de Sara Niño.") == 1
