import pytest

from bench import report
from bench.__main__ import with_floors
from bench.database import environment, url_for
from bench.load import Samples, merged
from bench.pages import FLOOR, PROMISES, Page, Promise, Step, page_from
from bench.server import options_of

PAGES = [
    Page(FLOOR, "Floor", ["ana"], [Step("/")]),
    Page(
        "queue", "Queue", ["ana"], [Step("/")], promise=Promise(times_floor=3, growth=1.1, share_of_floor=0.5)
    ),
]


def samples(*milliseconds, foreign=0.0, app=0.02):
    return Samples([value / 1000 for value in milliseconds], wall=1.0, app=app, foreign=foreign)


def size(floor, queue, tickets=10):
    measured = {(FLOOR, 1): floor, (FLOOR, 8): floor, ("queue", 1): queue, ("queue", 8): queue}
    return report.Size(tickets, measured, {FLOOR: 3, "queue": 7})


def test_table_marks_a_page_above_its_limit():
    one, eight = report.table(
        PAGES, size(samples(10, 10, 10), samples(20, 31, 40)), clients=[1, 8], noise=0.1
    )[-2:]
    assert one.split()[:10] == ["Queue", "1", "7", "31.0", "40.0", "3", "3.10", "6.7", "1.00", "0.0"]
    assert one.endswith("≤ 3 × floor ✗")
    assert eight.endswith("≤ 3 × floor ✗  ≥ 2 req/s ✓")


def test_table_marks_times_that_others_disturbed():
    disturbed = size(samples(10), samples(20, foreign=0.3))
    assert "30 %~" in report.table(PAGES, disturbed, clients=[1], noise=0.12)[-1]
    assert "30 % " in report.table(PAGES, disturbed, clients=[1], noise=0.4)[-1]


def test_growth_leaves_out_the_floors_own():
    small, large = size(samples(10), samples(20)), size(samples(20), samples(44), tickets=100)
    assert report.comparison(PAGES, small, large, clients=[1])[-1].split() == [
        *("Queue", "1", "20.0", "44.0", "2.20", "1.10", "1.00", "≤", "1.1", "✓"),
    ]
    slower = size(samples(20), samples(45))
    assert report.comparison(PAGES, small, slower, clients=[1])[-1].endswith("≤ 1.1 ✗")
    assert report.broken(PAGES, [small, large], clients=[1]) == 0
    assert report.broken(PAGES, [small, slower], clients=[1]) == 1


def test_disturbed_rounds_are_left_out_if_others_are_quiet():
    quiet, loud = samples(10, 12, foreign=0.05), samples(50, foreign=0.5)
    assert merged([quiet, loud, quiet], 0.1).seconds == quiet.seconds * 2
    assert merged([loud, quiet], 0.01).seconds == quiet.seconds
    assert merged([quiet, loud], 1.0).p50 == pytest.approx(12)


def test_last_percentile_is_among_the_slowest():
    hundred = samples(*range(1, 101))
    assert hundred.p99 == pytest.approx(100)
    assert hundred.p50 == pytest.approx(50.5)


def test_updates_count_only_those_of_the_run():
    before, after = {"tickets": (100, 100), "mails": (5, 0)}, {"tickets": (110, 105), "mails": (5, 0)}
    tickets, mails = report.updates(before, after)
    assert tickets.startswith("updates of tickets: 10, 50%")
    assert mails == "updates of mails: 0, none to judge"


def test_floor_is_measured_among_the_pages():
    assert with_floors([FLOOR, *"abcdef"]) == [FLOOR, *"abcd", FLOOR, *"ef", FLOOR]
    assert with_floors([FLOOR]) == [FLOOR]


def test_pages_survive_the_way_as_json():
    page = PAGES[1]
    given = {**vars(page), "steps": [vars(step) for step in page.steps], "promise": vars(page.promise)}
    assert page_from(given) == page


def test_only_known_pages_have_promises(db):
    from bench.filling import fill
    from bench.pages import cast_of, pages

    fill(30, say=lambda line: None)
    made = list(pages(cast_of(), 30))
    assert PROMISES.keys() < {page.key for page in made}
    assert made[0].key == FLOOR
    assert (
        [page.key for page in made if page.writes] == ["filing", "reply"] == [page.key for page in made[-2:]]
    )


@pytest.mark.parametrize("name", ["gthread", "sync:0", "gthread:2x", "gevent:2", "sync:2x2x2"])
def test_unknown_servers_are_refused(name):
    with pytest.raises(ValueError, match=name):
        options_of(name)


def test_servers_are_options_of_gunicorn():
    assert options_of("sync:4") == ["--worker-class", "sync", "--workers", "4", "--threads", "1"]
    assert options_of("gthread:2x8")[-3:] == ["2", "--threads", "8"]


def test_bench_never_uses_the_configured_database(monkeypatch):
    configured = "postgres://desk:secret@db:5432/desk?sslmode=require"
    monkeypatch.setenv("DATABASE_URL", configured)
    assert url_for(100) == "postgres://desk:secret@db:5432/desk_bench_100?sslmode=require"
    monkeypatch.delenv("DATABASE_URL")
    assert url_for(100).endswith("/var/bench/100/db.sqlite3")


def test_bench_keeps_nothing_of_the_desk_that_is_configured(monkeypatch):
    monkeypatch.setenv("EMAIL_URL", "smtp://mail.example.com")
    monkeypatch.setenv("DESK_MAIL_PROVIDER", "postmark")
    monkeypatch.setenv("SENTRY_DSN", "https://key@sentry.example.com/1")
    env = environment(100)
    assert "example.com" not in env["EMAIL_URL"]
    assert not {"DESK_MAIL_PROVIDER", "SENTRY_DSN"} & env.keys()
