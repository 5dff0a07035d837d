"""Guest links: each opens one ticket for one purpose, until it expires or is revoked (B15, B27)."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.tests.factories import make_supervisor, make_user
from content.tokens import hash_token
from tickets.enums import EventKind, Purpose
from tickets.exceptions import EndedLink, InvalidToken
from tickets.models import GuestToken
from tickets.requesters import guests
from tickets.requesters.accounts import link_account
from tickets.tests.factories import make_process, make_ticket
from tickets.tests.playing import prepared

S2 = "soporte-con-aprobacion"


@pytest.mark.demand("S2.6", "S3.9")
@pytest.mark.parametrize("purpose", Purpose)
def test_link_opens_one_ticket_for_one_purpose(play, purpose):
    p = play("incidencia-tecnica", filed_by="guest")
    raw = guests.issue(p.ticket, purpose=purpose, email="Ana@Example.com")
    actor = guests.guest_of(guests.redeem(raw))
    assert (actor.ticket_id, actor.email, actor.name, actor.purpose) == (
        p.ticket.pk, "ana@example.com", "Invitada", purpose,
    )  # fmt: skip


def test_only_the_tokens_digest_is_stored(db):
    raw = guests.issue(make_ticket(), purpose=Purpose.FOLLOW, email="a@b.co")
    row = GuestToken.objects.values().get()
    assert raw not in str(row)
    assert row["digest"] == hash_token(raw)
    assert len(raw) > 40


def test_unknown_expired_and_revoked_links_are_refused_alike(play):
    p = play(S2)
    raw = {
        name: guests.issue(p.ticket, purpose=Purpose.CONTRIBUTE, email=p.ticket.requester_email)
        for name in ("old", "revoked")
    }
    GuestToken.objects.filter(digest=hash_token(raw["old"])).update(expires_at=timezone.now())
    GuestToken.objects.filter(digest=hash_token(raw["revoked"])).update(revoked_at=timezone.now())
    messages = set()
    for secret in (
        *raw.values(),
        "",
        "no-existe",
        raw["old"][:-1],
        hash_token(raw["old"]),
        "\ud800",
        "x" * 10_000,
    ):
        with pytest.raises(InvalidToken) as refused:
            guests.redeem(secret)
        messages.add(str(refused.value.message))
    assert len(messages) == 1


@pytest.mark.parametrize("purpose", Purpose)
def test_link_expires_after_its_lifetime(play, purpose):
    p = play(S2)
    raw = guests.issue(p.ticket, purpose=purpose, email=p.ticket.requester_email)
    p.clock.shift(guests.LIFETIME[purpose] - timedelta(seconds=1))
    assert guests.redeem(raw).ticket == p.ticket
    p.clock.shift(timedelta(seconds=1))
    with pytest.raises(InvalidToken):
        guests.redeem(raw)


def test_redeem_writes_nothing_but_record_use_does(play, django_assert_num_queries):
    """B16: mail scanners open links that nobody clicked."""
    p = play(S2)
    raw = guests.issue(p.ticket, purpose=Purpose.FOLLOW, email=p.ticket.requester_email)
    before = GuestToken.objects.values().get()
    with django_assert_num_queries(1):
        token = guests.redeem(raw)
    assert GuestToken.objects.values().get() == before
    guests.record_use(token)
    assert GuestToken.objects.get().last_used_at == timezone.now()


@pytest.mark.demand("S2.6", "S2.7")
def test_closing_the_contribution_revokes_only_its_links(play):
    p = play(S2)
    p.do(p.supervisor, "preparar", **prepared(p, contribution_open=True))
    links = {
        purpose: guests.issue(p.ticket, purpose=purpose, email=p.ticket.requester_email)
        for purpose in Purpose
    }
    p.contribution(is_open=False)
    with pytest.raises(InvalidToken):
        guests.redeem(links.pop(Purpose.CONTRIBUTE))
    assert {guests.redeem(raw).purpose for raw in links.values()} == set(links)


@pytest.mark.demand("S2.7")
def test_action_with_contribution_off_revokes_its_links(play):
    p = play(S2)
    p.contribution(is_open=True)
    raw = guests.issue(p.ticket, purpose=Purpose.CONTRIBUTE, email=p.ticket.requester_email)
    p.do(p.supervisor, "preparar", **prepared(p))
    assert not p.ticket.contribution_open
    with pytest.raises(InvalidToken):
        guests.redeem(raw)


def test_find_valid_needs_same_ticket_and_purpose(play):
    p, other = play(S2), play(S2)
    kept = {
        (ticket, purpose): guests.redeem(
            guests.issue(ticket, purpose=purpose, email=ticket.requester_email)
        ).pk
        for ticket in (p.ticket, other.ticket)
        for purpose in (Purpose.FOLLOW, Purpose.APPROVE)
    }
    everything = list(kept.values())
    found = guests.find_valid(everything, folio=p.ticket.folio, purposes=[Purpose.APPROVE, Purpose.FOLLOW])
    assert found.pk == kept[p.ticket, Purpose.APPROVE]
    assert guests.find_valid(everything, folio=p.ticket.folio, purposes=[Purpose.SURVEY]) is None
    guests.revoke(p.ticket)
    assert guests.find_valid(everything, folio=p.ticket.folio, purposes=[Purpose.FOLLOW]) is None
    assert guests.find_valid(everything, folio=other.ticket.folio, purposes=[Purpose.FOLLOW]) is not None


def test_send_again_mails_only_the_requesters_address(play):
    p = play("incidencia-tecnica", filed_by="guest")
    before = len(p.events)
    for folio, email in ((p.ticket.folio, "otra@example.com"), ("MA-1", p.ticket.requester_email), ("", "")):
        guests.send_again(folio=folio, email=email)
    assert len(p.events) == before
    guests.send_again(folio=p.ticket.folio.lower(), email=p.ticket.requester_email.upper())
    assert (p.told, p.last.is_public) == ([("requester", "new_link")], False)


def test_linking_account_revokes_links_of_other_addresses(db):
    """B13: a guest filed the ticket, and staff link it to another person's account. The guest may no longer read it."""
    ticket = make_ticket(make_process("incidencia-tecnica"), guest_email="ana@example.com")
    old = guests.issue(ticket, purpose=Purpose.FOLLOW, email="ana@example.com")
    own = guests.issue(ticket, purpose=Purpose.FOLLOW, email="Ana.Ruiz@example.com")

    link_account(ticket, actor=make_supervisor(), user=make_user(email="ana.ruiz@example.com"))

    assert guests.redeem(own).ticket == ticket
    with pytest.raises(InvalidToken):
        guests.redeem(old)


def test_links_stop_when_the_account_is_deactivated(db):
    customer = make_user()
    ticket = make_ticket(requester=customer)
    raw = guests.issue(ticket, purpose=Purpose.APPROVE, email=customer.email)
    token = guests.redeem(raw)
    opening = {"folio": ticket.folio, "purposes": [Purpose.APPROVE]}
    assert guests.find_valid([token.pk], **opening) == token

    customer.is_active = False
    customer.save()

    assert guests.find_valid([token.pk], **opening) is None
    with pytest.raises(InvalidToken):
        guests.redeem(raw)


def test_links_stop_when_the_accounts_address_changes(db):
    """An address that the account no longer has may belong to somebody else by now."""
    customer = make_user(email="antes@example.com")
    ticket = make_ticket(requester=customer)
    old = guests.redeem(guests.issue(ticket, purpose=Purpose.FOLLOW, email=customer.email))

    customer.email = "Ahora@example.com"
    customer.save()

    new = guests.redeem(guests.issue(ticket, purpose=Purpose.FOLLOW, email=customer.email))
    opening = {"folio": ticket.folio, "purposes": [Purpose.FOLLOW]}
    assert guests.find_valid([new.pk], **opening) == new
    assert guests.find_valid([old.pk], **opening) is None
    for email, sent in (("antes@example.com", 0), ("ahora@example.com", 1)):
        guests.send_again(folio=ticket.folio, email=email)
        assert ticket.events.filter(kind=EventKind.LINK).count() == sent


def test_links_to_a_changed_address_say_why_they_ended_and_lead_to_the_next_ticket(db):
    user = make_user("ana@example.com")
    ticket, other = make_ticket(requester=user), make_ticket(requester=user)
    user.email = "ana@example.org"
    user.save()
    raw = guests.issue(ticket, purpose=Purpose.FOLLOW, email=user.email)
    assert guests.link_to(guests.redeem(raw), other).ticket == other
    guests.revoke(ticket)
    with pytest.raises(EndedLink):
        guests.redeem(raw)


def test_request_that_cannot_be_answered_holds_up_no_other(play, monkeypatch):
    p = play("incidencia-tecnica", filed_by="guest")
    send = guests.send_again

    def broken(**asked):
        if asked["folio"] == "MA-0":
            raise ValueError
        send(**asked)

    monkeypatch.setattr(guests, "send_again", broken)
    guests.ask_again(folio="MA-0", email="otra@example.com")
    guests.ask_again(folio=p.ticket.folio, email=f" {p.ticket.requester_email.upper()} ")

    assert (guests.send_asked(), guests.send_asked()) == (2, 0)
    assert p.told == [("requester", "new_link")]
