"""Create people and departments for tests."""

import itertools
from typing import Any

from accounts.enums import Role
from accounts.models import Department, Membership, User

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
    """Create an agent who is a member of `departments`, or of «Soporte técnico» if none is given."""
    user = make_user(Role.AGENT, **fields)
    for department in departments or (make_department("soporte-tecnico"),):
        Membership.objects.create(user=user, department=department)
    return user


def make_supervisor(**fields: Any) -> User:
    return make_user(Role.SUPERVISOR, **fields)


def make_administrator(**fields: Any) -> User:
    return make_user(Role.ADMINISTRATOR, **fields)


def make_department(key: str = "soporte-tecnico") -> Department:
    """Return the department with this key, created if it does not exist."""
    department, _created = Department.objects.get_or_create(
        key=key, defaults={"name": DEPARTMENTS.get(key, key.title())}
    )
    return department
