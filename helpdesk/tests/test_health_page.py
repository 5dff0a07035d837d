"""«Salud»: what supervisors read about the desk, and how an administrator lets the mail of a restored copy leave."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Department
from accounts.tests.factories import (
    make_administrator,
    make_agent,
    make_department,
    make_supervisor,
    make_user,
)
from helpdesk.models import Heartbeat, TaskRun
from helpdesk.watching import figures, runs
from helpdesk.watching.page import TASKS
from notifications.enums import MailState
from notifications.models import MailHold, OutgoingEmail
from notifications.outgoing import holding
from notifications.tests.factories import make_mail
from tickets.enums import Template
from tickets.models import Attachment
from tickets.tests.factories import make_ticket, set_clock
from tickets.tests.test_retention import keep_for

pytestmark = pytest.mark.django_db(transaction=True)  # the checks use database connections of their own
URL = "/agentes/salud/"


@pytest.fixture(autouse=True)
def nothing_remembered():
    figures.cache.clear()
    runs._written.clear()
    yield
    figures.cache.clear()


def page(client: Client, person=None) -> str:
    client.force_login(person or make_supervisor())
    figures.cache.clear()
    return " ".join(client.get(URL).content.decode().split())


def alive() -> None:
    """The scheduler and every periodic task have run just now."""
    Heartbeat.objects.create(name="scheduler")
    for task in runs.scheduled():
        runs.record(task, seconds=0.2)


def test_only_supervisors_and_administrators_may_read_it(client):
    for person in (make_user(), make_agent()):
        client.force_login(person)
        assert client.get(URL).status_code == 404
    client.logout()
    assert client.get(URL).status_code == 302
    assert "<h1>Salud</h1>" in page(client)
    assert "<h1>Salud</h1>" in page(client, make_administrator())


def test_good_state_says_so_and_links_from_the_rail(client):
    alive()
    make_department("soporte-tecnico")

    text = page(client)

    assert "Todo funciona y nada espera." in text
    assert "tag--warn" not in text
    assert "tag--bad" not in text
    assert f'href="{reverse("health")}"' in text
    assert "El correo está retenido" not in text


def test_empty_desk_says_that_nothing_has_run_yet(client):
    text = page(client)

    assert "Todavía no hay departamentos" in text
    assert text.count("Todavía no</span>") == len(runs.scheduled()) + 1
    assert "Ninguna con «manage.py backup»." in text
    assert "No da señales" in text
    assert "Corre cada 5 s." in text
    assert "cada &lt;" not in text


def test_short_run_does_not_take_zero_seconds(client):
    alive()
    TaskRun.objects.update(seconds=0.01)

    text = page(client)

    assert "Tardó menos de 0,1 s" in text
    assert "0,0 s" not in text


def test_bad_state_says_what_to_do(client):
    alive()
    department = make_department("soporte-tecnico")
    ticket = make_ticket()
    ticket.department = department
    ticket.save(update_fields=["department"])
    set_clock(ticket, due_at=timezone.now() - timedelta(hours=1))
    OutgoingEmail.objects.all().delete()
    for state in (MailState.FAILED, MailState.UNCERTAIN):
        mail = make_mail(ticket, Template.PROGRESS)
        OutgoingEmail.objects.filter(pk=mail.pk).update(state=state)
    late = make_mail(ticket, Template.PROGRESS)
    OutgoingEmail.objects.filter(pk=late.pk).update(next_attempt_at=timezone.now() - timedelta(hours=2))
    Attachment.objects.create(name="a.png", kind="image", size=1, file="x", scan=Attachment.Scan.PENDING)
    runs.record("helpdesk.tasks.clean_up", seconds=1, error=OSError("/secreto"))
    TaskRun.objects.filter(task="helpdesk.tasks.draw_thumbnails").update(
        ran_at=timezone.now() - timedelta(hours=5)
    )

    text = page(client, make_administrator())

    for sentence in (
        "7 puntos piden atención.",
        "Hay correos que esperan demasiado.",
        "Espera 1.",
        "Sin entregar: 1.",
        "Quizá salieron: 1.",
        "Tickets que pasaron su plazo más próximo: 1.",
        "Esperan al antivirus: 1.",
        "Falló (OSError).",
        "No corre desde entonces",
        "1 vencido",
    ):
        assert sentence in text, sentence
    assert "/secreto" not in text
    assert "?state__exact=failed" in text
    assert "?state__exact=failed" not in page(client, make_supervisor())


@pytest.mark.parametrize(("age", "said"), [(timedelta(hours=3), "hace 3 h"), (timedelta(days=3), "Es vieja")])
def test_age_of_the_last_backup(client, age, said):
    alive()
    runs.record("backup", seconds=40)
    TaskRun.objects.filter(task="backup").update(ran_at=timezone.now() - age)

    text = page(client)

    assert "Última copia de seguridad" in text
    assert said in text


def test_it_says_what_each_process_deletes(client):
    assert "Qué se borra con el tiempo" not in page(client)

    keep_for("tickets = 365\nfiles = 90")

    text = page(client)
    assert "Tickets cerrados a los 365 días · archivos a los 90 días." in text
    assert "historial a los" not in text


def test_every_periodic_task_has_words():
    assert {name.rpartition(".")[2] for name in runs.scheduled()} <= set(TASKS)


def test_page_without_figures_says_so(client, monkeypatch):
    def slow() -> None:
        raise TimeoutError

    monkeypatch.setattr(figures, "read", slow)

    text = page(client)

    assert "La base de datos no dio las cifras" in text
    assert "Tareas periódicas" not in text


def test_it_is_complete_in_english(client):
    holding.hold(backup_at=timezone.now())
    person = make_administrator(language="en")

    text = page(client, person)

    assert "Mail is held" in text
    for spanish in ("Salud", "Qué funciona", "Todavía", "Atención", "El correo"):
        assert spanish not in text, spanish


def hold_one_old_and_one_new() -> tuple[OutgoingEmail, OutgoingEmail]:
    ticket = make_ticket()
    OutgoingEmail.objects.all().delete()
    old = make_mail(ticket, Template.PROGRESS)
    OutgoingEmail.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(hours=1))
    holding.hold(backup_at=timezone.now() - timedelta(minutes=30))
    return old, make_mail(ticket, Template.REOPENED)


def test_administrator_reads_how_many_mails_wait_and_may_go_twice(client):
    hold_one_old_and_one_new()

    text = page(client, make_administrator())

    assert "2 esperan." in text
    assert "1 ya esperaba en la copia" in text
    assert "Enviarlos todos" in text
    assert "Enviarlos todos" not in page(client, make_supervisor())
    assert "Lo decide un administrador." in page(client, make_supervisor())


def test_hold_without_old_mails_offers_one_way(client):
    """No mail could go twice, so there is nothing to discard."""
    ticket = make_ticket()
    OutgoingEmail.objects.all().delete()
    holding.hold(backup_at=timezone.now() - timedelta(minutes=30))
    make_mail(ticket, Template.REOPENED)

    text = page(client, make_administrator())

    assert "Dejar salir el correo" in text
    assert "en la copia:" not in text
    assert "Descartar" not in text


@pytest.mark.parametrize(("choice", "left"), [("descartar", 1), ("enviar", 2)])
def test_administrator_releases_the_mail(client, choice, left, deliver):
    hold_one_old_and_one_new()
    client.force_login(make_administrator())

    response = client.post(reverse("release_mail"), {"anteriores": choice}, follow=True)

    assert "El correo vuelve a salir." in response.content.decode()
    assert deliver() == left
    assert not MailHold.objects.exists()


def test_nobody_else_releases_it_and_no_get_does(client):
    hold_one_old_and_one_new()
    for person in (make_user(), make_agent(), make_supervisor()):
        client.force_login(person)
        assert client.post(reverse("release_mail"), {"anteriores": "enviar"}).status_code == 404
    client.force_login(make_administrator())
    assert client.get(reverse("release_mail")).status_code == 405
    assert MailHold.objects.exists()


def test_every_page_tells_administrators_that_mail_is_held(client):
    said = "Esta mesa es una copia restaurada"
    client.force_login(make_administrator())
    assert said not in client.get(reverse("agents:queue")).content.decode()

    holding.hold(backup_at=timezone.now())

    assert said in client.get(reverse("agents:queue")).content.decode()
    assert said in client.get(reverse("agents:nonconformities")).content.decode()
    client.force_login(make_agent())
    assert said not in client.get(reverse("agents:queue")).content.decode()


def test_each_reader_gets_the_names_in_their_language(client):
    """The figures are kept for some seconds, for readers of both languages."""
    Department.objects.create(key="aulas", name="Aulas", name_en="Classrooms")
    client.force_login(make_supervisor(language="es"))
    assert "Aulas" in client.get(URL).content.decode()
    client.force_login(make_supervisor(language="en"))
    text = client.get(URL).content.decode()
    assert "Classrooms" in text
    assert "Aulas" not in text
