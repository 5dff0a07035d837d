"""Fill the bench's database up to a number of tickets, in batches, so that an interrupted run can be continued."""

import time
from collections.abc import Callable
from random import Random

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from accounts.enums import Role
from accounts.models import CustomerKind, Department, Membership, User
from bench.desk import Desk, Line, Story
from bench.stories import tell
from bench.words import FIRST_NAMES, SURNAMES
from tickets.definitions.loading import library
from tickets.models import FolioCounter, Ticket
from tickets.workflow.checking import load
from tickets.workflow.publishing import publish

BATCH = 1000
AGENTS, SUPERVISORS = 8, 2  # few, so that at every size each agent has more open tickets than a page shows
TICKETS_PER_CUSTOMER = 20
WEIGHTS = {"soporte-con-aprobacion": 55, "incidencia-tecnica": 35}
# In this order, because later ones refer to earlier ones.
CHILDREN = ("messages", "attachments", "events", "deliveries", "clocks", "pauses", "surveys")


def fill(size: int, *, say: Callable[[str], None] = print) -> None:
    """Add tickets until there are `size`. Does nothing if there are that many already."""
    have = Ticket.objects.count()
    if have >= size:
        return
    desk = _desk(size)
    started = time.monotonic()
    for first in range(have, size, BATCH):
        last = min(first + BATCH, size)
        _write([tell(number, desk) for number in range(first, last)])
        if last % 10_000 == 0 or last == size:
            say(f"{last:>9,} tickets, {time.monotonic() - started:.0f} s".replace(",", " "))
    if connection.vendor == "postgresql" and not connection.in_atomic_block:
        # On a real site autovacuum would have done this by now. It cannot run inside a test's transaction.
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")


@transaction.atomic
def _write(stories: list[Story]) -> None:
    counter, _created = FolioCounter.objects.get_or_create(
        name=settings.DESK_FOLIO_PREFIX, defaults={"last": settings.DESK_FOLIO_START}
    )
    for story in stories:
        counter.last += 1
        story.ticket.folio = f"{counter.name}-{counter.last}"
    counter.save()
    Ticket.objects.bulk_create([story.ticket for story in stories])
    for name in CHILDREN:
        rows = [row for story in stories for row in getattr(story, name)]
        if rows:
            type(rows[0]).objects.bulk_create(rows, batch_size=5000)


def _desk(size: int) -> Desk:
    departments = _departments()
    lines = []
    for source in library().values():
        version = publish(source).process.current
        categories = list(version.process.categories.all())
        if categories:
            lines.append(Line(version, version.definition, categories, WEIGHTS.get(version.process.key, 3)))
    return Desk(lines, _customers(size), _staff(departments), timezone.now())


def _departments() -> list[Department]:
    keys: set[str] = set()
    for source in library().values():
        definition = load(source)
        keys |= {definition.department, *(category.department for category in definition.categories)} - {""}
    Department.objects.bulk_create(
        [Department(key=key, name=key.replace("-", " ").capitalize()) for key in sorted(keys)],
        ignore_conflicts=True,
    )
    return list(Department.objects.order_by("key"))


def _staff(departments: list[Department]) -> dict[int, list[User]]:
    people = _people(AGENTS, "agente", Role.AGENT)
    _people(SUPERVISORS, "supervisor", Role.SUPERVISOR)
    staff = {
        department.pk: people[number % len(departments) :: len(departments)]
        for number, department in enumerate(departments)
    }
    Membership.objects.bulk_create(
        [Membership(user=user, department_id=key) for key, users in staff.items() for user in users],
        ignore_conflicts=True,
    )
    return staff


def _customers(size: int) -> list[User]:
    kind, _created = CustomerKind.objects.get_or_create(key="estudiante", defaults={"name": "Estudiante"})
    return _people(max(size // TICKETS_PER_CUSTOMER, 1), "cliente", Role.CUSTOMER, kind=kind)


def _people(count: int, word: str, role: Role, **fields: object) -> list[User]:
    rng = Random(word)
    users = [
        User(
            email=f"{word}{number}@bench.test",
            name=f"{rng.choice(FIRST_NAMES)} {rng.choice(SURNAMES)} {rng.choice(SURNAMES)}",
            role=role,
            password="!",  # noqa: S106  (unusable: sessions are made directly)
            **fields,
        )
        for number in range(count)
    ]
    User.objects.bulk_create(users, ignore_conflicts=True, batch_size=5000)
    return list(User.objects.filter(role=role, email__startswith=word).order_by("pk")[:count])
