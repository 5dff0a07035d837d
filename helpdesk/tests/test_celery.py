from datetime import timedelta

import pytest

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
        "heartbeat": timedelta(seconds=10),
        "sweep_clocks": timedelta(seconds=30),
        "sweep_silence": timedelta(minutes=5),
        "draw_thumbnails": timedelta(minutes=1),
        "scan_held_files": timedelta(minutes=1),
        "clean_up": timedelta(hours=1),
    }
    assert len(BEAT_SCHEDULE) == 8
