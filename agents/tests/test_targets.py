"""The page of a process's targets: supervisors edit them, see what moves, save and undo (S2.33, S2.34)."""

import re

import pytest
from django.test import Client

from accounts.models import CustomerKind
from accounts.tests.factories import make_agent, make_user
from tickets.definitions.targets import read_targets
from tickets.models import Process, ScheduleChange
from tickets.tests.test_schedules import MONDAY, Desk, at, clock, on

pytestmark = pytest.mark.django_db
PAGE = "/agentes/ajustes/plazos/taller/"


@pytest.fixture
def desk():
    return Desk()


@pytest.fixture
def person(desk):
    client = Client()
    client.force_login(desk.supervisor)
    return client


def text_of(response):
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def sent(**values):
    data = {
        "base": "",
        "calendar": "oficina",
        "first_response_problem": ("2", "h"),
        "first_response_procedure": ("2", "h"),
        "resolution_problem": ("18", "working hours"),
        "resolution_procedure": ("27", "working hours"),
    } | values
    result = {}
    for name, value in data.items():
        if isinstance(value, tuple):
            result |= {f"{name}_0": value[0], f"{name}_1": value[1]}
        else:
            result[name] = value
    return result


def test_targets_are_changed_seen_and_saved(person, desk):
    ticket = desk.file(MONDAY)
    assert "los del archivo del proceso" in text_of(person.get(PAGE))
    with on(MONDAY):
        page = person.post(
            PAGE, sent(resolution_problem=("9", "working hours"), reason="Fin de año"), follow=True
        )
        assert "1 vence antes" in text_of(page)
        draft = ScheduleChange.objects.get()
        done = person.post(f"/agentes/ajustes/cambios/{draft.pk}/guardar/", follow=True)
    assert "Guardamos los plazos." in text_of(done)
    assert "de la mesa, versión 2" in text_of(done)
    assert clock(ticket).due_at == at(2026, 11, 23, 17, 0)
    assert "Fin de año" in text_of(person.get(f"{PAGE}versiones/"))
    with on(MONDAY):
        undo = person.post(f"/agentes/ajustes/cambios/{draft.pk}/deshacer/", follow=True)
        assert "1 vence después" in text_of(undo)


def test_every_unit_can_be_chosen_and_exceptions_are_kept(person, desk):
    units = {
        "critical": ("30", "m"),
        "high": ("4", "h"),
        "medium": ("2", "d"),
        "low": ("90", "working minutes"),
        "problem": ("1", "working days"),
        "procedure": ("30", "calendar days rolled"),
    }
    values = {f"resolution_{name}": value for name, value in units.items()}
    special = {"special_0_category": "pantalla", "special_0_resolution": ("1", "calendar days")}
    with on(MONDAY):
        page = person.post(PAGE, sent(**values, **special), follow=True)
    assert page.status_code == 200
    targets = read_targets(ScheduleChange.objects.get().rules)
    assert {name: target.text for name, target in targets.resolution.items()} == {
        "critical": "30m",
        "high": "4h",
        "medium": "2d",
        "low": "90 working minutes",
        "problem": "1 working day",
        "procedure": "30 calendar days rolled",
    }
    [exception] = targets.special
    assert (exception.category, exception.resolution.text) == ("pantalla", "1 calendar day")
    shown = person.get(PAGE, {"cambio": ScheduleChange.objects.get().pk}).content.decode()
    assert 'name="special_1_category"' in shown


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"resolution_problem": ("0", "h")}, "Escribe un número mayor que cero"),
        ({"resolution_problem": ("ocho", "h")}, "Escribe un número mayor que cero"),
        ({"resolution_problem": ("8", "siglos")}, "Escribe un número mayor que cero"),
        ({"calendar": ""}, "Elige el calendario"),
        ({"special_0_resolution": ("8", "h")}, "Excepción 1: Categoría : Elige una categoría o un tipo"),
        ({"special_0_category": "pantalla"}, "Escribe al menos un plazo."),
        ({"base": "999"}, "Alguien guardó otro"),
        ({}, "no hay nada que guardar"),
    ],
)
def test_mistakes_are_told_and_nothing_is_saved(person, desk, values, says):
    response = person.post(PAGE, sent(**values))
    assert response.status_code == 422
    assert says in text_of(response)
    assert not ScheduleChange.objects.exists()


def test_exception_of_a_customer_kind(person, desk):
    CustomerKind.objects.create(key="vip", name="VIP")
    with on(MONDAY):
        person.post(PAGE, sent(special_0_customer_kind="vip", special_0_first_response=("1", "h")))
    [exception] = read_targets(ScheduleChange.objects.get().rules).special
    assert (exception.customer_kind, exception.first_response.text) == ("vip", "1h")


def test_draft_on_targets_that_others_changed_can_be_counted_again(person, desk):
    with on(MONDAY):
        person.post(PAGE, sent(resolution_problem=("9", "working hours")))
        mine = ScheduleChange.objects.get()
        ScheduleChange.objects.update(author=None)
        person.post(PAGE, sent(resolution_problem=("3", "h")))
        theirs = ScheduleChange.objects.exclude(pk=mine.pk).get()
        person.post(f"/agentes/ajustes/cambios/{theirs.pk}/guardar/")
        page = text_of(person.get(PAGE, {"cambio": mine.pk}))
        assert "Volver a contar" in page
        again = person.post(f"/agentes/ajustes/cambios/{mine.pk}/contar/", follow=True)
        assert "Guardar y recalcular" in text_of(again)


def test_customers_read_the_targets_of_the_desk_on_the_portal(person, desk):
    assert "Primera respuesta: 2 horas" in text_of(Client().get("/"))
    with on(MONDAY):
        person.post(PAGE, sent(first_response_problem=("45", "m")))
        person.post(f"/agentes/ajustes/cambios/{ScheduleChange.objects.get().pk}/guardar/")
    assert "Primera respuesta: 45 minutos" in text_of(Client().get("/"))


def test_only_supervisors_see_and_change_targets(desk):
    for who in (make_agent(), make_user()):
        client = Client()
        client.force_login(who)
        assert client.get(PAGE).status_code == client.get(f"{PAGE}versiones/").status_code == 404
        assert client.post(PAGE, sent(resolution_problem=("9", "h"))).status_code == 404
    assert Client().get(PAGE).status_code == 302
    assert Process.objects.get().policy is None


@pytest.mark.parametrize("number", ["", "x", "0", "99", "9" * 30])
def test_unknown_versions_are_not_found(person, desk, number):
    for page in (f"{PAGE}versiones/", "/agentes/ajustes/horarios/oficina/versiones/"):
        assert person.post(page, {"version": number}).status_code == 404
