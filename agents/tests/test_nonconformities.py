"""Nonconformities: supervisors list and review them (S2.30)."""

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.tests.factories import make_agent, make_supervisor, make_user
from tickets.exceptions import NotAllowed
from tickets.models import Nonconformity, Ticket
from tickets.tests.factories import make_ticket

from .factories import signed_in, text_of

pytestmark = pytest.mark.django_db
LIST = "/agentes/inconformidades/"


@pytest.fixture
def supervisor() -> User:
    return make_supervisor(name="Carolina Núñez")


@pytest.fixture
def agent() -> User:
    return make_agent(name="Diego Salazar")


@pytest.fixture
def report(agent: User) -> Nonconformity:
    return Nonconformity.objects.create(
        ticket=make_ticket(), responsible=agent, reason="Sigue fallando: **no** se resolvió <b>nada</b>."
    )


def url(report: Nonconformity) -> str:
    return reverse("agents:nonconformity", args=[report.pk])


@pytest.mark.demand("S2.30")
def test_list_shows_reports_to_review(supervisor: User, report: Nonconformity):
    client = signed_in(supervisor)
    page = text_of(client.get(LIST))

    for fact in (report.ticket.folio, "Diego Salazar", "&lt;b&gt;nada&lt;/b&gt;"):
        assert fact in page
    assert report.ticket.folio not in text_of(client.get(LIST, {"vista": "revisadas"}))


@pytest.mark.demand("S2.30")
def test_review_is_saved_and_moves_the_report(supervisor: User, report: Nonconformity):
    client = signed_in(supervisor)

    response = client.post(url(report), {"review": "Se reabrió el caso y se habló con Diego."})
    report.refresh_from_db()
    assert response.url == LIST
    assert (report.reviewed_by, report.review) == (supervisor, "Se reabrió el caso y se habló con Diego.")
    assert report.ticket.folio not in text_of(client.get(LIST))
    assert report.ticket.folio in text_of(client.get(LIST, {"vista": "revisadas"}))
    assert "Se reabrió el caso" in text_of(client.get(url(report)))


def test_second_review_does_not_replace_the_first(supervisor: User, report: Nonconformity):
    signed_in(supervisor).post(url(report), {"review": "La primera."})

    signed_in(make_supervisor()).post(url(report), {"review": "Otra distinta."})
    report.refresh_from_db()
    assert (report.review, report.reviewed_by) == ("La primera.", supervisor)


def test_empty_review_is_refused(supervisor: User, report: Nonconformity):
    response = signed_in(supervisor).post(url(report), {"review": " \n "})

    assert response.status_code == 422
    assert list(response.context["form"].errors) == ["review"]
    assert Nonconformity.objects.get(pk=report.pk).reviewed_at is None


def test_refused_review_keeps_its_text(
    supervisor: User, report: Nonconformity, monkeypatch: pytest.MonkeyPatch
):
    def refuse(*_args: object, **_kwargs: object) -> None:
        raise NotAllowed

    monkeypatch.setattr("agents.views.nonconformities.review", refuse)
    response = signed_in(supervisor).post(url(report), {"review": "Se habló con Diego."})

    assert response.status_code == 422
    assert str(NotAllowed.default) in text_of(response)
    assert "Se habló con Diego." in text_of(response)


def test_only_supervisors_see_nonconformities(agent: User, report: Nonconformity):
    """Not even the responsible agent sees the pages: they get the report by mail and on the ticket."""
    for person in (agent, make_user(), report.ticket.requester):
        client = signed_in(person)
        assert client.get(LIST).status_code == 404
        assert client.get(url(report)).status_code == 404
        assert client.post(url(report), {"review": "Todo bien"}).status_code == 404
    assert Nonconformity.objects.get(pk=report.pk).reviewed_at is None


def test_get_reviews_nothing(supervisor: User, report: Nonconformity):
    signed_in(supervisor).get(url(report), {"review": "Todo bien"})

    assert Nonconformity.objects.get(pk=report.pk).reviewed_at is None


def test_pages_show_every_report_once(supervisor: User, report: Nonconformity):
    now = timezone.now()
    Nonconformity.objects.bulk_create(
        Nonconformity(
            ticket=report.ticket, reason=f"Motivo {number}", opened_at=now - timedelta(hours=number)
        )
        for number in range(1, 28)
    )
    client = signed_in(supervisor)

    first = client.get(LIST)
    second = client.get(LIST + first.context["page_older"])
    shown = [row.pk for page in (first, second) for row in page.context["page"].rows]
    assert (len(shown), len(set(shown)), len(first.context["page"].rows)) == (28, 28, 25)


@pytest.mark.parametrize("others", [1, 20])
def test_list_query_count_is_constant(supervisor: User, others: int, django_assert_num_queries: Any):
    for _number in range(others):
        Nonconformity.objects.create(ticket=make_ticket(), responsible=make_agent(), reason="No")
    client = signed_in(supervisor)

    with django_assert_num_queries(3):
        page = text_of(client.get(LIST))
    folios = Ticket.objects.values_list("folio", flat=True)
    assert [folio for folio in folios if folio not in page] == []
