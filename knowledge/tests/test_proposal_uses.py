"""What the team does with proposals: which count, for how long, and who may set one aside (S3.20)."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.tests.factories import make_agent, make_supervisor, make_user
from knowledge import proposal_uses
from knowledge.exceptions import NotAllowed
from knowledge.models import ProposalUse
from knowledge.proposal_uses import Share, share
from tickets.models import Ticket
from tickets.tests.factories import make_process, make_ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def ticket() -> Ticket:
    return make_ticket(make_process())


def test_share_counts_the_tickets_of_the_last_days():
    boss = make_supervisor()
    for number in range(4):
        proposal_uses.note_taken(make_ticket(make_process()), actor=boss)
        if number == 3:
            ProposalUse.objects.order_by("-pk").update(at=timezone.now() - timedelta(days=91))
    proposal_uses.note_taken(make_ticket(make_process()), actor=boss)
    proposal_uses.set_aside(make_ticket(make_process()), actor=boss)

    assert share() == Share(taken=1, set_aside=1)
    assert share().percent == 50
    assert share(days=100).taken == 5
    assert Share(0, 0).percent == 0


def test_setting_aside_after_taking_says_that_it_was_wrong(ticket: Ticket):
    boss = make_supervisor()
    proposal_uses.note_taken(ticket, actor=boss)
    proposal_uses.set_aside(ticket, actor=boss)

    assert share() == Share(taken=0, set_aside=1)


def test_bringing_back_forgets_no_taking(ticket: Ticket):
    boss = make_supervisor()
    proposal_uses.note_taken(ticket, actor=boss)
    proposal_uses.bring_back(ticket, actor=boss)

    assert share() == Share(taken=1, set_aside=0)


def test_only_who_may_answer_sets_aside(ticket: Ticket):
    for person in (make_user(), make_agent(is_active=False)):
        with pytest.raises(NotAllowed):
            proposal_uses.set_aside(ticket, actor=person)
        with pytest.raises(NotAllowed):
            proposal_uses.bring_back(ticket, actor=person)

    assert not ProposalUse.objects.exists()
