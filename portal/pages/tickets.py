"""Lists of a customer's tickets: their rows, order and filters."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property, reduce
from operator import or_
from typing import Any, ClassVar

from django import forms
from django.db.models import Case, IntegerField, Q, QuerySet, Value, When
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from content.search import stems_of, words_of
from content.text import fold
from tickets import folios
from tickets.enums import REQUESTER_KINDS, PublicState, StageKind
from tickets.models import Category, Ticket

from . import topics
from .thread import has_progress, state_of

Phrase = tuple[frozenset[str], ...]
Synonyms = Mapping[str, Sequence[Phrase]]
NO_SYNONYMS: Synonyms = {}
COUNTED = 200  # for a person with more tickets, the tabs show no counts
MAX_WORDS = 8  # of a search
COMPARED = 500


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


def matching(
    tickets: "QuerySet[Ticket]",
    query: str,
    *,
    synonyms: Synonyms = NO_SYNONYMS,
    named: Mapping[str, Collection[int]] | None = None,
) -> Q:
    """Return the filter for the tickets whose folio `query` names, and for those of `tickets` that have each of its
    first `MAX_WORDS` words: in the folio, in any form in the title or the beginning of the report, or in a name or
    synonym of their category. `synonyms` has for a word the other phrases that count, each as the stems of its words.

    The forms of a word are looked for in the `COMPARED` newest tickets that may have one. Takes three queries, two of
    them for the topics if the caller does not know their `named_categories`.
    """
    words = _looked_for(query)
    if not words:
        return Q()
    phrases = {word: [(stems_of(word),), *synonyms.get(word, ())] for word in words}
    said = [stems for ways in phrases.values() for phrase in ways for stems in phrase]
    texts = _stems_of_texts(tickets, said)
    named = named_categories(topics.all_topics(), query) if named is None else named
    found = Q()
    for word in words:
        plain = fold(word)
        alike = [pk for pk, known in texts.items() if _says(known, phrases[word])]
        found &= (
            Q(folio__icontains=plain)
            | Q(text_folded__contains=plain)
            | Q(pk__in=alike)
            | Q(category__in=named[word])
        )
    return found | Q(folio__in=folios.named_in(query))


def named_categories(offered: Iterable[topics.Topic], query: str) -> dict[str, list[int]]:
    """Return for each word that `matching` looks for the ids of the categories that have it in a name or synonym."""
    categories = [(topic.category.pk, topic) for topic in offered if topic.category]
    return {word: [pk for pk, topic in categories if topic.is_named(word)] for word in _looked_for(query)}


def vocabulary(tickets: "QuerySet[Ticket]") -> set[str]:
    """Return the words of the `COMPARED` newest tickets, folded, so that a search does not correct them."""
    texts = tickets.order_by("-updated_at", "-id").values_list("text_folded", flat=True)[:COMPARED]
    return {word for text in texts for word in re.findall(r"\w+", text) if word.isalpha()}


def _looked_for(query: str) -> list[str]:
    return (words_of(query) or fold(query).split())[:MAX_WORDS]


def _says(known: set[str], phrases: Iterable[Phrase]) -> bool:
    """Whether a text with these stems has every word of one of the phrases."""
    return any(all(known & stems for stems in phrase) for phrase in phrases)


def _stems_of_texts(tickets: "QuerySet[Ticket]", words: Iterable[frozenset[str]]) -> dict[int, set[str]]:
    """Return the stems of the texts of the tickets that may have one of these words in any form, by the ticket's id."""
    beginnings = {stem[: max(3, len(stem) - 2)] for stems in words for stem in stems}
    if not beginnings:
        return {}
    likely = reduce(or_, (Q(text_folded__contains=beginning) for beginning in sorted(beginnings)))
    rows = tickets.filter(likely).order_by("-updated_at", "-id").values_list("pk", "text_folded")[:COMPARED]
    return {pk: set().union(*map(stems_of, re.findall(r"\w+", text))) for pk, text in rows}


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
        return tickets.filter(self._searched)

    @cached_property
    def _searched(self) -> Q:
        return matching(Ticket.objects.requested_by(self.user), self.value("q") or "")

    def counts(self) -> dict[str, int] | None:
        """Return how many tickets each tab shows with the other filters, or None if these leave more than `COUNTED`
        (A21)."""
        mine = self._apply_others(Ticket.objects.requested_by(self.user)).order_by("-updated_at", "-id")
        kinds = list(mine.values_list("stage_kind", flat=True)[: COUNTED + 1])
        if len(kinds) > COUNTED:
            return None
        counts = {state: sum(kind in wanted for kind in kinds) for state, wanted in self.KINDS.items()}
        return {"": len(kinds), **counts}
