"""Surveys: the requester rates the desk's work once, after a successful end (S0.25)."""

import pytest

from content.errors import InvalidData
from tickets.closing import surveys
from tickets.enums import Purpose
from tickets.exceptions import GuardFailed, NotAllowed
from tickets.models import Survey, Ticket

S1, S2, S3 = "reparacion-de-dispositivo", "soporte-con-aprobacion", "solicitud-guiada"


def closed(play):
    p = play(S3, filed_by="guest")
    return p.do(p.agent, "empezar").do(p.agent, "completar", solution_done="Listo")


@pytest.mark.demand("S0.25")
@pytest.mark.parametrize("purpose", [Purpose.SURVEY, Purpose.FOLLOW, Purpose.APPROVE])
def test_requester_rates_once(play, purpose):
    p = closed(play)
    assert surveys.is_open(p.ticket)
    first = surveys.rate(p.ticket, actor=p.guest(purpose), score=4, comment=" Bien\x00 ", key="k")
    assert surveys.rate(p.ticket, actor=p.guest(purpose), score=1, key="k") == first
    assert (first.score, first.comment, surveys.is_open(p.ticket)) == (4, "Bien", False)
    with pytest.raises(GuardFailed):
        surveys.rate(p.ticket, actor=p.guest(purpose), score=1, key="k2")
    assert (p.refresh().events.filter(kind="survey").count(), p.last.data) == (1, {"score": 4})
    assert p.last.is_public is False


def test_staff_and_strangers_cannot_rate(play):
    p = closed(play)
    for actor in (p.agent, p.supervisor, p.stranger, p.guest(Purpose.CONTRIBUTE)):
        with pytest.raises(NotAllowed):
            surveys.rate(p.ticket, actor=actor, score=5)
    assert not Survey.objects.exists()


@pytest.mark.parametrize("score", [0, 6, -1])
def test_score_outside_one_to_five_is_refused(play, score):
    p = closed(play)
    with pytest.raises(InvalidData) as refused:
        surveys.rate(p.ticket, actor=p.guest(Purpose.SURVEY), score=score)
    assert refused.value.errors.keys() == {"score"}


def test_too_long_comment_is_refused(play):
    p = closed(play)
    with pytest.raises(InvalidData) as refused:
        surveys.rate(p.ticket, actor=p.guest(Purpose.SURVEY), score=3, comment="x" * 3000)
    assert refused.value.errors.keys() == {"comment"}


def test_open_cancelled_or_unsurveyed_tickets_are_not_rated(play):
    open_one, cancelled, unwanted = (
        play(S2),
        play(S2),
        play(S1, fields={"marca": "LG"}, phone="0212 555 0101"),
    )
    cancelled.do(cancelled.supervisor, "cerrar_prueba")
    unwanted.do(unwanted.colleague, "validar", trabajo="averia", assignee=unwanted.agent)
    unwanted.do(unwanted.agent, "finalizar", solution_done="Listo")
    for p in (open_one, cancelled, unwanted):
        assert not surveys.is_open(p.ticket)
        with pytest.raises(GuardFailed):
            surveys.rate(p.ticket, actor=p.customer, score=5)


def test_tests_and_duplicates_are_not_rated(play):
    other, test, duplicate = play(S2), closed(play), closed(play)
    Ticket.objects.filter(pk=test.ticket.pk).update(is_test=True)
    Ticket.objects.filter(pk=duplicate.ticket.pk).update(duplicate_of=other.ticket)
    assert not surveys.is_open(test.refresh())
    assert not surveys.is_open(duplicate.refresh())
