"""A search is stopped when it takes too long, and nothing else is disturbed."""

import pytest
from django.db import OperationalError, connection

from content.time_limit import TookTooLong, time_limit

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.slow,  # so that it runs where PostgreSQL is
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite cannot stop a query"),
]


def ask(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


def test_slow_query_is_stopped():
    with pytest.raises(TookTooLong), time_limit(0.05):
        ask("SELECT 1 FROM pg_sleep(5)")
    assert ask("SELECT 1") == 1


@pytest.mark.parametrize("sql", ["SELECT 1", "SELECT 1 FROM pg_sleep(5)"])
def test_limit_ends_with_the_block(sql):
    before = ask("SHOW statement_timeout")
    try:
        with time_limit(0.05):
            assert ask("SHOW statement_timeout") == "50ms"
            ask(sql)
    except TookTooLong:
        pass
    assert ask("SHOW statement_timeout") == before


def test_other_errors_of_the_database_stay_as_they_are():
    with pytest.raises(OperationalError), time_limit(1):
        raise OperationalError("server closed the connection")
