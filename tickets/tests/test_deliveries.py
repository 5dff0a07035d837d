"""Deliveries: how they are announced, reported and retried."""

import pytest

from accounts.tests.factories import make_agent, make_supervisor
from tickets.enums import DeliveryProblem, DeliveryState, Template
from tickets.exceptions import GuardFailed, NotAllowed
from tickets.models import Delivery
from tickets.record import deliveries
from tickets.tests.factories import make_ticket

pytestmark = pytest.mark.django_db


def make_delivery(**fields) -> Delivery:
    event = make_ticket().events.get()
    row = Delivery(event=event, template=Template.RECEIVED, to_requester=True, email="lucia@example.com")
    [row] = deliveries.announce([row])
    if fields:
        deliveries.report(row.pk, **fields)
    return row


def test_announced_delivery_is_waiting():
    row = make_delivery()

    assert [d.pk for d in row.event.deliveries.all() if d.email == "lucia@example.com"] == [row.pk]
    assert row.state == DeliveryState.WAITING
    assert not row.can_retry


def test_report_stores_the_outcome_and_cuts_detail():
    row = make_delivery(
        state=DeliveryState.FAILED, problem=DeliveryProblem.REFUSED, detail="550 " + "x" * 500
    )

    row.refresh_from_db()
    assert (row.state, row.problem) == (DeliveryState.FAILED, DeliveryProblem.REFUSED)
    assert row.detail == "550 " + "x" * 296


def test_retry_resets_the_delivery_and_sends_retry_asked():
    row = make_delivery(state=DeliveryState.FAILED, problem=DeliveryProblem.REFUSED, detail="550")
    heard = []

    def carrier(delivery, **kwargs):
        heard.append(delivery.pk)

    deliveries.retry_asked.connect(carrier)
    try:
        again = deliveries.retry(row, actor=make_supervisor())
    finally:
        deliveries.retry_asked.disconnect(carrier)

    assert heard == [row.pk]
    assert (again.state, again.problem, again.detail) == (DeliveryState.WAITING, "", "")
    assert again.event.ticket.events.count() == 1


def test_only_supervisors_can_retry():
    row = make_delivery(state=DeliveryState.FAILED)

    for actor in (make_agent(), row.event.ticket.requester):
        with pytest.raises(NotAllowed):
            deliveries.retry(row, actor=actor)
    row.refresh_from_db()
    assert row.state == DeliveryState.FAILED


@pytest.mark.parametrize("state", [DeliveryState.SENT, DeliveryState.WAITING, DeliveryState.WITHHELD])
def test_retry_needs_a_failed_delivery(state):
    row = make_delivery(state=state)

    with pytest.raises(GuardFailed):
        deliveries.retry(row, actor=make_supervisor())
