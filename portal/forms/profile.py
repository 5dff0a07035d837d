"""The form of a person's profile."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts.enums import Theme
from accounts.models import User
from accounts.validators import phone_validator
from accounts.zones import is_known
from content.form_fields import LineField
from web.zone_choices import zone_choices


class ProfileForm(forms.ModelForm):
    name = LineField(
        label=_("Nombre"), max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    phone = LineField(
        label=_("Teléfono o WhatsApp"),
        max_length=32,
        required=False,
        validators=[phone_validator],
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
    )
    theme = forms.ChoiceField(label=_("Tema"), choices=Theme.choices, widget=forms.RadioSelect)

    class Meta:
        model = User
        fields = ("name", "phone", "language", "time_zone", "theme", "notify_by_email", "keyboard_shortcuts")
        labels = {
            "language": _("Idioma"),
            "time_zone": _("Zona horaria"),
            "notify_by_email": _("Recibir un correo con cada novedad"),
            "keyboard_shortcuts": _("Atajos de una tecla"),
        }
        help_texts = {"notify_by_email": _("Lo puedes cambiar en cada ticket.")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not is_known(self.instance.time_zone):
            self.initial["time_zone"] = settings.DESK_TIME_ZONE
        self.fields["time_zone"].widget = forms.Select(choices=zone_choices(self.instance.time_zone))
        for field in self.fields.values():  # Django would add hidden inputs where a default is a function
            field.show_hidden_initial = False
        if not self.instance.is_desk_staff:
            del self.fields["keyboard_shortcuts"]

    def save(self, commit: bool = True) -> User:
        """Save only the fields of this form: a posted role or e-mail address changes nothing (B21)."""
        self.instance.save(update_fields=list(self.fields))
        return self.instance
