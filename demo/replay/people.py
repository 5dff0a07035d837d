"""The invented organisation: departments, staff and customers. All addresses end in @demo.test, which receives no mail,
and all have the password that `make demo` prints."""

from copy import copy
from dataclasses import dataclass
from datetime import timedelta

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import get_hasher
from django.contrib.auth.models import Group
from django.utils import timezone

from accounts.enums import Role, Standing
from accounts.models import CustomerKind, Department, Membership, User
from demo.run import PASSWORD

KINDS = (
    ("parkiador", "Parkiador", "Driver"),
    ("parkioferente", "Parkioferente", "Parking host"),
    ("estudiante", "Estudiante", "Student"),
    ("docente", "Docente", "Teacher"),
    ("empresa", "Empresa", "Company"),
)
DEPARTMENTS = (
    ("administracion", "Administración", "Administration"),
    ("cca", "Coordinación de Ciencias Aeronáuticas (CCA)", "Aeronautical Sciences Coordination (CCA)"),
    ("academico", "Académico", "Academic affairs"),
    ("soporte-tecnico", "Soporte técnico", "Technical support"),
    ("atencion-al-usuario", "Atención al usuario", "User service"),
    ("reparaciones", "Reparaciones", "Repairs"),
    ("desarrollo", "Desarrollo", "Development"),
)


@dataclass(frozen=True)
class Person:
    key: str
    name: str
    role: Role = Role.CUSTOMER
    kind: str = ""
    phone: str = ""
    departments: tuple[str, ...] = ()
    manages: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    is_inactive: bool = False
    language: str = "es"
    time_zone: str = "America/Caracas"
    account: str = ""  # name in the organisation's own system

    @property
    def email(self) -> str:
        return f"{self.key}@demo.test"


STAFF = (
    Person(
        "agente",
        "Gabriela Rondón",
        Role.AGENT,
        departments=("administracion", "academico", "soporte-tecnico"),
    ),
    Person("tecnico", "Diego Salazar", Role.AGENT, departments=("soporte-tecnico",)),
    Person("supervisor", "María Alejandra Figueroa", Role.SUPERVISOR),
    Person("admin", "Jorge Castillo", Role.ADMINISTRATOR),
    Person(
        "ana.blanco", "Ana Blanco", Role.AGENT, departments=("soporte-tecnico",), manages=("soporte-tecnico",)
    ),
    Person("ivan.lozada", "Iván Lozada", Role.AGENT, departments=("soporte-tecnico", "cca")),
    Person("rosa.urdaneta", "Rosa Urdaneta", Role.AGENT, manages=("administracion",)),
    Person("luis.marquez", "Luis Márquez Peña", Role.AGENT, manages=("cca",)),
    Person("carmen.zambrano", "Carmen Zambrano", Role.AGENT, manages=("academico",)),
    Person(  # reviews the solutions of several departments, so she is a member of them
        "beatriz.solano",
        "Beatriz Solano",
        Role.AGENT,
        departments=("administracion", "cca", "academico", "soporte-tecnico"),
        manages=("atencion-al-usuario",),
    ),
    Person("nelson.pineda", "Nelson Pineda", Role.AGENT, manages=("reparaciones",)),
    Person("marisela.duque", "Marisela Duque", Role.AGENT, departments=("reparaciones",)),
    Person("carla.bravo", "Carla Bravo", Role.AGENT, manages=("desarrollo",), groups=("evaluador",)),
    Person("pedro.vielma", "Pedro Vielma", Role.AGENT, departments=("desarrollo",), groups=("tecnico",)),
)
CUSTOMERS = (
    Person(
        "cliente",
        "Valentina Ospina",
        kind="estudiante",
        phone="+58 412 555 0142",
        account="vospina",
    ),
    Person(
        "inactivo",
        "Andrés Felipe Mejía",
        kind="estudiante",
        phone="+58 414 555 0178",
        is_inactive=True,
        account="amejia",
    ),
    Person("julian.torres", "Julián Torres", kind="estudiante", phone="+58 416 555 0123", account="jtorres"),
    Person("diana.cely", "Diana Cely", kind="estudiante", account="dcely"),
    Person(
        "maria.hernandez",
        "María de los Ángeles Hernández-Echeverría de la Concepción y Villanueva",
        kind="estudiante",
        phone="+58 424 555 0199",
        account="mhernandez",
    ),
    Person(
        "john.smith", "John Smith-O’Neill", kind="estudiante", language="en", time_zone="America/New_York"
    ),
    Person("isabel.guerra", "Isabel Guerra", kind="docente", phone="+58 412 555 0166", account="iguerra"),
    Person("ramon.acosta", "Cap. Ramón Acosta", kind="docente", account="racosta"),
    Person(
        "camila.duarte",
        "Camila Duarte",
        kind="parkiador",
        phone="+57 310 555 0111",
        time_zone="America/Bogota",
    ),
    Person(
        "mateo.rios", "Mateo Ríos", kind="parkiador", phone="+57 311 555 0122", time_zone="America/Bogota"
    ),
    Person("jorge.cardenas", "Jorge Iván Cárdenas", kind="parkiador", time_zone="America/Bogota"),
    Person("rosa.quintero", "Rosa Elena Quintero", kind="parkiador", time_zone="America/Bogota"),
    Person("samuel.perez", "Samuel Pérez 🚗", kind="parkiador", time_zone="America/Bogota"),
    Person("paola.rincon", "Paola Rincón", kind="parkiador", time_zone="America/Bogota"),
    Person("lucia.fernandez", "Lucía Fernández", kind="parkioferente", phone="+57 601 555 0133"),
    Person("hernan.gil", "Hernán Gil · Garaje El Roble 🅿️", kind="parkioferente", phone="+57 601 555 0144"),
    Person("estacionar", "Estacionar S.A.S.", kind="empresa", phone="+57 601 555 0155"),
)
INACTIVE_DAYS = 41


def load() -> dict[str, User]:
    """Load customer kinds, departments and people. Existing rows are not changed. Returns the people by key."""
    for position, (key, name, name_en) in enumerate(KINDS):
        CustomerKind.objects.get_or_create(
            key=key, defaults={"name": name, "name_en": name_en, "position": position}
        )
    for position, (key, name, name_en) in enumerate(DEPARTMENTS):
        Department.objects.get_or_create(
            key=key, defaults={"name": name, "name_en": name_en, "position": position}
        )
    people = (*STAFF, *CUSTOMERS)
    _create_users(people)
    users = {user.email: user for user in User.objects.filter(email__in=[person.email for person in people])}
    EmailAddress.objects.bulk_create(
        [EmailAddress(user=user, email=user.email, verified=True, primary=True) for user in users.values()],
        ignore_conflicts=True,
    )
    _place(people, users)
    return {person.key: users[person.email] for person in people}


def _create_users(people: tuple[Person, ...]) -> None:
    kinds = {kind.key: kind for kind in CustomerKind.objects.all()}
    # Hash the password once and with few iterations, to save time; it is public anyway. Django hashes it again with the
    # usual number at a person's first sign-in.
    hasher = copy(get_hasher())
    hasher.iterations = 1000  # type: ignore[attr-defined]  # slow hashers have it
    password = hasher.encode(PASSWORD, hasher.salt())
    now = timezone.now()
    since = timezone.localdate(now - timedelta(days=INACTIVE_DAYS), timezone.get_default_timezone())
    User.objects.bulk_create(
        [
            User(
                email=person.email,
                name=person.name,
                role=person.role,
                is_superuser=person.role == Role.ADMINISTRATOR,
                kind=kinds.get(person.kind),
                phone=person.phone,
                standing=Standing.INACTIVE if person.is_inactive else Standing.ACTIVE,
                standing_since=since if person.is_inactive else None,
                language=person.language,
                time_zone=person.time_zone,
                external_account=person.account,
                password=password,
                date_joined=now - timedelta(days=200),
            )
            for person in people
        ],
        ignore_conflicts=True,
    )


def _place(people: tuple[Person, ...], users: dict[str, User]) -> None:
    departments = {department.key: department for department in Department.objects.all()}
    memberships = [
        Membership(user=users[person.email], department=departments[key], is_manager=key in person.manages)
        for person in people
        for key in {*person.departments, *person.manages}
    ]
    Membership.objects.bulk_create(memberships, ignore_conflicts=True)
    for person in people:
        for name in person.groups:
            Group.objects.get_or_create(name=name)[0].user_set.add(users[person.email])
