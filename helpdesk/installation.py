"""What a new desk still needs before people can work with it, read from the data. `prepare_production` prints it, and
the page «Puesta en marcha» shows it to administrators."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import second_factor
from accounts.enums import Role
from accounts.models import Department, Membership, User
from notifications.enums import TROUBLED_STATES, MailState
from notifications.models import OutgoingEmail
from tickets.models import Process
from web.wording import duration

from .models import Heartbeat, TaskRun
from .watching.runs import BACKUP, BACKUP_OLD

SHOWN = 5
CLOCKS_APART_SECONDS = 5


class State(Enum):
    DONE = "done"
    MISSING = "missing"
    UNKNOWN = "unknown"
    """The desk cannot see it: somebody must look."""


@dataclass(frozen=True)
class Step:
    key: str
    title: str
    state: State
    text: str
    href: str = ""
    action: str = ""

    @property
    def is_done(self) -> bool:
        return self.state is State.DONE


def steps() -> list[Step]:
    """Return every step in the order in which they are done, each with its state now, in the active language."""
    checks: list[Callable[[], Step]] = [
        processes,
        administrators,
        departments,
        staff,
        background,
        clocks,
        mail,
        two_factors,
        backups,
    ]
    return [check() for check in checks]


def missing() -> list[Step]:
    return [step for step in steps() if not step.is_done]


def _of(done: bool) -> State:
    return State.DONE if done else State.MISSING


def _names(found: list[str]) -> str:
    more = len(found) - SHOWN
    return ", ".join(found[:SHOWN]) + (f" (+{more})" if more > 0 else "")


def processes() -> Step:
    published = Process.objects.filter(is_active=True, current__isnull=False)
    names = [str(process) for process in published]
    text = f"{_names(names)}."
    if not names:
        text = _("Sin un proceso nadie puede crear un ticket. Instala los que trae la mesa con «manage.py processes"
                 " install-library», o publica el tuyo con «manage.py processes publish».")  # fmt: skip
    return Step("processes", _("Procesos publicados"), _of(bool(names)), text)


def administrators() -> Step:
    count = User.objects.filter(is_active=True, role=Role.ADMINISTRATOR).count()
    text = ngettext("%(n)d persona.", "%(n)d personas.", count) % {"n": count}
    if not count:
        text = _("Nombra a la primera persona con «manage.py make_administrator correo».")
    return Step("administrators", _("Administradores"), _of(bool(count)), text)


def departments() -> Step:
    """A department without members would get tickets that nobody sees as theirs."""
    members = Membership.objects.filter(department=OuterRef("pk"), user__is_active=True).exclude(
        user__role=Role.CUSTOMER
    )
    rows = Department.objects.filter(is_active=True).annotate(has_members=Exists(members))
    empty = [str(department) for department in rows if not department.has_members]
    if not rows:
        text = _("No hay ninguno. Los procesos de la biblioteca crean los suyos.")
    elif empty:
        text = _("Sin personas: %(names)s.") % {"names": _names(empty)}
    else:
        text = ngettext("%(n)d departamento.", "%(n)d departamentos.", len(rows)) % {"n": len(rows)}
    return Step(
        "departments",
        _("Departamentos con personas"),
        _of(bool(rows) and not empty),
        text,
        reverse("admin:accounts_department_changelist"),
        _("Ver los departamentos"),
    )


def staff() -> Step:
    count = User.objects.filter(is_active=True, role__in=[Role.AGENT, Role.SUPERVISOR]).count()
    text = ngettext("%(n)d persona.", "%(n)d personas.", count) % {"n": count}
    if not count:
        text = _("Nadie atiende todavía: solo hay administradores. Crea a cada persona con su rol; al entrar pide su"
                 " contraseña por correo.")  # fmt: skip
    return Step(
        "staff",
        _("Agentes y supervisores"),
        _of(bool(count)),
        text,
        reverse("admin:accounts_user_add"),
        _("Añadir a una persona"),
    )


def background() -> Step:
    last = Heartbeat.objects.filter(name="scheduler").first()
    age = timezone.now() - last.at if last else None
    is_alive = age is not None and age.total_seconds() <= settings.DESK_LATE_HEARTBEAT_SECONDS
    if is_alive:
        text = _("Funciona. Última señal: hace %(age)s.") % {"age": duration(age)}
    elif age is None:
        text = _("Ninguna señal todavía: no sale ningún correo. Arranca «worker» y «beat».")
    else:
        text = _("Sin señal desde hace %(age)s. Revisa «worker» y «beat».") % {"age": duration(age)}
    return Step("background", _("Trabajo en segundo plano"), _of(is_alive), text)


def clocks() -> Step:
    """The clocks of this machine and of the database agree: deadlines are written by one and read by the other."""
    [there] = ContentType.objects.values_list(Now())[:1].get()  # any table with a row
    apart = abs((there - timezone.now()).total_seconds())
    text = _("Esta máquina y la base de datos tienen la misma hora.")
    if apart > CLOCKS_APART_SECONDS:
        text = _("Esta máquina y la base de datos se llevan %(n)d s. Activa NTP en las dos: los plazos dependen de la"
                 " hora.") % {"n": apart}  # fmt: skip
    return Step("clocks", _("Relojes"), _of(apart <= CLOCKS_APART_SECONDS), text)


def mail() -> Step:
    """The newest mail that has an outcome decides: one that arrived long ago proves nothing about today's server."""
    settled = OutgoingEmail.objects.filter(state__in=[MailState.SENT, *TROUBLED_STATES])
    newest = settled.order_by("-created_at", "-id").first()
    if newest is None:
        text = _("Todavía no ha salido ninguno. Envíate uno de prueba desde aquí.")
    elif newest.state == MailState.SENT:
        text = _("El último salió y el servidor lo aceptó.")
    else:
        text = _("El último no salió: %(problem)s") % {
            "problem": newest.last_error or newest.get_state_display()
        }
    return Step("mail", _("Correo"), _of(newest is not None and newest.state == MailState.SENT), text)


def two_factors() -> Step:
    people = User.objects.filter(is_active=True, role=Role.ADMINISTRATOR).order_by("name", "pk")
    without = [str(user) for user in second_factor.without_one(people)]
    text = _("Todos los administradores tienen uno.")
    if without:
        text = _("Sin él, una contraseña robada basta para leerlo todo. Les falta a: %(names)s.") % {
            "names": _names(without)
        }
    return Step(
        "two_factors",
        _("Segundo factor de los administradores"),
        _of(not without),
        text,
        reverse("mfa_index"),
        _("Ver el mío"),
    )


def backups() -> Step:
    last = TaskRun.objects.filter(task=BACKUP).first()
    if last is None:
        text = _("La mesa no sabe de ninguna. Si las hace otro programa, comprueba tú que existen y que se pueden"
                 " restaurar.")  # fmt: skip
        return Step("backups", _("Copias de seguridad"), State.UNKNOWN, text)
    age = timezone.now() - last.ran_at
    days = age.days
    text = ngettext("La última es de hace %(n)d día.", "La última es de hace %(n)d días.", days) % {"n": days}
    if days == 0:
        text = _("La última es de hoy.")
    return Step("backups", _("Copias de seguridad"), _of(age <= BACKUP_OLD), text)


def summary() -> dict[str, Any]:
    """Return what the page shows: the steps that are missing first, and how many there are."""
    found = steps()
    return {
        "open": [step for step in found if not step.is_done],
        "done": [step for step in found if step.is_done],
        "count": len(found),
    }
