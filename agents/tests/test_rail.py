"""The rail marks the section of the back office that a page belongs to."""

import re

import pytest

from accounts.tests.factories import make_supervisor
from agents.templatetags.desk import SECTIONS
from agents.tests.factories import signed_in
from agents.urls import urlpatterns
from tickets.tests.factories import make_process

NO_PAGES = {"palette", "form_draft"}
MARKED = re.compile(r'<a class="rail__link[^"]*"[^>]*aria-label="([^"]+)"[^>]*aria-current="page"')


def marked_on(client, path):
    return MARKED.findall(client.get(path).content.decode())


@pytest.mark.parametrize(
    "name", sorted({pattern.name for pattern in urlpatterns} - NO_PAGES | {"health", "setup"})
)
def test_every_page_belongs_to_one_section(name):
    full = name if name in ("health", "setup") else f"agents:{name}"
    found = [section for section, prefixes in SECTIONS.items() if full.startswith(prefixes)]
    assert len(found) == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "section"),
    [
        ("inicio/", "Inicio"),
        ("colas/todos/", "Bandeja"),
        ("historico/", "Bandeja"),
        ("inconformidades/", "Bandeja"),
        ("panel/", "Panel"),
        ("informes/", "Panel"),
        ("ajustes/nuevo-horario/", "Horarios y plazos"),
        ("ajustes/plazos/incidencia-tecnica/", "Horarios y plazos"),
        ("salud/", "Salud"),
    ],
)
def test_page_marks_its_section_in_the_rail(path, section):
    make_process("incidencia-tecnica")
    assert marked_on(signed_in(make_supervisor()), f"/agentes/{path}") == [section]
