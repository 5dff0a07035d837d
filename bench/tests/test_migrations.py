"""The table of what migrations lock."""

import threading

import pytest
from django.db import connection, transaction

from bench.migrations import Measured, Watch, leaves, releases, table


def test_table_names_the_strongest_lock_of_each_table():
    held = {
        ("tickets_ticket", "AccessExclusiveLock"): 2.5,
        ("tickets_ticket", "ShareLock"): 2.5,
        ("accounts_user", "ShareRowExclusiveLock"): 0.02,
        ("tickets_clock", "RowExclusiveLock"): 9.0,
    }

    lines = table([Measured("tickets.0002_a", 3.0, held), Measured("tickets.0003_b", 0.1, {})])

    assert lines[2:] == [
        "| `tickets.0002_a` | 3.0 s | reading and writing `tickets_ticket` 2.5 s; writing `accounts_user` 20 ms |",
        "| `tickets.0003_b` | 100 ms | nothing |",
    ]


def test_weaker_lock_that_lasts_longer_is_named_too():
    held = {("t", "AccessExclusiveLock"): 0.1, ("t", "ShareLock"): 5.0}

    assert "reading and writing `t` 100 ms; writing `t` 5.0 s" in table([Measured("a.b", 5.0, held)])[-1]


def test_release_names_a_leaf_of_each_app():
    found = dict(leaves(releases()[0]))

    assert found["tickets"] == "0001_initial"
    assert {"accounts", "notifications", "helpdesk"} <= found.keys()


@pytest.mark.slow  # on PostgreSQL, which has these locks
@pytest.mark.django_db(transaction=True)
def test_lock_lasts_from_its_statement_to_the_end(monkeypatch):
    if connection.vendor != "postgresql":
        pytest.skip("PostgreSQL has the locks")
    given = connection.get_connection_params()
    host = f"{given.get('host', '')}:{given.get('port', 5432)}"
    monkeypatch.setenv("DATABASE_URL", f"postgres://{given['user']}@{host}/{given['dbname']}")
    measured, waits = Measured("tickets.9999_of_tomorrow"), threading.Event()

    with Watch(measured).running(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM accounts_user")
        cursor.execute("LOCK TABLE tickets_ticket IN ACCESS EXCLUSIVE MODE")
        cursor.execute("CREATE TABLE of_nobody (id int)")
        waits.wait(0.2)
        cursor.execute("DROP TABLE of_nobody")

    assert {name for name, _mode in measured.blocking} == {"tickets_ticket"}
    assert 0.2 <= measured.locks["tickets_ticket", "AccessExclusiveLock"] <= measured.seconds
