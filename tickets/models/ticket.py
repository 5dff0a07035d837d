"""The ticket and the counter for its folio. Only verbs and sweeps write a ticket; nearly all verbs take `actor=`."""

from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Case, Q, Value, When
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Department, User, default_language
from content.folded import FoldedField

from ..definitions.definition import ChecklistItem, Definition, Stage
from ..enums import (
    EARLY_KINDS,
    END_KINDS,
    REQUESTER_KINDS,
    CaseKind,
    Channel,
    ContactKind,
    ContactOutcome,
    MessageKind,
    PublicState,
    Severity,
    StageKind,
)
from ..sla import FAR_FUTURE
from .process import Category, ProcessVersion
from .querysets import UNANSWERED_BY_ARRIVAL, TicketQuerySet

if TYPE_CHECKING:
    from .closing import ContactEntry
    from .conversation import Message

LAST_IN_LINE = 2_147_483_647
"""The `arrival_order` of a ticket without `queue_position`: it sorts after all positions."""
LAST_POSITION = 100_000
"""The highest `queue_position` that people can set."""


class FolioCounter(models.Model):
    """The last folio number used. Filing a ticket locks the row, so that folios are consecutive."""

    name = models.CharField(max_length=20, primary_key=True)
    last = models.PositiveBigIntegerField()

    def __str__(self) -> str:
        return f"{self.name} {self.last}"


class Ticket(models.Model):
    """What a requester asked for, and its present stage.

    Only `tickets.workflow.perform` assigns `stage`. `stage_kind` and `public_state` are copied from that stage's
    definition, so that indexes can use them. `version` counts all events, `public_version` those that the requester may
    see: staff pages poll with the first, requesters' pages with the second.
    """

    folio = models.CharField(_("folio"), max_length=24, editable=False)
    process_version = models.ForeignKey(
        ProcessVersion, on_delete=models.PROTECT, related_name="tickets", verbose_name=_("proceso")
    )
    category = models.ForeignKey(
        Category, on_delete=models.PROTECT, null=True, blank=True, verbose_name=_("categoría")
    )
    department = models.ForeignKey(
        Department, on_delete=models.PROTECT, null=True, blank=True, verbose_name=_("departamento")
    )
    channel = models.CharField(_("canal"), max_length=10, choices=Channel, default=Channel.WEB)
    title = models.CharField(_("título"), max_length=160)
    excerpt = models.CharField(_("resumen"), max_length=200, blank=True)
    fields = models.JSONField(_("campos del proceso"), default=dict, blank=True)

    requester = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,  # ticket_requester_updated begins with it
        related_name="requested_tickets",
        verbose_name=_("solicitante"),
    )
    requester_name = models.CharField(_("nombre del solicitante"), max_length=120)
    requester_email = models.EmailField(_("correo del solicitante"), blank=True)
    requester_phone = models.CharField(_("teléfono del solicitante"), max_length=32, blank=True)
    requester_language = models.CharField(max_length=5, choices=settings.LANGUAGES, default=default_language)
    notify_requester = models.BooleanField(_("avisar al solicitante por correo"), default=True)
    standing_checked_at = models.DateTimeField(_("estatus verificado"), null=True, blank=True)

    stage = models.CharField(_("etapa"), max_length=40)
    stage_kind = models.CharField(max_length=20, choices=StageKind)
    stage_since = models.DateTimeField(default=timezone.now)
    public_state = models.CharField(_("estado"), max_length=12, choices=PublicState)
    progress = models.PositiveSmallIntegerField(_("avance"), default=0)

    case_kind = models.CharField(
        _("clase de caso"), max_length=12, choices=CaseKind, default=CaseKind.PROBLEM
    )
    severity = models.CharField(_("severidad"), max_length=10, choices=Severity, default=Severity.MEDIUM)
    difficulty = models.PositiveSmallIntegerField(_("nivel de dificultad"), null=True, blank=True)
    by_arrival = models.BooleanField(default=False)
    """Whether the process works in order of arrival (S2.35): a copy of its `queue`, so that an index can use it."""
    queue_position = models.PositiveIntegerField(_("ubicación en la cola"), null=True, blank=True)
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="assigned_tickets",
        verbose_name=_("responsable"),
    )
    contribution_open = models.BooleanField(_("aporte de usuario"), default=False)
    is_test = models.BooleanField(_("de prueba"), default=False)
    duplicate_of = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,  # ticket_duplicate_of holds the few that have one
        related_name="duplicates",
        verbose_name=_("duplicado de"),
    )

    follows = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,  # ticket_follows holds the few that have one
        related_name="followed_by",
        verbose_name=_("sigue a"),
    )
    """The closed ticket to which the requester replied, when that reply opened this one."""

    solution_done = models.TextField(_("qué se hizo"), blank=True)
    solution_steps = models.TextField(_("pasos para el solicitante"), blank=True)
    solution_sent_at = models.DateTimeField(_("solución enviada"), null=True, blank=True)
    closure_asked_at = models.DateTimeField(_("aprobación pedida"), null=True, blank=True)
    silence_since = models.DateTimeField(default=timezone.now)
    silence_due_at = models.DateTimeField(_("plazo para responder"), null=True, blank=True)

    first_response_due_at = models.DateTimeField(_("primera respuesta vence"), null=True, blank=True)
    due_at = models.DateTimeField(_("fecha de cierre"), null=True, blank=True)
    is_paused = models.BooleanField(default=False)
    is_escalated = models.BooleanField(_("soporte elevado"), default=False)

    created_at = models.DateTimeField(_("abierto"), default=timezone.now)
    updated_at = models.DateTimeField(_("última actualización"), default=timezone.now)
    first_response_at = models.DateTimeField(_("primera respuesta"), null=True, blank=True)
    closed_at = models.DateTimeField(_("cerrado"), null=True, blank=True)
    first_response_seconds = models.PositiveIntegerField(null=True, blank=True, editable=False)
    """The opening hours from filing to the first response in stages whose clock runs: `record.visits.worked`."""
    resolution_seconds = models.PositiveIntegerField(null=True, blank=True, editable=False)
    """The same from filing to the end; None while the ticket is open."""
    path = models.CharField(max_length=600, blank=True, db_default="", editable=False)
    """The stages from filing to the end, as `record.paths.path_of` writes them; empty while the ticket is open."""
    late_reply_at = models.DateTimeField(_("respuesta tras el cierre"), null=True, blank=True)
    """When the requester replied to the closed ticket, while no staff member has answered or put it aside."""
    call_due_since = models.DateTimeField(_("llamada pendiente"), null=True, blank=True)
    """When the ticket was closed, while the call that the process asks for after closing is not logged (S2.16)."""
    open_tasks = models.PositiveSmallIntegerField(null=True, blank=True, editable=False)
    """How many side tasks are open (`SideTask`); None if none was ever asked for."""
    last_requester_message_at = models.DateTimeField(null=True, blank=True)
    last_staff_message_at = models.DateTimeField(null=True, blank=True)

    version = models.PositiveIntegerField(default=0)
    public_version = models.PositiveIntegerField(default=0)

    # Columns that queues are sorted by. Never null, because keyset pages compare them («the next 50 after this row»).
    due_order = models.DateTimeField(default=FAR_FUTURE, editable=False)
    """The nearest promise, written by `tickets.clocks.due_order`."""
    arrival_order = models.GeneratedField(
        expression=Coalesce("queue_position", Value(LAST_IN_LINE)),
        output_field=models.PositiveIntegerField(),
        db_persist=True,
    )
    severity_order = models.GeneratedField(
        expression=Case(
            *(When(severity=severity, then=Value(rank)) for rank, severity in enumerate(Severity)),
            default=Value(len(Severity)),
        ),
        output_field=models.PositiveSmallIntegerField(),
        db_persist=True,
    )

    # Columns that lists are searched by.
    text_folded = FoldedField(of=("title", "excerpt"))
    requester_folded = FoldedField(of=("requester_name", "requester_email"))

    objects = TicketQuerySet.as_manager()

    class Meta:
        verbose_name = _("ticket")
        verbose_name_plural = _("tickets")
        constraints = [
            # Not unique=True, which adds a second index for LIKE: nobody searches the beginnings of folios.
            models.UniqueConstraint(fields=["folio"], name="ticket_folio"),
            models.CheckConstraint(
                condition=Q(requester__isnull=False) | ~Q(requester_email=""),
                name="ticket_has_somebody_to_answer",
            ),
            models.CheckConstraint(
                condition=Q(difficulty__isnull=True) | Q(difficulty__range=(1, 5)),
                name="ticket_difficulty_1_to_5",
            ),
            models.CheckConstraint(
                condition=Q(duplicate_of__isnull=True) | ~Q(duplicate_of=models.F("id")),
                name="ticket_not_its_own_duplicate",
            ),
        ]
        # Queues read only open tickets, so their indexes are partial and stay small. Lists of one requester's tickets
        # read closed ones too. Every index makes each change of a ticket slower: docs/performance.md.
        indexes = [
            models.Index(  # holds all that a person's tickets are counted by, so that counting reads no table rows
                fields=["assignee", "is_paused", "due_order", "id"],
                include=["is_test", "duplicate_of", "department", "stage_kind", "is_escalated", "by_arrival"],
                condition=~Q(stage_kind__in=END_KINDS),
                name="ticket_open_by_assignee",
            ),
            models.Index(
                fields=["assignee", "is_paused", "arrival_order", "created_at", "id"],
                condition=~Q(stage_kind__in=END_KINDS) & Q(assignee__isnull=False),
                name="ticket_assigned_by_arrival",
            ),
            models.Index(
                fields=["department", "is_paused", "due_order", "id"],
                condition=~Q(stage_kind__in=END_KINDS),
                name="ticket_open_by_department",
            ),
            models.Index(
                fields=["stage_kind", "is_paused", "due_order", "id"],
                condition=~Q(stage_kind__in=END_KINDS),
                name="ticket_open_by_kind",
            ),
            models.Index(
                fields=["is_paused", "due_order", "id"],
                condition=~Q(stage_kind__in=END_KINDS),
                name="ticket_open_by_due",
            ),
            models.Index(
                fields=["is_paused", "due_order", "id"],
                condition=~Q(stage_kind__in=END_KINDS) & Q(assignee__isnull=True),
                name="ticket_open_unassigned",
            ),
            models.Index(
                fields=["is_paused", "due_order", "id"],
                condition=~Q(stage_kind__in=END_KINDS) & Q(is_escalated=True),
                name="ticket_open_escalated",
            ),
            models.Index(
                fields=["is_paused", "arrival_order", "created_at", "id"],
                condition=~Q(stage_kind__in=END_KINDS),
                name="ticket_open_by_arrival",
            ),
            models.Index(  # holds what the proposed place in the queue is found from
                fields=["department", "created_at", "queue_position"],
                condition=~Q(stage_kind__in=END_KINDS),
                name="ticket_open_by_creation",
            ),
            models.Index(  # tells whether a list has tickets of a process by due date
                fields=["department"],
                condition=~Q(stage_kind__in=END_KINDS) & Q(by_arrival=False),
                name="ticket_open_not_by_arrival",
            ),
            models.Index(
                fields=["severity_order", "due_order", "id"],
                condition=~Q(stage_kind__in=END_KINDS),
                name="ticket_open_by_severity",
            ),
            models.Index(  # holds every column that queue counts use, so that counting reads no table rows
                fields=["department", "stage_kind", "is_escalated", "assignee", "id"],
                condition=~Q(stage_kind__in=END_KINDS),
                name="ticket_open_figures",
            ),
            models.Index(  # for the tickets to prepare, of which an agent prepares those of some departments
                fields=["process_version", "stage", "department"],
                condition=Q(stage_kind__in=EARLY_KINDS),
                name="ticket_early",
            ),
            models.Index(
                fields=["is_paused", "arrival_order", "created_at", "id"],
                condition=Q(stage_kind__in=EARLY_KINDS),
                name="ticket_early_by_arrival",
            ),
            models.Index(  # holds whose turn it is before a ticket that is answered
                fields=["department", "created_at", "id"],
                condition=UNANSWERED_BY_ARRIVAL,
                name="ticket_next_by_arrival",
            ),
            models.Index(fields=["requester", "-updated_at", "-id"], name="ticket_requester_updated"),
            models.Index(fields=["-updated_at", "-id"], name="ticket_updated"),
            models.Index(fields=["-created_at", "-id"], name="ticket_created"),
            models.Index(  # these sort the history
                fields=["severity_order", "id"], name="ticket_severity"
            ),
            models.Index(
                fields=["resolution_seconds", "id"],
                condition=Q(resolution_seconds__isnull=False),
                name="ticket_resolution",
            ),
            models.Index(  # these two hold what is counted on a day
                fields=["closed_at"], condition=Q(closed_at__isnull=False), name="ticket_closed"
            ),
            models.Index(
                fields=["first_response_at"],
                condition=Q(first_response_at__isnull=False),
                name="ticket_first_response",
            ),
            models.Index(fields=["requester_email"], name="ticket_requester_email"),
            models.Index(
                fields=["duplicate_of"],
                condition=Q(duplicate_of__isnull=False),
                name="ticket_duplicate_of",
            ),
            models.Index(fields=["follows"], condition=Q(follows__isnull=False), name="ticket_follows"),
            models.Index(
                fields=["late_reply_at", "id"],
                condition=Q(late_reply_at__isnull=False),
                name="ticket_late_reply",
            ),
            models.Index(
                fields=["call_due_since", "id"],
                condition=Q(call_due_since__isnull=False),
                name="ticket_call_due",
            ),
            models.Index(
                fields=["silence_due_at"],
                condition=Q(silence_due_at__isnull=False),
                name="ticket_silence_due",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.folio} {self.title}"

    @property
    def definition(self) -> Definition:
        return ProcessVersion.objects.definition(self.process_version_id)

    @cached_property
    def report(self) -> "Message":
        """The message with which the ticket was filed. Takes a query, unless this instance has just been filed."""
        return self.messages.order_by("id")[0]

    @property
    def stage_definition(self) -> Stage:
        return self.definition.stage(self.stage)

    @property
    def silence_ends_at(self) -> datetime | None:
        """When the ticket goes on without the requester's answer: it closes, or leaves its stage. None if it will
        not."""
        action = self.definition.end_of_silence(self.stage)
        if action is None or self.silence_due_at is None:
            return None
        ends = self.silence_since + timedelta(days=action.after_days)
        return ends if ends >= self.silence_due_at else None

    @property
    def is_closed_by_silence(self) -> bool:
        """Whether the ticket closes at `silence_ends_at`, and not only leaves its stage."""
        action = self.definition.end_of_silence(self.stage)
        return action is not None and self.definition.stage(action.to).is_end

    @property
    def kind(self) -> StageKind:
        return StageKind(self.stage_kind)

    @property
    def acting_assignee(self) -> User | None:
        """The assignee, or None if there is none or they may no longer act: an account that was deactivated, or is a
        customer's now, counts as nobody."""
        return self.assignee if self.assignee is not None and self.assignee.is_active_staff else None

    @property
    def is_open(self) -> bool:
        return not self.kind.meta.is_end

    @property
    def call_outcome(self) -> str:
        """The outcome of the last logged call, as a label; empty if no call was logged."""
        call = next(iter(self._calls), None)
        return call.get_outcome_display() if call else ""

    @property
    def has_successful_call(self) -> bool:
        """Whether somebody has talked by phone with the requester about the solution that they have now."""
        return any(
            contact.kind == ContactKind.CALL and contact.outcome == ContactOutcome.SUCCESSFUL
            for contact in self.contacts_about_solution
        )

    @property
    def contacts_about_solution(self) -> "list[ContactEntry]":
        """The contacts since the solution was sent, or all while none is sent: a call about an earlier solution says
        nothing about the next (S2.45, S2.46)."""
        since = self.solution_sent_at
        return [contact for contact in self.contacts.all() if since is None or contact.at >= since]

    @property
    def _calls(self) -> "list[ContactEntry]":
        # `all()` without a filter uses the contacts that a page has prefetched.
        return [contact for contact in self.contacts.all() if contact.kind == ContactKind.CALL]

    @property
    def missing_checklist_items(self) -> list[ChecklistItem]:
        """The items of the closing checklist that nobody has ticked (S2.44–S2.46)."""
        done = set(self.checklist_entries.values_list("item", flat=True))
        return [item for item in self.definition.closing.checklist if item.key not in done]

    @property
    def answerer_ids(self) -> set[int]:
        """Whose answer this is: the assignee, and who wrote the latest solution, even if they handed the ticket over
        since."""
        solutions = self.messages.filter(kind=MessageKind.SOLUTION).order_by("created_at", "id")
        writers = (self.assignee_id, solutions.values_list("author", flat=True).last())
        return {pk for pk in writers if pk is not None}

    @property
    def is_reviewed_by_answerer(self) -> bool:
        """Whether one of those whose answer it is ticked an item of the closing checklist (S2.44)."""
        return self.checklist_entries.filter(done_by__in=self.answerer_ids).exists()

    @property
    def lacks_whatsapp_evidence(self) -> bool:
        """Whether the ticket was handled by WhatsApp, and staff attached no screenshots (S2.14)."""
        by_whatsapp = (
            self.channel == Channel.WHATSAPP or self.contacts.filter(kind=ContactKind.WHATSAPP).exists()
        )
        return (
            by_whatsapp and not self.attachments.filter(kind="image", message__from_requester=False).exists()
        )

    @property
    def awaits_requester(self) -> bool:
        """Whether the requester has to act next: to contribute or to decide on the closing."""
        return self.kind in REQUESTER_KINDS

    @property
    def awaits_contribution(self) -> bool:
        """Whether a contribution is asked for: by the switch, or by a stage that waits for the requester (S2.5)."""
        return self.is_open and (self.contribution_open or self.kind == StageKind.WAITING_CUSTOMER)

    @property
    def public_label(self) -> str:
        """The state that the customer reads: the stage's `public_label`, or the label of `public_state` without one."""
        return str(self.stage_definition.public_label or PublicState(self.public_state).label)

    @property
    def state_look(self) -> str:
        """The value of `data-state`, which the style sheets use to colour the state."""
        return self.kind.meta.look
