"""The quarantine of received mails, their originals, the blocked senders and the desk's addresses (S0.7)."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from tickets import reply_address
from tickets.models import BlockedSender, DeskAddress, IncomingEmail
from tickets.workflow import mails
from web.paging import read_page
from web.refusals import Refusal

from ..access import DeskRequest, desk_view, supervisor_view
from ..forms.mails import BLOCK, BLOCK_DOMAIN, DISCARD, AddressForm, DecisionForm
from ..pages.mails import MailPage, held_mails

PAGE_SIZE = 30
ORIGINAL_POLICY = "default-src 'none'; sandbox"


@require_safe
@desk_view
def quarantine(request: DeskRequest) -> HttpResponse:
    """List the mails that wait for a decision, newest first."""
    page, problem = read_page(
        held_mails(request.user), order=("-id",), size=PAGE_SIZE, cursor=request.GET.get("desde", "")
    )
    context = {
        "page": page,
        "problem": problem,
        "page_newer": f"?desde={page.newer}" if page.newer else "",
        "page_older": f"?desde={page.older}" if page.older else "",
        "undo": _discarded(request),
        "forwarding": reply_address.make_forwarding(request.user),
    }
    return render(request, "agents/mails/list.html", context)


@require_safe
@desk_view
def mail(request: DeskRequest, pk: int) -> HttpResponse:
    return _page(request, _find(request, pk))


@require_POST
@desk_view
def decide(request: DeskRequest, pk: int) -> HttpResponse:
    """Do what was decided about a held mail, and show the next one."""
    found = _find(request, pk)
    page = MailPage(request.user, found)
    following = page.after or page.before
    form = DecisionForm(request.POST)
    if not form.is_valid():
        return _page(request, found, form, status=422)
    with Refusal(form) as refusal:
        decided = form.save(found, actor=request.user)
        target = reverse("agents:mail", args=[following.pk]) if following else reverse("agents:mails")
        if form.cleaned_data["decision"] in (DISCARD, BLOCK, BLOCK_DOMAIN):
            return redirect(f"{target}?descartado={decided.pk}")
        where = decided.ticket.folio if decided.ticket else ""
        messages.success(request, _("El correo quedó en %(folio)s.") % {"folio": where})
        return redirect(target)
    if not IncomingEmail.objects.filter(pk=pk).exists():  # it was deleted meanwhile
        messages.error(request, str(refusal))
        return redirect("agents:mails")
    return _page(request, _find(request, pk), form, status=refusal.status)


@require_POST
@desk_view
def take_back(request: DeskRequest, pk: int) -> HttpResponse:
    """Undo a discarding."""
    found = _find(request, pk)
    with Refusal() as refusal:
        mails.take_back(found, actor=request.user)
        messages.success(request, _("El correo espera otra vez."))
    if refusal:
        messages.error(request, str(refusal))
    return redirect("agents:mail", pk)


@require_safe
@desk_view
def original(request: DeskRequest, pk: int) -> HttpResponse:
    """Download the mail as it arrived. It never opens in the browser."""
    found = _original(request, pk)
    response = HttpResponse(found.raw, content_type="message/rfc822")
    response["Content-Disposition"] = content_disposition_header(True, f"correo-{pk}.eml") or "attachment"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = ORIGINAL_POLICY
    return response


@require_safe
@desk_view
def headers(request: DeskRequest, pk: int) -> HttpResponse:
    """Show all headers of the mail as text."""
    found = _original(request, pk)
    context = {"mail": found, "headers": found.header_text, "back": _home_of(found)}
    return render(request, "agents/mails/headers.html", context)


@require_safe
@desk_view
def blocked_senders(request: DeskRequest) -> HttpResponse:
    """List the addresses and domains whose mails are refused."""
    rows = BlockedSender.objects.select_related("by")
    page, problem = read_page(rows, order=("-id",), size=PAGE_SIZE, cursor=request.GET.get("desde", ""))
    context = {
        "page": page,
        "problem": problem,
        "page_newer": f"?desde={page.newer}" if page.newer else "",
        "page_older": f"?desde={page.older}" if page.older else "",
    }
    return render(request, "agents/mails/blocked.html", context)


@require_POST
@supervisor_view
def unblock(request: DeskRequest, pk: int) -> HttpResponse:
    blocked = BlockedSender.objects.filter(pk=pk).first()
    if blocked is not None:  # else somebody else has done it
        mails.unblock(blocked, actor=request.user)
    messages.success(request, _("Ese remitente puede escribir otra vez."))
    return redirect("agents:blocked_senders")


@require_safe
@supervisor_view
def addresses(request: DeskRequest) -> HttpResponse:
    """List the addresses to which people write, with the process and the category of each."""
    rows = DeskAddress.objects.select_related("process__current", "category").order_by("email")[:200]
    return render(request, "agents/mails/addresses.html", {"rows": rows})


@require_http_methods(["GET", "HEAD", "POST"])
@supervisor_view
def address(request: DeskRequest, pk: int | None = None) -> HttpResponse:
    """Add or change an address of the desk."""
    row = get_object_or_404(DeskAddress, pk=pk) if pk is not None else None
    form = AddressForm(request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Guardamos la dirección."))
        return redirect("agents:addresses")
    status = 422 if request.method == "POST" else 200
    return render(request, "agents/mails/address.html", {"form": form, "row": row}, status=status)


def _find(request: DeskRequest, pk: int) -> IncomingEmail:
    """Return the mail of the quarantine, decided or not. Raises 404 for one that the person may not see."""
    seen = IncomingEmail.objects.visible_to(request.user).exclude(reason="")
    found: IncomingEmail | None = next(
        iter(seen.select_related("ticket", "decided_by").filter(pk=pk)[:1]), None
    )
    if found is None:
        raise Http404
    return found


def _original(request: DeskRequest, pk: int) -> IncomingEmail:
    """Return the mail. Raises 404 for one that the person may not see, and for one whose original has been deleted."""
    seen = IncomingEmail.objects.visible_to(request.user).filter(pk=pk)
    found: IncomingEmail | None = seen.filter(originals__number=0).select_related("ticket").order_by().first()
    if found is None:
        raise Http404
    return found


def _home_of(mail: IncomingEmail) -> str:
    """Return the address of the page that shows the mail: its message on the ticket, or the quarantine."""
    if mail.message_id and mail.ticket:
        return f"{reverse('agents:ticket', args=[mail.ticket.folio])}#mensaje-{mail.message_id}"
    if mail.reason:
        return reverse("agents:mail", args=[mail.pk])
    return reverse("agents:ticket", args=[mail.ticket.folio]) if mail.ticket else reverse("agents:mails")


def _discarded(request: DeskRequest) -> IncomingEmail | None:
    """Return the mail that the person has just discarded, to offer them to undo it."""
    pk = request.GET.get("descartado", "")
    if not (pk.isascii() and pk.isdigit() and len(pk) < 19):
        return None
    theirs = IncomingEmail.objects.visible_to(request.user).filter(pk=int(pk), decided_by=request.user)
    return theirs.filter(decision__in=mails.UNDOABLE).first()


def _page(
    request: DeskRequest, found: IncomingEmail, form: DecisionForm | None = None, *, status: int = 200
) -> HttpResponse:
    context = {
        "page": MailPage(request.user, found),
        "mail": found,
        "form": form,
        "may_undo": found.decision in mails.UNDOABLE,
        "undo": _discarded(request),
    }
    return render(request, "agents/mails/detail.html", context, status=status)
