"""Keyset pages: every row once, in order, forwards and backwards, even when the cursor's row leaves."""

from datetime import timedelta

import pytest
from django.core.signing import Signer
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from content.keyset import InvalidCursor, paginate
from tickets.lists import queues
from tickets.models import Ticket
from tickets.sla import FAR_FUTURE
from tickets.tests.factories import make_ticket

pytestmark = pytest.mark.django_db
DUE = queues.ORDERS["vence"].keys
ARRIVAL = queues.ORDERS["llegada"].keys


def walk(rows, order, size, *, limit=100):
    pages, cursor = [], ""
    for _step in range(limit):
        page = paginate(rows, order=order, size=size, cursor=cursor)
        pages.append(page)
        cursor = page.older
        if not cursor:
            return pages
    raise AssertionError("the pages do not end")


SMALL_OR_NONE = st.none() | st.integers(min_value=-3, max_value=3)


@pytest.mark.parametrize("order", queues.ORDERS)
@given(
    tickets=st.lists(
        st.tuples(SMALL_OR_NONE, SMALL_OR_NONE, st.booleans(), st.integers(0, 2), st.sampled_from("hc")),
        max_size=9,
    ),
    size=st.integers(1, 4),
)
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_pages_hold_every_row_once_in_order(order, tickets, size):
    Ticket.objects.update(is_test=True)
    template = make_ticket()
    now = timezone.now()
    made = []
    for number, (due, position, paused, age, severity) in enumerate(tickets):
        made.append(
            Ticket(
                folio=f"P-{template.pk}-{number}",
                process_version=template.process_version,
                requester=template.requester,
                stage=template.stage,
                stage_kind=template.stage_kind,
                due_order=FAR_FUTURE if due is None else now + timedelta(days=due),
                queue_position=None if position is None else position + 4,
                is_paused=paused,
                severity={"h": "high", "c": "critical"}[severity],
                created_at=now - timedelta(hours=age),
                updated_at=now - timedelta(hours=age),
            )
        )
    Ticket.objects.bulk_create(made)
    rows = Ticket.objects.filter(folio__startswith=f"P-{template.pk}-")
    keys = queues.ORDERS[order].keys
    expected = list(rows.order_by(*keys).values_list("folio", flat=True))

    pages = walk(rows, keys, size)
    assert [row.folio for page in pages for row in page.rows] == expected
    assert all(len(page) <= size for page in pages)

    back = [pages[-1]]
    while back[0].newer:
        back.insert(0, paginate(rows, order=keys, size=size, cursor=back[0].newer))
    assert [row.folio for page in back for row in page.rows][-len(expected) :] == expected[-len(expected) :]


@pytest.mark.demand("S2.35")
def test_arrival_order_puts_queue_positions_first():
    first, second, third = (make_ticket() for _ in range(3))
    Ticket.objects.filter(pk=third.pk).update(queue_position=1)
    page = paginate(Ticket.objects.all(), order=ARRIVAL, size=10)
    assert page.rows == [third, first, second]


def test_next_page_is_complete_when_cursor_row_leaves():
    tickets = [make_ticket() for _ in range(4)]
    first = paginate(Ticket.objects.all(), order=DUE, size=2)
    assert first.rows == tickets[:2]
    Ticket.objects.filter(pk=tickets[1].pk).update(stage_kind="done")
    second = paginate(Ticket.objects.open(), order=DUE, size=2, cursor=first.older)
    assert second.rows == tickets[2:]


@pytest.mark.parametrize(
    ("emptied", "shown", "newer"), [((4, 5), (2, 3), True), ((2, 3, 4, 5), (0, 1), False)]
)
def test_emptied_next_page_becomes_the_nearest_page(emptied, shown, newer):
    tickets = [make_ticket() for _ in range(6)]
    cursor = paginate(Ticket.objects.all(), order=DUE, size=4).older
    for index in emptied:
        Ticket.objects.filter(pk=tickets[index].pk).update(stage_kind="done")
    page = paginate(Ticket.objects.open(), order=DUE, size=2, cursor=cursor)
    assert (page.rows, page.is_nearest) == ([tickets[index] for index in shown], True)
    assert (bool(page.newer), page.older) == (newer, "")
    if newer:
        assert paginate(Ticket.objects.open(), order=DUE, size=2, cursor=page.newer).rows == tickets[:2]


def test_emptied_previous_page_becomes_the_first_page():
    tickets = [make_ticket() for _ in range(5)]
    second = paginate(
        Ticket.objects.all(),
        order=DUE,
        size=2,
        cursor=paginate(Ticket.objects.all(), order=DUE, size=2).older,
    )
    Ticket.objects.filter(pk__in=[tickets[0].pk, tickets[1].pk]).update(stage_kind="done")
    page = paginate(Ticket.objects.open(), order=DUE, size=2, cursor=second.newer)
    assert (page.rows, page.newer, page.is_nearest) == (tickets[2:4], "", True)
    assert paginate(Ticket.objects.open(), order=DUE, size=2, cursor=page.older).rows == tickets[4:]


def test_page_is_empty_only_if_the_list_is():
    for _ in range(3):
        make_ticket()
    cursor = paginate(Ticket.objects.all(), order=DUE, size=2).older
    page = paginate(Ticket.objects.none(), order=DUE, size=2, cursor=cursor)
    assert (page.rows, page.newer, page.older, page.is_nearest) == ([], "", "", False)


def test_altered_or_foreign_cursor_is_refused():
    for _ in range(3):
        make_ticket()
    cursor = paginate(Ticket.objects.all(), order=DUE, size=2).older
    for wrong in (cursor[:-2] + "zz", "x", "{}", "due_at__lt"):
        with pytest.raises(InvalidCursor):
            paginate(Ticket.objects.all(), order=DUE, size=2, cursor=wrong)
    with pytest.raises(InvalidCursor):
        paginate(Ticket.objects.all(), order=ARRIVAL, size=2, cursor=cursor)
    signer = Signer(salt=f"keyset Ticket {' '.join(DUE)}")
    for outdated in ([False, True], [False, True, "yesterday", 1], [False, True, "2026-02-31", 1], []):
        with pytest.raises(InvalidCursor):
            paginate(Ticket.objects.all(), order=DUE, size=2, cursor=signer.sign_object(outdated))
