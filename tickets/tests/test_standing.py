"""The requester's standing, checked by staff (S2.9)."""

from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from accounts.enums import Standing
from accounts.models import User
from tickets.exceptions import GuardFailed
from tickets.requesters.standing import apply_standing, check_standing
from tickets.tests.playing import START
from tickets.workflow import asks
from tickets.workflow.step import Step

S2 = "soporte-con-aprobacion"


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
