"""`manage.py processes`: what it prints and what it changes."""

import codecs
import io
import sys

import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command

from accounts.models import Department
from accounts.tests.factories import make_agent
from tickets.definitions.loading import library
from tickets.models import Process, ProcessVersion
from tickets.tests.factories import make_process, make_ticket
from tickets.workflow.advice import advice_on
from tickets.workflow.checking import load

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
    assert sum(line.endswith(": instalada la versión 1.") for line in first) == Process.objects.count() == 5
    assert "  La portada lleva ahora el formulario de «Reparación de dispositivo»." in first
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


@pytest.mark.demand("S4.26")
def test_publish_and_update_tell_what_changes_for_people(tmp_path):
    make_ticket(make_process(S3), category="reporte-de-bug")
    file = tmp_path / "mio.toml"
    file.write_text(library()[S3].replace('es = "Reporte de Bug"', 'es = "Falla"'), "utf-8")
    told = "  «{}» pasa a llamarse «{}»."
    kept = " 1 ticket abierto conserva ese nombre."
    assert run("publish", str(file)).splitlines()[1:] == [told.format("Reporte de Bug", "Falla") + kept]
    assert told.format("Falla", "Reporte de Bug") in run("install-library", "--update").splitlines()


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


@pytest.mark.parametrize("verb", ["check", "publish"])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "No existe el archivo"),
        ("name = 'Año'".encode("latin-1"), "no está en UTF-8"),
        ("name = 'Año'".encode("utf-16"), "está en UTF-16: guárdalo como UTF-8"),
        (b"", "está vacío"),
        (b"\xef\xbb\xbf \n", "está vacío"),
        (b"\x7fELF\x00\x00\x00", "no es un archivo de texto"),
        (bytes(range(128, 256)), "no está en UTF-8"),
        (b"# " + b"x" * 2_000_000, "el archivo es demasiado grande"),
        (b"x = \x01", "no es TOML válido"),
    ],
)
def test_file_that_is_no_process_gets_a_clear_error(tmp_path, verb, content, message):
    file = tmp_path / "archivo.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(CommandError, match=message):
        run(verb, str(file))


def test_folder_and_endless_file_get_clear_errors(tmp_path):
    with pytest.raises(CommandError, match="es una carpeta: di qué archivo"):
        run("check", str(tmp_path))
    with pytest.raises(CommandError, match="no es un archivo de texto"):
        run("check", "/dev/zero")
    with pytest.raises(CommandError, match="No se puede leer"):
        run("check", str(tmp_path / ("x" * 300)))


def test_windows_text_is_the_same_process(tmp_path):
    """An editor that writes a byte order mark and CRLF does not make another version."""
    run("install-library")
    file = tmp_path / "windows.toml"
    file.write_bytes(codecs.BOM_UTF8 + library()[S3].replace("\n", "\r\n").encode())
    assert "ya está en la versión 1 con este mismo texto" in run("publish", str(file))


def test_check_advises_about_what_the_author_may_not_mean(tmp_path):
    source = library()["reporte-de-incidentes"].replace(', en = "Incident report" }', " }", 1)
    source = source.replace('while_empty = "staff"\n', "", 1).replace(
        "[targets.resolution]", "[targets.first_response]"
    )
    source = source.replace('owner = "group:tecnico"', 'owner = "user:nadie@example.com"')
    file = tmp_path / "mio.toml"
    file.write_text(source, "utf-8")
    first, title, *advice = run("check", str(file)).splitlines()
    assert first.startswith("Está bien")
    assert title == "Conviene revisar:"
    assert [item.partition(": ")[2] for item in advice] == [
        "1 texto no tiene inglés: se leerá en español",
        "hoy nadie pertenece al grupo «evaluador»",
        "hoy nadie del equipo tiene el correo «nadie@example.com»",
    ]
    file.write_text(
        source.partition("[targets")[0] + "[[categories]]" + source.partition("[[categories]]")[2], "utf-8"
    )
    assert "ningún ticket vencerá" in run("check", str(file))


@pytest.mark.parametrize("key", sorted(library()))
def test_library_needs_no_advice_once_its_departments_have_members(key):
    make_process(key)
    member = make_agent(*Department.objects.all())
    member.groups.set(Group.objects.all())
    assert advice_on(library()[key], load(library()[key])) == []


def test_standard_input_and_unknown_process(monkeypatch):
    with pytest.raises(CommandError, match="No hay un proceso «nada»"):
        run("export", "nada")
    monkeypatch.setattr(sys, "stdin", io.StringIO(library()[S3]))
    assert run("check", "-").startswith("Está bien")
