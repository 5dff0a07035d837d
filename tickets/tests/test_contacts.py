"""Standing, linked accounts, contact log and closing checklist (S2.9, S2.14, S2.22, S2.44–S2.46)."""

from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from accounts.enums import Standing
from accounts.models import User
from accounts.tests.factories import make_user
from content.errors import InvalidData
from content.text import fold
from tickets.closing.checklist import tick_checklist
from tickets.closing.contact_log import log_contact
from tickets.enums import ContactKind, ContactOutcome
from tickets.exceptions import GuardFailed, NotAllowed
from tickets.models import ContactEntry, Ticket
from tickets.requesters.accounts import claim_guest_tickets, link_account
from tickets.requesters.standing import apply_standing, check_standing
from tickets.tests.playing import START
from tickets.workflow import asks
from tickets.workflow.step import Step

S0, S2 = "incidencia-tecnica", "soporte-con-aprobacion"


def test_standing_since_is_the_desks_local_date(play):
    p = play(S2).later(hours=12)  # 21:00 in Caracas, already the next day in UTC
    with timezone.override(ZoneInfo("Asia/Tokyo")):
        check_standing(p.ticket, actor=p.agent, standing=Standing.INACTIVE)
    p.customer.refresh_from_db()
    assert p.customer.standing_since == START.date() != timezone.now().date()


@pytest.mark.demand("S2.9")
def test_check_standing_updates_requester_and_records_event(play):
    p = play(S2)
    check_standing(p.ticket, actor=p.agent, standing=Standing.INACTIVE, key="k")
    check_standing(p.ticket, actor=p.agent, standing=Standing.INACTIVE, key="k")
    p.refresh()
    p.customer.refresh_from_db()
    assert (p.customer.standing, p.customer.standing_since) == ("inactive", p.ticket.created_at.date())
    assert (p.ticket.standing_checked_at, p.last.data) == (p.ticket.created_at, {"standing": "inactive"})
    assert (len(p.events), p.last.is_public) == (2, False)


def test_check_standing_needs_an_account(play):
    p = play(S2, filed_by="staff")
    with pytest.raises(GuardFailed, match="no tiene cuenta"):
        check_standing(p.ticket, actor=p.agent, standing=Standing.ACTIVE)


def test_contact_verbs_refuse_everybody_but_ticket_staff(play):
    p = play(S2)
    for actor in (p.customer, p.stranger, p.outsider):
        for verb, options in (
            (check_standing, {"standing": Standing.ACTIVE}),
            (log_contact, {"kind": ContactKind.CALL, "outcome": ContactOutcome.FAILED}),
            (tick_checklist, {"item": "respuesta"}),
            (link_account, {"user": p.stranger}),
        ):
            with pytest.raises(NotAllowed):
                verb(p.ticket, actor=actor, **options)
    assert len(p.events) == 1


@pytest.mark.demand("S2.22", "S2.45", "S2.46")
def test_contact_has_outcome_evidence_and_author(play):
    p = play(S2)
    for _twice in range(2):
        log_contact(
            p.ticket, actor=p.agent, kind=ContactKind.WHATSAPP, outcome=ContactOutcome.SUCCESSFUL,
            url="https://wa.me/c/1", note="Confirmó\r\nBcc: x", key="k",
        )  # fmt: skip
    entry = ContactEntry.objects.get()
    assert (entry.url, entry.note, entry.by, entry.at) == (
        "https://wa.me/c/1", "Confirmó Bcc: x", p.agent, p.ticket.created_at,
    )  # fmt: skip
    assert p.refresh().events.filter(kind="contact").count() == 1


@pytest.mark.parametrize(
    ("kind", "url", "note", "field"),
    [
        (ContactKind.WHATSAPP, "", "", "url"),
        (ContactKind.WHATSAPP, "ya hablé con él", "", "url"),
        (ContactKind.WHATSAPP, "javascript:alert(1)", "", "url"),
        (ContactKind.CALL, "javascript:alert(1)", "", "url"),
        (ContactKind.WHATSAPP, "https://wa.me/" + "x" * 300, "", "url"),
        (ContactKind.CALL, "", "x" * 301, "note"),
    ],
)
def test_contact_with_wrong_evidence_is_refused(play, kind, url, note, field):
    p = play(S2)
    with pytest.raises(InvalidData) as refused:
        log_contact(p.ticket, actor=p.agent, kind=kind, outcome=ContactOutcome.SUCCESSFUL, url=url, note=note)
    assert refused.value.errors.keys() == {field}
    assert not ContactEntry.objects.exists()


@pytest.mark.demand("S2.44", "S2.45", "S2.46")
def test_checklist_item_needs_its_contact_first(play):
    p = play(S2)
    for item, kind, sentence in (
        ("llamada", ContactKind.CALL, "Registra primero la llamada al solicitante."),
        ("whatsapp", ContactKind.WHATSAPP, "Registra primero la conversación por WhatsApp, con su enlace."),
    ):
        with pytest.raises(GuardFailed, match=sentence):
            p.tick(item)
        p.contact(kind).tick(item)
    assert p.ticket.checklist_entries.count() == 2
    with pytest.raises(InvalidData):
        p.tick("otra-cosa")


def test_untick_is_recorded_but_repeated_tick_is_not(play):
    p = play(S2).tick("respuesta").tick("respuesta")
    assert p.ticket.checklist_entries.get().done_by == p.colleague
    tick_checklist(p.ticket, actor=p.agent, item="respuesta", done=False)
    p.refresh()
    assert [event.data["done"] for event in p.events if event.kind == "checklist"] == [True, False]
    assert p.ticket.checklist_entries.count() == 0


@pytest.mark.demand("S2.26")
def test_account_is_linked_once(play):
    p = play(S2, filed_by="staff")
    link_account(p.ticket, actor=p.agent, user=p.customer)
    assert (p.refresh().requester, p.ticket.requester_email) == (p.customer, p.customer.email)
    assert p.ticket.requester_folded == fold(f"{p.customer.name}\n{p.customer.email}")
    with pytest.raises(GuardFailed):
        link_account(p.ticket, actor=p.agent, user=p.stranger)


WAYS_TO_SET = {
    "link_account": lambda p, user: link_account(p.ticket, actor=p.agent, user=user),
    "seleccionar_cuenta": lambda p, user: p.do(p.agent, "seleccionar_cuenta", requester=user.email),
    "claim": lambda p, user: claim_guest_tickets(user, verified_email="sin.cuenta@example.com"),
}


@pytest.mark.demand("S2.26")
@pytest.mark.parametrize("way", WAYS_TO_SET)
def test_every_way_to_set_requester_copies_details(play, way):
    p = play(S2, filed_by="staff")
    WAYS_TO_SET[way](p, p.customer)
    p.refresh()
    assert (p.ticket.requester, p.ticket.requester_name, p.ticket.requester_email) == (
        p.customer, p.customer.name, p.customer.email,
    )  # fmt: skip


@pytest.mark.demand("S2.9")
def test_new_requester_clears_the_checked_standing(play):
    p = play(S2)
    now = p.ticket.created_at

    def give(**answers):
        action = p.definition.action("seleccionar_cuenta")
        asks.apply(Step(p.ticket, p.definition, action, p.agent, answers, now))
        return p.ticket.requester, p.ticket.standing_checked_at

    apply_standing(p.ticket, Standing.ACTIVE, now=now)
    assert give(requester=p.customer) == (p.customer, now)
    assert give(requester=p.stranger) == (p.stranger, None)
    assert give(standing="inactive", requester=p.customer) == (p.customer, now)
    assert [User.objects.get(pk=who.pk).standing for who in (p.stranger, p.customer)] == [
        "active",
        "inactive",
    ]


def test_claim_takes_only_tickets_of_that_address(play):
    p, other = play(S0, filed_by="guest"), play(S0, filed_by="guest")
    Ticket.objects.filter(pk=other.ticket.pk).update(requester_email="otra@example.com")
    user = make_user(email="invitada@example.com")
    assert claim_guest_tickets(user, verified_email="INVITADA@example.com") == 1
    assert (p.refresh().requester, other.refresh().requester) == (user, None)
    assert claim_guest_tickets(user, verified_email=user.email) == 0
    assert list(Ticket.objects.visible_to(user)) == [p.ticket]
