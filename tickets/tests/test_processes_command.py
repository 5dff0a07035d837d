"""`manage.py processes`: what it prints and what it changes."""

import io
import sys

import pytest
from django.core.management import CommandError, call_command

from tickets.definitions.loading import library
from tickets.models import Process, ProcessVersion
from tickets.tests.factories import make_ticket

pytestmark = pytest.mark.django_db
S3 = "solicitud-guiada"


def run(*arguments):
    out = io.StringIO()
    call_command("processes", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.demand("S4.27")
def test_install_library_installs_only_once():
    first = run("install-library").splitlines()
    assert first[0] == "incidencia-tecnica: instalada la versión 1."
    assert len(first) == Process.objects.count() == 5
    assert set(run("install-library").splitlines()) == {f"{key}: ya estaba instalado." for key in library()}
    assert ProcessVersion.objects.count() == 5


@pytest.mark.demand("S4.26", "S4.27")
def test_exported_process_can_be_edited_and_published(tmp_path):
    run("install-library")
    text = run("export", S3)
    assert text == library()[S3]
    file = tmp_path / "mio.toml"
    file.write_text(text.replace("max_files = 3", "max_files = 4"), "utf-8")
    assert run("check", str(file)) == (
        "Está bien: «Solicitud guiada», 3 etapas, 9 acciones, 3 categorías, 2 campos.\n"
    )
    assert run("publish", str(file)).startswith(f"{S3}: publicada la versión 2.")
    assert run("publish", str(file)) == f"{S3} ya está en la versión 2 con este mismo texto.\n"
    assert Process.objects.get(key=S3).definition.files.max_files == 4
    assert run("export", S3, "--number", "1") == text

    assert f"{S3}: la mesa tiene su propia versión; no se toca." in run("install-library")
    assert f"{S3}: instalada la versión 3." in run("install-library", "--update")


def test_list_shows_versions_tickets_and_missing_processes():
    ticket = make_ticket()
    Process.objects.filter(pk=ticket.process_version.process_id).update(is_active=False)
    lines = run("list").splitlines()
    assert lines[0] == (
        "soporte-con-aprobacion  v1  Soporte con aprobación de cierre  (1 ticket)"
        " · igual al de la biblioteca · no se puede elegir"
    )
    assert lines[1] == "incidencia-tecnica  en la biblioteca, sin instalar"


@pytest.mark.parametrize("verb", ["check", "publish"])
def test_broken_file_is_refused_with_its_problems(tmp_path, verb):
    file = tmp_path / "roto.toml"
    file.write_text(library()[S3].replace('to = "completado"', 'to = "completo"', 1), "utf-8")
    with pytest.raises(CommandError) as refused:
        run(verb, str(file))
    assert str(refused.value).splitlines()[0] == f"{file} tiene 1 problema:"
    assert "actions.4.to: no hay una etapa «completo»" in str(refused.value)
    assert not Process.objects.exists()


def test_missing_or_unreadable_files_get_clear_errors(tmp_path, monkeypatch):
    with pytest.raises(CommandError, match="No existe el archivo"):
        run("check", str(tmp_path / "nada.toml"))
    (tmp_path / "latin.toml").write_bytes("name = 'Año'".encode("latin-1"))
    with pytest.raises(CommandError, match="no está en UTF-8"):
        run("check", str(tmp_path / "latin.toml"))
    with pytest.raises(CommandError, match="No hay un proceso «nada»"):
        run("export", "nada")
    monkeypatch.setattr(sys, "stdin", io.StringIO(library()[S3]))
    assert run("check", "-").startswith("Está bien")
