"""The form of an app that sends its people here signed in."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import ConnectedApp


class ConnectedAppForm(forms.ModelForm):
    """`key` stays as it is once the app exists, because its links name it."""

    address = forms.URLField(
        label=_("Dirección de la aplicación"),
        max_length=300,
        required=False,
        assume_scheme="https",
        help_text=_("A dónde vuelve la persona si un enlace no sirve."),
    )

    class Meta:
        model = ConnectedApp
        fields = ("name", "key", "address", "is_active")
        labels = {
            "name": _("Nombre"),
            "key": _("Clave"),
            "is_active": _("Puede enviar personas"),
        }
        help_texts = {
            "name": _("Como la conocen sus clientes: «Parkiapp»."),
            "key": _("Va en cada enlace, como iss. Minúsculas, números y guiones."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            del self.fields["key"]
        else:
            del self.fields["is_active"]
