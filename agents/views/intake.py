"""«Nuevo ticket»: staff file a ticket for somebody who called, wrote on WhatsApp or came by."""

import uuid
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db.models import Prefetch
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.crypto import salted_hmac
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods

from tickets.attachments import discard_draft, keep_drafts
from tickets.definitions.definition import CategoryDefinition
from tickets.models import Attachment, Category, Process, Ticket
from web.files import waiting_file_row
from web.forms import key_of
from web.refusals import Refusal

from ..access import DeskRequest, desk_view
from ..forms.intake import NewTicketForm
from ..kept import KeptForm


@dataclass(frozen=True)
class Choice:
    """What a ticket can be filed as: a category, or a whole process that has no categories."""

    process: Process
    category: Category | None = None

    @property
    def key(self) -> str:
        """The value that addresses and forms carry."""
        return str(self.category.pk) if self.category else f"proceso-{self.process.key}"

    def __str__(self) -> str:
        return str(self.category or self.process)

    @property
    def icon(self) -> str:
        return self.category.icon if self.category else CategoryDefinition.icon

    @property
    def description(self) -> str:
        return (
            self.category.localised_description if self.category else str(self.process.definition.description)
        )

    @property
    def notice(self) -> str:
        return self.category.localised_notice if self.category else ""


@require_http_methods(["GET", "HEAD", "POST"])
@desk_view
def new_ticket(request: DeskRequest) -> HttpResponse:
    """Ask for the category first, because it decides what else is asked; then for the rest on one page."""
    choices = _choices()
    given = request.POST.get("category") or request.GET.get("categoria", "")
    choice = next((choice for choice in choices if choice.key == given), None)
    if choice is None:
        return render(request, "agents/tickets/new_category.html", {"choices": choices})
    kept = _kept(request, choice)
    if kept.was_discarded:
        query = {"categoria": choice.key} | ({"correo": about} if (about := _about(request)) else {})
        return redirect(f"{reverse('agents:new_ticket')}?{urlencode(query)}")
    if request.method != "POST":
        return _page(request, choice, _opened(request, choice, kept), kept)
    if file := request.POST.get("quitar"):
        discard_draft(_files_key(request, request.POST.get("batch", "")), file, actor=request.user)
        typed = NewTicketForm.unbound_from(request.POST, process=choice.process, category=choice.category)
        return _page(request, choice, typed, kept)
    waiting = _files_key(request, request.POST.get("batch", ""))
    form = _form(choice, request.POST)
    files, limits = request.FILES.getlist("files"), choice.process.definition.files
    problems = keep_drafts(files, draft_key=waiting, actor=request.user, limits=limits)
    if form.is_valid() and not problems:
        with Refusal(form):
            ticket = form.save(actor=request.user, draft_key=waiting)
            kept.forget()
            messages.success(request, form.done(ticket))
            return _after(request, ticket)
    for text in problems:
        form.add_error("files", text)
    kept.keep()
    return _page(request, choice, form, kept, status=422)


def _form(choice: Choice, *args: Any, **kwargs: Any) -> NewTicketForm:
    return NewTicketForm(*args, process=choice.process, category=choice.category, **kwargs)


def _about(request: DeskRequest) -> str:
    """Return the address of the requester whose page led here; empty if none did."""
    return (request.POST.get("about") or request.GET.get("correo", "")).replace("\0", "")[:254]


def _kept(request: DeskRequest, choice: Choice) -> KeptForm:
    """Return the kept form of this category. Each requester whose page led here has one of their own."""
    about = _about(request).lower()
    return KeptForm(request, f"nuevo-{choice.key}" + (f"-{key_of({'about': about}).hex}" if about else ""))


def _opened(request: DeskRequest, choice: Choice, kept: KeptForm) -> NewTicketForm:
    """Return the form as it opens: empty, or with what was typed and not sent."""
    initial = {"key": uuid.uuid4(), "batch": uuid.uuid4(), "channel": "phone", "email": _about(request)}
    form = _form(choice, initial=initial)
    kept.fill(form)
    return form


def _after(request: DeskRequest, ticket: Ticket) -> HttpResponse:
    if Ticket.objects.visible_to(request.user).filter(pk=ticket.pk).exists():
        return redirect("agents:ticket", ticket.folio)
    return redirect("agents:queue")  # the person cannot see its department


def _page(
    request: DeskRequest, choice: Choice, form: NewTicketForm, kept: KeptForm, *, status: int = 200
) -> HttpResponse:
    """Render the form with the files that were uploaded with it before."""
    field: Any = form.fields["files"]
    waiting = _files_key(request, str(form["batch"].value() or ""))
    field.uploaded = [waiting_file_row(item, remove_url="") for item in _waiting(request, waiting)]
    context = {"choice": choice, "form": form, "kept": kept, "about": _about(request)}
    return render(request, "agents/tickets/new.html", context, status=status)


def _waiting(request: DeskRequest, key: str) -> list[Attachment]:
    return list(Attachment.objects.drafts(key).filter(uploader=request.user))


def _choices() -> list[Choice]:
    """Return the active categories of every process in use, and the processes without categories. Two queries."""
    active = Category.objects.filter(is_active=True)
    processes = Process.objects.filter(is_active=True, current__isnull=False)
    choices: list[Choice] = []
    for process in processes.prefetch_related(Prefetch("categories", active, to_attr="offered")):
        if process.definition.categories:
            choices += [Choice(process, category) for category in process.offered]
        else:
            choices.append(Choice(process))
    return choices


def _files_key(request: DeskRequest, key: str) -> str:
    return salted_hmac("agents.new", f"{request.user.pk} {key}", algorithm="sha256").hexdigest()
