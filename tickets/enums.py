"""The fixed lists that describe tickets (states, kinds, severities, purposes …) and what follows from each value."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override, pgettext_lazy


class PublicState(models.TextChoices):
    """The three states that customers see (S3.12–S3.14)."""

    WAITING = "waiting", _("En espera")
    IN_PROGRESS = "in_progress", _("En curso")
    COMPLETED = "completed", _("Completado")


class StageKind(models.TextChoices):
    """The purpose of a stage. Public state, clocks and default progress follow from it: `STAGE_META`."""

    NEW = "new", _("Nuevo")
    EVALUATION = "evaluation", _("Evaluación")
    PREPARATION = "preparation", _("Preparación")
    WORK = "work", _("Trabajo")
    WAITING_CUSTOMER = "waiting_customer", _("Esperando al cliente")
    WAITING_INTERNAL = "waiting_internal", _("Esperando a otro equipo")
    VERIFICATION = "verification", _("Verificación")
    CLOSURE_APPROVAL = "closure_approval", _("Aprobación de cierre")
    DONE = "done", _("Terminado")
    REJECTED = "rejected", _("Rechazado")
    CANCELLED = "cancelled", _("Cancelado")

    @property
    def meta(self) -> "StageMeta":
        return STAGE_META[self]


@dataclass(frozen=True)
class StageMeta:
    """The facts that follow from a stage's kind. `clock` and `progress`, a percentage, are used if a stage does not set
    its own."""

    public_state: PublicState
    clock: Literal["runs", "pauses", "stops"]
    progress: int
    look: str
    """The value of `data-state`, which the style sheets use to colour the state."""

    @property
    def is_end(self) -> bool:
        return self.clock == "stops"


STAGE_META: dict[str, StageMeta] = {
    StageKind.NEW: StageMeta(PublicState.WAITING, "runs", 10, "waiting"),
    StageKind.EVALUATION: StageMeta(PublicState.WAITING, "runs", 20, "waiting"),
    StageKind.PREPARATION: StageMeta(PublicState.WAITING, "runs", 20, "waiting"),
    StageKind.WORK: StageMeta(PublicState.IN_PROGRESS, "runs", 50, "in-progress"),
    StageKind.WAITING_CUSTOMER: StageMeta(PublicState.IN_PROGRESS, "pauses", 50, "in-progress"),
    StageKind.WAITING_INTERNAL: StageMeta(PublicState.IN_PROGRESS, "runs", 50, "in-progress"),
    StageKind.VERIFICATION: StageMeta(PublicState.IN_PROGRESS, "runs", 70, "in-progress"),
    StageKind.CLOSURE_APPROVAL: StageMeta(PublicState.IN_PROGRESS, "pauses", 80, "approve"),
    StageKind.DONE: StageMeta(PublicState.COMPLETED, "stops", 100, "completed"),
    StageKind.REJECTED: StageMeta(PublicState.COMPLETED, "stops", 100, "rejected"),
    StageKind.CANCELLED: StageMeta(PublicState.COMPLETED, "stops", 100, "rejected"),
}

END_KINDS: tuple[StageKind, ...] = tuple(kind for kind in StageKind if kind.meta.is_end)
EARLY_KINDS: tuple[StageKind, ...] = tuple(
    kind for kind in StageKind if kind.meta.public_state == PublicState.WAITING
)
"""The kinds before work begins: new, evaluation and preparation. The first stage of a process is one of these."""
REQUESTER_KINDS: tuple[StageKind, ...] = tuple(kind for kind in StageKind if kind.meta.clock == "pauses")
"""The kinds in which the requester must act, to contribute or to decide on the closing. Clocks pause (S2.7, S2.8)."""


class WaitedFor(models.TextChoices):
    """Says who had to act while a ticket was in a stage."""

    DESK = "desk", _("La mesa")
    REQUESTER = "requester", _("El solicitante")
    OTHER_TEAM = "other_team", _("Otro equipo")
    NOBODY = "nobody", _("Nadie: estaba cerrado")


class Scope(models.TextChoices):
    """Says by what the tickets of a day are told apart where they are counted."""

    DESK = "desk", _("Toda la mesa")
    PROCESS = "process", _("Proceso")
    DEPARTMENT = "department", _("Departamento")
    CATEGORY = "category", _("Categoría")
    SEVERITY = "severity", _("Severidad")
    CUSTOMER_KIND = "kind", _("Clase de cliente")
    ASSIGNEE = "assignee", _("Responsable")


class ReportInterval(models.TextChoices):
    """How often a report is mailed."""

    DAY = "day", _("Cada día")
    WEEK = "week", _("Cada semana")
    MONTH = "month", _("Cada mes")


class ExportFormat(models.TextChoices):
    CSV = "csv", "CSV"
    XLSX = "xlsx", "Excel"


class ExportState(models.TextChoices):
    """How far an export is."""

    WAITING = "waiting", _("En espera")
    RUNNING = "running", _("En curso")
    DONE = "done", _("Lista")
    FAILED = "failed", _("Fallida")
    CANCELLED = "cancelled", _("Cancelada")


class Severity(models.TextChoices):
    """How severe a case is, most severe first. Every process uses this scale (S0.17, S4.10)."""

    CRITICAL = "critical", _("Crítica")
    HIGH = "high", _("Alta")
    MEDIUM = "medium", _("Media")
    LOW = "low", _("Baja")


class CaseKind(models.TextChoices):
    """Whether the requester reports a problem or asks for a procedure, «trámite» (S2.24)."""

    PROBLEM = "problem", _("Problema")
    PROCEDURE = "procedure", _("Trámite")


class Channel(models.TextChoices):
    """How a ticket or a message reached us."""

    WEB = "web", _("Web")
    LINK = "link", _("Enlace del correo")
    EMAIL = "email", _("Correo")
    PHONE = "phone", _("Teléfono")
    WHATSAPP = "whatsapp", _("WhatsApp")
    CHAT = "chat", _("Asistente")
    API = "api", _("Aplicación")


class ChatPath(models.TextChoices):
    """What somebody came to the assistant for (S0.8)."""

    REPORT = "report", _("Reportar un problema técnico")
    FOLLOW = "follow", _("Seguir mi ticket")
    ASK = "ask", _("Hacer una pregunta")
    PERSON = "person", _("Hablar con una persona")


class MessageKind(models.TextChoices):
    """The kinds of message (T2). Reports and replies come from the requester; follow-ups, solutions and notes from
    staff. A solution says that the case is solved. A note is internal."""

    REPORT = "report", _("Reporte")
    REPLY = "reply", pgettext_lazy("message kind", "Respuesta")
    FOLLOW_UP = "follow_up", _("Seguimiento")
    SOLUTION = "solution", _("Solución")
    NOTE = "note", _("Nota interna")


PUBLIC_MESSAGE_KINDS: tuple[MessageKind, ...] = tuple(k for k in MessageKind if k != MessageKind.NOTE)


class EventKind(models.TextChoices):
    """The kinds of event that this app records. Other apps add their own to `vocabulary.EVENT_KINDS`."""

    FILED = "filed", _("Reporte recibido")
    STAGE_CHANGED = "stage_changed", _("Cambio de etapa")
    ACTION = "action", _("Acción")
    MESSAGE = "message", _("Mensaje")
    NOTE = "note", _("Nota interna")
    ASSIGNED = "assigned", _("Asignación")
    PROPERTIES = "properties", _("Cambio de datos")
    CONTRIBUTION = "contribution", _("Aporte de usuario")
    STANDING_CHECKED = "standing_checked", _("Estatus verificado")
    CONTACT = "contact", _("Contacto")
    CHECKLIST = "checklist", _("Lista de cierre")
    WARNED = "warned", _("Plazo por vencer")
    BREACHED = "breached", _("Plazo vencido")
    SURVEY = "survey", _("Encuesta de satisfacción")
    NONCONFORMITY = "nonconformity", _("Inconformidad revisada")
    REQUESTER = "requester", _("Solicitante")
    CONTINUED = "continued", _("Sigue en otro ticket")
    LATE_REPLY_READ = "late_reply_read", _("Respuesta tras el cierre atendida")
    NOTIFICATIONS = "notifications", _("Avisos por correo")
    LINK = "link", _("Enlace nuevo")
    FILES_EXPIRED = "files_expired", _("Archivos que ya no se conservan")
    TASK_ASKED = "task_asked", _("Tarea pedida a otro equipo")
    TASK_TAKEN = "task_taken", _("Tarea tomada")
    TASK_DONE = "task_done", _("Tarea terminada")
    TASK_WITHDRAWN = "task_withdrawn", _("Tarea retirada")
    MAIL_HELD = "mail_held", _("Correo en cuarentena")
    MAIL_DECIDED = "mail_decided", _("Decisión sobre un correo")


class ClockKind(models.TextChoices):
    """What a clock promises: the first answer, an answer to each later message, news about the progress (S0.21), and
    the solution."""

    FIRST_RESPONSE = "first_response", _("Primera respuesta")
    NEXT_REPLY = "next_reply", _("Próxima respuesta")
    PROGRESS = "progress", _("Aviso de avance")
    RESOLUTION = "resolution", _("Resolución")


ELEVATING = (ClockKind.FIRST_RESPONSE, ClockKind.NEXT_REPLY, ClockKind.RESOLUTION)
"""The promises that make a ticket a «soporte elevado» when they are broken (S2.32)."""


class Purpose(models.TextChoices):
    """What a guest may do with a link. Each link has one purpose (DESIGN §6)."""

    FOLLOW = "follow", _("Seguir el ticket")
    CONTRIBUTE = "contribute", _("Aportar información")
    APPROVE = "approve", _("Aprobar el cierre")
    SURVEY = "survey", _("Responder la encuesta")


class ContactKind(models.TextChoices):
    CALL = "call", _("Llamada")
    WHATSAPP = "whatsapp", _("WhatsApp")

    @property
    def missing(self) -> str:
        """The sentence that asks to log a contact of this kind first."""
        sentences = {
            ContactKind.CALL: _("Registra primero la llamada al solicitante."),
            ContactKind.WHATSAPP: _("Registra primero la conversación por WhatsApp, con su enlace."),
        }
        return str(sentences[self])


class ContactOutcome(models.TextChoices):
    """The outcome of a logged contact: «fallida/ Exitosa» (S2.22)."""

    SUCCESSFUL = "successful", _("Exitosa")
    FAILED = "failed", _("Fallida")


class Template(models.TextChoices):
    """The mails about tickets. Process files name them in `notify`; verbs send some of them without a process file.
    Their texts are in `templates/emails/`."""

    RECEIVED = "received", _("Acuse de recibo")
    NEW_TICKET = "new_ticket", _("Ticket nuevo para el equipo")
    PREPARED = "prepared", _("Ticket preparado")
    ASSIGNED = "assigned", _("Ticket asignado")
    HANDED_OVER = "handed_over", _("Ticket pasado a otro equipo")
    ACCEPTED = "accepted", _("Reporte aceptado")
    STARTED = "started", _("Trabajo iniciado")
    CONTRIBUTION_ASKED = "contribution_asked", _("Pedido de información")
    REPLY = "reply", _("Respuesta del equipo")
    REQUESTER_REPLIED = "requester_replied", _("El solicitante respondió")
    PROGRESS = "progress", _("Avance")
    INFORMATION_ASKED = "information_asked", _("Información pedida al evaluador")
    INFORMATION_GIVEN = "information_given", _("Información completada")
    VERIFICATION_ASKED = "verification_asked", _("Verificación pedida")
    RESOLVED = "resolved", _("Ticket resuelto")
    RETURNED = "returned", _("Ticket devuelto a trabajo")
    REOPENED = "reopened", _("Ticket reabierto")
    CLOSURE_ASKED = "closure_asked", _("Aprobación de cierre pedida")
    CLOSURE_APPROVED = "closure_approved", _("Cierre aprobado")
    CLOSURE_REJECTED = "closure_rejected", _("Cierre rechazado")
    CLOSED = "closed", _("Ticket cerrado")
    REJECTED = "rejected", _("Reporte rechazado")
    CANCELLED = "cancelled", _("Ticket cancelado")
    SURVEY = "survey", _("Encuesta de satisfacción")
    MENTIONED = "mentioned", _("Mención en una nota")
    WARNED = "warned", _("Plazo por vencer")
    BREACHED = "breached", _("Plazo vencido")
    STATUS_UPDATE = "status_update", _("Cómo va el caso")
    NONCONFORMITY = "nonconformity", _("Reporte de inconformidad")
    ACCOUNT_CREATED = "account_created", _("Cuenta creada para el solicitante")
    NEW_LINK = "new_link", _("Enlace nuevo")
    TASK_ASKED = "task_asked", _("Tarea para el equipo")
    TASK_DONE = "task_done", _("Tarea terminada")
    TASK_WITHDRAWN = "task_withdrawn", _("Tarea retirada")
    PROOF_ASKED = "proof_asked", _("Correo desde otra dirección")


class Trigger(models.TextChoices):
    """What can fire an action of a process without a click. Process files name it in the action's `on`."""

    REQUESTER_MESSAGE = "requester_message", _("El solicitante escribe")
    FOLLOW_UP_SENT = "follow_up_sent", _("Se envía un seguimiento")
    SOLUTION_SENT = "solution_sent", _("Se envía una solución")
    CONTRIBUTION_CLOSED = "contribution_closed", _("Se desactiva el aporte de usuario")
    SILENCE = "silence", _("El solicitante no responde")
    DEADLINE_PASSED = "deadline_passed", _("Vence un plazo")
    STAGE_ENTERED = "stage_entered", _("El ticket llega a la etapa")


class LateReply(StrEnum):
    """What a reply to a closed ticket does: `workflow.late_replies` decides it from the process."""

    REOPENS = "reopens"
    CONTINUES = "continues"
    OPENS_NEW = "new_ticket"
    IS_KEPT = "keep"


class DeliveryState(models.TextChoices):
    """The states of a mail about an event."""

    WAITING = "waiting", _("En cola")
    SENT = "sent", _("Enviado por correo")
    FAILED = "failed", _("Falló")
    UNCERTAIN = "uncertain", _("Sin confirmar")
    WITHHELD = "withheld", _("No se envió")
    DELIVERED = "delivered", _("Entregado")
    BOUNCED = "bounced", _("Rebotó")


class DeliveryProblem(models.TextChoices):
    """Why a mail failed, or was not sent at all."""

    REFUSED = "refused", _("el servidor del destinatario lo rechazó")
    GAVE_UP = "gave_up", _("no se pudo entregar tras varios intentos")
    LATER = "later", _("hubo un error y lo intentaremos de nuevo")
    BROKEN = "broken", _("el correo no se pudo redactar")
    UNKNOWN = "unknown", _("se cortó la conexión al enviarlo y no sabemos si llegó")
    OPTED_OUT = "opted_out", _("el solicitante no quiere avisos por correo")
    NO_ACCESS = "no_access", _("la persona ya no tiene acceso")
    OUTDATED = "outdated", _("ya no hacía falta")
    MERGED = "merged", _("lo dice el correo siguiente")
    BOUNCED = "bounced", _("el servidor del destinatario lo devolvió")
    COMPLAINT = "complaint", _("el destinatario lo marcó como no deseado")


class MailVerdict(models.TextChoices):
    """What became of a mail that the desk received."""

    TICKET = "ticket", _("Ticket nuevo")
    MESSAGE = "message", _("Mensaje en su ticket")
    DELIVERY = "delivery", _("Aviso de entrega")
    QUARANTINE = "quarantine", _("En cuarentena")
    REFUSED = "refused", _("No se aceptó")


class MailReason(models.TextChoices):
    """Why a received mail waits in quarantine, was refused, or wakes nobody."""

    STAFF_UNPROVEN = "staff_unproven", _("Dice ser del equipo y no lo prueba")
    FORGED = "forged", _("El servidor que lo envió no es el de esa dirección")
    OTHER_ADDRESS = "other_address", _("Responde desde otra dirección")
    STRANGER = "stranger", _("No es quien pidió el ticket")
    NOT_ALLOWED = "not_allowed", _("Quien lo envía no puede escribir en ese ticket")
    NEEDS_ACCOUNT = "needs_account", _("Ese tipo de solicitud pide una cuenta")
    NO_ADDRESS = "no_address", _("Llegó a una dirección sin tema")
    AUTOMATIC = "automatic", _("Lo envió un programa")
    BULK = "bulk", _("Es de un boletín o de una lista")
    FLOOD = "flood", _("Muchos correos en una hora: posible bucle")
    TOO_LARGE = "too_large", _("Es demasiado grande")
    UNREADABLE = "unreadable", _("No se pudo leer")
    NO_SENDER = "no_sender", _("No dice quién lo envía")
    ID_REUSED = "id_reused", _("Repite el número de otro correo")
    AUTO_REPLY = "auto_reply", _("Respuesta automática")
    OWN = "own", _("Lo envió esta misma mesa")
    UNKNOWN_BOUNCE = "unknown_bounce", _("Devolución de un correo que no es nuestro")
    EMPTY = "empty", _("No trae texto nuevo ni archivos")
    BLOCKED = "blocked", _("Remitente bloqueado")
    NO_MAIL = "no_mail", _("No es un correo")


class MailDecision(models.TextChoices):
    """What somebody decided about a mail in quarantine."""

    LET_IN = "let_in", _("Entregado en su ticket")
    NEW_TICKET = "new_ticket", _("Ticket aparte")
    DISCARDED = "discarded", _("Descartado")
    BLOCKED = "blocked", _("Descartado y bloqueado")
    DENIED = "denied", _("Quien pidió el ticket no lo escribió")


class PlaceKind(StrEnum):
    """The places of the back office to which the refusal of a guard can lead."""

    ACCOUNT = "account"
    ANSWER_TO_INACTIVE = "answer_to_inactive"
    COMPOSER = "composer"
    """With a kind of message as name."""
    RESPONSE = "response"
    """The composer with the standard answer that is the name."""
    CONTACT = "contact"
    """With a kind of contact as name."""
    CHECKLIST = "checklist"
    SIDE_TASKS = "side_tasks"


class ChangeState(models.TextChoices):
    """Says how far a proposed change of hours or targets has come."""

    DRAFT = "draft", _("borrador")
    APPLYING = "applying", _("recalculando")
    APPLIED = "applied", _("aplicado")
    DISCARDED = "discarded", _("descartado")


class TargetUnit(models.TextChoices):
    """How the time of a target is counted."""

    ELAPSED = "elapsed", _("de reloj")
    WORKING = "working", _("hábiles")
    WORKING_DAYS = "working_days", _("días hábiles")
    CALENDAR_DAYS = "calendar_days", _("días calendario")
    ROLLED_DAYS = "rolled_days", _("días calendario, hasta el siguiente hábil")


class ClosureReason(models.TextChoices):
    """Why the desk closes extraordinarily, as the form of closures offers it."""

    POWER = "power", _("Corte de luz")
    INTERNET = "internet", _("Falla de internet")
    MAINTENANCE = "maintenance", _("Mantenimiento")
    STRIKE = "strike", _("Paro o protesta")
    WEATHER = "weather", _("Mal clima")
    TRAINING = "training", _("Capacitación")
    OTHER = "other", _("Otro motivo")

    def named_in(self, language: str) -> str:
        with override(language):
            return str(self.label)
