"""The admin: only administrators enter, every list opens, and history cannot be edited."""

import pytest
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.tests.factories import make_administrator, make_agent, make_supervisor
from tickets.models import Message, Ticket, TicketEvent
from tickets.tests.factories import make_ticket

pytestmark = pytest.mark.django_db


def pages() -> list[str]:
    return [
        reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        for model in admin.site._registry
    ]


def test_admin_lists_open_for_an_administrator_with_data(client: Client) -> None:
    ticket = make_ticket(title="Error al inscribir materias")
    client.force_login(make_administrator())
    for page in pages():
        assert client.get(page, {"q": "MA"}).status_code == 200, page
    listed = client.get(reverse("admin:tickets_ticket_changelist"))
    assert ticket.folio in listed.content.decode()


@pytest.mark.parametrize("make", [make_agent, make_supervisor])
def test_admin_is_closed_to_other_staff(client: Client, make) -> None:
    make_ticket(title="Error al inscribir materias")
    client.force_login(make())
    response = client.get(reverse("admin:tickets_ticket_changelist"), follow=True)
    assert "Error al inscribir materias" not in response.content.decode()


@pytest.mark.parametrize("model", [Ticket, TicketEvent, Message])
def test_admin_cannot_edit_history(client: Client, model) -> None:
    make_ticket()
    row = model.objects.get()
    client.force_login(make_administrator())
    base = f"admin:tickets_{model._meta.model_name}"
    assert client.get(reverse(f"{base}_change", args=[row.pk])).status_code == 200
    assert client.post(reverse(f"{base}_change", args=[row.pk]), {"title": "x"}).status_code == 403
    assert client.post(reverse(f"{base}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
    assert model.objects.get() == row


def test_admin_creates_a_person_without_a_password(client: Client) -> None:
    client.force_login(make_administrator())
    data = {"email": "Nueva@Example.com", "name": "Nueva Agente", "role": "agent", "language": "es"}
    client.post(reverse("admin:accounts_user_add"), data)
    user = User.objects.get(email="nueva@example.com")
    assert not user.has_usable_password()
    assert user.is_desk_staff
    assert client.get(reverse("admin:accounts_user_change", args=[user.pk])).status_code == 200


def test_admin_deletes_second_factor_without_showing_its_secret(client: Client) -> None:
    client.force_login(make_administrator())
    agent = make_agent()
    factor = Authenticator.objects.create(
        user=agent, type=Authenticator.Type.TOTP, data={"secret": "S3CRETO"}
    )
    page = reverse("admin:accounts_user_change", args=[agent.pk])
    shown = client.get(page).content.decode()
    assert "Segundo factor" in shown
    assert "S3CRETO" not in shown
    form = client.get(page).context["adminform"].form
    fields = {name: value for name in form.fields if name != "password" and (value := form[name].value())}
    prefix = "authenticator_set"
    formset = {"TOTAL_FORMS": 1, "INITIAL_FORMS": 1, "0-id": factor.pk, "0-user": agent.pk, "0-DELETE": "on"}
    members = {"memberships-TOTAL_FORMS": 0, "memberships-INITIAL_FORMS": 0}
    posted = fields | members | {f"{prefix}-{name}": value for name, value in formset.items()}
    answer = client.post(page, posted)
    assert answer.status_code == 302, answer.context["errors"]
    assert not Authenticator.objects.exists()


def test_admin_has_our_icon_and_no_english_names(client: Client) -> None:
    client.force_login(make_administrator())
    index = client.get(reverse("admin:index")).content.decode()
    assert '<link rel="icon" href="/static/favicon.svg"' in index
    assert "Authenticator" not in index
    assert "MFA" not in index


def test_deactivating_staff_offers_to_hand_over_their_tickets(client: Client) -> None:
    agent = make_agent(name="Ana Pérez")
    ticket = make_ticket()
    Ticket.objects.filter(pk=ticket.pk).update(assignee=agent)
    client.force_login(make_administrator())
    address = reverse("admin:accounts_user_change", args=[agent.pk])
    form = client.get(address).context["adminform"].form
    data = {name: value for name, value in form.initial.items() if value not in (None, [], True)}
    inlines = {}
    for formset in client.get(address).context["inline_admin_formsets"]:
        prefix = formset.formset.prefix
        inlines |= {f"{prefix}-TOTAL_FORMS": 0, f"{prefix}-INITIAL_FORMS": 0}

    page = client.post(address, data | inlines, follow=True)

    agent.refresh_from_db()
    assert not agent.is_active
    text = page.content.decode()
    assert "Ana Pérez tiene 1 ticket abierto, que ahora cuenta como sin asignar." in text
    assert f'href="{reverse("agents:hand_over", args=[agent.pk])}"' in text
