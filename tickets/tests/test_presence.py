"""Presence: `others_on` returns the other staff who had the ticket open in the last `PRESENCE_SECONDS`."""

from datetime import timedelta

from tickets.lists import presence
from tickets.models import Presence


def seen(play, user):
    return [(each.user, each.is_writing) for each in presence.others_on(play.ticket, user=user)]


def test_others_on_excludes_oneself_and_lists_writers_first(play, django_assert_num_queries):
    p, elsewhere = play("incidencia-tecnica"), play("incidencia-tecnica")
    presence.mark_present(p.ticket, user=p.agent)
    presence.mark_present(p.ticket, user=p.colleague)
    presence.mark_present(p.ticket, user=p.supervisor, is_writing=True)
    presence.mark_present(elsewhere.ticket, user=elsewhere.agent)
    with django_assert_num_queries(1):
        assert seen(p, p.agent)[0] == (p.supervisor, True)
    assert {user for user, _writing in seen(p, p.agent)} == {p.supervisor, p.colleague}
    presence.mark_present(p.ticket, user=p.supervisor)
    assert (p.supervisor, False) in seen(p, p.agent)


def test_presence_expires_and_is_deleted_later(play):
    p = play("incidencia-tecnica")
    version = p.ticket.version
    presence.mark_present(p.ticket, user=p.colleague)
    p.clock.shift(timedelta(seconds=presence.PRESENCE_SECONDS + 1))
    assert seen(p, p.agent) == []
    assert presence.forget_absent() == 0
    p.clock.shift(timedelta(seconds=presence.PRESENCE_SECONDS * 3))
    assert presence.forget_absent() == 1
    assert (Presence.objects.count(), p.refresh().version) == (0, version)
