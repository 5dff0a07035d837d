"""Keep what a person types into a form of the back office until it is sent or discarded, and show it again.

The script saves it while the person types (js/behaviours/draft.js), and a refused form is saved too. It is stored by
person and form, so nobody else reads it, and no page of the portal does.
"""

from typing import Any

from django.forms import BaseForm
from django.http import QueryDict
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from accounts.models import User
from tickets.drafts import forget_form, has_text, keep_form, kept_form
from tickets.models import FormDraft, Ticket
from web.files import FilesField

from .access import DeskRequest
from .forms.properties import LABELS

ACTION, PROPERTY, RESULT = "accion-", "dato-", "tarea-"
CONTACT, ACCOUNT, PREPARE, SIDE_TASK = "contacto", "cuenta", "preparar", "tarea"
# Fields that a new page has of its own, and names of buttons. No process may call a field so (`checking.RESERVED`).
NOT_KEPT = frozenset({"csrfmiddlewaretoken", "version", "key", "descartar", "quitar"})
NOT_KEPT_IN_PREPARE = NOT_KEPT | {"recalcular", "luego"}
# The same of the pages whose fields no process names.
NOT_KEPT_ELSEWHERE = NOT_KEPT | {"category", "about", "link", "create"}


class KeptForm:
    """One form, of a ticket or of none, and what this person has typed into it. `name` is a slug."""

    def __init__(self, request: DeskRequest, name: str, ticket: Ticket | None = None) -> None:
        self.request = request
        self.user = request.user
        self.ticket = ticket
        self.name = name
        self.form = f"{ticket.folio}/{name}" if ticket else name

    @property
    def url(self) -> str:
        """The address to which the script saves the form."""
        if self.ticket is None:
            return reverse("agents:form_draft", args=[self.name])
        return reverse("agents:ticket_form_draft", args=[self.ticket.folio, self.name])

    @cached_property
    def data(self) -> QueryDict:
        """What was typed, as a form's `data`; empty if there is nothing."""
        data = QueryDict(mutable=True)
        for name, items in kept_form(self.user, self.form).items():
            data.setlist(name, items)
        return data

    @property
    def was_discarded(self) -> bool:
        """Whether the person pressed «Descartar» in the form. Then it has been deleted."""
        if "descartar" not in self.request.POST:
            return False
        self.forget()
        return True

    def keep(self) -> bool:
        """Store the posted form. Returns False if it is too large."""
        names = [name for name in self.request.POST if name not in self.not_kept]
        values = {name: self.request.POST.getlist(name) for name in names}
        return keep_form(self.user, self.form, values=values, ticket=self.ticket, key=self._key)

    def forget(self) -> None:
        """Delete what is stored, because the posted form was sent or discarded."""
        forget_form(self.user, self.form, ticket=self.ticket, key=self._key)

    @property
    def not_kept(self) -> frozenset[str]:
        if self.name == PREPARE:
            return NOT_KEPT_IN_PREPARE
        return NOT_KEPT if self.name.startswith(ACTION) else NOT_KEPT_ELSEWHERE

    @property
    def _key(self) -> str:
        return self.request.POST.get("key", "")[:40].replace("\0", "")

    def fill(self, form: BaseForm) -> BaseForm:
        """Show in the unbound `form` what was typed. Returns the form."""
        if self.data:
            for name, field in form.fields.items():
                html_name = form.add_prefix(name)
                own = name in self.not_kept or isinstance(field, FilesField)
                if not own and not field.widget.value_omitted_from_data(self.data, {}, html_name):
                    form.initial[name] = field.widget.value_from_datadict(self.data, {}, html_name)
        return form


def unsent_forms(user: User, ticket: Ticket) -> list[dict[str, Any]]:
    """Return label and address of each form of the ticket in which this person has something unsent."""
    rows = FormDraft.objects.filter(user=user, ticket=ticket).exclude(values={})
    found = []
    for row in rows.order_by("-updated_at", "-pk"):
        label, view, args = _place(ticket, row.form.partition("/")[2])
        if label and has_text(row.values):
            found.append({"label": label, "url": reverse(f"agents:{view}", args=[ticket.folio, *args])})
    return found


def _place(ticket: Ticket, name: str) -> tuple[str, str, list[str]]:
    """Return label, view and further arguments of the form `name`; an empty label if the process has none."""
    if name.startswith(ACTION):
        key = name.removeprefix(ACTION)
        action = ticket.definition.action(key)
        return (str(action.label) if action else ""), "ticket_action", [key]
    if name.startswith(PROPERTY):
        key = name.removeprefix(PROPERTY)
        return str(LABELS.get(key, "")), "ticket_property", [key]
    if name.startswith(RESULT):
        return _("Terminar la tarea"), "ticket_task_finish", [name.removeprefix(RESULT)]
    others = {
        CONTACT: (_("Registrar contacto"), "ticket_contact"),
        SIDE_TASK: (_("Pedir una tarea a otro equipo"), "ticket_tasks"),
        ACCOUNT: (_("Cuenta del solicitante"), "ticket_account"),
        PREPARE: (_("Preparar"), "prepare_ticket"),
    }
    label, view = others.get(name, ("", ""))
    return label, view, []
