"""«Horarios y plazos»: supervisors change hours, see what moves, save and undo (S2.33, S2.34)."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from accounts.tests.factories import make_agent, make_supervisor, make_user
from agents.pages.schedules import users_of
from tickets.calendars import CalendarRules, hours_between
from tickets.definitions.targets import read_targets
from tickets.models import Calendar, ScheduleChange, Ticket
from tickets.schedules import applying, job, proposing
from tickets.schedules.openness import openness
from tickets.tests.test_schedules import LONGER, MONDAY, SHORTER, Desk, at, clock, on, wall
from web.opening_hours import closure_notices

from .factories import signed_in

pytestmark = pytest.mark.django_db
PAGE = "/agentes/ajustes/horarios/oficina/"


@pytest.fixture
def desk():
    return Desk()


@pytest.fixture
def person(desk):
    client = Client()
    client.force_login(desk.supervisor)
    return client


def week(**days):
    """Return the form's data for a week in which the named days differ from 8:00 to 17:00."""
    hours = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), ("8:00", "17:00")) | days
    return {
        f"{day}_0_{side}": time
        for day, pair in hours.items()
        for side, time in zip(("begin", "end"), pair, strict=True)
    }


def sent(desk, **values):
    return {
        "base": desk.calendar.current_id,
        "zone": "America/Bogota",
        "always": "",
        "reason": "",
        **week(),
        **values,
    }


def text_of(response):
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def propose(person, desk, **values):
    response = person.post(PAGE, sent(desk, **values), follow=True)
    assert response.status_code == 200, text_of(response)
    return response


def test_page_shows_the_week_the_coming_days_and_who_uses_the_calendar(person, desk):
    with on(at(2026, 11, 26, 10, 0)):
        page = text_of(person.get(PAGE))
    for words in (
        "45 h",
        "Lo usa Taller",
        "Jue 26 8:00–17:00 9 h · hoy",
        "Sáb 28 Cerrado",
        "Festivos y cierres de 2026",
    ):
        assert words.replace(" h", "\N{NO-BREAK SPACE}h") in page or words in page


def test_a_change_is_counted_first_and_saved_when_it_is_confirmed(person, desk):
    ticket = desk.file(MONDAY)
    with on(MONDAY + timedelta(hours=1)):
        page = propose(person, desk, **week(tue=("8:00", "12:00")), reason="Turno corto")
        assert "Qué cambia al guardar" in text_of(page)
        assert "1 vence después" in text_of(page)
        assert ticket.folio in text_of(page)
        assert clock(ticket).due_at == at(2026, 11, 24, 17, 0)
        draft = ScheduleChange.objects.get()
        assert (draft.reason, draft.author) == ("Turno corto", desk.supervisor)
        done = person.post(reverse("agents:change_confirm", args=[draft.pk]), follow=True)
    assert "Guardamos el horario." in text_of(done)
    assert clock(ticket).due_at == at(2026, 11, 25, 13, 0)
    assert "Turno corto" in text_of(person.get(f"{PAGE}versiones/"))


def test_each_figure_opens_its_list(person, desk):
    later, breached = desk.file(MONDAY + timedelta(hours=2)), desk.file(MONDAY)
    with on(at(2026, 11, 24, 16, 30)):
        propose(person, desk, **week(mon=("8:00", "18:00")))
        draft = ScheduleChange.objects.get()
        lists = {
            kind: text_of(person.get(reverse("agents:change_moved", args=[draft.pk]), {"que": kind}))
            for kind in ("vencidos", "anulados", "despues", "antes")
        }
    assert draft.tally["earlier"] == 2
    assert breached.folio in lists["vencidos"]
    assert later.folio not in lists["vencidos"]
    assert {later.folio, breached.folio} <= set(re.findall(r"MA-\d+", lists["antes"]))
    assert "Ninguna fecha" in lists["anulados"]


def test_figures_that_overlap_say_so(person, desk):
    desk.file(MONDAY)
    says = "Un ticket puede contar en varias cifras"
    with on(MONDAY):
        assert says in text_of(propose(person, desk, **week(mon=("8:00", "12:00"))))
        ScheduleChange.objects.all().delete()
        assert says not in text_of(propose(person, desk, **week(sat=("8:00", "12:00"))))


def test_unknown_lists_and_changes_are_not_found(person, desk):
    change = desk.propose(MONDAY, week=SHORTER)
    moved = reverse("agents:change_moved", args=[change.pk])
    assert person.get(moved, {"que": "todo"}).status_code == 404
    assert person.get(reverse("agents:change_moved", args=[change.pk + 1])).status_code == 404
    assert person.get(f"/agentes/ajustes/cambios/{'9' * 25}/").status_code == 404
    for pk in ("x", "9" * 25, "-1", str(change.pk + 1)):
        assert "Qué cambia al guardar" not in text_of(person.get(PAGE, {"cambio": pk}))


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (week(mon=("ocho", "17:00")), "Escribe una hora como 8:00 o 17:30."),
        (week(mon=("8:75", "17:00")), "Escribe una hora como 8:00 o 17:30."),
        (week(mon=("25", "17:00")), "Escribe una hora como 8:00 o 17:30."),
        (week(mon=("8:00", "")), "Escribe cada horario como 08:00 y 17:30."),
        ({"mon_1_begin": "16:00", "mon_1_end": "18:00"}, "Hay dos horarios que se enciman."),
        (
            {
                f"{day}_0_{side}": ""
                for day in ("mon", "tue", "wed", "thu", "fri")
                for side in ("begin", "end")
            },
            "ningún horario",
        ),
        ({"zone": "America/Macondo"}, "Elige una opción de la lista"),
        ({"day_0_date": "2026-12-24"}, "Ponle un nombre"),
        ({"day_0_name": "Nochebuena"}, "Escribe la fecha"),
        ({"day_0_date": "2026-13-01", "day_0_name": "Nochebuena"}, "fecha válida"),
        ({"day_0_date": "9999-12-31", "day_0_name": "Fin"}, "Escribe un año entre 1970 y 2200."),
        ({"day_0_date": "0001-01-01", "day_0_name": "Inicio"}, "Escribe un año entre 1970 y 2200."),
        ({"reason": "x" * 161}, "caracteres"),
        ({"festivos": "1", "country": ""}, "Elige un país de la lista."),
        ({"festivos": "1", "country": "ES", "region": "XX"}, "Ese país no tiene esa región."),
        ({}, "no hay nada que guardar"),
    ],
)
def test_mistakes_are_told_and_what_was_typed_stays(person, desk, values, says):
    response = person.post(PAGE, sent(desk, **values))
    assert response.status_code == 422
    assert says in text_of(response)
    for value in values.values():
        assert (
            not value
            or f'value="{value}"' in response.content.decode()
            or value in ("America/Macondo", "1", "ES")
        )
    assert not ScheduleChange.objects.exists()


def test_hours_past_midnight_several_intervals_and_own_days(person, desk):
    values = {"fri_0_end": "12:30", "fri_1_begin": "20", "fri_1_end": "2.00"}
    days = {"day_0_date": "2026-12-24", "day_0_name": "Nochebuena", "day_0_begin": "8", "day_0_end": "12:30"}
    days |= {"day_1_date": "2026-12-25", "day_1_name": "Navidad"}
    with on(MONDAY):
        propose(person, desk, **values, **days)
    rules = CalendarRules.read(ScheduleChange.objects.get().rules)
    assert rules.week[4] == hours_between(("08:00", "12:30"), ("20:00", "02:00"))
    assert [(own.day.day, own.name, own.hours) for own in rules.days] == [
        (24, "Nochebuena", hours_between(("08:00", "12:30"))),
        (25, "Navidad", ()),
    ]


def test_holidays_of_a_year_are_copied_and_other_years_stay(person, desk):
    with on(MONDAY):
        propose(person, desk, festivos="1", country="CO")
        draft = ScheduleChange.objects.get()
        person.post(reverse("agents:change_confirm", args=[draft.pk]))
        page = person.post(f"{PAGE}?ano=2027", sent(desk, festivos="1", country="CO"), follow=True)
    assert "Festivos y cierres de 2027" in text_of(page)
    years = [own.day.year for own in CalendarRules.read(ScheduleChange.objects.first().rules).days]
    assert (years.count(2026), years.count(2027)) == (19, 19)
    assert "La Inmaculada Concepción" in page.content.decode()


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (week(mon=("ocho", "17:00")), "Lunes, desde : Escribe una hora como 8:00 o 17:30."),
        (week(wed=("8:00", "25")), "Miércoles, hasta : Escribe una hora como 8:00 o 17:30."),
        ({"tue_1_begin": "16:00", "tue_1_end": "18:00"}, "Martes, desde : Hay dos horarios que se enciman."),
        ({"day_0_date": "2026-12-24"}, "Día nuevo, nombre : Ponle un nombre"),
    ],
)
def test_summary_of_mistakes_names_the_day(person, desk, values, says):
    assert says in text_of(person.post(PAGE, sent(desk, **values)))


def test_monday_is_copied_to_the_other_working_days(person, desk):
    page = person.post(PAGE, sent(desk, **week(mon=("7:00", "15:30")), copiar="1"))
    assert page.status_code == 200
    assert page.content.decode().count('value="15:30"') == 5
    assert not ScheduleChange.objects.exists()


def shown_and_hidden(response, day):
    """Return the names of the fields of a day that its row shows, and of those behind its «+»."""
    row = re.findall(
        rf'<li class="week__row">(?:(?!</li>).)*?id_{day}_0_begin.*?</li>',
        response.content.decode(),
        re.DOTALL,
    )
    shown, hidden = row[0].split("<details", 1)
    return [re.findall(r'<input[^>]*name="(\w+)"', part) for part in (shown, hidden)]


@pytest.mark.parametrize(
    ("day", "shown", "hidden"),
    [
        ("mon", ["mon_0_begin", "mon_0_end"], ["mon_1_begin", "mon_1_end"]),
        ("sun", [], ["sun_0_begin", "sun_0_end"]),
    ],
)
def test_day_shows_its_intervals_and_hides_one_more(person, desk, day, shown, hidden):
    assert shown_and_hidden(person.get(PAGE), day) == [shown, hidden]


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ({"mon_1_begin": "18:00", "mon_1_end": "25"}, 2),
        ({"mon_1_begin": "", "mon_1_end": "20:00"}, 2),
        ({"mon_1_begin": "", "mon_1_end": ""}, 1),
    ],
)
def test_typed_intervals_stay_in_sight_and_one_more_is_hidden(person, desk, values, shown):
    page = person.post(PAGE, sent(desk, zone="America/Macondo", **values))
    assert page.status_code == 422
    in_sight, hidden = shown_and_hidden(page, "mon")
    assert in_sight == [f"mon_{number}_{side}" for number in range(shown) for side in ("begin", "end")]
    assert hidden == [f"mon_{shown}_begin", f"mon_{shown}_end"]


def test_error_in_the_hidden_interval_is_in_sight(person, desk):
    page = person.post(PAGE, sent(desk, sun_0_begin="9:00", sun_0_end="25"))
    row = page.content.decode().split('<li class="week__row">')[7]
    assert 'id="id_sun_0_end_error"' in row.split("<details")[0]


def test_interval_behind_the_plus_is_saved(person, desk):
    with on(MONDAY):
        propose(person, desk, sun_0_begin="9:00", sun_0_end="12:00", mon_1_begin="18:00", mon_1_end="20:00")
    rules = CalendarRules.read(ScheduleChange.objects.get().rules)
    assert rules.week[6] == hours_between(("09:00", "12:00"))
    assert rules.week[0] == hours_between(("08:00", "17:00"), ("18:00", "20:00"))


def test_copied_monday_shows_no_more_intervals_than_monday_has(person, desk):
    page = person.post(PAGE, sent(desk, **week(mon=("7:00", "15:30")), copiar="1"))
    assert shown_and_hidden(page, "thu") == [["thu_0_begin", "thu_0_end"], ["thu_1_begin", "thu_1_end"]]


def test_coming_days_list_own_closures_with_their_date_once(person, desk):
    with on(MONDAY):
        propose(person, desk, festivos="1", country="CO")
        person.post(reverse("agents:change_confirm", args=[ScheduleChange.objects.get().pk]))
        desk.calendar.refresh_from_db()
        close(
            desk,
            (wall(2026, 12, 1, 10, 0), wall(2026, 12, 1, 15, 0), "Inventario"),
            (wall(2026, 12, 9, 16, 0), wall(2026, 12, 10, 9, 0), "Mudanza"),
            now=MONDAY,
        )
        page = text_of(person.get(PAGE))
    assert "mar 1 dic, 10:00–15:00 Inventario Propio mar 8 dic" in page
    assert "mié 9 dic, 16:00 – jue 10 dic, 9:00 Mudanza Propio" in page
    assert "Inventario · mar 1 dic, 10:00–15:00" in page


def test_closure_takes_two_clicks_and_one_to_undo(person, desk, django_capture_on_commit_callbacks):
    ticket = desk.file(MONDAY)
    with on(MONDAY + timedelta(hours=1)):
        data = {"day": "2026-11-23", "begin": "11:00", "end": "", "reason": "power", "other": ""}
        page = person.post(reverse("agents:calendar_closure", args=["oficina"]), data, follow=True)
        assert page.redirect_chain[0][0].endswith("#impact")  # where it says what changes and is confirmed
        assert "Confirmar cierre" in text_of(page)
        form = page.content.decode().split('id="cierre"')[1]
        assert 'value="2026-11-23"' in form
        assert 'value="11:00"' in form
        draft = ScheduleChange.objects.get()
        person.post(reverse("agents:change_confirm", args=[draft.pk]))
        assert clock(ticket).due_at == at(2026, 11, 25, 14, 0)
        home = text_of(Client().get("/"))
        assert "Ahora estamos cerrados" not in home
        assert "Hoy cerramos a las 11:00 (hora de Bogotá): corte de luz." in home
        assert "Volvemos mañana, 8:00." in home
        assert "Las fechas de tus tickets" not in home
    with on(at(2026, 11, 23, 12, 0)):
        assert "Ahora estamos cerrados: corte de luz." in text_of(Client().get("/"))
        undo = person.post(reverse("agents:change_undo", args=[draft.pk]), follow=True)
        assert "1 vence antes" in text_of(undo)
        assert "Todavía no deshicimos nada" in text_of(undo)
        assert "Deshacer y recalcular" in text_of(undo)
        latest = ScheduleChange.objects.first()
        with django_capture_on_commit_callbacks(execute=True):
            person.post(reverse("agents:change_confirm", args=[latest.pk]))
        assert "corte de luz" not in text_of(Client().get("/"))
    assert clock(ticket).due_at == at(2026, 11, 24, 17, 0)


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ({"reason": "other", "other": "inventario", "end": "13:30"}, ['value="inventario"', 'value="13:30"']),
        ({"reason": "strike"}, ['<option value="strike" selected>']),
    ],
)
def test_form_keeps_the_closure_that_is_previewed(person, desk, values, shown):
    with on(MONDAY + timedelta(hours=1)):
        data = {"day": "2026-11-23", "begin": "11:00", "end": "", "reason": "power", "other": "", **values}
        page = person.post(reverse("agents:calendar_closure", args=["oficina"]), data, follow=True)
        form = page.content.decode().split('id="cierre"')[1]
        for each in shown:
            assert each in form


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"begin": ""}, "Este dato hace falta."),
        ({"begin": "18:00"}, "A esa hora ya está cerrado"),
        ({"reason": "other"}, "Escribe el motivo"),
        ({"day": "2026-11-29"}, "A esa hora ya está cerrado"),
        ({"day": "9999-12-31"}, "Escribe un día desde hace un mes"),
        (
            {"day": "9999-12-31", "begin": "24:00", "end": "24:00"},
            "Escribe un día desde hace un mes",
        ),
        ({"day": "0001-01-01"}, "Escribe un día desde hace un mes"),
        ({"day": "2026-11-31"}, "fecha válida"),
        ({"day": "2026-10-20"}, "Escribe un día desde hace un mes"),
        ({"end": "10:00"}, "Reabres antes de cerrar."),
    ],
)
def test_closures_that_make_no_sense_are_refused(person, desk, values, says):
    data = {"day": "2026-11-23", "begin": "11:00", "end": "", "reason": "power", "other": ""} | values
    with on(MONDAY):
        page = person.post(reverse("agents:calendar_closure", args=["oficina"]), data)
    assert page.status_code == 422
    assert says in text_of(page)
    assert not ScheduleChange.objects.exists()


def test_hours_that_somebody_else_saved_are_not_overwritten(person, desk):
    with on(MONDAY):
        propose(person, desk, **week(tue=("8:00", "12:00")))
        mine = ScheduleChange.objects.get()
        typed = sent(desk, **week(wed=("8:00", "12:00")))
        other = Desk.__new__(Desk)
        other.__dict__ |= desk.__dict__ | {"supervisor": make_supervisor()}
        other.change(MONDAY, week=LONGER)
        refused = person.post(PAGE, typed)
        assert (refused.status_code, "Alguien guardó otro horario" in text_of(refused)) == (422, True)
        draft = person.get(PAGE, {"cambio": mine.pk})
        assert "Volver a contar" in text_of(draft)
        assert "Guardar y recalcular" not in text_of(draft)
        again = person.post(reverse("agents:change_again", args=[mine.pk]), follow=True)
        assert "Guardar y recalcular" in text_of(again)
    assert desk.rules.week == LONGER


def test_progress_is_shown_until_the_job_is_done(person, desk, monkeypatch):
    monkeypatch.setattr(job, "COUNTED_AT_ONCE", 1)
    for _number in range(3):
        desk.file(MONDAY)
    with on(MONDAY):
        page = propose(person, desk, **week(tue=("8:00", "12:00")))
        assert 'hx-trigger="every 2s"' in page.content.decode()
        assert "33 %" in text_of(page)
        job.go_on_with_all()
        panel = person.get(reverse("agents:change_progress", args=[ScheduleChange.objects.get().pk]))
    assert "3 vencen después" in text_of(panel)
    assert "hx-trigger" not in panel.content.decode()


def test_discarding_leaves_the_hours_as_they_were(person, desk):
    with on(MONDAY):
        propose(person, desk, **week(tue=("8:00", "12:00")))
        draft = ScheduleChange.objects.get()
        page = person.post(reverse("agents:change_discard", args=[draft.pk]), follow=True)
    assert "Descartamos el cambio" in text_of(page)
    assert person.get(reverse("agents:change_progress", args=[draft.pk])).status_code == 404
    assert desk.calendar.current.number == 1


def test_earlier_version_is_proposed_again(person, desk):
    desk.change(MONDAY, week=SHORTER)
    page = person.post(f"{PAGE}versiones/", {"version": 1}, follow=True)
    assert "Guardar y recalcular" in text_of(page)
    assert ScheduleChange.objects.first().rules == desk.calendar.versions.get(number=1).rules


def test_calendars_are_created_with_a_key_of_their_own(person, desk):
    for _time in range(2):
        page = person.post(
            reverse("agents:new_calendar"),
            {"name": "Oficina", "zone": "Europe/Madrid", "hours": "always"},
            follow=True,
        )
        assert "Creamos el calendario" in text_of(page)
    assert set(Calendar.objects.values_list("key", flat=True)) == {"oficina", "oficina-2", "oficina-3"}
    assert Calendar.objects.get(key="oficina-3").current.as_rules.always


@pytest.mark.demand("S3.25")
def test_one_calendar_at_most_is_that_of_the_phone(
    person, desk, settings, django_capture_on_commit_callbacks
):
    settings.DESK_SUPPORT_PHONE = "601 555 0142"
    page = text_of(Client().get("/"))
    assert "Disponible" not in page
    assert "Actualmente cerrado" not in page
    with django_capture_on_commit_callbacks(execute=True):
        person.post(reverse("agents:calendar_phone", args=["oficina"]), {"si": "1"})
    with on(at(2026, 11, 27, 16, 0)):
        assert "Disponible hasta hoy, 17:00" in text_of(Client().get("/"))
    with on(at(2026, 11, 27, 17, 0)):
        page = text_of(Client().get("/"))
        assert "Actualmente cerrado abre lun 30 nov, 8:00" in page
        assert "Hoy, viernes 8:00–17:00" in page
        assert "Domingo Cerrado" in page
    person.post(
        reverse("agents:new_calendar"), {"name": "Siempre", "zone": "Europe/Madrid", "hours": "always"}
    )
    with django_capture_on_commit_callbacks(execute=True):
        person.post(reverse("agents:calendar_phone", args=["siempre"]), {"si": "1"})
    assert list(Calendar.objects.filter(answers_phone=True).values_list("key", flat=True)) == ["siempre"]
    assert "Disponible 24 horas, todos los días" in text_of(Client().get("/"))
    with django_capture_on_commit_callbacks(execute=True):
        person.post(reverse("agents:calendar_phone", args=["siempre"]), {"no": "1"})
    assert "Disponible" not in text_of(Client().get("/"))


def test_desk_without_calendars_says_what_they_are_for():
    client = Client()
    client.force_login(make_supervisor())
    page = client.get(reverse("agents:schedules"))
    assert "Todavía no hay calendarios" in text_of(page)


def test_only_supervisors_see_and_change_hours(desk):
    change = desk.propose(MONDAY, week=SHORTER)
    pages = [reverse("agents:schedules"), PAGE, f"{PAGE}versiones/", reverse("agents:new_calendar")]
    pages += [reverse(f"agents:change_{name}", args=[change.pk]) for name in ("progress", "moved")]
    acts = [
        reverse(f"agents:change_{name}", args=[change.pk]) for name in ("confirm", "discard", "undo", "again")
    ]
    acts += [
        reverse(f"agents:calendar_{name}", args=["oficina"]) for name in ("closure", "phone", "versions")
    ]
    for who in (make_agent(), make_user()):
        client = Client()
        client.force_login(who)
        assert {client.get(page).status_code for page in pages} == {404}
        assert {client.post(act).status_code for act in [*acts, PAGE]} == {404}
    assert {Client().get(page).status_code for page in pages} == {302}
    change.refresh_from_db()
    assert change.state == "draft"


def test_page_takes_as_many_queries_however_many_dates_move(person, desk, django_assert_max_num_queries):
    for _number in range(12):
        desk.file(MONDAY)
    change = desk.propose(MONDAY, week=SHORTER)
    with on(MONDAY), django_assert_max_num_queries(16):
        person.get(PAGE, {"cambio": change.pk})


def test_calendar_names_the_processes_whose_targets_in_force_count_in_it(person, desk):
    calendar = desk.calendar
    page = reverse("agents:calendar", args=["oficina"])
    assert f"Lo usa {desk.process.definition.name}" in text_of(person.get(page))
    targets = read_targets({"resolution": {"problem": "5d", "procedure": "5d"}})
    with on(MONDAY):
        change = proposing.propose_targets(desk.process, targets, actor=desk.supervisor, base=None)
        job.go_on(applying.confirm(change, actor=desk.supervisor), seconds=5)
    assert users_of(calendar) == []
    assert "Ningún proceso lo usa todavía." in text_of(person.get(page))


def notices():
    now = timezone.now()
    return closure_notices(openness(now).closures, now=now)


def close(desk, *closures, now):
    """Confirm closures of this calendar, each from one wall time to another or until the end of its day."""
    with on(now):
        for start, end, name in closures:
            change = proposing.propose_closure(
                desk.calendar, actor=desk.supervisor, start=start, end=end, name=name
            )
            job.go_on(applying.confirm(change, actor=desk.supervisor), seconds=5)


def test_closures_of_a_day_are_told_in_one_notice(desk):
    morning = at(2026, 11, 23, 8, 30)
    close(
        desk,
        (wall(2026, 11, 23, 10, 0), wall(2026, 11, 23, 11, 0), "Mantenimiento"),
        (wall(2026, 11, 23, 15, 0), None, "Corte de luz"),
        (wall(2026, 11, 24, 0, 0), None, "Paro"),
        now=morning,
    )
    with on(morning), timezone.override(desk.calendar.current.as_rules.zone):
        today, tomorrow = notices()
        assert today.title == "Hoy cerramos a las 10:00: mantenimiento."
        assert today.text == (
            "Volvemos hoy, 11:00. Hoy cerramos a las 15:00: corte de luz. Volvemos mié 25 nov, 8:00."
        )
        assert tomorrow.title == "Mañana no abrimos: paro."


def test_closures_that_end_together_are_one_with_both_reasons(desk):
    morning = at(2026, 11, 23, 8, 30)
    close(
        desk,
        (wall(2026, 11, 23, 10, 0), wall(2026, 11, 23, 15, 0), "Mantenimiento"),
        (wall(2026, 11, 23, 11, 0), None, "Corte de luz"),
        now=morning,
    )
    with on(morning), timezone.override(desk.calendar.current.as_rules.zone):
        [today] = notices()
    assert today.title == "Hoy cerramos a las 10:00: mantenimiento, corte de luz."
    assert today.text == "Volvemos mañana, 8:00."


def test_dates_of_tickets_are_told_to_those_whose_dates_count_the_closure(desk):
    ticket, stranger = desk.file(MONDAY), make_user()
    by_the_clock, early = desk.file(MONDAY), desk.file(MONDAY)
    by_the_clock.clocks.update(calendar_version=None, unit="elapsed")
    early.clocks.update(due_at=at(2026, 11, 23, 14, 0), target=timedelta(hours=6))
    now = MONDAY + timedelta(hours=1)
    close(desk, (wall(2026, 11, 23, 15, 0), None, "Corte de luz"), now=now)
    told = "Las fechas de tus tickets ya lo tienen en cuenta."
    with on(now):
        for reader, is_told in (
            (ticket.requester, True),
            (stranger, False),
            (by_the_clock.requester, False),
            (early.requester, False),
        ):
            page = text_of(signed_in(reader).get("/"))
            assert "corte de luz" in page
            assert (told in page) is is_told
        Ticket.objects.filter(pk=ticket.pk).update(stage_kind="done", closed_at=now)
        assert told not in text_of(signed_in(ticket.requester).get("/"))


def test_closure_names_the_date_to_readers_for_whom_it_is_another_day(desk):
    with on(at(2026, 11, 23, 10, 0)):
        desk_supervisor = desk.supervisor
        change = proposing.propose_closure(
            desk.calendar,
            actor=desk_supervisor,
            start=wall(2026, 11, 24, 11, 0),
            end=None,
            name="Corte de luz",
        )
        job.go_on(applying.confirm(change, actor=desk_supervisor), seconds=5)
    evening = at(2026, 11, 23, 20, 0)  # Tuesday already in Madrid
    with on(evening):
        [here] = notices()
        with timezone.override("Europe/Madrid"):
            [there] = notices()
    assert here.title.startswith("Mañana cerramos a las 11:00")
    assert there.title.startswith("Mar 24 nov cerramos a las 11:00 (hora de Bogotá)")
    assert "Volvemos mié 25 nov, 8:00." in there.text


def test_reasons_that_the_desk_composed_are_told_in_the_readers_language(person, desk):
    def confirmed(change):
        return job.go_on(applying.confirm(change, actor=desk.supervisor), seconds=5)

    ticket, now = desk.file(MONDAY), MONDAY + timedelta(hours=1)
    with on(now), translation.override("en"):  # the supervisor who closes reads English
        data = {"day": "2026-11-23", "begin": "11:00", "end": "", "reason": "power", "other": ""}
        person.post(reverse("agents:calendar_closure", args=["oficina"]), data)
        closed = confirmed(ScheduleChange.objects.get())
    with on(now):
        assert closed.reason == "Corte de luz"
        undone = confirmed(proposing.propose_undo(closed, actor=desk.supervisor))
        typed = confirmed(
            proposing.propose(
                desk.calendar,
                replace(desk.rules, week=LONGER),
                actor=desk.supervisor,
                reason="Corte de luz",
            )
        )
        first = desk.calendar.versions.order_by("number").first()
        back = confirmed(proposing.propose_version(first, actor=desk.supervisor))
        with translation.override("en"):
            assert [each.told_reason for each in (closed, undone, typed, back)] == [
                "Power cut",
                "Undo: Power cut",
                "Corte de luz",
                "Go back to version 1",
            ]
        assert [each.told_reason for each in (closed, undone)] == ["Corte de luz", "Deshacer: Corte de luz"]
        desk.supervisor.language = "en"
        desk.supervisor.save()
        page = text_of(person.get(f"{PAGE}versiones/"))
        assert "Undo: Power cut" in page
        why = text_of(person.get(f"/agentes/tickets/{ticket.folio}/fecha/"))
        assert "changed the hours: Undo: Power cut" in why
