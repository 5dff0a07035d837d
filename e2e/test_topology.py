"""The production size on one machine: two web processes, two workers, a scheduler, PostgreSQL, Redis and an SMTP
server. S0 and S2 run on it in a browser; S2 also over HTTP alone, once undisturbed and once while Redis and a worker
fail."""

import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from e2e import test_journey_s0, test_journey_s2
from e2e.conftest import People
from e2e.mailbox import Mailbox, SmtpMailbox
from e2e.processes import Stack
from e2e.s2_over_http import CUSTOMER, EXPECTED, Journey, play, template_of
from e2e.sink import MailSink, process_behind
from e2e.waiting import until
from tools.servers import CannotServe, Postgres, Redis, postgres_answers

pytestmark = pytest.mark.topology
LOCAL = ("postgresql://root@127.0.0.1:5432/postgres", "postgresql://postgres@127.0.0.1:5432/postgres")
TAKEN_BACK_SECONDS = 100  # longer than notifications.outgoing.outcomes.LEASE and some sweeps


@pytest.fixture(scope="module")
def sink() -> Iterator[MailSink]:
    with MailSink() as sink:
        yield sink


@pytest.fixture(scope="module")
def redis() -> Iterator[Redis]:
    try:
        with Redis() as server:
            yield server
    except CannotServe as problem:
        pytest.skip(str(problem))


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with ExitStack() as stack:
        yield a_database(stack)


def a_database(stack: ExitStack) -> str:
    """Return the URL of an empty database on a private server, or on the machine's PostgreSQL if none can be
    started."""
    try:
        return stack.enter_context(Postgres()).url
    except (CannotServe, OSError, subprocess.CalledProcessError) as problem:
        local = next(filter(postgres_answers, LOCAL), None)
        if local is None:
            pytest.skip(f"PostgreSQL: {problem}")
    name = "desk_topology"
    with psycopg.connect(local, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name}")
    return local.replace("postgresql:", "postgres:").removesuffix("/postgres") + f"/{name}"


@pytest.fixture(scope="module")
def desk(
    tmp_path_factory: pytest.TempPathFactory, database: str, redis: Redis, sink: MailSink
) -> Iterator[Stack]:
    folder: Path = tmp_path_factory.mktemp("production")
    with Stack.production(folder, database=database, redis=redis.url, smtp_port=sink.port) as stack:
        stack.manage("collectstatic", "--noinput", "--verbosity=0")
        stack.manage("prepare_production")
        stack.run(sys.executable, "-m", "e2e.world")
        stack.start_all(workers=2)
        stack.wait_until_ready()
        yield stack


@pytest.fixture
def mailbox(sink: MailSink) -> Mailbox:
    return SmtpMailbox(sink)


@pytest.mark.parametrize("journey", [test_journey_s0.journey, test_journey_s2.journey], ids=["S0", "S2"])
def test_browser_journeys_work_on_the_production_size(
    desk: Stack, people: People, mailbox: Mailbox, journey: Callable[[People, Mailbox], None]
) -> None:
    journey(people, mailbox)
    assert all(desk.alive().values()), desk.log_tails()


def test_s2_works_on_the_production_size(desk: Stack, sink: MailSink) -> None:
    journey = Journey(desk, sink)
    play(journey)
    journey.wait_for_everything()
    assert arrived(journey) == expected()
    assert all(desk.alive().values()), desk.log_tails()


def test_failures_of_redis_and_worker_lose_nothing(desk: Stack, sink: MailSink, redis: Redis) -> None:
    journey = Journey(desk, sink)
    killed: list[str] = []
    again: list[str] = []

    def stop_redis() -> None:
        redis.stop()
        until(lambda: not desk.is_ready(desk.ports[0]), "/readyz to notice that Redis is away")

    def start_redis() -> None:
        """Start Redis again. The agent has sent a follow-up meanwhile, and its mail must still be in the outbox."""
        assert not [mail for mail in journey.mails() if template_of(mail) == "contribution_asked"]
        redis.start()

    def hold_the_next() -> None:
        sink.hold_next(lambda mail: mail.to == CUSTOMER and template_of(mail) == "closure_asked")

    def kill_its_sender() -> None:
        """Kill the worker and wait until another one sends its mail, before the customer decides about the closure."""
        port = until(lambda: sink.held_from, "a worker in mid-send")
        killed.append(desk.kill_owner(process_behind(port)))
        held = journey.mail("closure_asked")
        until(lambda: copies(journey)[held.id] > 1, "the second copy of the mail", TAKEN_BACK_SECONDS)
        again.append(held.id)

    play(
        journey,
        between={
            "prepare": stop_redis,
            "ask": start_redis,
            "close contribution": hold_the_next,
            "ask for approval": kill_its_sender,
        },
    )
    journey.wait_for_everything()

    assert arrived(journey) == expected()
    # As documented, one mail arrives twice with the same Message-ID, so that mail programs show it once.
    assert {message: count for message, count in copies(journey).items() if count > 1} == {again[0]: 2}
    desk.start_worker(killed[0])
    desk.wait_until_ready()


def copies(journey: Journey) -> Counter[str]:
    return Counter(mail.id for mail in journey.mails())


def arrived(journey: Journey) -> dict[str, Counter[str]]:
    """Return the number of mails by recipient and template; copies with the same Message-ID count once."""
    distinct = {mail.id: mail for mail in journey.mails()}.values()
    return {
        to: Counter(template_of(mail) for mail in distinct if mail.to == to)
        for to in {mail.to for mail in distinct}
    }


def expected() -> dict[str, Counter[str]]:
    return {to: Counter(templates) for to, templates in EXPECTED.items()}
