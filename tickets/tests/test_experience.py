"""Experience tells how long comparable tickets of 90 days took, and only if thirty or more ended (section 5)."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone

from tickets.enums import StageKind
from tickets.facts import counting, experience
from tickets.facts.periods import Period
from tickets.models import Ticket
from tickets.record.days import day_of
from tickets.tests.factories import make_process, make_ticket

pytestmark = pytest.mark.django_db
HOUR = 3600


def ended(process, hours, *, days_ago=5, **columns):
    """Make a ticket that ended some days ago, after so many hours."""
    at = timezone.now() - timedelta(days=days_ago)
    ticket = make_ticket(process)
    Ticket.objects.filter(pk=ticket.pk).update(
        created_at=at - timedelta(hours=hours), closed_at=at, stage_kind=StageKind.DONE, **columns
    )
    return ticket


@pytest.fixture
def process():
    cache.clear()
    return make_process("incidencia-tecnica")


def told(process):
    cache.clear()
    list(counting.count_all())
    return experience.of_category(None, process=process.pk)


def test_range_is_the_median_and_nine_in_ten_of_thirty_tickets(process):
    for number in range(30):
        ended(process, 10 + number)
    found = told(process)
    assert found.count == 30
    assert found.low == pytest.approx(24 * HOUR, rel=0.05)
    assert found.high == pytest.approx(36 * HOUR, rel=0.05)


def test_fewer_than_thirty_or_older_ones_and_tests_say_nothing(process):
    for _n in range(29):
        ended(process, 10)
    ended(process, 10, days_ago=95)
    ended(process, 10, is_test=True)
    assert told(process) is None
    ended(process, 10)
    assert told(process).count == 30


def test_category_has_its_own_range(process):
    first, second = process.categories.all()[:2]
    for _n in range(30):
        ended(process, 5, category=first)
        ended(process, 100, category=second)
    list(counting.count_all())
    cache.clear()
    one, other = (experience.of_category(each.pk, process=process.pk) for each in (first, second))
    assert one.high == pytest.approx(5 * HOUR, rel=0.05)
    assert other.low == pytest.approx(100 * HOUR, rel=0.05)


def test_it_is_read_once_an_hour(process, django_assert_num_queries):
    cache.clear()
    with django_assert_num_queries(1):
        experience.of_category(1, process=process.pk)
        experience.of_category(2, process=process.pk)


def test_share_within_counts_the_period_against_the_ninety_days_before(process):
    category = process.categories.first()
    for _n in range(30):
        ended(process, 10, days_ago=40, category=category)
    for hours in (5, 8, 100, 200):
        ended(process, hours, days_ago=3, category=category)
    list(counting.count_all())
    today = day_of(timezone.now())
    assert experience.share_within(Period.ending(today, days=30)) == 0.5
    assert experience.share_within(Period.ending(today - timedelta(days=200), days=30)) is None
