"""The mail server is mute, or everything that mail needs is killed: nothing else stands still, and no mail is lost."""

import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from bench.mail import Chaos
from e2e.processes import Stack
from e2e.sink import MailSink
from e2e.waiting import until
from tools.servers import Postgres, Redis

pytestmark = pytest.mark.topology
MAILS = 12
WATCHED_SECONDS = 40.0
"""Longer than the server's timeout, the first pause and the next trial together."""
LATE_SECONDS = 15.0
"""The heartbeat comes every 10 seconds."""
MAKE_OVERDUE = (
    "import django; django.setup();"
    "from django.utils import timezone;"
    "from tickets.models import Ticket;"
    "from tickets.tests.factories import set_clock;"
    "set_clock(Ticket.objects.first(), due_at=timezone.now())"
)


@pytest.fixture
def sink() -> Iterator[MailSink]:
    with MailSink() as sink:
        yield sink


@pytest.fixture
def database() -> Iterator[str]:
    with Postgres() as server:
        yield server.url


@pytest.fixture
def small_desk(tmp_path: Path, database: str, sink: MailSink) -> Iterator[Stack]:
    """A desk whose only worker, with two processes, does all work."""
    with (
        Redis() as redis,
        Stack.production(tmp_path, database=database, redis=redis.url, smtp_port=sink.port, webs=1) as stack,
    ):
        stack.manage("prepare_production")
        stack.manage("collectstatic", "--noinput", "--verbosity=0")
        stack.start_all(workers=1, mail_apart=False)
        stack.wait_until_ready()
        yield stack


def ask(database: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(database, autocommit=True) as connection:
        return connection.execute(query).fetchall()  # type: ignore[call-overload,no-any-return]


def count(database: str, what: str) -> int:
    [(number,)] = ask(database, f"SELECT count(*) FROM {what}")
    return int(str(number))


def oldest_heartbeat(database: str, seconds: float) -> float:
    """Watch the heartbeat for `seconds`. Returns its greatest age."""
    oldest, end = 0.0, time.monotonic() + seconds
    while time.monotonic() < end:
        [(age,)] = ask(database, "SELECT extract(epoch FROM now() - at)::float FROM helpdesk_heartbeat")
        oldest = max(oldest, float(str(age)))
        time.sleep(0.2)
    return oldest


def test_mute_server_holds_up_only_mail(small_desk: Stack, database: str, sink: MailSink) -> None:
    sink.is_mute = True
    small_desk.run(sys.executable, "-m", "bench.mail_filling", str(MAILS))
    until(lambda: sink.swallowed, "a mail that the server swallows")
    small_desk.run(sys.executable, "-c", MAKE_OVERDUE)

    assert oldest_heartbeat(database, WATCHED_SECONDS) < LATE_SECONDS, small_desk.log_tails()
    until(lambda: count(database, "tickets_ticketevent WHERE kind = 'breached'"), "the sweep of the clocks")

    # Every mail that the server swallowed is in doubt and waits for its second copy; no other is.
    doubtful = set(sink.swallowed)
    assert 1 <= len(doubtful) <= 2, "the first mail, and one that tried the server after the pause"
    assert not sink.mails
    sink.is_mute = False
    until(lambda: len(sink.mails) >= MAILS - len(doubtful), small_desk.log_tails, seconds=90)
    assert not {mail.id for mail in sink.mails} & doubtful
    waiting = ask(
        database,
        "SELECT message_id FROM notifications_outgoingemail WHERE is_second_copy AND state = 'queued' "
        "AND next_attempt_at > now() + interval '2 minutes'",
    )
    assert {str(name) for (name,) in waiting} == doubtful

    ask(
        database,
        "UPDATE notifications_outgoingemail SET next_attempt_at = now() WHERE is_second_copy RETURNING id",
    )
    until(
        lambda: count(database, "notifications_outgoingemail WHERE state = 'queued'") == 0,
        "the second copies",
    )
    copies = Counter(mail.id for mail in sink.mails)
    assert (
        len(copies) == copies.total() == count(database, "notifications_outgoingemail WHERE state = 'sent'")
    )
    assert count(database, "notifications_outgoingemail WHERE state IN ('uncertain', 'failed')") == 0


def test_kills_lose_no_mail() -> None:
    """A short form of `python -m bench.mail --mails 10000 --kills 100`."""
    with Chaos(mails=150, kills=5, seed=7, say=lambda _line: None) as chaos:
        result = chaos.run()
        logs = chaos.logs()

    assert result.mails == 150
    assert result.lost == set(), logs
    assert result.repeated_after_answer == set(), logs
    assert result.repeated <= result.kills.total()
    assert result.states["sent"] + result.states["uncertain"] == 150
    assert result.states["uncertain"] <= 1, (
        "a second copy would have to be in the hands of a killed worker too"
    )
