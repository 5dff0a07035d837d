"""Small real objects. A ticket is filed through the same verb as anybody's."""

import itertools
from typing import Any

from accounts.enums import Role
from accounts.models import Department, Membership, User
from tickets.intake import Requester, file_ticket
from tickets.models import Category, Process, Ticket
from tickets.processes.publishing import library, publish

PASSWORD = "clave-de-prueba-2026"
_numbers = itertools.count(1)

DEPARTMENTS = {
    "administracion": "Administración",
    "cca": "Coordinación de Ciencias Aeronáuticas (CCA)",
    "academico": "Académico",
    "soporte-tecnico": "Soporte técnico",
    "atencion-al-usuario": "Atención al usuario",
    "reparaciones": "Reparaciones",
    "desarrollo": "Desarrollo",
}


def make_user(role: Role = Role.CUSTOMER, **fields: Any) -> User:
    number = next(_numbers)
    defaults = {"email": f"persona{number}@example.com", "name": f"Persona {number}", "role": role}
    return User.objects.create_user(**{"password": PASSWORD, **defaults, **fields})


def make_agent(*departments: Department, **fields: Any) -> User:
    user = make_user(Role.AGENT, **fields)
    for department in departments or (make_department("soporte-tecnico"),):
        Membership.objects.create(user=user, department=department)
    return user


def make_supervisor(**fields: Any) -> User:
    return make_user(Role.SUPERVISOR, **fields)


def make_administrator(**fields: Any) -> User:
    return make_user(Role.ADMINISTRATOR, **fields)


def make_department(key: str = "soporte-tecnico") -> Department:
    department, _created = Department.objects.get_or_create(
        key=key, defaults={"name": DEPARTMENTS.get(key, key.title())}
    )
    return department


def make_process(key: str = "soporte-con-aprobacion") -> Process:
    """A process of the library, published once per test."""
    Department.objects.bulk_create(
        [Department(key=key, name=name) for key, name in DEPARTMENTS.items()], ignore_conflicts=True
    )
    return publish(library()[key]).process


def make_ticket(
    process: Process | None = None,
    *,
    requester: User | None = None,
    guest_email: str = "",
    category: Category | str | None = None,
    **fields: Any,
) -> Ticket:
    """Filed by `requester` (a new customer by default), or by a guest when `guest_email` is given."""
    process = process or make_process()
    if isinstance(category, str):
        category = process.categories.get(key=category)
    elif category is None:
        category = process.categories.first()
    actor = None if guest_email else (requester or make_user())
    defaults = {"title": "No puedo entrar a la plataforma", "description": "Me sale «Error 500» al entrar."}
    return file_ticket(
        process,
        actor=actor,
        category=category,
        requester=Requester(email=guest_email, name="Invitada") if guest_email else None,
        **{**defaults, **fields},
    )
