"""The five files of the library: rules for all of them, and what publishing a file creates, keeps or leaves alone."""

import dataclasses
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.conf import settings
from django.contrib.auth.models import Group
from django.utils import timezone

from accounts.models import CustomerKind, Department
from accounts.tests.factories import make_supervisor
from tickets.definitions.definition import Text
from tickets.definitions.loading import library
from tickets.models import Category, Process
from tickets.policies import available_actions
from tickets.tests.factories import make_process, make_ticket
from tickets.tests.playing import prepared
from tickets.workflow.checking import load
from tickets.workflow.publishing import publish

FILES = library()
S2 = "soporte-con-aprobacion"
CARACAS = ZoneInfo("America/Caracas")
MORNING = datetime(2026, 3, 2, 9, 0, tzinfo=CARACAS)


def texts_in(value: object, path: str = "") -> Iterator[tuple[str, Text]]:
    if isinstance(value, Text):
        yield path, value
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from texts_in(getattr(value, field.name), f"{path}.{field.name}")
    elif isinstance(value, tuple):
        for item in value:
            yield from texts_in(item, f"{path}[{getattr(item, 'key', '')}]")


@pytest.mark.demand("S0.2", "S4.4", "S4.27")
def test_all_five_processes_are_published_together(db):
    assert set(FILES) == {
        "incidencia-tecnica", "reparacion-de-dispositivo", "reporte-de-incidentes", S2, "solicitud-guiada",
    }  # fmt: skip
    for source in FILES.values():
        publish(source)
    assert Process.objects.filter(current__isnull=False).count() == 5


@pytest.mark.parametrize("key", FILES)
def test_every_text_has_both_languages(key):
    definition = load(FILES[key])
    assert definition.key == key
    assert [path for path, text in texts_in(definition) if text.es and not text.en] == []


@pytest.mark.parametrize("key", FILES)
def test_category_icons_exist_in_the_sprite(key):
    sprite = (Path(settings.BASE_DIR) / "static" / "icons.svg").read_text("utf-8")
    known = set(re.findall(r'id="bi-([\w-]+)"', sprite))
    assert {category.icon for category in load(FILES[key]).categories} <= known


@pytest.mark.parametrize("key", FILES)
def test_customer_labels_are_short_and_consistent(key):
    """Labels are short, stages that wait for the customer share one label, and the steps run from the first stage to an
    end."""
    definition = load(FILES[key])
    for stage in definition.stages:
        assert len(stage.customer_label) <= 26, stage.key
        if stage.kind == "waiting_customer":
            assert stage.customer_label == "Esperamos tu respuesta"
    assert definition.customer_steps[0] == definition.first_stage
    assert definition.customer_steps[-1].is_end


@pytest.mark.demand("S1.2")
@pytest.mark.parametrize(
    ("key", "road"),
    [
        ("incidencia-tecnica", ["recibido", "diagnostico", "verificacion", "cerrado"]),
        ("reparacion-de-dispositivo", ["registrado", "reparacion", "finalizado"]),
        ("soporte-con-aprobacion", ["recibido", "procesar", "aprobacion", "revision", "cerrado"]),
        ("solicitud-guiada", ["en_espera", "en_curso", "completado"]),
        ("reporte-de-incidentes", ["evaluar", "resolver", "validar", "resuelto"]),
    ],
)
def test_main_road_leaves_out_side_roads(key, road):
    assert [stage.key for stage in load(FILES[key]).main_road] == road


@pytest.mark.parametrize("key", FILES)
def test_only_actions_by_people_have_done_text(key):
    for action in load(FILES[key]).actions:
        assert bool(action.done) == bool(action.by), action.key


def test_every_department_has_problems_and_procedures(db):
    process = make_process(S2)
    kinds: dict[str, set[str]] = {}
    for category in process.categories.select_related("department"):
        kinds.setdefault(category.department.name, set()).add(category.case_kind)
        ticket = make_ticket(process, category=category)
        assert (ticket.department, ticket.case_kind) == (category.department, category.case_kind)
    both = {"problem", "procedure"}
    assert kinds == {
        "Administración": both,
        "Coordinación de Ciencias Aeronáuticas (CCA)": both,
        "Académico": both,
        "Soporte técnico": both,
    }


@pytest.mark.demand("S2.4", "S2.33", "S2.34")
def test_support_cases_are_due_by_case_kind(db):
    process = make_process(S2)
    problem, procedure = (
        make_ticket(process, category="plataforma"),
        make_ticket(process, category="constancias"),
    )
    assert (problem.due_at - problem.created_at).days == 5
    assert (procedure.due_at - procedure.created_at).days == 30


# --- Versions -----------------------------------------------------------------------------------------------


@pytest.mark.demand("S4.4", "S4.26")
def test_running_tickets_keep_their_version(play):
    p = play(S2)
    old = p.ticket
    changed = (
        FILES[S2].replace('key = "preparar"', 'key = "organizar"').replace('problem = "5d"', 'problem = "2d"')
    )
    version = publish(changed)
    assert (version.number, p.process.versions.count()) == (2, 2)

    new = make_ticket(Process.objects.get(pk=p.process.pk))
    offered = {action.key for action in available_actions(old, actor=p.supervisor)}
    assert offered == {"preparar", "cerrar_prueba"}
    assert "organizar" in {action.key for action in available_actions(new, actor=p.supervisor)}
    assert ((old.due_at - old.created_at).days, (new.due_at - new.created_at).days) == (5, 2)
    p.do(p.supervisor, "preparar", **prepared(p))
    assert p.ticket.process_version.number == 1


def test_publishing_the_same_text_creates_no_version(db):
    first = publish(FILES[S2])
    assert publish(FILES[S2]) == first
    again = publish(FILES[S2] + "\n# una nota\n")
    assert again.number == 2
    with pytest.raises(TypeError):
        again.save()


def test_publishing_creates_missing_rows_and_keeps_edits(db):
    Department.objects.create(key="cca", name="Aeronáutica", position=9)
    process = publish(FILES[S2]).process
    assert Department.objects.get(key="cca").name == "Aeronáutica"
    assert Department.objects.get(key="academico").name_en == "Academic affairs"

    Category.objects.filter(process=process, key="pagos").update(name="Cobros", is_active=False)
    publish(FILES[S2] + "\n")
    category = Category.objects.get(process=process, key="pagos")
    assert (category.name, category.is_active) == ("Cobros", False)
    assert process.categories.count() == 9


def test_publishing_creates_groups_once(db):
    Group.objects.create(name="Evaluador")
    publish(FILES["reporte-de-incidentes"])
    assert sorted(Group.objects.values_list("name", flat=True)) == ["Evaluador", "tecnico"]
    publish(FILES["incidencia-tecnica"])
    assert CustomerKind.objects.count() == 2


def test_new_ticket_offers_actions_and_has_due_date(db):
    with time_machine.travel(MORNING, tick=False):
        ticket = make_ticket(make_process(S2))
        offered = available_actions(ticket, actor=make_supervisor())
    assert [action.key for action in offered] == ["preparar", "cerrar_prueba"]
    assert timezone.localtime(ticket.due_at, CARACAS).date().isoformat() == "2026-03-07"
