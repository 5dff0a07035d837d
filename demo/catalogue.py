"""Pages that show every component in every state, for developers. They do not exist in production."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from demo.catalogue_sample import SEVERITIES, everything

UPLOAD_LIMIT_MB = 10


class SampleForm(forms.Form):
    title = forms.CharField(label="Título", help_text="Una frase que resuma el problema.", max_length=120)
    email = forms.EmailField(label="Correo electrónico")
    area = forms.ChoiceField(
        label="Departamento", choices=[("t", "Soporte técnico"), ("a", "Administración")], required=False
    )
    folio = forms.CharField(label="Solo lectura", disabled=True, required=False, initial="MA-10482")
    description = forms.CharField(
        label="¿Qué pasó?",
        widget=forms.Textarea(
            attrs={
                "rows": 4,
                "maxlength": 200,
                "data-behaviour": "autosize char-counter",
                "data-text-left": "Quedan {n} caracteres",
            }
        ),
        help_text="Incluye los pasos que seguiste y el mensaje de error, si apareció alguno.",
    )
    when = forms.DateTimeField(
        label="¿Cuándo ocurrió?", required=False, widget=forms.DateTimeInput(attrs={"type": "datetime-local"})
    )
    place = forms.ChoiceField(
        label="¿Dónde te pasó?",
        choices=[("android", "App en Android"), ("web", "Sitio web")],
        widget=forms.RadioSelect,
        required=False,
    )
    notify = forms.BooleanField(label="Recibir un correo con cada novedad", required=False, initial=True)
    kind = forms.ChoiceField(
        label="¿De qué se trata?",
        choices=[("pago", "Falla en el pago"), ("app", "Problema con la app")],
        widget=forms.RadioSelect,
    )
    severity = forms.ChoiceField(
        label="Severidad", choices=SEVERITIES, widget=forms.RadioSelect, initial="critical"
    )
    documents = forms.FileField(
        label="Archivos adjuntos",
        required=False,
        help_text="Hasta 3 archivos de 10 MB: imagen, video, Word, PDF o ZIP.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].cards = {  # type: ignore[attr-defined]
            "pago": {"text": "Cobros duplicados, rechazados o pendientes.", "icon": "credit-card"},
            "app": {"text": "Se cierra, no carga o un botón no responde.", "icon": "phone"},
        }
        self.fields["severity"].cards = {  # type: ignore[attr-defined]
            level: {"sev": level, "aside": time}
            for (level, _label), time in zip(SEVERITIES, ("1 h", "4 h", "1 día", "3 días"), strict=True)
        }
        files = self.fields["documents"]
        files.upload_url, files.max_files, files.max_mb = reverse("catalogue_file"), 3, UPLOAD_LIMIT_MB  # type: ignore[attr-defined]
        files.token_field = "files_tokens"  # type: ignore[attr-defined]  # noqa: S105
        files.uploaded = [  # type: ignore[attr-defined]
            {
                "name": "Captura-error-pago.png",
                "size": 482_000,
                "icon_name": "file-earmark-image",
                "token": "t1",
                "remove_url": "",
            },
            {
                "name": "Grabacion-pantalla.mp4",
                "state": "error",
                "note": "24 MB: supera el límite de 10 MB",
                "icon_name": "file-earmark-play",
            },
        ]


def catalogue(request: HttpRequest) -> HttpResponse:
    wrong = SampleForm({"title": "", "email": "lucia@", "description": "", "kind": ""})
    wrong.fields["title"].required = True
    return render(
        request, "catalogue/index.html", everything() | {"form": SampleForm(prefix="a"), "wrong": wrong}
    )


def catalogue_queue(request: HttpRequest) -> HttpResponse:
    """Show an invented queue in the back office's frame, to try out keyboard, bulk bar and palette."""
    context = everything()
    if request.headers.get("HX-Request"):
        return render(request, "catalogue/queue.html#rows", context)
    return render(request, "catalogue/queue.html", context)


@require_POST
def catalogue_file(request: HttpRequest) -> HttpResponse:
    """Answer an upload as the product does, without storing the file."""
    file = request.FILES.get("file")
    if file is None or not file.size or not file.name:
        return HttpResponse(status=400)
    refused = file.size > UPLOAD_LIMIT_MB * 1_000_000 or not file.name.lower().endswith(
        (".png", ".jpg", ".pdf", ".txt")
    )
    row = {"name": file.name, "size": file.size, "icon_name": "file-earmark", "field": "files_tokens"}
    if refused:
        row |= {"state": "error", "note": _("Ese tipo de archivo no se admite")}
    else:
        row |= {"state": "ready", "token": "demo", "remove_url": reverse("catalogue_done")}
    return render(request, "components/_file.html", row, status=422 if refused else 200)


@require_POST
def catalogue_done(request: HttpRequest) -> HttpResponse:
    """Accept a draft, the removal of a file or a form, and store nothing. Scripts get 204, people a redirect with a
    message."""
    if request.headers.get("X-Requested-With"):
        return HttpResponse(status=204)
    messages.success(request, _("Guardamos tus cambios."))
    return redirect("catalogue")


urlpatterns = [
    path("", catalogue, name="catalogue"),
    path("cola/", catalogue_queue, name="catalogue_queue"),
    path("archivo/", catalogue_file, name="catalogue_file"),
    path("listo/", catalogue_done, name="catalogue_done"),
]
