"""The page «Puesta en marcha», which tells administrators what the desk still needs, and sends them a test mail."""

from django.conf import settings
from django.contrib import messages
from django.core.mail import EmailMessage
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from agents.access import DeskRequest, desk_view
from notifications.outgoing import outbox
from web.ratelimit import limited

from . import installation

TEST_MAIL = "setup_test"


@require_safe
@desk_view
def setup(request: DeskRequest) -> HttpResponse:
    _administrators_only(request)
    return render(request, "setup.html", installation.summary())


@limited("setup-mail", rate="5/10m")
@require_POST
@desk_view
def send_test_mail(request: DeskRequest) -> HttpResponse:
    """Put a mail to the person into the outbox. It goes the way of every mail, so its arrival proves all of it."""
    _administrators_only(request)
    message = EmailMessage(
        _("Correo de prueba de %(desk)s") % {"desk": settings.DESK_NAME},
        _("Si lees esto, la mesa de ayuda puede enviar correos."),
        to=[request.user.email],
    )
    language = request.user.language
    outbox.enqueue_account_mail(
        message, template=TEST_MAIL, user=request.user, language=language, expires_at=None
    )
    messages.success(
        request,
        _("En camino a %(address)s. Recarga la página en un momento para saber si salió.")
        % {"address": request.user.email},
    )
    return redirect("setup")


def _administrators_only(request: DeskRequest) -> None:
    if not request.user.is_staff:
        raise Http404
