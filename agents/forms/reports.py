"""The form of a report by mail."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from tickets.models import MailedReport, SavedView
from tickets.policies import departments_reported_to

MOST_VIEWS = 100
HOURS = [(hour, f"{hour}:00") for hour in range(24)]


class ReportForm(forms.ModelForm):
    """`what` is "panel" or the id of a view."""

    what = forms.ChoiceField(label=_("Informe"))
    weekday = forms.TypedChoiceField(
        label=_("Día de la semana"),
        choices=[(number + 1, name) for number, name in WEEKDAYS.items()],
        coerce=int,
        initial=1,
        help_text=_("Cuenta para los semanales. Los mensuales salen el día 1."),
    )
    hour = forms.TypedChoiceField(label=_("Hora"), choices=HOURS, coerce=int, initial=7)

    class Meta:
        model = MailedReport
        fields = ("what", "department", "every", "weekday", "hour", "with_csv")
        labels = {
            "department": _("Departamento"),
            "every": _("Cada cuánto"),
            "with_csv": _("Adjuntar la lista en CSV"),
        }
        help_texts = {"with_csv": _("Solo con una vista. Hasta 5 MB; uno mayor se descarga del histórico.")}

    def __init__(self, *args: Any, owner: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.owner = owner
        self.views = {
            f"{view.pk}": view
            for rows in (
                SavedView.objects.filter(owner=owner)[:MOST_VIEWS],
                SavedView.objects.filter(is_shared=True).exclude(owner=owner)[:MOST_VIEWS],
            )
            for view in rows
        }
        departments = departments_reported_to(owner)
        has_panel = owner.is_supervisor or departments.exists()
        panel = [("panel", _("Resumen del panel"))] if has_panel else []
        views = [(pk, gettext("Vista: %(name)s") % {"name": view.name}) for pk, view in self.views.items()]
        self.fields["what"].choices = [*panel, *views]  # type: ignore[attr-defined]
        self.fields["department"].queryset = departments  # type: ignore[attr-defined]
        self.fields["department"].required = False
        self.fields["department"].empty_label = _("Toda la mesa")  # type: ignore[attr-defined]
        if self.instance.pk:
            self.initial["what"] = f"{self.instance.view_id}" if self.instance.view_id else "panel"

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        what = given.get("what")
        if what == "panel" and not given.get("department") and not self.owner.is_supervisor:
            raise ValidationError({"department": gettext("Elige un departamento que tengas a cargo.")})
        return given

    def save(self, commit: bool = True) -> MailedReport:
        report: MailedReport = super().save(commit=False)
        report.owner, report.view = self.owner, self.views.get(self.cleaned_data["what"])
        if report.view is None:
            report.with_csv = False
        else:
            report.department = None
        return report
