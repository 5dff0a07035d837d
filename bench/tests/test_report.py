from bench.database import url_for
from bench.report import FLOOR, Row, Samples, comparison, table

ROWS = [Row(FLOOR, "Floor"), Row("queue", "Queue", times_floor=3, times_smaller=1.2)]


def samples(*milliseconds):
    return Samples([value / 1000 for value in milliseconds], queries=7)


def test_table_marks_a_page_above_its_limit():
    lines = table(ROWS, {FLOOR: samples(10, 10, 10), "queue": samples(20, 31, 40)})
    assert lines[-1].split() == ["Queue", "7", "31.0", "40.0", "33", "3.10", "≤", "3", "✗"]
    assert lines[-2].split() == ["Floor", "7", "10.0", "10.0", "100", "1.00"]


def test_comparison_marks_growth_above_the_limit():
    small = {FLOOR: samples(10), "queue": samples(20)}
    assert comparison(ROWS, small, {FLOOR: samples(10), "queue": samples(24)})[-1].endswith("1.20  ≤ 1.2 ✓")
    assert comparison(ROWS, small, {FLOOR: samples(10), "queue": samples(25)})[-1].endswith("1.25  ≤ 1.2 ✗")


def test_bench_never_uses_the_configured_database(monkeypatch):
    configured = "postgres://desk:secret@db:5432/desk?sslmode=require"
    monkeypatch.setenv("DATABASE_URL", configured)
    assert url_for(100) == "postgres://desk:secret@db:5432/desk_bench_100?sslmode=require"
    monkeypatch.delenv("DATABASE_URL")
    assert url_for(100).endswith("/var/bench/100/db.sqlite3")
