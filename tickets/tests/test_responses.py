"""Standard answers: the documents' texts, their variables, and when they are offered (S2.13, S2.23)."""

import tomllib
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.test import override_settings
from django.utils import translation

from accounts.tests.factories import make_user
from content.text import clean_text, render_markdown
from tickets.definitions.definition import Response, Text
from tickets.definitions.responses import fill_in, fitting_responses, is_written_in
from tickets.tests.factories import make_ticket
from tickets.tests.playing import prepared

S2 = "soporte-con-aprobacion"
DOCUMENT = tomllib.loads((Path(__file__).parent / "standard_answers.toml").read_text("utf-8"))
MORNING = datetime(2026, 3, 2, 9, 0, tzinfo=ZoneInfo("America/Caracas"))
AFTERNOON = MORNING.replace(hour=15)


@pytest.mark.demand("S2.45")
@pytest.mark.parametrize("key", DOCUMENT)
def test_standard_answer_matches_the_document(db, key):
    ticket = make_ticket()
    expected = DOCUMENT[key].replace("{llamada}", "pendiente").replace("{vigente}", "")
    moment = AFTERNOON if expected.startswith("Buenas tardes") else MORNING
    assert fill_in(ticket.definition.response(key).body.es, ticket, now=moment) == expected


@pytest.mark.demand("S2.23")
def test_greeting_follows_the_local_hour(db):
    ticket = make_ticket()
    for hour, words in (
        (4, "Buenas noches"),
        (5, "Buenos días"),
        (12, "Buenas tardes"),
        (19, "Buenas noches"),
    ):
        assert fill_in("{saludo}", ticket, now=MORNING.replace(hour=hour)) == words


@pytest.mark.demand("S2.17")
@override_settings(DESK_TERMS_URL="https://idea.example/terminos")
def test_terms_are_a_link_when_url_is_set(db):
    ticket = make_ticket()
    assert (
        fill_in("Lee {terminos}.", ticket) == "Lee [TÉRMINOS Y CONDICIONES](https://idea.example/terminos)."
    )


def test_variables_inside_values_are_not_replaced(db):
    ticket = make_ticket(requester=make_user(name="{folio} {settings.SECRET_KEY} {0.__class__}"))
    text = fill_in("{nombre} · {desconocida} · {folio.__class__} · {folio}", ticket)
    assert text == (
        "{folio} {settings.SECRET_KEY} {0.__class__} · {desconocida} · {folio.__class__} · " + ticket.folio
    )


HOSTILE_NAME = "[Pague aquí](http://malo.test) **www.malo.test** ana@malo.test"


@pytest.mark.parametrize("variable", ["nombre", "vigente"])
def test_variables_are_literal_text(db, variable):
    ticket = make_ticket(requester=make_user(name=HOSTILE_NAME))
    if variable == "vigente":
        ticket.duplicate_of = make_ticket()
        ticket.duplicate_of.folio = HOSTILE_NAME

    for template in ("{saludo}, {%s}.", "**{%s}**", "- {%s}", "{%s}", "|a|\n|-|\n|{%s}|", "{%s}\n> {%s}"):
        html = render_markdown(clean_text(fill_in(template.replace("%s", variable), ticket)))
        assert HOSTILE_NAME in html
        assert "<a" not in html


def test_hostile_name_is_shown_in_an_answer_and_its_mail_as_text(play):
    p = play(S2)
    p.customer.name = HOSTILE_NAME
    p.customer.save()
    p.ticket = make_ticket(p.process, requester=p.customer)
    p.do(p.supervisor, "preparar", **prepared(p))

    p.follow_up(fill_in("{saludo}, {nombre}: ya está. Mira https://mesa.test/ayuda.", p.ticket, now=MORNING))

    assert p.latest_message.html.count("<a ") == 1
    assert f"Buenos días, {HOSTILE_NAME}: ya está." in p.latest_message.html


@pytest.mark.demand("S2.13", "S2.15", "S2.18", "S2.20", "S2.21")
def test_offered_responses_fit_case_and_stage(play):
    p = play(S2)
    assert fitting_responses(p.ticket) == []
    p.do(p.supervisor, "preparar", **prepared(p))
    assert [response.key for response in fitting_responses(p.ticket)] == ["R1", "R3", "R5"]
    p.follow_up()
    assert [response.key for response in fitting_responses(p.ticket)] == ["R1", "R3"]
    p.later(days=6)
    assert [response.key for response in fitting_responses(p.ticket)] == ["R1", "R3", "R6"]
    p.follow_up()
    assert [response.key for response in fitting_responses(p.ticket)] == ["R1", "R3"]


def test_action_sends_response_in_requesters_language(play):
    p = play(S2)
    p.customer.language = "en"
    p.customer.save()
    ticket = make_ticket(p.process, requester=p.customer)
    assert ticket.requester_language == "en"
    p.ticket = ticket
    with translation.override("es"):
        p.do(p.supervisor, "cerrar_prueba")
    assert p.latest_message.body.startswith("The user service department")


R3 = Response(
    "R3", Text("R3"), Text("{saludo} {nombre}, estamos en  ello.\n\nGracias.", "{saludo}, we are on it.")
)


@pytest.mark.parametrize(
    ("message", "fits"),
    [
        ("Buenos días Ana, estamos en ello. Gracias.", True),
        ("Hola.\n\nBuenas noches , estamos\nen ello. Gracias.\nDiego", True),
        ("Good morning, we are on it.", True),
        ("Buenos días Ana, estamos en ello.", False),
        ("Gracias. Buenos días Ana, estamos en ello.", False),
        ("", False),
    ],
)
def test_standard_answer_is_recognised_in_a_message(message, fits):
    assert is_written_in(message, R3) is fits
