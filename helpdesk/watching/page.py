"""«Salud», for supervisors: how the desk is doing, in words. What works, what waits and since when, and what to do."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from agents.access import DeskRequest, supervisor_view
from notifications.outgoing import holding
from tickets.lists.queues import DEPARTMENT_PREFIX
from tickets.models import Process
from web.wording import NBSP, duration

from ..health import readiness
from ..models import TaskRun
from .exposition import figures_or_none
from .figures import MANY, Figures, QueueFigures
from .runs import BACKUP, BACKUP_OLD

OK, WARN, BAD, NOT_YET = "ok", "warn", "bad", "not_yet"
SHORTEST = 0.1  # seconds; a shorter run is said to take less than this
OUTBOX = "admin:notifications_outgoingemail_changelist"

CHECKS: dict[str, tuple[str | Promise, str | Promise]] = {
    "database": (
        gettext_lazy("Base de datos"),
        gettext_lazy("No responde bien. Sin ella la mesa se detiene: revisa PostgreSQL."),
    ),
    "broker": (
        gettext_lazy("Cola de tareas"),
        gettext_lazy("No responde. Las páginas siguen; los correos y los avisos se retrasan. Revisa Redis."),
    ),
    "mail": (
        gettext_lazy("Correo saliente"),
        gettext_lazy("Hay correos que esperan demasiado. Revisa el servidor de correo y los workers."),
    ),
    "mailboxes": (
        gettext_lazy("Buzones"),
        gettext_lazy(
            "Un buzón no se puede leer. Su página en la administración dice qué respondió el servidor."
        ),
    ),
    "scheduler": (
        gettext_lazy("Planificador"),
        gettext_lazy("No da señales. Los vencimientos y los reintentos esperan: arranca beat y un worker."),
    ),
    "store": (
        gettext_lazy("Almacén de archivos"),
        gettext_lazy("No se pueden guardar ni abrir adjuntos. Revisa el disco o el almacén S3."),
    ),
    "migrations": (
        gettext_lazy("Versión de la base de datos"),
        gettext_lazy("Faltan migraciones: ejecuta «manage.py prepare_production»."),
    ),
}
"""The title of each check of /readyz, and what to do if it fails. A check that is not here shows its own name."""

TASKS: dict[str, str | Promise] = {
    "drain_outbox": gettext_lazy("Enviar los correos que esperan"),
    "sweep_outbox": gettext_lazy("Recuperar los correos de un proceso que murió"),
    "collect_mail": gettext_lazy("Leer los buzones"),
    "heartbeat": gettext_lazy("Señal del planificador"),
    "sweep_clocks": gettext_lazy("Avisar de los plazos vencidos"),
    "count_days": gettext_lazy("Contar los días de los informes"),
    "write_exports": gettext_lazy("Escribir los archivos que piden del histórico"),
    "mail_links": gettext_lazy("Enviar los enlaces que piden los invitados"),
    "mail_reports": gettext_lazy("Enviar los informes por correo"),
    "index_texts": gettext_lazy("Escribir las palabras que busca el histórico"),
    "recompute_clocks": gettext_lazy("Recalcular plazos cuando cambia un horario"),
    "sweep_silence": gettext_lazy("Seguir cuando el solicitante no responde"),
    "draw_thumbnails": gettext_lazy("Dibujar miniaturas"),
    "scan_held_files": gettext_lazy("Analizar los archivos retenidos"),
    "refresh_suggestions": gettext_lazy("Buscar soluciones que se repiten"),
    "clean_up": gettext_lazy("Borrar lo que venció"),
}


@dataclass(frozen=True)
class Line:
    """One line of the page: what it is about, its level (`OK`, `WARN`, `BAD`, `NOT_YET`), and the sentence about it."""

    title: str
    level: str
    text: str
    since: datetime | None = None
    href: str = ""
    action: str = ""


@require_safe
@supervisor_view
def health(request: DeskRequest) -> HttpResponse:
    _ready, answers = readiness()
    figures = figures_or_none()
    is_administrator = request.user.is_staff
    checks = list(checked(answers, figures))
    waiting = list(waits(figures, may_open_admin=is_administrator)) if figures else []
    tasks = list(ran(figures)) if figures else []
    levels = [line.level for line in (*checks, *waiting, *tasks)] + ([] if figures else [BAD])
    context = {
        "checks": checks,
        "waiting": waiting,
        "tasks": tasks,
        "kept": list(kept()),
        "queues": [_shown(queue) for queue in figures.queues] if figures else [],
        "queue_prefix": DEPARTMENT_PREFIX,
        "figures": figures,
        "held": figures.held if figures else None,
        "is_administrator": is_administrator,
        "level": BAD if BAD in levels else WARN if WARN in levels else OK,
        "troubles": sum(level in (WARN, BAD) for level in levels),
        "now": timezone.now(),
    }
    return render(request, "watching/health.html", context)


@require_POST
@supervisor_view
def release_mail(request: DeskRequest) -> HttpResponse:
    """Let the mail of a restored copy leave. For administrators."""
    if not request.user.is_staff:
        raise Http404
    discarded = holding.release(
        discard_old=request.POST.get("anteriores") == "descartar", by=str(request.user.pk)
    )
    if discarded:
        text = ngettext(
            "El correo vuelve a salir. Se descartó %(n)d correo.",
            "El correo vuelve a salir. Se descartaron %(n)d correos.",
            discarded,
        ) % {"n": discarded}
    else:
        text = _("El correo vuelve a salir.")
    messages.success(request, text)
    return redirect("health")


# --- Sentences --------------------------------------------------------------------------------------------


def checked(answers: Mapping[str, Mapping[str, Any]], figures: Figures | None) -> Iterator[Line]:
    """Return a line for each check of /readyz."""
    for name, answer in answers.items():
        title, advice = CHECKS.get(name, (name, str(answer.get("problem", ""))))
        if name == "mail" and figures and figures.held:
            yield Line(
                str(title), WARN, _("Retenido desde que se restauró la copia: nada sale."), figures.held.since
            )
        elif not answer["ok"]:
            yield Line(str(title), BAD, str(advice), _since(answer))
        elif "age_seconds" in answer:
            age = duration(timedelta(seconds=answer["age_seconds"]))
            yield Line(str(title), OK, _("Funciona. Última señal: hace %(age)s.") % {"age": age})
        else:
            yield Line(str(title), OK, _("Funciona."))


def _since(answer: Mapping[str, Any]) -> datetime | None:
    """Return since when the check fails, where it knows an age."""
    seconds = answer.get("oldest_seconds", answer.get("age_seconds"))
    return timezone.now() - timedelta(seconds=seconds) if seconds is not None else None


def waits(found: Figures, *, may_open_admin: bool) -> Iterator[Line]:
    """Return a line for each thing that may wait: mails, promises, files."""
    outbox = reverse(OUTBOX) if may_open_admin else ""
    waiting = ngettext("Espera %(n)s.", "Esperan %(n)s.", found.outbox_waiting) % {
        "n": many(found.outbox_waiting)
    }
    yield Line(
        _("Correos por salir"),
        OK,
        waiting if found.outbox_waiting else _("Ninguno espera."),
        found.outbox_oldest,
    )
    yield _counted(
        found.mails_failed,
        _("Correos que fallaron"),
        _("Ninguno."),
        _("Sin entregar: %(n)s. Corrige la dirección o el proveedor y reenvíalos."),
        href=f"{outbox}?state__exact=failed" if outbox else "",
    )
    yield _counted(
        found.mails_uncertain,
        _("Correos sin confirmar"),
        _("Ninguno."),
        _("Quizá salieron: %(n)s. Se cortó la conexión; pregunta antes de reenviarlos."),
        href=f"{outbox}?state__exact=uncertain" if outbox else "",
    )
    yield _counted(
        found.escalated,
        _("Soporte elevado"),
        _("Ninguno. La meta es cero."),
        _("Tickets cuyo plazo venció: %(n)s. La meta es cero."),
        href=reverse("agents:queue_of", args=["elevados"]),
    )
    yield _counted(
        found.overdue_promises,
        _("Promesas vencidas"),
        _("Ninguna."),
        _("Tickets que pasaron su plazo más próximo: %(n)s. Repártelos o acuerda otra fecha."),
        href=reverse("agents:queue_of", args=["todos"]),
    )
    yield _counted(
        found.uploads_held,
        _("Archivos retenidos"),
        _("Ninguno."),
        _("Esperan al antivirus: %(n)s. Nadie puede abrirlos; revisa que clamd funcione."),
    )


def _counted(count: int, title: str, none: str, some: str, *, href: str = "") -> Line:
    if not count:
        return Line(title, OK, none)
    return Line(title, WARN, some % {"n": many(count)}, href=href, action=_("Ver"))


def ran(found: Figures) -> Iterator[Line]:
    """Return a line for each periodic task: those that have never run too."""
    runs = {run.task: run for run in found.tasks}
    for entry in settings.CELERY_BEAT_SCHEDULE.values():
        name = entry["task"].rpartition(".")[2]
        title = str(TASKS.get(name, name))
        run = runs.get(entry["task"])
        if run is None:
            yield Line(title, NOT_YET, _("Corre cada %(period)s.") % {"period": _period(entry["schedule"])})
        else:
            yield _run_line(title, run, period=entry["schedule"])
    yield _backup_line(runs.get(BACKUP))


def kept() -> Iterator[Line]:
    """Return a line for each process that deletes something, with the days after which it does."""
    for process in Process.objects.filter(current__isnull=False):
        days = process.definition.retention
        parts = [
            text % {"n": count}
            for text, count in (
                (_("tickets cerrados a los %(n)d días"), days.tickets),
                (_("archivos a los %(n)d días"), days.files),
                (_("correos a los %(n)d días"), days.mails),
                (_("historial a los %(n)d días"), days.events),
            )
            if count
        ]
        if parts:
            yield Line(str(process), NOT_YET, f"{' · '.join(parts).capitalize()}.")


def _period(period: timedelta) -> str:
    """Return «20 s», or the duration from one minute on."""
    return duration(period) if period >= timedelta(minutes=1) else f"{period.seconds}{NBSP}s"


def _took(run: TaskRun) -> str:
    """Return how long the run took: «Tardó 1,2 s», and no «0,0 s»."""
    if run.seconds < SHORTEST:
        return _("Tardó menos de %(n)s s") % {"n": number_format(SHORTEST, 1)}
    return _("Tardó %(n)s s") % {"n": number_format(run.seconds, 1)}


def _backup_line(run: TaskRun | None) -> Line:
    title = _("Última copia de seguridad")
    if run is None:
        return Line(title, NOT_YET, _("Ninguna con «manage.py backup»."))
    if timezone.now() - run.ran_at > BACKUP_OLD:
        return Line(title, WARN, _("Es vieja: revisa la tarea que la hace."), run.ran_at)
    return Line(title, OK, _took(run), run.ran_at)


def _run_line(title: str, run: TaskRun, *, period: timedelta) -> Line:
    if run.has_failed:
        text = _("Falló (%(problem)s). El registro de los workers dice por qué; se intenta otra vez sola.")
        return Line(title, BAD, text % {"problem": run.problem}, run.failed_at)
    if timezone.now() - run.ran_at > period * 3 + timedelta(minutes=2):
        return Line(title, WARN, _("No corre desde entonces: ¿hay beat y workers?"), run.ran_at)
    return Line(title, OK, _took(run), run.ran_at)


def _shown(queue: QueueFigures) -> dict[str, Any]:
    """Return the figures of a department as numbers and as words."""
    counts = {name: getattr(queue, name) for name in ("open", "unassigned", "overdue")}
    shown = {f"{name}_shown": many(count) for name, count in counts.items()}
    return {"key": queue.key, "name": str(queue.department), **counts, **shown}


def many(count: int) -> str:
    """Return a bounded count in words: «12», or «10000 o más» where counting stopped."""
    return _("%(n)d o más") % {"n": MANY} if count >= MANY else str(count)
