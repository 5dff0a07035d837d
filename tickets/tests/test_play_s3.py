"""S3 · the guided request, played from the first stage to every end."""

from datetime import timedelta

import pytest

from content.errors import InvalidData
from tickets.enums import PublicState
from tickets.tests.factories import make_process
from tickets.tests.playing import Play, left_unplayed, reopen_both_ways
from tickets.workflow import properties
from tickets.workflow.intake import Requester, file_ticket

KEY = "solicitud-guiada"


def start(play: Play) -> Play:
    return play.do(play.agent, "empezar")


@pytest.mark.demand("S3.2", "S3.12", "S3.13", "S3.14", "S3.16", "S3.17")
def test_full_flow_of_a_request(play):
    p = play(KEY, filed_by="guest")
    assert (p.ticket.public_state, p.ticket.progress) == (PublicState.WAITING, 10)
    assert str(p.ticket.stage_definition.label) == "En espera"
    start(p)
    assert (p.ticket.public_state, p.ticket.progress, p.ticket.assignee) == (
        PublicState.IN_PROGRESS,
        50,
        p.agent,
    )
    p.later(hours=2).do(p.agent, "completar", solution_done="Corregimos la página.")
    assert (p.ticket.public_state, p.ticket.progress) == (PublicState.COMPLETED, 100)
    assert p.told == [("requester", "closed"), ("requester", "survey")]
    assert p.ticket.updated_at - p.ticket.created_at == timedelta(hours=2)


@pytest.mark.demand("S3.12", "S3.13")
def test_first_follow_up_starts_the_request(play):
    p = play(KEY).follow_up("Lo estamos viendo.")
    assert (p.ticket.stage, p.last.action, p.ticket.assignee) == ("en_curso", "primera_respuesta", p.agent)


def test_colleagues_follow_up_keeps_the_assignee(play):
    p = play(KEY)
    properties.assign(p.ticket, actor=p.supervisor, assignee=p.agent)
    p.follow_up("Lo estamos viendo.", actor=p.colleague)
    assert (p.ticket.stage, p.ticket.assignee) == ("en_curso", p.agent)


def test_solution_from_the_composer_completes_the_request(play):
    p = start(play(KEY)).solution("Era un permiso.")
    assert (p.ticket.stage, p.last.action, p.told) == (
        "completado", "completar_con_la_solucion", [("requester", "survey")],
    )  # fmt: skip
    assert p.ticket.messages.filter(kind="solution").count() == 1


@pytest.mark.demand("S3.19")
@pytest.mark.parametrize("started", [False, True])
def test_requester_can_close_the_request(play, started):
    p = play(KEY, filed_by="guest")
    if started:
        start(p)
    p.do(p.requester, "cerrar_mi_solicitud")
    assert (p.ticket.stage, p.last.is_public) == ("completado", True)
    assert p.told == [("assignee", "closed"), ("requester", "survey")]


@pytest.mark.demand("S3.18")
def test_thanks_keep_it_closed_and_reabrir_reopens_it(play):
    p = start(play(KEY)).solution("Era un permiso.")
    p.later(days=1).reply("Gracias.", keep_closed=True)
    assert p.ticket.stage == "completado"  # thanks must not reopen a ticket (LESSONS A13)
    p.do(p.customer, "reabrir", message="Volvió a pasar.")
    assert (p.ticket.stage, p.ticket.closed_at, p.ticket.solution_sent_at) == ("en_curso", None, None)
    assert p.told == [("assignee", "returned"), ("department", "returned")]
    # Reopening withdrew the solution, so the same text is sent again.
    p.do(p.agent, "completar", solution_done="Era un permiso.")
    assert p.ticket.messages.filter(kind="solution").count() == 2


@pytest.mark.demand("S3.7", "S3.9")
def test_guest_needs_address_title_and_description(db):
    process = make_process(KEY)
    with pytest.raises(InvalidData) as refused:
        file_ticket(
            process,
            actor=None,
            category=process.categories.first(),
            requester=Requester(email="ana@"),
            title=" ",
            description="\n",
        )
    assert refused.value.errors.keys() == {"email", "title", "description"}


@pytest.mark.demand("S3.26")
def test_first_response_is_due_within_a_day(play):
    p = play(KEY)
    assert p.ticket.first_response_due_at - p.ticket.created_at == timedelta(hours=24)
    p.later(hours=24)
    assert p.last.kind == "breached"


def test_every_action_and_end_is_played(play, monkeypatch):
    monkeypatch.setattr(Play, "careful", False)  # the tests above ran with the extra checks
    test_full_flow_of_a_request(play)
    test_first_follow_up_starts_the_request(play)
    test_colleagues_follow_up_keeps_the_assignee(play)
    test_requester_can_close_the_request(play, started=False)
    test_thanks_keep_it_closed_and_reabrir_reopens_it(play)
    reopen_both_ways(play.begun[-1], "reabrir_el_equipo", note="Sigue.")
    assert left_unplayed(play.begun) == (set(), set())
