"""Contact log and closing checklist (S2.14, S2.22, S2.44–S2.46)."""

import pytest

from accounts.enums import Standing
from content.errors import InvalidData
from tickets.closing.checklist import tick_checklist
from tickets.closing.contact_log import log_contact
from tickets.enums import ContactKind, ContactOutcome
from tickets.exceptions import GuardFailed, NotAllowed
from tickets.models import ContactEntry
from tickets.requesters.accounts import link_account
from tickets.requesters.standing import check_standing

S2 = "soporte-con-aprobacion"


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
            p.tick(item, by=p.reviewer)
        p.contact(kind).tick(item, by=p.reviewer)
    assert p.ticket.checklist_entries.count() == 2
    with pytest.raises(InvalidData):
        p.tick("otra-cosa", by=p.reviewer)


def test_untick_is_recorded_but_repeated_tick_is_not(play):
    p = play(S2)
    p.tick("respuesta", by=p.supervisor).tick("respuesta", by=p.supervisor)
    assert p.ticket.checklist_entries.get().done_by == p.supervisor
    tick_checklist(p.ticket, actor=p.reviewer, item="respuesta", done=False)
    p.refresh()
    assert [event.data["done"] for event in p.events if event.kind == "checklist"] == [True, False]
    assert p.ticket.checklist_entries.count() == 0


@pytest.mark.demand("S2.45", "S2.46")
@pytest.mark.parametrize(
    ("kind", "outcome", "item", "ticked"),
    [
        (ContactKind.CALL, ContactOutcome.SUCCESSFUL, "llamada", {"llamada"}),
        (ContactKind.WHATSAPP, ContactOutcome.SUCCESSFUL, "whatsapp", {"whatsapp"}),
        (ContactKind.CALL, ContactOutcome.FAILED, "llamada", set()),
        (ContactKind.CALL, ContactOutcome.SUCCESSFUL, "whatsapp", set()),
        (ContactKind.CALL, ContactOutcome.SUCCESSFUL, "nada", set()),
        (ContactKind.CALL, ContactOutcome.SUCCESSFUL, "", set()),
    ],
)
def test_contact_made_for_an_item_ticks_it_if_it_succeeded(play, kind, outcome, item, ticked):
    p = play("soporte-con-aprobacion")
    url = "https://wa.me/chat/1" if kind == ContactKind.WHATSAPP else ""
    log_contact(p.ticket, actor=p.supervisor, kind=kind, outcome=outcome, url=url, item=item)
    assert set(p.ticket.checklist_entries.values_list("item", flat=True)) == ticked


def test_contact_by_somebody_who_may_not_tick_is_only_logged(play):
    p = play("soporte-con-aprobacion")
    done = ContactOutcome.SUCCESSFUL
    log_contact(p.ticket, actor=p.agent, kind=ContactKind.CALL, outcome=done, item="llamada")
    assert (p.ticket.contacts.count(), p.ticket.checklist_entries.count()) == (1, 0)
