"""Exports of the history: a file has what the page lists, harms no spreadsheet, and is its owner's alone (S1.18)."""

import csv
import io
from datetime import timedelta
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from django.test import Client
from django.utils import timezone

from accounts.tests.factories import make_agent, make_department, make_supervisor, make_user
from agents import exports
from tickets.enums import ExportState
from tickets.models import Export, SavedView, Ticket
from tickets.search import indexing
from tickets.tests.factories import make_process, make_ticket

from .factories import signed_in, text_of

pytestmark = pytest.mark.django_db
PAGE, ASK, EXPORTS = (
    "/agentes/historico/",
    "/agentes/historico/exportar/",
    "/agentes/historico/exportaciones/",
)
QUERY = "columna=folio&columna=asunto&columna=severidad&columna=creado&columna=tiempo&orden=creado"


@pytest.fixture
def supervisor():
    return make_supervisor()


@pytest.fixture
def client(supervisor):
    return signed_in(supervisor)


@pytest.fixture
def desk():
    process = make_process("incidencia-tecnica")
    titles = ["Cobro duplicado", "=1+1", "+57 300 123", "-nada", "@SUM(A1)", "Ñandú; «raro»"]
    tickets = [make_ticket(process, title=title) for title in titles]
    Ticket.objects.filter(pk=tickets[0].pk).update(resolution_seconds=5400, severity="critical")
    indexing.index_changed()
    return tickets


def exported(client, kind="csv", query=QUERY):
    """Ask for an export, let the job write it, and return the bytes of the file."""
    assert client.post(ASK, {"query": query, "format": kind}).status_code == 302
    assert exports.write_waiting() == 1
    response = client.get(f"{EXPORTS}{Export.objects.first().pk}/")
    assert response.status_code == 200
    assert response["Content-Disposition"].startswith("attachment")
    return b"".join(response.streaming_content)


def rows_of_csv(content):
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))


@pytest.mark.demand("S1.18")
def test_csv_has_the_rows_and_columns_of_the_page_in_its_order(client, desk):
    heads, *rows = rows_of_csv(exported(client))
    assert heads == ["Folio", "Asunto", "Severidad", "Creado", "Tiempo hábil"]
    assert [row[0] for row in rows] == [ticket.folio for ticket in desk]
    assert rows[0][1:3] == ["Cobro duplicado", "Crítica"]
    assert rows[0][4] == "1.5"
    assert rows[-1][1] == "Ñandú; «raro»"


def test_cells_that_a_spreadsheet_would_carry_out_are_text(client, desk):
    for kind in ("csv", "xlsx"):
        content = exported(client, kind)
        rows = rows_of_csv(content) if kind == "csv" else rows_of_xlsx(content)
        assert [row[1] for row in rows[2:6]] == ["'=1+1", "'+57 300 123", "'-nada", "'@SUM(A1)"]


def rows_of_xlsx(content):
    sheet = openpyxl.load_workbook(io.BytesIO(content)).active
    return [list(row) for row in sheet.iter_rows(values_only=True)]


def test_xlsx_holds_numbers_and_moments_of_the_readers_zone(client, desk, supervisor):
    Ticket.objects.filter(pk=desk[0].pk).update(created_at=timezone.now() - timedelta(days=40))
    heads, first, *rest = rows_of_xlsx(exported(client, "xlsx"))
    assert heads[0] == "Folio"
    assert first[4] == 1.5
    desk[0].refresh_from_db()
    local = desk[0].created_at.astimezone(ZoneInfo(timezone.get_current_timezone_name()))
    assert first[3] == local.replace(tzinfo=None, microsecond=0)
    assert len(rest) == 5


def test_filters_of_the_page_choose_the_rows(client, desk):
    rows = rows_of_csv(exported(client, query="severidad=critical&columna=folio"))
    assert rows == [["Folio"], [desk[0].folio]]
    rows = rows_of_csv(exported(client, query="q=cobros&columna=asunto"))
    assert rows == [["Asunto"], ["Cobro duplicado"]]


def test_file_is_in_the_owners_language(client, desk, supervisor):
    supervisor.language = "en"
    supervisor.save()
    assert rows_of_csv(exported(client))[0][1:3] == ["Subject", "Severity"]


def test_export_stays_in_the_saved_view(client, desk, supervisor):
    view = SavedView.objects.create(owner=supervisor, name="Cobros", query="q=cobros")
    page = client.get(f"/agentes/historico/?q=cobros&vista={view.pk}").content.decode()
    assert f'name="view" value="{view.pk}"' in page
    given = {"query": "q=cobros", "name": "Cobros", "format": "csv"}
    back = client.post(ASK, {**given, "view": view.pk})
    assert back["Location"] == f"/agentes/historico/?q=cobros&vista={view.pk}"
    for other in ("", "x", "1&a=b"):
        assert client.post(ASK, {**given, "view": other})["Location"] == "/agentes/historico/?q=cobros"


@pytest.mark.demand("S2.36")
def test_file_has_only_what_its_owner_may_see_when_it_is_written(desk):
    agent = make_agent(desk[0].department)
    client = signed_in(agent)
    assert len(rows_of_csv(exported(client))) == 7
    client.post(ASK, {"query": QUERY, "format": "csv"})
    agent.departments.clear()
    agent.departments.add(make_department("otro"))
    assert exports.write_waiting() == 1
    content = b"".join(client.get(f"{EXPORTS}{Export.objects.first().pk}/").streaming_content)
    assert len(rows_of_csv(content)) == 1


def test_nobody_else_gets_or_cancels_the_file(client, desk):
    exported(client)
    address = f"{EXPORTS}{Export.objects.get().pk}/"
    stranger = signed_in(make_supervisor())
    assert stranger.get(address).status_code == 404
    assert stranger.post(f"{address}cancelar/").status_code == 404
    assert signed_in(make_user()).get(address).status_code == 404
    assert Client().get(address).status_code == 302
    assert "listo" not in text_of(stranger.get(PAGE))
    assert Export.objects.exists()


def test_page_shows_how_far_it_is_and_offers_the_file(client, desk):
    client.post(ASK, {"query": QUERY, "format": "xlsx", "name": "Mi vista"})
    export = Export.objects.get()
    Export.objects.update(state=ExportState.RUNNING, done=3, total=6)
    page = text_of(client.get(EXPORTS))
    assert "Preparando Mi vista.xlsx" in page
    assert "3 de 6 filas, 50 %" in page
    assert 'hx-trigger="every 1s"' in page
    Export.objects.update(state=ExportState.WAITING)
    exports.write_waiting()
    page = text_of(client.get(PAGE))
    assert "Mi vista.xlsx está listo" in page
    assert f'href="{EXPORTS}{export.pk}/"' in page
    assert "every 1s" not in text_of(client.get(EXPORTS))


def test_cancelled_export_stops_before_its_next_rows(client, desk, monkeypatch):
    client.post(ASK, {"query": QUERY, "format": "csv"})
    export = Export.objects.get()
    monkeypatch.setattr(exports, "AT_ONCE", 2)
    say = exports._say

    def cancelled_meanwhile(row, **columns):
        if columns.get("done") == 2:
            client.post(f"{EXPORTS}{export.pk}/cancelar/")
        return say(row, **columns)

    monkeypatch.setattr(exports, "_say", cancelled_meanwhile)
    assert exports.write_waiting() == 0
    export.refresh_from_db()
    assert (export.state, export.file.name) == (ExportState.CANCELLED, "")
    assert "Preparando" not in text_of(client.get(PAGE))


def test_export_of_a_killed_job_begins_anew_and_one_at_work_is_left(client, desk):
    client.post(ASK, {"query": QUERY, "format": "csv"})
    Export.objects.update(state=ExportState.RUNNING, done=500)
    assert exports.write_waiting() == 0
    Export.objects.update(beat_at=timezone.now() - timedelta(minutes=3))
    assert exports.write_waiting() == 1
    assert Export.objects.get().state == ExportState.DONE


def test_failed_export_says_so_and_the_next_is_written(client, desk, monkeypatch):
    client.post(ASK, {"query": QUERY, "format": "csv"})
    client.post(ASK, {"query": QUERY, "format": "xlsx"})

    def broken(*arguments):
        raise OSError("no space left")

    monkeypatch.setitem(exports.WRITERS, "csv", broken)
    assert exports.write_waiting() == 1
    page = text_of(client.get(PAGE))
    assert "No pudimos escribir Histórico.csv" in page
    assert "Histórico.xlsx está listo" in page


def test_fourth_export_at_once_is_refused_with_the_reason(client, desk):
    for _n in range(4):
        response = client.post(ASK, {"query": QUERY, "format": "csv"}, follow=True)
    assert "Ya se preparan varios archivos tuyos" in text_of(response)
    assert Export.objects.count() == 3


@pytest.mark.parametrize("kind", ["", "pdf", "csv\0"])
def test_unknown_format_is_not_found(client, kind):
    assert client.post(ASK, {"query": "", "format": kind}).status_code == 404


def test_file_is_deleted_after_a_day_or_when_its_owner_says_so(client, desk):
    exported(client)
    exported(client)
    newest, oldest = Export.objects.all()
    names = [newest.file.name, oldest.file.name]
    Export.objects.filter(pk=oldest.pk).update(created_at=timezone.now() - timedelta(hours=25))
    exports.forget_old()
    client.post(f"{EXPORTS}{newest.pk}/cancelar/")
    assert not Export.objects.exists()
    assert not any(newest.file.storage.exists(name) for name in names)


def test_writing_takes_as_many_queries_for_each_five_hundred_rows(
    client, desk, django_assert_max_num_queries
):
    client.post(ASK, {"query": QUERY, "format": "csv"})
    with django_assert_max_num_queries(14) as first:
        exports.write_waiting()
    count = len(first)
    process = make_process("incidencia-tecnica")
    for _n in range(20):
        make_ticket(process)
    client.post(ASK, {"query": QUERY, "format": "csv"})
    with django_assert_max_num_queries(count):
        exports.write_waiting()


def test_cell_is_harmless_also_where_a_semicolon_parts_cells(client, desk):
    Ticket.objects.filter(pk=desk[0].pk).update(title="hola;=HYPERLINK(A1)\t@x, -1")
    text = exported(client).decode("utf-8-sig")
    assert "hola;'=HYPERLINK(A1)\t'@x, '-1" in text
    Ticket.objects.filter(pk=desk[0].pk).update(title="\x01=1+1")
    assert rows_of_xlsx(exported(client, "xlsx"))[1][1] == "'=1+1"


def test_file_is_not_written_if_a_filter_means_nothing_any_more(client, desk):
    place = make_department("otro")
    client.post(ASK, {"query": "departamento=otro", "format": "csv"})
    place.is_active = False
    place.save()
    assert exports.write_waiting() == 0
    assert Export.objects.get().state == ExportState.FAILED


def test_too_many_filters_and_a_strange_name_are_refused_or_cleaned(client, desk):
    long = "&".join(f"q={'ñ' * 290}" for _n in range(2)) + "&orden=creado" * 300
    response = client.post(ASK, {"query": long, "format": "csv", "name": "a\0b\r\nX: y"}, follow=True)
    assert response.status_code == 200
    assert "\r" not in Export.objects.get().name
    assert "\0" not in Export.objects.get().name
