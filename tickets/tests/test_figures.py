"""The figures of the side list: kept for some seconds, counted anew for the person who changed a ticket."""

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from accounts.tests.factories import make_agent, make_department, make_supervisor
from tickets.lists import figures, queues
from tickets.lists.figures import count_queues
from tickets.models import Ticket, Turn
from tickets.tests.factories import make_ticket
from tickets.workflow.conversation import add_internal_note
from tickets.workflow.properties import assign

pytestmark = pytest.mark.django_db

SHOWN = [queues.ALL, queues.MINE, queues.UNASSIGNED, queues.CLOSED]


def shown_to(user):
    return figures.figures(SHOWN, user).counts


def test_figures_are_kept_without_a_query(django_assert_num_queries):
    supervisor = make_supervisor()
    make_ticket()
    first = shown_to(supervisor)
    Ticket.objects.filter(pk=make_ticket().pk).update(assignee=supervisor)

    with django_assert_num_queries(0):
        assert shown_to(supervisor) == first == {"todos": 1, "mios": 0, "sin-asignar": 1}
    cache.clear()
    assert shown_to(supervisor) == {"todos": 2, "mios": 1, "sin-asignar": 1}


def test_staff_share_the_groups(django_assert_num_queries):
    first, second = make_supervisor(), make_supervisor()
    make_ticket()
    shown_to(first)
    with django_assert_num_queries(1):  # their own tickets
        assert shown_to(second)["todos"] == 1


def test_supervisors_share_what_is_the_same_for_all(django_assert_num_queries):
    """«Nadie puede actuar» takes four queries to find out who has left, for whoever asks first."""
    shown = [queues.MINE, queues.NOBODY, queues.LATE_REPLIES, queues.ALL]
    first, second = make_supervisor(), make_supervisor()
    late = make_ticket()
    Ticket.objects.filter(pk=late.pk).update(late_reply_at=timezone.now(), assignee=second)
    assert figures.figures(shown, first).counts["mios"] == 0
    with django_assert_num_queries(1):
        found = figures.figures(shown, second).counts
    assert found == {"todos": 1, "mios": 1, "nadie-puede-actuar": 0, "respuestas-en-cerrados": 1}
    agent = make_agent(make_department("cca"))
    Ticket.objects.filter(pk=late.pk).update(department=make_department("juridica"), assignee=None)
    assert figures.figures(shown, agent).counts["respuestas-en-cerrados"] == 0, "an agent's are their own"


def test_figures_end_after_their_seconds(monkeypatch):
    kept = []
    monkeypatch.setattr(cache, "set", lambda key, value, seconds: kept.append(seconds))
    shown_to(make_supervisor())
    assert kept == [figures.KEPT_SECONDS] * 3
    assert figures.KEPT_SECONDS <= 10


def test_person_who_changed_a_ticket_gets_new_figures(django_capture_on_commit_callbacks):
    agent, colleague = make_agent(), make_agent()
    ticket = make_ticket()
    before = {person: shown_to(person) for person in (agent, colleague)}

    with django_capture_on_commit_callbacks(execute=True):
        assign(ticket, actor=agent, assignee=agent)

    assert before[agent]["sin-asignar"] == 1
    assert shown_to(agent) == {"todos": 1, "mios": 1, "sin-asignar": 0}
    assert shown_to(colleague) == before[colleague]


def test_change_that_is_rolled_back_recounts_nothing(
    django_capture_on_commit_callbacks, django_assert_num_queries
):
    agent = make_agent()
    ticket = make_ticket()
    shown_to(agent)
    with django_capture_on_commit_callbacks() as waiting:
        add_internal_note(ticket, actor=agent, body="Una nota")
    assert waiting
    with django_assert_num_queries(0):
        shown_to(agent)


def test_order_of_a_list_needs_no_kept_figures(django_capture_on_commit_callbacks, django_assert_num_queries):
    """Beside a ticket the list is drawn without the figures, and just after a change they are to be counted anew."""
    agent = make_agent()
    ticket = make_ticket()
    Ticket.objects.update(by_arrival=False)
    assert figures.is_by_arrival(queues.ALL, agent) is False
    cache.clear()
    Ticket.objects.update(by_arrival=True)
    assert figures.is_by_arrival(queues.ALL, agent) is True
    with django_capture_on_commit_callbacks(execute=True):
        add_internal_note(ticket, actor=agent, body="Una nota")
    with django_assert_num_queries(1):  # tickets of other departments; the groups are kept
        assert figures.is_by_arrival(queues.ALL, agent) is True


def test_new_department_shows_its_figure_at_once():
    supervisor = make_supervisor()
    figures.figures(queues.queues_for(supervisor), supervisor)
    cca = make_department("cca")
    Ticket.objects.filter(pk=make_ticket().pk).update(department=cca)
    assert (
        figures.figures(queues.queues_for(supervisor), supervisor).counts["departamento-cca"] == 0
    )  # the groups are kept
    cache.clear()
    assert figures.figures(queues.queues_for(supervisor), supervisor).counts["departamento-cca"] == 1


def test_figures_work_without_a_cache():
    supervisor = make_supervisor()
    with override_settings(CACHES={"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}):
        assert shown_to(supervisor)["todos"] == 0
        make_ticket()
        assert shown_to(supervisor)["todos"] == 1


def test_agent_counts_tickets_of_other_departments_once():
    """Those assigned to them and those on which it is their turn, also when both are true."""
    agent = make_agent()
    cca = make_department("cca")
    tickets = [make_ticket() for _ in range(4)]
    Ticket.objects.filter(pk__in=[ticket.pk for ticket in tickets]).update(department=cca)
    hidden, assigned, turn, both = tickets
    Ticket.objects.filter(pk__in=[assigned.pk, both.pk]).update(assignee=agent)
    Turn.objects.bulk_create(
        Turn(ticket=ticket, who=who)
        for ticket, who in ((turn, "role:agent"), (turn, f"person:{agent.pk}"), (both, "role:agent"))
    )
    assert hidden not in Ticket.objects.visible_to(agent)
    assert count_queues(SHOWN, agent) == {"todos": 3, "mios": 2, "sin-asignar": 1}


def ticket_elsewhere(who: str) -> Ticket:
    """Return a ticket of a department without agents, on which it is the turn of `who`."""
    ticket = make_ticket()
    Ticket.objects.filter(pk=ticket.pk).update(department=make_department("cca"))
    Turn.objects.create(ticket=ticket, who=who)
    return ticket


def test_colleagues_share_the_tickets_of_other_departments(django_assert_num_queries):
    first, second = make_agent(), make_agent()
    stranger = make_agent(make_department("juridica"))
    ticket_elsewhere("role:agent")
    ticket_elsewhere(f"person:{second.pk}")
    ticket_elsewhere("department:juridica")

    assert figures.figures(SHOWN, first).elsewhere == 1
    with CaptureQueriesContext(connection) as queries:
        assert figures.figures(SHOWN, second).elsewhere == 2
    assert sum("GROUP BY" in query["sql"] for query in queries) == 1, "that of what is theirs alone"
    assert figures.figures(SHOWN, stranger).elsewhere == 2


@pytest.mark.parametrize("is_kept", [False, True])
def test_agent_with_many_turns_sees_the_same(monkeypatch, is_kept):
    agent = make_agent()
    ticket, hidden = ticket_elsewhere("role:agent"), ticket_elsewhere("department:juridica")
    monkeypatch.setattr(figures, "MANY_ELSEWHERE", 0)
    if is_kept:
        figures.figures(SHOWN, agent)
        agent = User.objects.get(pk=agent.pk)
    assert ticket in Ticket.objects.visible_to(agent)
    before = str(Ticket.objects.visible_to(agent).query)

    assert figures.figures(SHOWN, agent).counts["todos"] == 1

    seen = Ticket.objects.visible_to(agent)
    assert ticket in seen
    assert hidden not in seen
    if connection.vendor == "postgresql":
        assert ("= ANY(ARRAY" in before, "= ANY(ARRAY" in str(seen.query)) == (True, False)
