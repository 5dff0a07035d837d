"""Sentences that tell staff the history of a ticket, one for each event.

Customers never see them, because they may mention what only staff may know.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.enums import Standing
from accounts.models import Department, User
from content.dates import short_date

from ..definitions.definition import Definition
from ..enums import (
    CaseKind,
    ClockKind,
    ContactKind,
    ContactOutcome,
    EventKind,
    MailDecision,
    MailReason,
    Severity,
)
from ..models import Category, Ticket, TicketEvent


@dataclass
class Names:
    """Names of the users, departments, categories and tickets that events refer to by primary key."""

    users: dict[int, str] = field(default_factory=dict)
    departments: dict[int, str] = field(default_factory=dict)
    categories: dict[int, str] = field(default_factory=dict)
    folios: dict[int, str] = field(default_factory=dict)


TASK_KINDS = (
    EventKind.TASK_ASKED,
    EventKind.TASK_TAKEN,
    EventKind.TASK_DONE,
    EventKind.TASK_WITHDRAWN,
)
_REFERENCES = {
    "assignee_id": "users",
    "requester_id": "users",
    "department_id": "departments",
    "department": "departments",
    "category": "categories",
    "duplicate_of_id": "folios",
}


def names_in(events: Iterable[TicketEvent]) -> Names:
    """Look up the names that `events` refer to: at most one query each for users, departments, categories and
    tickets."""
    wanted: dict[str, set[int]] = {"users": set(), "departments": set(), "categories": set(), "folios": set()}
    for event in events:
        for name, values in event.data.get("changes", {}).items():
            if name in _REFERENCES:
                wanted[_REFERENCES[name]].update(value for value in values if value is not None)
        if event.kind in TASK_KINDS:
            wanted["departments"].add(event.data["department"])
        if "requester" in event.data:
            wanted["users"].add(event.data["requester"])
    names = Names()
    if wanted["users"]:
        names.users = {user.pk: str(user) for user in User.objects.filter(pk__in=wanted["users"])}
    if wanted["departments"]:
        departments = Department.objects.filter(pk__in=wanted["departments"])
        names.departments = {department.pk: str(department) for department in departments}
    if wanted["categories"]:
        categories = Category.objects.filter(pk__in=wanted["categories"])
        names.categories = {category.pk: str(category) for category in categories}
    if wanted["folios"]:
        names.folios = dict(Ticket.objects.filter(pk__in=wanted["folios"]).values_list("pk", "folio"))
    return names


Teller = Callable[[TicketEvent, Definition, Names], SafeString]
TELLERS: dict[str, Teller] = {}


def teller(*kinds: str) -> Callable[[Teller], Teller]:
    """Register the function that writes the sentence for these kinds. Raises `ValueError` if a kind has one."""

    def register(function: Teller) -> Teller:
        for kind in kinds:
            if kind in TELLERS:
                raise ValueError(f"{kind} is told by {TELLERS[kind].__name__} already")
            TELLERS[str(kind)] = function
        return function

    return register


def tell(event: TicketEvent, definition: Definition, names: Names) -> SafeString:
    """Return the sentence for an event, with what matters in bold.

    Empty for a kind without a teller, such as a message, which the conversation shows already.
    """
    teller = TELLERS.get(event.kind)
    return teller(event, definition, names) if teller else SafeString("")


def _bold(value: Any) -> SafeString:
    return format_html("<b>{}</b>", value)


def _sentence(event: TicketEvent, text: str, **values: Any) -> SafeString:
    """Return «Carolina asignó el ticket a Diego»: the actor's name, then `text` with its values in bold."""
    bold = {name: value if isinstance(value, SafeString) else _bold(value) for name, value in values.items()}
    told = format_html(text, **bold) if bold else text
    return format_html("<b>{}</b> {}", event.actor_name, told)


@teller(EventKind.FILED)
def _filed(event: TicketEvent, definition: Definition, names: Names) -> SafeString:
    """Tell from which app the report came (S0.5). Empty for other reports, which the conversation shows."""
    if not event.data.get("app"):
        return SafeString("")
    app = " ".join(filter(None, (event.data["app"], event.data.get("app_version"))))
    return _sentence(event, _("envió el reporte desde {app}"), app=app)


@teller(EventKind.STAGE_CHANGED, EventKind.ACTION)
def _action(event: TicketEvent, definition: Definition, names: Names) -> SafeString:
    action = definition.action(event.action)
    details = [
        *([_stage(event, definition)] if "to" in event.data else []),
        *_changes(event, names),
        *([escape(_("abrió un reporte de inconformidad"))] if "nonconformity" in event.data else []),
    ]
    told = format_html("<b>{}</b>: {}", event.actor_name, action.label if action else event.action)
    return format_html("{} · {}", told, _joined(details)) if details else told


def _stage(event: TicketEvent, definition: Definition) -> SafeString:
    return format_html(_("etapa {stage}"), stage=_bold(definition.stage(event.data["to"]).label))


@teller(EventKind.ASSIGNED)
def _assigned(event: TicketEvent, definition: Definition, names: Names) -> SafeString:
    before, after = event.data["changes"]["assignee_id"]
    if after is None:
        return _sentence(
            event, _("devolvió el ticket a la cola; lo tenía {name}"), name=names.users.get(before, "—")
        )
    if after == event.actor_id:
        return _with_source(event, _sentence(event, _("se asignó el ticket")))
    told = _sentence(event, _("asignó el ticket a {name}"), name=names.users.get(after, "—"))
    return _with_source(event, told)


@teller(EventKind.PROPERTIES)
def _properties(event: TicketEvent, definition: Definition, names: Names) -> SafeString:
    told = _sentence(event, _("cambió {changes}"), changes=_joined(_changes(event, names)))
    return _with_source(event, told)


def _with_source(event: TicketEvent, told: SafeString) -> SafeString:
    """Return the sentence with the solved ticket from which a proposal came (S3.20), if it was one."""
    folio = event.data.get("source")
    if not folio:
        return told
    return format_html(
        "{} · {}", told, format_html(_("propuesto porque se parece a {folio}"), folio=_bold(folio))
    )


def _joined(parts: list[SafeString]) -> SafeString:
    return format_html_join(", ", "{}", ((part,) for part in parts))


def _changes(event: TicketEvent, names: Names) -> list[SafeString]:
    changes = event.data.get("changes", {})  # PostgreSQL does not keep the order of JSON keys
    return [
        format_html("{} {}", label, _bold(_value(name, changes[name][1], names)))
        for name, label in _labels().items()
        if name in changes
    ]


def _labels() -> dict[str, str]:
    return {
        "severity": _("severidad"),
        "category": _("categoría"),
        "case_kind": _("clase de caso"),
        "difficulty": _("dificultad"),
        "assignee_id": _("responsable"),
        "department": _("departamento"),
        "department_id": _("departamento"),
        "due_at": _("fecha de cierre"),
        "queue_position": _("ubicación en la cola"),
        "contribution_open": _("aporte de usuario"),
        "duplicate_of_id": _("duplicado de"),
        "requester_id": _("cuenta del solicitante"),
        "is_test": _("de prueba"),
        "is_escalated": _("soporte elevado"),
    }


def _value(name: str, value: Any, names: Names) -> str:
    if value is None:
        return _("sin definir")
    if name in _REFERENCES:
        known: dict[int, str] = getattr(names, _REFERENCES[name])
        return known.get(value, "—")
    if isinstance(value, bool):
        return _("sí") if value else _("no")
    if name == "due_at":
        moment = parse_datetime(value) if isinstance(value, str) else value
        return short_date(moment) if moment else str(value)
    choices: dict[str, Any] = {"severity": Severity, "case_kind": CaseKind}
    return str(choices[name](value).label) if name in choices else str(value)


@teller(EventKind.CONTRIBUTION)
def _contribution(event: TicketEvent, definition: Definition, names: Names) -> SafeString:
    return _sentence(
        event,
        _("habilitó el aporte de usuario") if event.data.get("open") else _("desactivó el aporte de usuario"),
    )


@teller(EventKind.STANDING_CHECKED)
def _standing(event: TicketEvent, definition: Definition, names: Names) -> SafeString:
    return _sentence(
        event,
        _("verificó el estatus del solicitante: {standing}"),
        standing=Standing(event.data["standing"]).label,
    )


@teller(EventKind.CONTACT)
def _contact(event: TicketEvent, definition: Definition, names: Names) -> SafeString:
    sentences = {
        ContactKind.CALL: _("registró una llamada: {outcome}"),
        ContactKind.WHATSAPP: _("registró una conversación por WhatsApp: {outcome}"),
    }
    return _sentence(
        event,
        sentences[event.data["kind"]],
        outcome=str(ContactOutcome(event.data["outcome"]).label).lower(),
    )


@teller(EventKind.CHECKLIST)
def _checklist(event: TicketEvent, definition: Definition, names: Names) -> SafeString:
    items = {item.key: item.label for item in definition.closing.checklist}
    text = (
        _("completó {item} en la lista de cierre")
        if event.data.get("done")
        else _("quitó la marca de {item}")
    )
    return _sentence(event, text, item=items.get(event.data["item"], event.data["item"]))


@teller(EventKind.BREACHED)
def _breached(event: TicketEvent, definition: Definition, names: Names) -> SafeString:
    return format_html(
        _("Venció el plazo de {clock}"), clock=_bold(str(ClockKind(event.data["clock"]).label).lower())
    )


@teller(EventKind.WARNED)
def _warned(event: TicketEvent, definition: Definition, names: Names) -> SafeString:
    return format_html(
        _("Queda poco para que venza el plazo de {clock}: se usó {percent}"),
        clock=_bold(str(ClockKind(event.data["clock"]).label).lower()),
        percent=_bold(f"{event.data['percent']} %"),
    )


@teller(EventKind.SURVEY)
def _survey(event: TicketEvent, definition: Definition, names: Names) -> SafeString:
    return _sentence(event, _("calificó la atención con {score} de 5"), score=event.data["score"])


@teller(EventKind.NONCONFORMITY)
def _nonconformity(event: TicketEvent, definition: Definition, names: Names) -> SafeString:
    return _sentence(event, _("revisó el reporte de inconformidad"))


@teller(EventKind.CONTINUED)
def _continued(event: TicketEvent, definition: Definition, names: Names) -> SafeString:
    return _sentence(event, _("siguió en el ticket {folio}"), folio=event.data["folio"])


@teller(EventKind.LATE_REPLY_READ)
def _late_reply_read(event: TicketEvent, definition: Definition, names: Names) -> SafeString:
    return _sentence(event, _("leyó la respuesta que llegó tras el cierre"))


@teller(EventKind.REQUESTER)
def _requester(event: TicketEvent, definition: Definition, names: Names) -> SafeString:
    return _sentence(
        event,
        _("vinculó el ticket a la cuenta de {name}"),
        name=names.users.get(event.data["requester"], "—"),
    )


@teller(EventKind.NOTIFICATIONS)
def _notifications(event: TicketEvent, definition: Definition, names: Names) -> SafeString:
    return _sentence(
        event, _("activó los avisos por correo") if event.data["on"] else _("apagó los avisos por correo")
    )


@teller(EventKind.FILES_EXPIRED)
def _files_expired(event: TicketEvent, definition: Definition, names: Names) -> SafeString:
    return escape(files_expired(event))


def files_expired(event: TicketEvent) -> str:
    """Return the sentence about files that the process no longer keeps, for staff and requesters."""
    files, days = event.data["files"], event.data["days"]
    text = ngettext(
        "Se borró %(files)d archivo: se conservan %(days)d días desde el último cambio",
        "Se borraron %(files)d archivos: se conservan %(days)d días desde el último cambio",
        files,
    )
    return text % {"files": files, "days": days}


@teller(*TASK_KINDS)
def _side_task(event: TicketEvent, definition: Definition, names: Names) -> SafeString:
    sentences = {
        EventKind.TASK_ASKED: _("pidió una tarea a {department}: {title}"),
        EventKind.TASK_TAKEN: _("tomó la tarea de {department}: {title}"),
        EventKind.TASK_DONE: _("terminó la tarea de {department}: {title}"),
        EventKind.TASK_WITHDRAWN: _("retiró la tarea de {department}: {title}"),
    }
    told = sentences[EventKind(event.kind)]
    if event.data.get("by_closing"):
        told = _("cerró el ticket, y con él la tarea de {department}: {title}")
    department = names.departments.get(event.data["department"], "—")
    return _sentence(event, told, department=department, title=event.data["title"])


@teller(EventKind.LINK)
def _link(event: TicketEvent, definition: Definition, names: Names) -> SafeString:
    return escape(_("Se envió un enlace nuevo al solicitante"))


@teller(EventKind.MAIL_HELD)
def _mail_held(event: TicketEvent, definition: Definition, names: Names) -> SafeString:
    reason = event.data.get("reason", "")
    why = MailReason(reason).label if reason in MailReason.values else ""
    told = _("Un correo de {sender} quedó en cuarentena: {reason}")
    return format_html(told, sender=_bold(event.data.get("sender", "")), reason=str(why).lower())


@teller(EventKind.MAIL_DECIDED)
def _mail_decided(event: TicketEvent, definition: Definition, names: Names) -> SafeString:
    decision = event.data.get("decision", "")
    texts = {
        MailDecision.LET_IN: _("dejó entrar el correo de {sender}"),
        MailDecision.NEW_TICKET: _("hizo un ticket aparte con el correo de {sender}"),
        MailDecision.DISCARDED: _("descartó el correo de {sender}"),
        MailDecision.BLOCKED: _("descartó el correo de {sender} y lo bloqueó"),
        MailDecision.DENIED: _("dijo que no escribió el correo de {sender}"),
    }
    text = texts.get(decision)
    return _sentence(event, text, sender=event.data.get("sender", "")) if text else SafeString("")
