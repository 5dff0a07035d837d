"""The forms of side tasks: what another department is asked to do, and what it did (S0.20)."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Department, User
from content.form_fields import LineField, LongTextField
from tickets.models import SideTask, Ticket
from tickets.workflow import side_tasks
from web.forms import StampedForm


class AskTaskForm(StampedForm):
    department = forms.ModelChoiceField(
        label=_("Equipo"),
        queryset=Department.objects.none(),
        empty_label=_("Elige un equipo"),
    )
    title = LineField(label=_("Qué hay que hacer"), max_length=side_tasks.TITLE_LENGTH)
    details = LongTextField(
        label=_("Detalles"),
        required=False,
        help_text=_(
            "Logs por revisar, pruebas en desarrollo, el parche que hace falta… El solicitante no lo lee."
        ),
        widget=forms.Textarea(attrs={"rows": 4, "data-behaviour": "autosize"}),
    )

    def __init__(self, *args: Any, ticket: Ticket, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["department"]
        field.queryset = side_tasks.other_teams(ticket)

    def save(self, ticket: Ticket, *, actor: User) -> SideTask:
        given: dict[str, Any] = self.cleaned_data
        return side_tasks.ask(
            ticket,
            actor=actor,
            department=given["department"],
            title=given["title"],
            details=given["details"],
            key=self.stamp()["key"],
        )


class FinishTaskForm(StampedForm):
    result = LongTextField(
        label=_("Qué hiciste o qué encontraste"),
        help_text=_("Lo lee quien pidió la tarea, no el solicitante."),
        widget=forms.Textarea(attrs={"rows": 4, "data-behaviour": "autosize"}),
    )

    def save(self, task: SideTask, *, actor: User) -> SideTask:
        return side_tasks.finish(
            task, actor=actor, result=self.cleaned_data["result"], key=self.stamp()["key"]
        )
