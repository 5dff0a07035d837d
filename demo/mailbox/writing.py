"""«Escribir a la mesa»: write a mail in the demo, which the desk receives as one that came over the internet."""

from collections.abc import Sequence
from email.message import EmailMessage
from email.utils import format_datetime, formataddr, make_msgid
from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from content.text import clean_line
from notifications.incoming import receiving
from notifications.incoming.mime import addresses_in
from tickets.models import DeskAddress, IncomingEmail

from ..models import DemoMail

MAX_FILE_BYTES = 10_000_000
MAX_TEXT = 100_000


class SeveralFiles(forms.ClearableFileInput):
    allow_multiple_selected = True


class WriteForm(forms.Form):
    """A mail to the desk. `answers` is the mail of the demo that it answers, or None."""

    sender = forms.EmailField(label=gettext_lazy("De"), max_length=254)
    name = forms.CharField(label=gettext_lazy("Nombre"), max_length=120, required=False)
    to = forms.CharField(label=gettext_lazy("Para"), max_length=320)
    subject = forms.CharField(label=gettext_lazy("Asunto"), max_length=200, required=False)
    text = forms.CharField(
        label=gettext_lazy("Texto"),
        max_length=MAX_TEXT,
        required=False,
        widget=forms.Textarea(attrs={"rows": 10}),
    )
    attached = forms.FileField(label=gettext_lazy("Archivos"), required=False, widget=SeveralFiles)

    def __init__(self, *args: Any, answers: DemoMail | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.answers = answers

    def clean_to(self) -> str:
        found = addresses_in(self.cleaned_data["to"])
        if not found:
            raise forms.ValidationError(_("Escribe una dirección, como soporte@demo.test."))
        return found[0].email

    def mail(self, files: Sequence[UploadedFile]) -> bytes:
        """Return the mail as a mail program sends it."""
        data = self.cleaned_data
        mail = EmailMessage()
        mail["From"] = formataddr((clean_line(data["name"], max_length=120), data["sender"]))
        mail["To"] = data["to"]
        mail["Subject"] = clean_line(data["subject"], max_length=200)
        mail["Date"] = format_datetime(timezone.now())
        mail["Message-ID"] = make_msgid(domain="correo.demo.test")
        if self.answers is not None:
            answered = self.answers.headers.get("Message-ID", "")
            mail["In-Reply-To"] = answered
            mail["References"] = f"{self.answers.headers.get('References', '')} {answered}".strip()
        mail.set_content(data["text"].replace("\r\n", "\n"))
        for file in files:
            main, _slash, sub = (file.content_type or "application/octet-stream").partition("/")
            mail.add_attachment(file.read(), maintype=main, subtype=sub or "octet-stream", filename=file.name)
        return mail.as_bytes()


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def write(request: HttpRequest) -> HttpResponse:
    """Show the form, empty or as an answer to a mail (`?a=`). Receive what is sent and say what became of it."""
    number = request.GET.get("a", "")
    answers = get_object_or_404(DemoMail, pk=int(number)) if number.isascii() and number.isdigit() else None
    received: IncomingEmail | None = None
    if request.method == "POST":
        form = WriteForm(request.POST, answers=answers)
        files = request.FILES.getlist("attached")
        if any((file.size or 0) > MAX_FILE_BYTES for file in files):
            form.add_error("attached", _("Cada archivo puede pesar hasta 10 MB."))
        if form.is_valid():
            received = receiving.receive(form.mail(files), mailbox=settings.DESK_SUPPORT_EMAIL).mail
    else:
        form = WriteForm(initial=_answer(answers) if answers else _first(), answers=answers)
    context = {
        "form": form,
        "answers": answers,
        "received": received,
        "addresses": list(DeskAddress.objects.filter(is_active=True).values_list("email", flat=True)),
    }
    return render(request, "mailbox/write.html", context, status=422 if form.errors else 200)


def _first() -> dict[str, str]:
    return {"sender": "ana.perez@correo.test", "name": "Ana Pérez", "to": settings.DESK_SUPPORT_EMAIL}


def _answer(mail: DemoMail) -> dict[str, str]:
    """Return what a mail program fills in for an answer."""
    when = timezone.localtime(mail.at).strftime("%d/%m/%Y a las %H:%M")
    quoted = "\n".join(f"> {line}".rstrip() for line in mail.text.splitlines())
    return {
        "sender": mail.recipient.partition(",")[0].strip(),
        "to": mail.headers.get("Reply-To", "") or addresses_in(mail.sender)[0].email,
        "subject": mail.subject if mail.subject.lower().startswith("re:") else f"Re: {mail.subject}",
        "text": f"\n\nEl {when}, {mail.sender} escribió:\n{quoted}\n",
    }
