"""`manage.py sla_vectors`: due dates that other projects test, through the desk's own calendars and clocks."""

import io
import json
from copy import deepcopy
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

FILE = Path(__file__).parent / "sla_vectors.json"
DATA = json.loads(FILE.read_text("utf-8"))
WRONG = {
    "due": ("expected", "2031-01-01T00:00:00Z"),
    "elapsed": ("expected", 1),
    "next_open": ("expected", "2031-01-01T00:00:00Z"),
    "business_days": ("expected", "2031-01-01T00:00:00Z"),
    "day_deadline": ("expected_last_day", "2031-01-01"),
}


def replayed(tmp_path, data):
    file, out = tmp_path / "vectors.json", io.StringIO()
    file.write_text(json.dumps(data), "utf-8")
    try:
        call_command("sla_vectors", str(file), stdout=out)
    except SystemExit as end:
        return end.code, out.getvalue()
    return 0, out.getvalue()


def with_one(vector, **calendars):
    return {**DATA, "vectors": [vector], "calendars": {**DATA["calendars"], **calendars}}


def test_vectors_of_other_projects_hold(tmp_path):
    assert replayed(tmp_path, DATA) == (0, "49 passed, 0 failed\n")


@pytest.mark.parametrize("kind", WRONG)
def test_every_wrong_answer_is_a_miss_with_its_explanation(tmp_path, kind):
    data = deepcopy(DATA)
    data["vectors"] = [vector for vector in data["vectors"] if vector["kind"] == kind]
    key, wrong = WRONG[kind]
    for vector in data["vectors"]:
        vector[key] = wrong
    status, out = replayed(tmp_path, data)
    assert status == 1
    assert out.endswith(f"0 passed, {len(data['vectors'])} failed\n")
    assert all(f"{vector['id']}: se esperaba" in out for vector in data["vectors"])


def test_explanation_names_what_counted_and_what_did_not(tmp_path):
    vector = {
        "id": "x", "kind": "due", "calendar": "one", "start": "2026-03-02T15:00:00Z", "budget_seconds": 10_800,
        "pauses": [["2026-03-02T16:00:00Z", "2026-03-02T16:30:00Z"]], "expected": "2026-03-04T10:00:00Z",
    }  # fmt: skip
    one = {
        "tz": "UTC", "hours": {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed")},
        "holidays": ["2026-03-03"],
    }  # fmt: skip
    status, out = replayed(tmp_path, with_one(vector, one=one))
    assert status == 1
    assert out.splitlines() == [
        "x: se esperaba 2026-03-04T10:00:00Z y es 2026-03-04T10:30:00.000000Z",
        "    cuenta    2026-03-02 15:00:00+0000 – 2026-03-02 16:00:00+0000",
        "    en pausa  2026-03-02 16:00:00+0000 – 2026-03-02 16:30:00+0000",
        "    cuenta    2026-03-02 16:30:00+0000 – 2026-03-02 17:00:00+0000",
        "    cerrado   2026-03-02 17:00:00+0000 – 2026-03-03 00:00:00+0000",
        "    cerrado   2026-03-03 00:00:00+0000 – 2026-03-04 00:00:00+0000  festivo",
        "    cerrado   2026-03-04 00:00:00+0000 – 2026-03-04 09:00:00+0000",
        "    cuenta    2026-03-04 09:00:00+0000 – 2026-03-04 10:30:00+0000",
        "0 passed, 1 failed",
    ]


def test_own_hours_of_a_day_win_over_a_holiday(tmp_path):
    vector = {
        "id": "x", "kind": "due", "calendar": "one", "start": "2026-12-23T16:00:00Z", "budget_seconds": 7200,
        "expected": "2026-12-24T10:00:00Z",
    }  # fmt: skip
    one = {
        "tz": "UTC", "hours": {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")},
        "holidays": ["2026-12-24"], "overrides": {"2026-12-24": [["09:00", "12:00"]]},
    }  # fmt: skip
    assert replayed(tmp_path, with_one(vector, one=one)) == (0, "1 passed, 0 failed\n")


@pytest.mark.parametrize("expected", ["2026-03-02T17:00:00Z", "2026-03-03T09:00:00Z"])
def test_at_closing_time_both_readings_are_accepted(tmp_path, expected):
    vector = {
        "id": "x", "kind": "due", "calendar": "cw-9-17", "start": "2026-03-02T16:00:00Z", "budget_seconds": 3600,
        "expected": expected,
    }  # fmt: skip
    assert replayed(tmp_path, with_one(vector)) == (0, "1 passed, 0 failed\n")


def test_months_by_spanish_law(tmp_path):
    vector = {
        "id": "x", "kind": "day_deadline", "rule": "es-mes", "timezone": "Europe/Madrid", "holiday_set": "ES-MD",
        "event_date": "2025-10-15", "amount": 1, "expected_last_day": "2025-11-17",
        "expected_due_utc": "2025-11-17T22:59:59Z",
    }  # fmt: skip
    assert replayed(tmp_path, with_one(vector)) == (0, "1 passed, 0 failed\n")


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "guess"},
        {"calendar": "nobody's"},
        {"calendar": "closed"},
        {"calendar": "nowhere"},
        {"start": "2026-03-02T16:00:00"},
        {"start": None},
        {"budget_seconds": "an hour"},
    ],
)
def test_what_cannot_be_understood_fails_and_the_rest_is_still_replayed(tmp_path, change):
    good = DATA["vectors"][0]
    bad = {**good, "id": "bad", **change}
    calendars = {
        "closed": {"tz": "UTC", "hours": {}},
        "nowhere": {"tz": "No/Where", "hours": {"mon": [["9:00", "10:00"]]}},
    }
    data = {**DATA, "vectors": [bad, good], "calendars": {**DATA["calendars"], **calendars}}
    status, out = replayed(tmp_path, data)
    assert (status, out.splitlines()[-1]) == (1, "1 passed, 1 failed")
    assert out.startswith("bad: ")


def test_disputed_vectors_are_left_out(tmp_path):
    wrong = {**DATA["vectors"][0], "expected": "2031-01-01T00:00:00Z"}
    data = {**DATA, "vectors": [wrong], "disputed": [wrong]}
    assert replayed(tmp_path, data) == (0, "0 passed, 0 failed\n")


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": "sla-vectors/9", "vectors": []}', '{"format": "sla-vectors/1"}']
)
def test_other_files_are_refused(tmp_path, text):
    file = tmp_path / "other.json"
    file.write_text(text, "utf-8")
    with pytest.raises(CommandError, match=r"other\.json"):
        call_command("sla_vectors", str(file))


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(CommandError, match=r"missing\.json"):
        call_command("sla_vectors", str(tmp_path / "missing.json"))
