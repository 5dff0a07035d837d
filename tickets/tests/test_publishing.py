"""Publishing another version: what the desk offers follows the file, and what was stored keeps its name."""

from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.auth.models import Group

from accounts.models import CustomerKind, Department
from content.errors import InvalidData
from tickets.models import Category, Process, Ticket
from tickets.tests.factories import make_ticket
from tickets.workflow.publishing import Publication, publish, put_in_use

pytestmark = pytest.mark.django_db

PROCESS = """
format = 1
key = "tramites"
name = { es = "Trámites", en = "Procedures" }
department = "caja"
departments = [{ key = "caja", label = "Caja" }, { key = "archivo", label = "Archivo" }]
groups = [{ key = "firma", label = "Firma" }]
customer_kinds = [{ key = "socio", label = "Socio" }, { key = "visita", label = "Visita" }]

[[categories]]
key = "pagos"
label = { es = "Pagos", en = "Payments" }
description = "Cobros."
icon = "credit-card"

[[categories]]
key = "notas"
label = "Notas"

[[stages]]
key = "nuevo"
label = "Nuevo"
kind = "new"

[[stages]]
key = "revision"
label = "Revisión"

[[stages]]
key = "fin"
label = "Fin"
kind = "done"

[[actions]]
key = "revisar"
label = "Revisar"
from = ["nuevo"]
to = "revision"
by = ["staff"]

[[actions]]
key = "cerrar"
label = "Cerrar"
from = ["nuevo", "revision"]
to = "fin"
by = ["staff"]
"""
NOTES = '[[categories]]\nkey = "notas"\nlabel = "Notas"\n'


@pytest.fixture
def process() -> Process:
    return publish(PROCESS).process


def changed(*changes: tuple[str, str], source: str = PROCESS) -> Publication:
    for old, new in changes:
        assert old in source
        source = source.replace(old, new, 1)
    return put_in_use(source)


def offered(process: Process) -> list[str]:
    return [str(row) for row in Category.objects.filter(process=process, is_active=True)]


def test_removed_category_is_retired_and_stored_tickets_keep_it(process):
    ticket = make_ticket(process, category="notas")
    done = changed((NOTES, ""))
    assert offered(process) == ["Pagos"]
    assert done.changes == ("«Notas» se retira. 1 ticket abierto conserva ese nombre.",)
    assert str(Ticket.objects.get(pk=ticket.pk).category) == "Notas"
    with pytest.raises(InvalidData) as refused:
        make_ticket(process, category="notas")
    assert refused.value.errors.keys() == {"category"}


def test_renamed_category_is_offered_under_its_new_name(process):
    """Also in English. Whoever filed under the old name still reads the old name."""
    ticket = make_ticket(process, category="pagos")
    closed = make_ticket(process, category="pagos")
    Ticket.objects.filter(pk=closed.pk).update(stage="fin", stage_kind="done")
    done = changed(('es = "Pagos", en = "Payments"', 'es = "Pagos y facturas", en = "Invoices"'))
    assert offered(process) == ["Pagos y facturas", "Notas"]
    assert done.changes == (
        "«Pagos» pasa a llamarse «Pagos y facturas». 1 ticket abierto conserva ese nombre.",
    )
    row = process.categories.get(key="pagos", is_active=True)
    assert (row.name_en, row.description, row.icon) == ("Invoices", "Cobros.", "credit-card")
    assert str(Ticket.objects.get(pk=ticket.pk).category) == "Pagos"
    filed = make_ticket(process, category=row)
    assert str(filed.category) == "Pagos y facturas"


def test_category_that_returns_is_offered_again(process):
    before = process.categories.get(key="notas")
    changed((NOTES, ""))
    done = changed()
    assert offered(process) == ["Pagos", "Notas"]
    assert done.changes == ("«Notas» se ofrece desde ahora.",)
    assert process.categories.get(key="notas") == before


def test_other_columns_follow_the_file_unless_the_desk_edited_them(process):
    archive = Department.objects.get(key="archivo")
    process.categories.filter(key="pagos").update(notice="Trae tu recibo.", department=archive)
    edit = (
        'icon = "credit-card"',
        'icon = "receipt"\nnotice = "Otro aviso."\nseverity = "high"\ndepartment = "caja"',
    )
    done = changed(edit)
    row = process.categories.get(key="pagos")
    assert (row.icon, row.severity, row.notice, row.department) == (
        "receipt",
        "high",
        "Trae tu recibo.",
        archive,
    )
    assert done.changes == ()


def test_name_edited_by_the_desk_stays_and_is_told(process):
    process.categories.filter(key="pagos").update(name="Cobros y pagos")
    done = changed(('es = "Pagos"', 'es = "Pagos y facturas"'))
    assert offered(process) == ["Cobros y pagos", "Notas"]
    assert done.changes == (
        "«Cobros y pagos» conserva el nombre que le puso la administración; el archivo dice «Pagos y facturas».",
    )


def test_category_switched_off_by_the_desk_stays_off(process):
    process.categories.filter(key="notas").update(is_active=False)
    done = changed(("Cobros.", "Cobros y pagos."))
    assert offered(process) == ["Pagos"]
    assert done.changes == ("«Notas» está desactivada en la administración y sigue sin ofrecerse.",)


def test_category_left_over_from_an_older_version_is_retired(process):
    """Versions published before left removed categories on offer."""
    Category.objects.create(process=process, key="antigua", name="Antigua")
    done = changed(("Cobros.", "Cobros y pagos."))
    assert offered(process) == ["Pagos", "Notas"]
    assert done.changes == ("«Antigua» se retira.",)


def test_gone_stage_is_told_with_its_open_tickets(process):
    for _each in range(2):
        make_ticket(process)
    Ticket.objects.update(stage="revision", stage_kind="work")
    done = changed(
        ('[[stages]]\nkey = "revision"\nlabel = "Revisión"\n', ""),
        (
            '[[actions]]\nkey = "revisar"\nlabel = "Revisar"\nfrom = ["nuevo"]\nto = "revision"\nby = ["staff"]\n',
            "",
        ),
        ('"nuevo", "revision"', '"nuevo"'),
    )
    assert done.changes == (
        "La etapa «Revisión» ya no existe. 2 tickets abiertos siguen en ella, con su versión.",
    )
    assert {str(ticket.stage_definition.label) for ticket in Ticket.objects.all()} == {"Revisión"}


def test_departments_groups_and_kinds_are_renamed_but_never_removed(process):
    CustomerKind.objects.filter(key="visita").update(name="Visitante")
    done = changed(
        ('label = "Archivo"', 'label = "Archivo central"'),
        ('groups = [{ key = "firma", label = "Firma" }]\n', ""),
        ('label = "Visita"', 'label = "De paso"'),
        ('{ key = "socio", label = "Socio" }, ', ""),
    )
    assert done.changes == (
        "«Archivo» pasa a llamarse «Archivo central».",
        "«Visitante» conserva el nombre que le puso la administración; el archivo dice «De paso».",
        "El archivo ya no nombra «Socio», que sigue en la mesa por si otros lo usan.",
        "El archivo ya no nombra «Firma», que sigue en la mesa por si otros lo usan.",
    )
    assert {row.name for row in Department.objects.all()} == {"Caja", "Archivo central"}
    assert {row.name for row in CustomerKind.objects.all()} == {"Socio", "Visitante"}
    assert Group.objects.filter(name="firma").exists()


def test_first_version_and_same_text_tell_nothing(process):
    again = put_in_use(PROCESS)
    assert (again.is_new, again.changes, again.version) == (False, (), process.current)
    assert offered(process) == ["Pagos", "Notas"]


def test_keys_are_unique_again_when_the_migration_is_undone(process):
    changed(('es = "Pagos"', 'es = "Cobros"'))
    assert process.categories.filter(key="pagos").count() == 2
    import_module("tickets.migrations.0011_let_renamed_categories_keep_their_key").make_keys_unique(
        apps, None
    )
    assert process.categories.get(key="pagos").name == "Cobros"
