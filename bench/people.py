"""The people and departments of the bench's desk: 36 agents and 4 supervisors, each in two departments."""

from random import Random

from accounts.enums import Role
from accounts.models import CustomerKind, Department, Membership, User
from bench.words import FIRST_NAMES, SURNAMES

AGENTS, SUPERVISORS = 36, 4
TICKETS_PER_CUSTOMER = 20
ARCHIVE = "archivo"
"""The department with few tickets. The last agent is in no other."""


def departments() -> list[Department]:
    """Return the departments of the published processes, and the archive at the end."""
    Department.objects.get_or_create(key=ARCHIVE, defaults={"name": "Archivo"})
    return sorted(
        Department.objects.all(), key=lambda department: (department.key == ARCHIVE, department.key)
    )


def staff(places: list[Department]) -> dict[int, list[User]]:
    """Return the agents of each department, by its id. All but the last are in two, supervisors too."""
    *busy, archive = places
    agents = people(AGENTS, "agente", Role.AGENT)
    everybody = [*agents, *people(SUPERVISORS, "supervisor", Role.SUPERVISOR)]
    theirs = {
        user.pk: [archive]
        if user == agents[-1]
        else [busy[number % len(busy)], busy[(number + 1) % len(busy)]]
        for number, user in enumerate(everybody)
    }
    Membership.objects.bulk_create(
        [Membership(user=user, department=place) for user in everybody for place in theirs[user.pk]],
        ignore_conflicts=True,
    )
    return {place.pk: [user for user in agents if place in theirs[user.pk]] for place in places}


def customers(size: int) -> list[User]:
    kind, _created = CustomerKind.objects.get_or_create(key="estudiante", defaults={"name": "Estudiante"})
    return people(max(size // TICKETS_PER_CUSTOMER, 1), "cliente", Role.CUSTOMER, kind=kind)


def people(count: int, word: str, role: Role, **fields: object) -> list[User]:
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
