"""Drafts of a report: kept between steps, after the session's end and while signing in."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.tests.factories import PASSWORD
from tickets import drafts as kept
from tickets.models import Process, ReportDraft, Ticket

from .factories import DETAILS, png, signed_in
from .guide import PAGO, PLATAFORMA, S2, Guide, hidden

pytestmark = pytest.mark.django_db


def posted(guide: Guide, drawn: str, **values: str) -> dict[str, str]:
    """Return what the page `drawn` posts with `values` typed into it."""
    names = ("carry", "page", "seen", "typed_at")
    return {"tipo": guide.topic} | {name: hidden(drawn, name) for name in names} | values


def autosave(guide: Guide, *, drawn: str = "", **values: str) -> Any:
    return guide.client.post(f"/nuevo/{guide.id}/borrador/", posted(guide, drawn or guide.drawn, **values))


def test_going_back_to_the_type_keeps_the_details(client: Client, guest_process: Process):
    guide = Guide(client, PAGO)

    answer = guide.fill({"title": "A medias"}, ir="tipo")

    assert answer["Location"] == f"/nuevo/{guide.id}/"
    assert "A medias" in guide.page(f"{guide.details}?tipo=prueba-invitados.tramite")


def test_going_back_to_the_details_keeps_the_contact(client: Client, guest_process: Process):
    guide = Guide(client, PAGO)
    guide.fill(DETAILS)

    assert guide.send(email="a medias", phone="12", ir="detalles")["Location"] == guide.details
    assert DETAILS["title"] in guide.page(guide.details)
    assert 'value="a medias"' in guide.page(guide.contact)


def test_draft_is_saved_while_typing(client: Client, guest_process: Process):
    guide = Guide(client, PAGO)
    carry = hidden(guide.drawn, "carry")

    saved = client.post(f"/nuevo/{guide.id}/borrador/", {"tipo": PAGO, "carry": carry, "title": "A med"})

    assert saved.status_code == 204
    assert 'value="A med"' in guide.page(guide.details)


def test_draft_survives_the_end_of_the_session(client: Client, guest_process: Process):
    guide = Guide(client, PAGO)
    guide.fill(DETAILS, files=[png("foto.png")])
    carry = hidden(guide.page(guide.contact), "carry")
    client.cookies.clear()
    Session.objects.all().delete()

    guide.send(email="ana@example.com", carry=carry)

    ticket = Ticket.objects.get()
    assert ticket.title == DETAILS["title"]
    assert ticket.fields["reserva"] == "RS-441720"
    assert [file.name for file in ticket.attachments.all()] == ["foto.png"]


def test_expired_altered_or_foreign_carry_is_ignored(client: Client, guest_process: Process):
    guide = Guide(client, PAGO)
    guide.fill(DETAILS)
    carry = hidden(guide.page(guide.contact), "carry")
    client.cookies.clear()

    altered = client.post(guide.contact, {"email": "ana@example.com", "carry": carry[:-4] + "AAAA"})
    with time_machine.travel(timezone.now() + timedelta(days=4)):
        old = client.post(guide.contact, {"email": "ana@example.com", "carry": carry})
    elsewhere = client.post("/nuevo/otro-borrador/contacto/", {"email": "ana@example.com", "carry": carry})

    assert {altered["Location"], old["Location"], elsewhere["Location"]} == {reverse("portal:report")}
    assert not Ticket.objects.exists()


@pytest.mark.demand("S2.1")
def test_process_that_needs_an_account_asks_sign_in(client: Client, process: Process):
    guide = Guide(client, PLATAFORMA)

    assert "Entra a tu cuenta para seguir" in guide.drawn
    assert f"/cuenta/entrar/?next=/nuevo/{guide.id}/detalles/" in unescape(guide.drawn).replace("%2F", "/")
    guide.fill(S2)
    guide.send(email="ana@example.com")
    assert not Ticket.objects.exists()


@pytest.mark.demand("S2.1")
def test_draft_and_files_survive_signing_in(client: Client, process: Process, customer: User):
    """The details are posted without a session; after signing in they are still there, with their file."""
    EmailAddress.objects.create(user=customer, email=customer.email, verified=True, primary=True)
    guide = Guide(client, PLATAFORMA)
    assert guide.fill(S2, files=[png("foto.png")])["Location"] == guide.contact
    asked = unescape(guide.page(guide.contact))
    assert "Guardamos lo que escribiste." in asked
    sign_in = re.search(r'href="(/cuenta/entrar/\?next=[^"]+)"', asked)[1]

    signed = client.post(sign_in, {"login": customer.email, "password": PASSWORD, "next": guide.contact})
    assert signed["Location"] == guide.contact
    page = guide.page(guide.contact)
    assert "No puedo entrar" in page
    assert "foto.png" in page
    guide.send(email=customer.email, seen="1", notify="on")

    ticket = Ticket.objects.get()
    assert ticket.requester == customer
    assert [(file.name, file.uploader) for file in ticket.attachments.all()] == [("foto.png", customer)]


def test_draft_of_another_account_is_ignored(customer_client: Client, process: Process, stranger: User):
    guide = Guide(customer_client, PLATAFORMA)
    guide.fill(S2)
    carry = hidden(guide.page(guide.contact), "carry")

    answer = signed_in(stranger).post(guide.contact, {"email": "", "carry": carry, "seen": "1"})

    assert answer["Location"] == reverse("portal:report")
    assert not Ticket.objects.exists()


def test_browser_keeps_only_the_newest_drafts(client: Client, guest_process: Process, monkeypatch):
    monkeypatch.setattr(kept, "REPORTS_KEPT", 3)
    guides = [Guide(client, PAGO) for _number in range(4)]
    for guide in guides:
        guide.fill(DETAILS)

    assert ReportDraft.objects.count() == 3
    assert client.get(guides[0].contact)["Location"] == reverse("portal:report")
    assert client.get(guides[-1].contact).status_code == 200


def test_full_browser_deletes_no_drafts_of_others(client: Client, guest_process: Process, monkeypatch):
    monkeypatch.setattr(kept, "REPORTS_KEPT", 1)
    theirs = Guide(Client(), PAGO)
    theirs.fill(DETAILS)
    for _number in range(2):
        Guide(client, PAGO).fill(DETAILS)

    assert theirs.client.get(theirs.contact).status_code == 200


def test_text_with_nul_is_kept_without_it(client: Client, guest_process: Process):
    guide = Guide(client, PAGO)

    assert autosave(guide, title="A me\0dias").status_code == 204
    assert 'value="A medias"' in guide.page(guide.details)


def test_too_long_text_is_refused_and_leaves_the_draft(client: Client, guest_process: Process):
    guide = Guide(client, PAGO)
    autosave(guide, title="Cabe")

    assert autosave(guide, title="x" * (kept.LONGEST + 1)).status_code == 409
    assert 'value="Cabe"' in guide.page(guide.details)


# --- Whose it is ------------------------------------------------------------------------------------------


def test_draft_is_invisible_in_another_browser(client: Client, guest_process: Process):
    guide = Guide(client, PAGO)
    guide.fill(DETAILS)
    stranger = Client()

    assert stranger.get(guide.contact)["Location"] == reverse("portal:report")
    assert DETAILS["title"] not in stranger.get(f"{guide.details}?tipo={PAGO}").content.decode()
    assert "Continúa tu reporte" not in stranger.get("/").content.decode()


def test_carry_in_the_address_gives_no_draft(client: Client, guest_process: Process):
    guide = Guide(client, PAGO)
    guide.fill(DETAILS)
    carry = hidden(guide.page(guide.contact), "carry")

    page = Client().get(guide.details, {"tipo": PAGO, "carry": carry}).content.decode()

    assert DETAILS["title"] not in page


def test_account_continues_its_draft_in_another_browser(customer: User, process: Process):
    first = Guide(signed_in(customer), PLATAFORMA)
    first.fill(S2)

    second = signed_in(customer)

    assert S2["title"] in second.get("/").content.decode()
    assert S2["title"] in second.get(first.details).content.decode()


def test_next_account_in_the_browser_writes_a_draft_of_its_own(
    customer_client: Client, customer: User, process: Process, stranger: User
):
    """The first person's session ended without signing out; the second person opens the same address."""
    guide = Guide(customer_client, PLATAFORMA)
    guide.fill(S2)
    customer_client.force_login(stranger)

    assert S2["title"] not in guide.page(f"{guide.details}?tipo={PLATAFORMA}")
    guide.fill({"title": "Lo mío", "description": "Otra cosa."})

    assert ReportDraft.objects.get(owner=customer).values["title"] == [S2["title"]]
    assert ReportDraft.objects.get(owner=stranger).values["title"] == ["Lo mío"]


def test_signing_out_hides_the_drafts(customer_client: Client, process: Process):
    guide = Guide(customer_client, PLATAFORMA)
    guide.fill(S2)
    assert settings.DESK_VISITOR_COOKIE_NAME in customer_client.cookies

    customer_client.post(reverse("account_logout"))

    assert "Continúa tu reporte" not in guide.page("/")
    assert S2["title"] not in customer_client.get(guide.contact, follow=True).content.decode()


@pytest.mark.parametrize("proof", [True, False])
def test_draft_of_an_account_is_not_shown_after_its_session(
    customer_client: Client, customer: User, guest_process: Process, proof: bool
):
    """The session ended without signing out; whoever comes next at the browser has its cookie, and perhaps its page.
    What the person goes on writing in their page is kept for them."""
    guide = Guide(customer_client, PAGO)
    guide.fill(DETAILS)
    page = guide.page(guide.details)
    Session.objects.all().delete()

    for address in ("/", guide.details, f"{guide.details}?tipo={PAGO}", guide.contact):
        assert DETAILS["title"] not in customer_client.get(address, follow=True).content.decode()
    if not proof:
        return
    data = posted(guide, page, **DETAILS | {"title": "Lo terminé después"})
    answer = customer_client.post(guide.details, data)
    assert answer["Location"].startswith(reverse("account_login"))
    sent = customer_client.post(guide.contact, {"email": "otra@example.com", "carry": data["carry"]})
    assert sent["Location"].startswith(reverse("account_login"))
    assert not Ticket.objects.exists()
    assert DETAILS["title"] not in customer_client.get("/").content.decode()
    assert "Lo terminé después" in signed_in(customer).get(guide.details).content.decode()


# --- Several tabs -----------------------------------------------------------------------------------------


def test_two_tabs_of_one_report_lose_neither_text(client: Client, guest_process: Process):
    guide = Guide(client, PAGO)
    other = guide.page(f"{guide.details}?tipo={PAGO}")
    autosave(guide, title="En la primera")

    answer = autosave(guide, drawn=other, title="En la segunda")

    assert answer["Desk-Draft-Overwritten"] == "1"
    page = guide.page(guide.details)
    assert 'value="En la segunda"' in page
    assert "Escribiste este reporte en dos pestañas." in page
    assert (
        client.post(guide.details, posted(guide, page, ir="otra", title="En la segunda")).status_code == 302
    )
    page = guide.page(guide.details)
    assert 'value="En la primera"' in page
    client.post(guide.details, posted(guide, page, ir="otra", title="En la primera"))
    assert 'value="En la segunda"' in guide.page(guide.details)


def test_one_tab_after_the_other_is_no_conflict(client: Client, guest_process: Process):
    guide = Guide(client, PAGO)
    autosave(guide, title="En la primera")
    later = guide.page(guide.details)

    answer = autosave(guide, drawn=later, title="En la segunda")

    assert "Desk-Draft-Overwritten" not in answer
    assert "Escribiste este reporte en dos pestañas." not in guide.page(guide.details)


def test_save_that_arrives_late_undoes_nothing(client: Client, guest_process: Process):
    guide = Guide(client, PAGO)
    autosave(guide, title="La puerta no abre", typed_at="2000")

    autosave(guide, title="La pue", typed_at="1000")

    assert 'value="La puerta no abre"' in guide.page(guide.details)


def test_save_after_sending_brings_no_draft_back(client: Client, guest_process: Process):
    guide = Guide(client, PAGO)
    guide.fill(DETAILS)
    guide.send(email="ana@example.com")

    assert autosave(guide, title="Tarde").status_code == 409
    assert "Continúa tu reporte" not in guide.page("/")
    assert guide.page(guide.done).count(Ticket.objects.get().folio) >= 1


# --- Coming back ------------------------------------------------------------------------------------------


def test_home_offers_to_continue_and_to_discard_with_undo(client: Client, guest_process: Process):
    guide = Guide(client, PAGO)
    autosave(guide, title="A medias")

    page = unescape(guide.page("/"))
    assert "Continúa tu reporte" in page
    assert f'href="{guide.details}"' in page
    gone = client.post(f"/nuevo/{guide.id}/descartar/")
    page = unescape(guide.page(gone["Location"]))
    assert "Continúa tu reporte" not in page
    assert "Descartamos tu reporte «A medias»." in page
    client.post(f"/nuevo/{guide.id}/recuperar/")

    assert "Continúa tu reporte" in guide.page("/")


def test_home_offers_no_report_without_text_and_files(client: Client, guest_process: Process):
    guide = Guide(client, PAGO)
    autosave(guide, title="A")
    autosave(guide, title="")
    assert "Continúa tu reporte" not in guide.page("/")

    client.post(f"/nuevo/{guide.id}/archivos/?tipo={PAGO}", {"file": png()})
    assert "Continúa tu reporte" in guide.page("/")


def test_stranger_cannot_discard_a_draft(client: Client, guest_process: Process):
    guide = Guide(client, PAGO)
    autosave(guide, title="A medias")

    Client().post(f"/nuevo/{guide.id}/descartar/")

    assert "Continúa tu reporte" in guide.page("/")


def test_next_person_at_the_browser_cannot_discard_an_accounts_draft(
    customer_client: Client, customer: User, guest_process: Process
):
    """The page of a session that has ended proves the draft, so that its text is kept, and not that it may go."""
    guide = Guide(customer_client, PAGO)
    guide.fill(DETAILS)
    carry = posted(guide, guide.page(guide.details))["carry"]
    Session.objects.all().delete()

    answer = customer_client.post(f"/nuevo/{guide.id}/descartar/", {"carry": carry})

    assert answer["Location"].startswith(reverse("account_login"))
    assert "Continúa tu reporte" in signed_in(customer).get("/").content.decode()


def test_sent_and_empty_reports_are_not_offered(client: Client, guest_process: Process):
    Guide(client, PAGO)
    sent = Guide(client, PAGO)
    sent.fill(DETAILS)
    sent.send(email="ana@example.com")

    assert "Continúa tu reporte" not in sent.page("/")


def test_draft_of_a_withdrawn_topic_asks_for_another(client: Client, guest_process: Process):
    guide = Guide(client, PAGO)
    guide.fill(DETAILS)
    guest_process.categories.filter(key="pago").update(is_active=False)

    page = client.get(guide.details, follow=True).content.decode()

    assert "Ese tipo de solicitud ya no está disponible. Elige otro." in page
    assert DETAILS["title"] in guide.page(f"{guide.details}?tipo=prueba-invitados.tramite")


def test_home_costs_the_same_with_many_drafts(
    client: Client, guest_process: Process, django_assert_num_queries
):
    autosave(Guide(client, PAGO), title="Uno")
    client.get("/")  # what cases took is read once an hour
    with CaptureQueriesContext(connection) as one:
        client.get("/")
    cost = len(one)
    for number in range(10):
        autosave(Guide(client, PAGO), title=f"Otro {number}")

    with django_assert_num_queries(cost):
        assert client.get("/").content.decode().count("/descartar/") == 3


def test_contact_is_saved_while_typing(client: Client, guest_process: Process):
    guide = Guide(client, PAGO)
    assert client.post(f"/nuevo/{guide.id}/borrador/", {"email": "ana@"}).status_code == 409
    guide.fill(DETAILS)

    assert client.post(f"/nuevo/{guide.id}/borrador/", {"email": "ana@", "phone": "12"}).status_code == 204

    assert 'value="ana@"' in guide.page(guide.contact)


def test_refused_form_posted_by_script_leaves_the_address(client: Client, guest_process: Process):
    guide = Guide(client, PAGO)
    htmx = {"HX-Request": "true", "HX-Target": "contenido"}

    refused = client.post(guide.details, posted(guide, guide.drawn, title="Sin más"), headers=htmx)
    accepted = client.post(guide.details, posted(guide, guide.drawn, **DETAILS), headers=htmx)

    assert refused.status_code == 422
    assert (accepted.status_code, accepted["HX-Redirect"]) == (200, guide.contact)


@pytest.mark.parametrize(("days", "left"), [(6, {"guest", "account"}), (8, {"account"}), (31, set())])
def test_old_drafts_are_deleted(customer: User, days: int, left: set[str]):
    changed = timezone.now() - timedelta(days=days)
    for code, owner in (("guest", None), ("account", customer)):
        ReportDraft.objects.create(code=code, visitor="v", owner=owner, updated_at=changed)
    ReportDraft.objects.create(
        code="discarded", visitor="v", owner=customer, updated_at=changed, discarded_at=changed
    )

    kept.forget_old_drafts()

    assert set(ReportDraft.objects.values_list("code", flat=True)) == left
