import json
import sys
from datetime import timedelta

import pytest
from celery.apps import worker

from helpdesk import celery
from helpdesk.beat import SchedulerWithoutFile
from helpdesk.celery import app
from helpdesk.celery_schedule import BEAT_SCHEDULE


@pytest.fixture(scope="module", autouse=True)
def tasks() -> None:
    app.loader.import_default_modules()


@pytest.mark.parametrize("entry", BEAT_SCHEDULE.values(), ids=BEAT_SCHEDULE.keys())
def test_scheduled_task_exists_and_expires_in_time(entry):
    assert entry["task"] in app.tasks
    assert 0 < entry["options"]["expires"] <= entry["schedule"].total_seconds()


def test_schedule_has_the_documented_periods():
    assert {entry["task"].rpartition(".")[2]: entry["schedule"] for entry in BEAT_SCHEDULE.values()} == {
        "drain_outbox": timedelta(seconds=5),
        "sweep_outbox": timedelta(seconds=10),
        "collect_mail": timedelta(seconds=10),
        "heartbeat": timedelta(seconds=10),
        "sweep_clocks": timedelta(seconds=30),
        "recompute_clocks": timedelta(seconds=5),
        "count_days": timedelta(seconds=15),
        "index_texts": timedelta(seconds=5),
        "mail_links": timedelta(seconds=10),
        "mail_reports": timedelta(minutes=1),
        "write_exports": timedelta(seconds=3),
        "sweep_silence": timedelta(minutes=5),
        "draw_thumbnails": timedelta(minutes=1),
        "scan_held_files": timedelta(minutes=1),
        "refresh_suggestions": timedelta(hours=1),
        "clean_up": timedelta(hours=1),
    }
    assert len(BEAT_SCHEDULE) == 16


def test_beat_sends_everything_at_its_start_and_keeps_no_file(tmp_path, monkeypatch):
    """A full disk must not stop it, and the hourly task must run however often beat is restarted."""
    monkeypatch.chdir(tmp_path)
    scheduler = SchedulerWithoutFile(app)

    assert {entry.task for entry in scheduler.schedule.values()} == {
        entry["task"] for entry in BEAT_SCHEDULE.values()
    }
    assert all(entry.is_due().is_due for entry in scheduler.schedule.values())
    scheduler.close()
    assert list(tmp_path.iterdir()) == []
    assert app.conf.beat_scheduler == "helpdesk.beat:SchedulerWithoutFile"


@pytest.mark.django_db
def test_slow_task_is_a_line_and_a_quick_one_is_not(caplog, monkeypatch):
    app.tasks["notifications.tasks.drain_outbox"].apply()
    assert caplog.records == []

    monkeypatch.setattr(celery, "SLOW_TASK_SECONDS", -1.0)
    app.tasks["notifications.tasks.drain_outbox"].apply()

    [line] = caplog.records
    assert line.getMessage().startswith("task notifications.tasks.drain_outbox took 0.")
    assert line.levelname == "WARNING"


def test_end_of_a_worker_is_a_line_of_the_log(capfd, monkeypatch, settings):
    """Celery prints it, with an empty line before it, where every line has to be one JSON object."""
    settings.PRODUCTION = True
    monkeypatch.setattr(worker, "safe_say", worker.safe_say)
    celery.end_in_lines()

    worker.safe_say("worker: Warm shutdown (MainProcess)", sys.__stdout__)

    written = capfd.readouterr()
    assert written.out == ""
    assert json.loads(written.err)["message"] == "worker: Warm shutdown (MainProcess)"
    assert written.err.count("\n") == 1
