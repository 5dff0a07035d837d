"""Customers read how long cases like theirs took, apart from what is promised (section 5 of the supervisor's desk)."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.tests.factories import make_user
from tickets.enums import StageKind
from tickets.facts import counting
from tickets.models import Ticket
from tickets.tests.factories import make_process, make_ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def category():
    """A category of which thirty tickets ended after forty hours each."""
    process = make_process("incidencia-tecnica")
    category = process.categories.first()
    at = timezone.now() - timedelta(days=5)
    for _n in range(30):
        ticket = make_ticket(process)
        Ticket.objects.filter(pk=ticket.pk).update(
            created_at=at - timedelta(hours=40), closed_at=at, stage_kind=StageKind.DONE, category=category
        )
    list(counting.count_all())
    cache.clear()
    return category


def test_card_of_the_category_says_how_long_it_took_and_others_do_not(category):
    page = Client().get(reverse("portal:home")).content.decode()
    assert page.count("Casi siempre en 2 días") == 1
    assert str(category) in page


def test_open_ticket_says_it_beside_its_date(category):
    customer = make_user()
    ticket = make_ticket(category.process, requester=customer)
    Ticket.objects.filter(pk=ticket.pk).update(
        category=category, due_at=timezone.now() + timedelta(days=3), is_paused=False
    )
    client = Client()
    client.force_login(customer)
    assert (
        "Casi siempre en 2 días" in client.get(reverse("portal:ticket", args=[ticket.folio])).content.decode()
    )
