"""/metrics, the records of periodic tasks, and the alerts that docs/operations.md suggests."""

import os
import re
import subprocess
import sys
import threading
from datetime import timedelta
from typing import Any

import promql_parser
import pytest
import yaml
from celery import current_app
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from accounts.tests.factories import make_department
from helpdesk import tasks
from helpdesk.models import TaskRun
from helpdesk.watching import figures, processes, requests, runs
from notifications.enums import TROUBLED_STATES, MailState
from notifications.models import OutgoingEmail
from notifications.outgoing import holding
from notifications.tests.factories import make_mail
from tickets.enums import Template
from tickets.models import Attachment, Ticket
from tickets.tests.factories import make_ticket, set_clock

pytestmark = pytest.mark.django_db

ALERTS = settings.BASE_DIR / "deploy" / "prometheus" / "alerts.yml"
STRANGER = "203.0.113.9"


@pytest.fixture(autouse=True)
def nothing_remembered():
    figures.cache.clear()
    runs._written.clear()
    yield
    figures.cache.clear()


def metrics(client: Client) -> dict[tuple[str, ...], float]:
    """Return the value of every sample by its name and the values of its labels."""
    response = client.get("/metrics", headers={"Host": "10.1.2.3:8000"})
    assert response.status_code == 200, response.content[:300]
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(response.content.decode())
        for sample in family.samples
    }


def test_requests_are_counted_by_route_and_status(client):
    ticket = make_ticket()
    client.force_login(ticket.requester)
    before = metrics(client)

    for _time in range(2):
        client.get(f"/tickets/{ticket.folio}/")
    client.get("/no-existe/")
    client.generic("BREW", "/no-existe/")
    after = metrics(client)

    def more(*sample: str) -> float:
        return after[sample] - before.get(sample, 0)

    assert more("desk_requests_total", "GET", "portal:ticket", "200") == 2
    assert more("desk_request_seconds_count", "GET", "portal:ticket") == 2
    assert more("desk_requests_total", "GET", "none", "404") == 1
    assert {labels[1] for labels in after if labels[0] == "desk_requests_total"} <= {
        *requests.METHODS,
        "other",
    }


def test_what_a_visitor_writes_becomes_no_label(client):
    text = "s3cr3t-of-a-guest"
    client.get(f"/enlace/{text}/?{text}")
    client.get(f"/{text}/")
    client.generic(text.upper()[:10], "/")

    assert text not in client.get("/metrics").content.decode().lower()


@pytest.mark.parametrize(
    ("address", "authorization", "status"),
    [
        ("127.0.0.1", "", 200),
        (STRANGER, "", 404),
        ("", "", 404),
        (STRANGER, "Bearer wrong", 404),
        (STRANGER, "Bearer a-token-of-the-operator", 200),
    ],
)
def test_stranger_gets_no_metrics_and_runs_no_query(
    client, settings, monkeypatch, address, authorization, status
):
    settings.DESK_READYZ_TOKEN = "a-token-of-the-operator"
    read = []
    monkeypatch.setattr(figures, "read", lambda: read.append(1))
    headers = {"Authorization": authorization, "X-Forwarded-For": "127.0.0.1"}

    response = client.get("/metrics", REMOTE_ADDR=address, headers=headers)

    assert response.status_code == status
    assert len(read) == (status == 200)
    assert (b"desk_requests" in response.content) == (status == 200)


def test_figures_of_the_database(client):
    department = make_department("soporte-tecnico")
    late, held = make_ticket(), make_ticket()
    set_clock(late, due_at=timezone.now() - timedelta(hours=1))
    Ticket.objects.filter(pk__in=[late.pk, held.pk]).update(department=department)
    OutgoingEmail.objects.all().delete()
    for state in (
        MailState.FAILED,
        MailState.UNCERTAIN,
        MailState.UNCERTAIN,
        MailState.SENT,
        MailState.QUEUED,
    ):
        mail = make_mail(held, Template.PROGRESS)
        OutgoingEmail.objects.filter(pk=mail.pk).update(
            state=state, next_attempt_at=timezone.now() - timedelta(minutes=5)
        )
    Attachment.objects.create(name="a.png", kind="image", size=1, file="x", scan=Attachment.Scan.PENDING)
    runs.record("helpdesk.tasks.sweep_clocks", seconds=1.5)
    runs.record("helpdesk.tasks.clean_up", seconds=2, error=OSError("disco lleno"))

    Ticket.objects.update(is_escalated=True)
    Ticket.objects.filter(pk=held.pk).update(is_test=True)

    found = metrics(client)

    assert found["desk_figures_up",] == 1
    assert found["desk_escalated",] == Ticket.objects.exclude(pk=held.pk).count() > 0
    assert found["desk_outbox_waiting",] == 1
    assert 299 < found["desk_outbox_oldest_seconds",] < 400
    assert (found["desk_mails_troubled", "failed"], found["desk_mails_troubled", "uncertain"]) == (1, 2)
    assert found["desk_overdue_promises",] == 1
    assert found["desk_uploads_held",] == 1
    assert found["desk_queue_open", department.key] == 2
    assert found["desk_queue_overdue", department.key] == 1
    assert found["desk_queue_unassigned", department.key] == 2
    assert found["desk_outbox_held",] == 0
    assert (found["desk_task_failed", "sweep_clocks"], found["desk_task_seconds", "sweep_clocks"]) == (0, 1.5)
    assert (found["desk_task_failed", "clean_up"], found["desk_task_failures_total", "clean_up"]) == (1, 1)


def test_held_mail_is_a_metric(client):
    holding.hold(backup_at=timezone.now())

    assert metrics(client)["desk_outbox_held",] == 1


@pytest.mark.parametrize("tickets", [1, 3])
def test_figures_cost_the_same_number_of_queries(tickets, django_assert_num_queries):
    for _number in range(tickets):
        make_ticket()

    with django_assert_num_queries(13 if connection.vendor == "sqlite" else 14):
        figures.read()


def test_counts_stop(monkeypatch):
    monkeypatch.setattr(figures, "MANY", 2)
    department = make_department("soporte-tecnico")
    for _number in range(3):
        make_ticket()
    Ticket.objects.update(department=department)

    found = figures.read()

    assert found.outbox_waiting == 2
    assert {queue.open for queue in found.queues if queue.key == department.key} == {2}


def test_figures_are_read_once_for_many_who_ask(monkeypatch):
    """Many scrapes at once cost one reading."""
    read, entered, go_on = [], threading.Event(), threading.Event()

    def slow() -> str:
        read.append(1)
        entered.set()
        go_on.wait(5)
        return "figures"

    monkeypatch.setattr(figures, "read", slow)
    cache, answers = figures.Cache(), []
    asking = [threading.Thread(target=lambda: answers.append(cache.get())) for _number in range(5)]
    for thread in asking:
        thread.start()
    assert entered.wait(5)
    go_on.set()
    for thread in asking:
        thread.join(5)

    assert (len(read), answers) == (1, ["figures"] * 5)


def test_database_that_is_away_leaves_the_metrics_of_requests(client, monkeypatch):
    def away() -> None:
        raise ConnectionError("the database is away")

    monkeypatch.setattr(figures, "read", away)
    client.get("/healthz")
    client.get("/no-existe/")

    found = metrics(client)

    assert found["desk_figures_up",] == 0
    assert found["desk_requests_total", "GET", "none", "404"] >= 1


# --- Several web processes --------------------------------------------------------------------------------

COUNT = """
import os
from helpdesk.watching import processes
os.environ[processes.VARIABLE] = processes.folder()
import django
django.setup()
from helpdesk.watching import exposition, requests
children = []
for number in range(3):
    if (pid := os.fork()) == 0:
        requests.REQUESTS.labels("GET", "portal:home", "200").inc(number + 1)
        requests.SECONDS.labels("GET", "portal:home").observe(0.02)
        os._exit(0)
    children.append(pid)
for pid in children:
    os.waitpid(pid, 0)
before = exposition.counted_requests()
for pid in children:
    processes.forget(pid)
left = sorted(os.listdir(os.environ[processes.VARIABLE]))
print([line for line in before.decode().splitlines() if line.startswith("desk_requests_total")])
print(sorted(before.splitlines()) == sorted(exposition.counted_requests().splitlines()), left)
"""


def test_processes_of_one_server_are_counted_together_and_leave_no_files(tmp_path):
    env = {name: value for name, value in os.environ.items() if name != processes.VARIABLE}
    done = subprocess.run(
        [sys.executable, "-c", COUNT],
        cwd=settings.BASE_DIR, env=env | {"TMPDIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "helpdesk.settings"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.stdout.splitlines() == [
        """['desk_requests_total{method="GET",route="portal:home",status="200"} 6.0']""",
        "True ['counter_0.db', 'histogram_0.db', 'lock']",
    ], done.stderr
    assert list(tmp_path.iterdir()) == []


def test_folder_of_a_killed_server_is_deleted_at_the_next_start(tmp_path, monkeypatch):
    monkeypatch.setattr(processes.tempfile, "tempdir", str(tmp_path))
    monkeypatch.delenv(processes.VARIABLE, raising=False)
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    killed, alive = tmp_path / f"desk-metrics-{ended.pid}-a", tmp_path / f"desk-metrics-{os.getppid()}-a"
    for folder in (killed, alive):
        folder.mkdir()

    made = processes.folder()

    assert sorted(map(str, tmp_path.iterdir())) == sorted([made, str(alive)])


# --- Periodic tasks ---------------------------------------------------------------------------------------


def test_run_of_a_task_is_recorded():
    tasks.heartbeat.apply()

    run = TaskRun.objects.get()
    assert (run.task, run.has_failed, run.failures) == ("helpdesk.tasks.heartbeat", False, 0)
    assert timezone.now() - run.ran_at < timedelta(minutes=1)
    assert 0 <= run.seconds < 60


def test_failure_is_recorded_without_its_text_and_success_keeps_the_count(monkeypatch):
    def broken(**options: Any) -> None:
        raise OSError("disco lleno: /secreto")

    monkeypatch.setattr(tasks.Heartbeat.objects, "update_or_create", broken)
    for _time in range(2):
        tasks.heartbeat.apply()
    run = TaskRun.objects.get()
    assert (run.has_failed, run.failures, run.problem) == (True, 2, "OSError")

    monkeypatch.undo()
    tasks.heartbeat.apply()
    run.refresh_from_db()
    assert (run.has_failed, run.failures, run.problem) == (False, 2, "OSError")


def test_frequent_task_is_written_seldom(django_assert_num_queries):
    tasks.heartbeat.apply()

    with django_assert_num_queries(0):
        runs.end(task_id="another", task=tasks.heartbeat, retval=None, state="SUCCESS")


def test_task_outside_the_schedule_is_not_recorded():
    current_app.tasks["celery.accumulate"].apply()

    assert not TaskRun.objects.exists()


# --- Alerts -----------------------------------------------------------------------------------------------


def alerts() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]


def selectors(expression: Any) -> set[str]:
    """Return the names of all metrics in a parsed expression."""
    names = set()
    if isinstance(expression, promql_parser.VectorSelector):
        names.add(expression.name)
    for part in ("lhs", "rhs", "expr", "args", "vector_selector", "vs"):
        value = getattr(expression, part, None)
        for inner in value if isinstance(value, list) else [value]:
            if inner is not None and inner is not expression:
                names |= selectors(inner)
    return names


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: rule["alert"])
def test_alert_is_valid_and_asks_for_metrics_that_exist(client, rule):
    runs.record("helpdesk.tasks.heartbeat", seconds=0.1)
    client.get("/")
    names = {sample[0] for sample in metrics(client)}

    asked = selectors(promql_parser.parse(rule["expr"]))

    assert asked
    assert asked <= names | {"up"}
    assert set(rule) == {"alert", "expr", "for", "labels", "annotations"}
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert {"summary", "description"} == set(rule["annotations"])
    assert re.fullmatch(r"\d+[smh]", rule["for"])


@pytest.mark.slow  # on PostgreSQL, whose plans it reads
def test_counts_read_an_index_that_holds_few_rows():
    if connection.vendor != "postgresql":
        pytest.skip("PostgreSQL explains its plans")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # the tables of the test are empty
    troubled = OutgoingEmail.objects.filter(state__in=TROUBLED_STATES, state=MailState.FAILED)
    overdue = Ticket.objects.open().filter(is_paused=False, due_order__lte=timezone.now())
    for rows, index in (
        (OutgoingEmail.objects.queued(), "mail_due"),
        (troubled.order_by("-id"), "mail_troubled"),
        (overdue.order_by(*figures.DUE), "ticket_open_by_due"),
        (Attachment.objects.filter(scan="pending").order_by("-id"), "attachment_not_scanned"),
    ):
        assert f" {index} " in rows.values("pk")[:10].explain(), index
