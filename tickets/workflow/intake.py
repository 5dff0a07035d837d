"""Filing of tickets: `file_ticket`, which every channel calls, and `file_linked_ticket` for late replies."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, validate_email
from django.db import IntegrityError, transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts.models import Department, User
from accounts.validators import phone_validator, validate_address
from content.errors import InvalidData
from content.text import TextTooLong, clean_line, clean_text, plain_excerpt

from .. import clocks
from ..actors import Actor, Guest, System
from ..attachments import attach_drafts
from ..definitions.definition import Definition
from ..definitions.fields import clean_values, title_from_answers
from ..enums import CaseKind, Channel, EventKind, MessageKind
from ..exceptions import NotAllowed
from ..folios import next_folio
from ..models import Category, Clock, Message, Process, Ticket
from ..record.events import already_recorded, insert_with_first_event, write_event
from ..record.messages import write_message
from .perform import set_first_stage

TITLE_LENGTH = 160
EXCERPT_LENGTH = 200
PLACEHOLDER_BYTES = 12  # a folio's column has 24 characters


@dataclass(frozen=True)
class Requester:
    """The person whose ticket it is: a guest, with the details they typed, or the user for whom it is filed."""

    email: str = ""
    name: str = ""
    phone: str = ""
    language: str = ""
    user: User | None = None


def file_ticket(
    process: Process,
    *,
    actor: Actor | None,
    title: str,
    description: str,
    category: Category | None = None,
    requester: Requester | None = None,
    phone: str = "",
    fields: Mapping[str, Any] | None = None,
    draft_key: str = "",
    notify: bool = True,
    channel: Channel = Channel.WEB,
    origin: Mapping[str, str] | None = None,
    key: str | None = None,
) -> Ticket:
    """File a ticket under the process's current version and return it with its folio (S0.14).

    `actor` is None for a guest without a session, whose address is then in `requester`. `fields` are raw answers to the
    process's questions, checked by the same rules on every channel but mail, which answers none and names no category
    (S0.7): they stay open. `origin` says from which `app` and `app_version` the person came; staff read it in the
    history. Files uploaded under `draft_key` are attached to the report. A repeated `key` returns the ticket that was
    filed with it.

    Raises `InvalidData` with the messages of every wrong field. Raises `NotAllowed` when the process is out of use,
    when it requires an account (S2.1, T1), when the system files, and when `key` is somebody else's.
    """
    if process.current_id is None or not process.is_active:
        raise NotAllowed(_("Ese tipo de solicitud ya no está disponible."))
    definition = process.definition
    errors: dict[str, list[str]] = {}
    login = definition.login_for(category.key if category else "")
    is_asked = channel != Channel.EMAIL
    who = _requester(
        definition, errors, login=login, actor=actor, requester=requester, phone=phone, is_asked=is_asked
    )
    guest = Guest(0, who.email, who.name)
    as_actor = actor or guest
    if not errors and (filed := _filed_before(key, actor=as_actor, who=who)):
        return filed
    texts, answers = _validated(
        process, errors, category, title, description, fields or {}, is_asked=is_asked
    )
    if errors:
        raise InvalidData(errors)
    now = timezone.now()
    ticket = Ticket(
        process_version_id=process.current_id,
        category=category,
        department=_department(definition, category),
        channel=channel,
        title=texts["title"],
        excerpt=plain_excerpt(texts["description"], EXCERPT_LENGTH),
        fields={name: value for name, value in answers.items() if not _column(definition, name)},
        requester=who.user,
        requester_name=who.name,
        requester_email=who.email,
        requester_phone=who.phone,
        requester_language=who.language,
        notify_requester=notify,
        case_kind=category.case_kind if category else CaseKind.PROBLEM,
        created_at=now,
        updated_at=now,
    )
    if category:
        ticket.severity = category.severity
    for name, value in answers.items():
        if column := _column(definition, name):
            setattr(ticket, column, value)
    try:
        _open(
            ticket,
            description=texts["description"],
            author=who.user or guest,
            actor=as_actor,
            draft_key=draft_key,
            origin=origin,
            key=key,
        )
    except IntegrityError:
        if filed := _filed_before(
            key, actor=as_actor, who=who
        ):  # by another click, while this one waited for it
            return filed
        raise
    return ticket


def file_linked_ticket(
    closed: Ticket, *, actor: Actor, description: str, draft_key: str = "", channel: Channel = Channel.WEB
) -> Message:
    """File a ticket for a reply to the ticket `closed`, which is locked, and return its report.

    Requester, category and answers are those of the closed ticket, and `description` is the reply, already cleaned.
    The new ticket takes the process's current version, or the closed ticket's if the process is out of use: a customer
    who writes must reach somebody. Nothing else can be refused, because the closed ticket has passed every check.
    """
    process, now = closed.process_version.process, timezone.now()
    version = (process.current if process.is_active else None) or closed.process_version
    asked = {
        item.key for item in version.definition.intake_fields(closed.category.key if closed.category else "")
    }
    ticket = Ticket(
        process_version=version,
        follows=closed,
        category=closed.category,
        department=_department(version.definition, closed.category),
        channel=channel,
        title=closed.title,
        excerpt=plain_excerpt(description, EXCERPT_LENGTH),
        fields={name: value for name, value in closed.fields.items() if name in asked},
        requester=closed.requester,
        requester_name=closed.requester_name,
        requester_email=closed.requester_email,
        requester_phone=closed.requester_phone,
        requester_language=closed.requester_language,
        notify_requester=closed.notify_requester,
        case_kind=closed.case_kind,
        severity=closed.severity,
        created_at=now,
        updated_at=now,
    )
    return _open(
        ticket,
        description=description,
        author=actor,
        actor=actor,
        draft_key=draft_key,
        key=None,
    )


@transaction.atomic
def _open(
    ticket: Ticket,
    *,
    description: str,
    author: Actor,
    actor: Actor,
    draft_key: str,
    origin: Mapping[str, str] | None = None,
    key: str | None,
) -> Message:
    """Save the new ticket with its first stage, clocks and report, record the filing, and number it. Returns the
    report.

    The folio comes last: its counter is locked until the transaction ends, and all who file wait for it.
    """
    definition, now = ticket.definition, ticket.created_at
    ticket.by_arrival = definition.queue == "arrival"
    set_first_stage(ticket, now=now)
    promised = clocks.promised(ticket, now=now)
    ticket.last_requester_message_at = now
    ticket.folio = secrets.token_hex(PLACEHOLDER_BYTES)
    insert_with_first_event(ticket)
    Clock.objects.bulk_create(promised)
    ticket.report = message = write_message(
        ticket, MessageKind.REPORT, author=author, body=description, channel=Channel(ticket.channel), at=now
    )
    attach_drafts(ticket, draft_key, actor=actor, message=message)
    write_event(
        ticket,
        EventKind.FILED,
        actor=actor,
        public=True,
        data={"to": ticket.stage, "channel": ticket.channel, **(origin or {})},
        notify=[(str(entry.to), entry.template) for entry in definition.on_filed],
        message=message,
        key=key,
        at=now,
    )
    ticket.folio = next_folio()
    ticket.save(update_fields=["folio"])
    return message


def _filed_before(key: str | None, *, actor: Actor, who: Requester) -> Ticket | None:
    """Return the ticket that was filed with `key`, or None.

    Raises `NotAllowed` when a guest with another address used the key: only the address tells guests apart.
    """
    event = already_recorded(key, actor=actor, act=EventKind.FILED)
    if event is not None and isinstance(actor, Guest) and event.ticket.requester_email != who.email:
        raise NotAllowed
    return event.ticket if event else None


def _department(definition: Definition, category: Category | None) -> Department | None:
    """Return the active department of the category, or else of the process, or None (S0.16, S1.9)."""
    if category is not None and category.department is not None and category.department.is_active:
        return category.department
    return Department.objects.filter(key=definition.department, is_active=True).first()


def _column(definition: Definition, name: str) -> str:
    """Return the ticket column that this answer sets (S4.10), or "" for an answer kept in `fields`."""
    field = definition.field(name)
    return field.sets if field else ""


def _requester(
    definition: Definition,
    errors: dict[str, list[str]],
    *,
    login: str,
    actor: Actor | None,
    requester: Requester | None,
    phone: str,
    is_asked: bool,
) -> Requester:
    """Return the requester of the ticket to be filed, and add a wrong name, phone or address to `errors`.

    Customers file for themselves only, staff for anybody. Raises `NotAllowed` for the system, and for a guest where the
    process or the category requires an account (`login`).
    """
    if isinstance(actor, System):
        raise NotAllowed
    if isinstance(actor, User) and (not actor.is_desk_staff or requester is None):
        user: User | None = actor
    else:
        user = requester.user if requester and isinstance(actor, User) else None
    given = phone or (requester.phone if requester else "")
    phone = _phone(given, errors, is_required=is_asked and definition.phone == "required")
    if user is not None:
        return Requester(user.email, user.name, phone, user.language, user)
    if login == "required" and not isinstance(actor, User):
        raise NotAllowed(_("Para este tipo de solicitud necesitas entrar con tu cuenta."))
    return _guest(requester or Requester(), phone, errors)


def _guest(requester: Requester, phone: str, errors: dict[str, list[str]]) -> Requester:
    email = requester.email.strip().lower()
    try:
        validate_email(email)
        validate_address(email)
        MaxLengthValidator(254)(email)
    except ValidationError:
        errors["email"] = [_("Escribe un correo válido, como nombre@dominio.com. Ahí te avisaremos.")]
    name = _line(requester.name, 120, "name", errors) or email.partition("@")[0]
    language = requester.language or (translation.get_language() or "")[:2]
    if language not in dict(settings.LANGUAGES):
        language = settings.DESK_DEFAULT_LANGUAGE
    return Requester(email, name, phone, language)


def _phone(value: str, errors: dict[str, list[str]], *, is_required: bool) -> str:
    """Return the cleaned phone. Add to `errors` if it is wrong, or missing where the process needs one (S0.12)."""
    phone = _line(value, 32, "phone", errors)
    if phone:
        try:
            phone_validator(phone)
        except ValidationError as error:
            errors["phone"] = error.messages
    elif is_required:
        errors["phone"] = [_("Escribe un teléfono donde podamos llamarte.")]
    return phone


def _validated(
    process: Process,
    errors: dict[str, list[str]],
    category: Category | None,
    title: str,
    description: str,
    fields: Mapping[str, Any],
    *,
    is_asked: bool,
) -> tuple[dict[str, str], dict[str, Any]]:
    definition = process.definition
    texts = {"title": _line(title, TITLE_LENGTH, "title", errors)}
    try:
        texts["description"] = clean_text(description)
    except TextTooLong as error:
        errors["description"] = [str(error)]
    if not texts.get("description"):
        errors.setdefault("description", [_("Cuéntanos qué pasó, con los detalles que tengas.")])
    if category is None:
        if definition.categories and is_asked:
            errors["category"] = [_("Elige el tipo de solicitud.")]
    elif category.process_id != process.pk or not category.is_active:  # a forged form may send any id (B18)
        errors["category"] = [_("Ese tipo de solicitud ya no está disponible. Elige otro.")]
    answers: dict[str, Any] = {}
    try:
        asked = definition.intake_fields(category.key if category else "") if is_asked else ()
        answers = clean_values(asked, fields)
    except InvalidData as error:
        errors.update(error.errors)
    _name(texts, definition, answers, errors)
    return texts, answers


def _name(
    texts: dict[str, str], definition: Definition, answers: dict[str, Any], errors: dict[str, list[str]]
) -> None:
    """Make the title of the answers where the process says so and nobody wrote one. A missing title is an error, unless
    the answers that make it are wrong: those have errors of their own."""
    if texts["title"] or "title" in errors:
        return
    if definition.title_from:
        title = title_from_answers(definition, answers)
        texts["title"] = title if len(title) <= TITLE_LENGTH else f"{title[: TITLE_LENGTH - 1].rstrip()}…"
    if not texts["title"] and not errors.keys() & set(definition.title_from):
        errors["title"] = [_("Escribe un título: una frase que resuma lo que necesitas.")]


def _line(value: str, max_length: int, field: str, errors: dict[str, list[str]]) -> str:
    try:
        return clean_line(value, max_length=max_length)
    except TextTooLong as error:
        errors[field] = [str(error)]
        return ""
