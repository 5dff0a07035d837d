"""The first installation: the command that prepares it, the first administrator, and the page of what is missing."""

import re
from datetime import timedelta
from html import unescape
from io import StringIO

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone, translation

from accounts.enums import Role
from accounts.models import Department, Membership, User
from accounts.tests.factories import make_agent, make_user
from helpdesk import installation
from helpdesk.backup import making
from helpdesk.installation import State
from helpdesk.models import Heartbeat, TaskRun
from helpdesk.watching import runs
from notifications.enums import MailState
from notifications.models import OutgoingEmail
from tickets.definitions.loading import library
from tickets.models import Process
from tickets.workflow.publishing import put_in_use
from web.wording import NBSP

pytestmark = pytest.mark.django_db
LINK = re.compile(r"http://\S+(/cuenta/clave/primera/\S+/)")
PASSWORD = "una-clave-larga-2026"


@pytest.fixture(autouse=True)
def production(monkeypatch) -> None:
    monkeypatch.setenv("DESK_ENV", "development")


def run(*command: str) -> str:
    out = StringIO()
    call_command(*command, stdout=out)
    return out.getvalue()


def states() -> dict[str, State]:
    return {step.key: step.state for step in installation.steps()}


def test_prepared_desk_has_processes_an_administrator_and_a_next_step():
    said = run("prepare_production", "--administrator", "Ana@Example.com")

    assert Process.objects.filter(is_active=True, current__isnull=False).count() == 5
    assert User.objects.get().role == Role.ADMINISTRATOR
    assert User.objects.get().email == "ana@example.com"
    assert LINK.search(said)
    assert "Still missing:" in said
    assert "Agents and supervisors: Nobody answers yet" in said
    assert said.rstrip().endswith("/puesta-en-marcha/")


def test_preparing_again_changes_nothing():
    """Every update runs it: it adds no administrator and publishes no process that the desk did not choose."""
    put_in_use(library()["soporte-con-aprobacion"])
    run("prepare_production", "--administrator", "ana@example.com")

    said = run("prepare_production", "--administrator", "otra@example.com")

    assert Process.objects.count() == 1
    assert [user.email for user in User.objects.all()] == ["ana@example.com"]
    assert not LINK.search(said)


def test_nobody_is_asked_without_a_terminal():
    said = run("prepare_production")

    assert not User.objects.exists()
    assert "Name the first one with" in said


def test_first_administrator_chooses_a_password_and_reads_what_is_missing(client: Client):
    said = run("prepare_production", "--administrator", "ana@example.com")
    path = LINK.search(said)[1]

    opened = client.get(path, follow=True)
    assert path not in opened.request["PATH_INFO"], "the key leaves the address"
    form = {"password1": PASSWORD, "password2": PASSWORD}
    client.post(opened.request["PATH_INFO"], form, follow=True)
    entered = client.post("/cuenta/entrar/", {"login": "ana@example.com", "password": PASSWORD}, follow=True)

    assert entered.redirect_chain[-1][0] == "/puesta-en-marcha/"
    assert "Nadie atiende todavía" in unescape(entered.content.decode())
    assert not mail.outbox, "no mail was needed"


def test_administrators_link_works_once():
    said = run("make_administrator", "ana@example.com")
    path = LINK.search(said)[1]
    first = Client()
    opened = first.get(path, follow=True)
    first.post(opened.request["PATH_INFO"], {"password1": PASSWORD, "password2": PASSWORD})

    again = Client().get(path, follow=True)

    assert "El enlace ya no sirve" in again.content.decode()
    assert (
        "El enlace ya no sirve"
        in Client().get("/cuenta/clave/primera/1-abc-def/", follow=True).content.decode()
    )


def test_known_person_becomes_administrator():
    customer = make_user(email="luis@example.com", name="Luis", is_active=False)

    run("make_administrator", "luis@example.com")

    customer.refresh_from_db()
    assert (customer.role, customer.is_active, customer.name) == (Role.ADMINISTRATOR, True, "Luis")


def test_administrator_needs_an_address():
    with pytest.raises(CommandError, match="no address"):
        run("make_administrator", "ana")


def test_new_desk_misses_everything():
    assert states() == {
        "processes": State.MISSING,
        "administrators": State.MISSING,
        "departments": State.MISSING,
        "staff": State.MISSING,
        "background": State.MISSING,
        "clocks": State.DONE,
        "mail": State.MISSING,
        "two_factors": State.DONE,  # nobody could have one
        "backups": State.UNKNOWN,
    }


def test_each_step_is_done_by_its_own_data():
    run("prepare_production", "--administrator", "ana@example.com")
    assert states()["processes"] is State.DONE
    assert states()["administrators"] is State.DONE
    assert states()["two_factors"] is State.MISSING

    make_agent(*Department.objects.all()[:1])
    assert states()["staff"] is State.DONE
    assert states()["departments"] is State.MISSING, "the others have nobody"
    make_agent(*Department.objects.all())
    assert states()["departments"] is State.DONE

    Heartbeat.objects.create(name="scheduler", at=timezone.now())
    assert states()["background"] is State.DONE
    TaskRun.objects.create(task=runs.BACKUP)
    assert states()["backups"] is State.DONE


def test_what_has_stopped_is_missing_again():
    Heartbeat.objects.create(name="scheduler", at=timezone.now() - timedelta(minutes=7))
    TaskRun.objects.create(task=runs.BACKUP, ran_at=timezone.now() - timedelta(days=3))
    department = Department.objects.create(name="Ventas", key="ventas")
    Membership.objects.create(department=department, user=make_agent(is_active=False))

    found = {step.key: step for step in installation.steps()}

    assert f"desde hace 7{NBSP}min." in found["background"].text
    assert "3 días" in found["backups"].text
    assert "Ventas" in found["departments"].text
    assert {found[key].state for key in ("background", "backups", "departments", "staff")} == {State.MISSING}


def test_backup_that_has_not_ended_is_none():
    """It may be running, or have been killed in the middle."""
    Heartbeat.objects.create(name=making.RUNNING, at=timezone.now())

    assert states()["backups"] is State.UNKNOWN


def test_clocks_that_differ_are_said(monkeypatch):
    ahead = timezone.now() + timedelta(minutes=2)
    monkeypatch.setattr(timezone, "now", lambda: ahead)

    [step] = [step for step in installation.steps() if step.key == "clocks"]

    assert step.state is State.MISSING
    assert "NTP" in step.text


@pytest.mark.parametrize(
    ("outcomes", "state"),
    [
        ([MailState.SENT], State.DONE),
        ([MailState.SENT, MailState.FAILED], State.MISSING),
        ([MailState.FAILED, MailState.SENT], State.DONE),
        ([MailState.QUEUED], State.MISSING),
    ],
)
def test_newest_outcome_decides_about_the_mail(outcomes, state):
    for number, outcome in enumerate(outcomes):
        OutgoingEmail.objects.create(
            template="x", audience="account", recipient="a@b.test", state=outcome, message_id=f"<{number}@b.test>"
        )  # fmt: skip

    assert states()["mail"] is state


def test_administrator_sends_a_test_mail(client: Client, deliver):
    client.force_login(make_user(Role.ADMINISTRATOR, email="ana@example.com"))

    client.post("/puesta-en-marcha/correo/")
    deliver()

    assert [message.to for message in mail.outbox] == [["ana@example.com"]]
    assert states()["mail"] is State.DONE


@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.AGENT, Role.SUPERVISOR])
def test_page_is_for_administrators(client: Client, role: Role):
    client.force_login(make_user(role))

    assert client.get("/puesta-en-marcha/").status_code == 404
    assert client.post("/puesta-en-marcha/correo/").status_code == 404
    assert not OutgoingEmail.objects.exists()


@pytest.mark.parametrize("start", ["/admin/", "/agentes/"])
def test_administrators_are_led_to_the_page(client: Client, start: str):
    client.force_login(make_user(Role.ADMINISTRATOR))
    assert 'href="/puesta-en-marcha/"' in client.get(start).content.decode()


def test_nobody_else_is_led_to_the_page(client: Client):
    client.force_login(make_user(Role.SUPERVISOR))
    assert "/puesta-en-marcha/" not in client.get("/agentes/").content.decode()


def test_page_costs_the_same_with_many_rows(client: Client, django_assert_max_num_queries):
    client.force_login(make_user(Role.ADMINISTRATOR))
    for number in range(12):
        Department.objects.create(name=f"D{number}", key=f"d{number}")
        make_user(Role.ADMINISTRATOR)

    with django_assert_max_num_queries(18):
        page = client.get("/puesta-en-marcha/").content.decode()

    assert "(+7)" in page


def test_page_says_when_nothing_is_missing(client: Client, monkeypatch):
    monkeypatch.setattr(installation, "steps", list)
    client.force_login(make_user(Role.ADMINISTRATOR))

    assert "Todo está listo" in client.get("/puesta-en-marcha/").content.decode()


def test_steps_are_in_english_too():
    with translation.override("en"):
        titles = [step.title for step in installation.steps()]

    assert "Departments with people" in titles
