"""Lists of a customer's tickets: their rows, order and filters."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django import forms
from django.db.models import Case, IntegerField, Q, QuerySet, Value, When
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from content.text import fold
from tickets import folios
from tickets.enums import REQUESTER_KINDS, PublicState, StageKind
from tickets.models import Category, Ticket

from .thread import has_progress, state_of

COUNTED = 200  # for a person with more tickets, the tabs show no counts
MAX_WORDS = 8  # of a search


def rows(tickets: Iterable[Ticket]) -> list[dict[str, Any]]:
    """Return the values that a card or table row shows of each ticket. `tickets` should have
    `select_related("category")`."""
    result = []
    for ticket in tickets:
        state = state_of(ticket)
        result.append(
            {
                "href": reverse("portal:ticket", args=[ticket.folio]),
                "title": ticket.title,
                "folio": ticket.folio,
                "category": str(ticket.category or ""),
                "state_look": state.look,
                "state_label": state.label,
                "percent": ticket.progress,
                "has_progress": has_progress(ticket),
                "updated_at": ticket.updated_at,
                "created_at": ticket.created_at,
                "action": ticket.awaits_requester,
            }
        )
    return result


def awaiting_first(tickets: "QuerySet[Ticket]") -> "QuerySet[Ticket]":
    """Order the tickets: those that wait for the requester first, then by latest update."""
    waits = Case(
        When(stage_kind__in=REQUESTER_KINDS, then=Value(0)), default=Value(1), output_field=IntegerField()
    )
    return tickets.order_by(waits, "-updated_at", "-id")


def matching(tickets: "QuerySet[Ticket]", query: str) -> "QuerySet[Ticket]":
    """Keep the tickets whose folio `query` names, and those that have each of its first `MAX_WORDS` words in the folio,
    the title or the beginning of the report."""
    words = Q()
    for word in fold(query).split()[:MAX_WORDS]:
        words &= Q(folio__icontains=word) | Q(text_folded__contains=word)
    return tickets.filter(words | Q(folio__in=folios.named_in(query))) if words else tickets


class TicketFilter(forms.Form):
    """The query parameters of «Mis tickets».

    Only valid values of these form fields reach a query, so no name in an address becomes a lookup (B1). Other
    parameters and values are ignored.
    """

    STATES = (
        ("", _("Todos")),
        ("te-esperan", _("Te esperan")),
        ("en-espera", _("En espera")),
        ("en-curso", _("En curso")),
        ("completado", _("Completados")),
        ("sin-completar", _("Rechazados o cancelados")),
    )
    KINDS: ClassVar[dict[str, set[StageKind]]] = {
        "te-esperan": set(REQUESTER_KINDS),
        "en-espera": {kind for kind in StageKind if kind.meta.public_state == PublicState.WAITING},
        "en-curso": {kind for kind in StageKind if kind.meta.public_state == PublicState.IN_PROGRESS}
        - set(REQUESTER_KINDS),
        "completado": {StageKind.DONE},
        "sin-completar": {StageKind.REJECTED, StageKind.CANCELLED},
    }
    """The kinds of stage behind each tab. Every ticket is behind one, and its row says the same (`state_of`)."""
    ORDERS = {
        "": ("-updated_at", "-id"),
        "recientes": ("-created_at", "-id"),
        "antiguos": ("created_at", "id"),
    }

    estado = forms.ChoiceField(choices=STATES, required=False)
    q = forms.CharField(max_length=folios.LONGEST, required=False, label=_("Buscar en mis tickets"))
    tipo = forms.ModelChoiceField(
        Category.objects.none(), required=False, label=_("Tipo"), empty_label=_("Todos los tipos")
    )
    orden = forms.ChoiceField(
        choices=[
            ("", _("Última actualización")),
            ("recientes", _("Más recientes")),
            ("antiguos", _("Más antiguos")),
        ],
        required=False,
        label=_("Orden"),
    )

    def __init__(self, data: Any, *, user: User) -> None:
        super().__init__(data)
        self.user = user
        used = Ticket.objects.requested_by(user).order_by().values("category")
        category: Any = self.fields["tipo"]
        category.queryset = Category.objects.filter(pk__in=used)
        for name, css in (
            ("q", "form-control"),
            ("tipo", "form-select w-auto"),
            ("orden", "form-select w-auto"),
        ):
            self.fields[name].widget.attrs["class"] = css

    def value(self, name: str) -> Any:
        self.is_valid()
        return self.cleaned_data.get(name)

    @property
    def order(self) -> tuple[str, str]:
        return self.ORDERS[self.value("orden") or ""]

    def apply(self, tickets: "QuerySet[Ticket]") -> "QuerySet[Ticket]":
        if state := self.value("estado"):
            tickets = tickets.filter(stage_kind__in=self.KINDS[state])
        return self._apply_others(tickets)

    def _apply_others(self, tickets: "QuerySet[Ticket]") -> "QuerySet[Ticket]":
        if category := self.value("tipo"):
            tickets = tickets.filter(category=category)
        return matching(tickets, self.value("q") or "")

    def counts(self) -> dict[str, int] | None:
        """Return how many tickets each tab shows with the other filters, or None if these leave more than `COUNTED`
        (A21)."""
        mine = self._apply_others(Ticket.objects.requested_by(self.user)).order_by("-updated_at", "-id")
        kinds = list(mine.values_list("stage_kind", flat=True)[: COUNTED + 1])
        if len(kinds) > COUNTED:
            return None
        counts = {state: sum(kind in wanted for kind in kinds) for state, wanted in self.KINDS.items()}
        return {"": len(kinds), **counts}
