"""Pages that show the demo's mails to everybody, so that guests' links can be followed without a mail server."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from csp.constants import SELF
from csp.decorators import csp_update
from django.conf import settings
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from content.text import clean_line

from ..models import DemoMail

PAGE_SIZE = 30
SANDBOX = "allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation"
HTML_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; form-action 'none'; frame-ancestors 'self'; "
    f"sandbox {SANDBOX}"
)
"""Policy of the page that shows a mail's HTML. The mail is untrusted: it may use inline styles, but no scripts, forms
or session."""

View = Callable[..., HttpResponse]


def demo_only(view: View) -> View:
    """Decorate a view to raise Http404 outside the demo, even if these URLs are included by mistake: elsewhere mails
    are private."""

    return never_cache(require_safe(in_demo(view)))


def in_demo(view: View) -> View:
    """Decorate a view to raise Http404 outside the demo."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not settings.DESK_DEMO:
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


@demo_only
def mail_list(request: HttpRequest) -> HttpResponse:
    words = clean_line(request.GET.get("q", "")[:200], max_length=200)
    mails = DemoMail.objects.defer("text", "html", "headers")
    if words:
        mails = mails.filter(Q(recipient__icontains=words) | Q(subject__icontains=words))
    before = request.GET.get("antes", "")
    if before.isascii() and before.isdigit() and len(before) < 19:
        mails = mails.filter(pk__lt=int(before))
    page = list(mails[: PAGE_SIZE + 1])
    more = page[PAGE_SIZE - 1].pk if len(page) > PAGE_SIZE else None
    return render(
        request,
        "mailbox/list.html",
        {"mails": page[:PAGE_SIZE], "words": words, "older": more, "is_first": not before},
    )


@csp_update({"frame-src": [SELF]})
@demo_only
def mail_detail(request: HttpRequest, pk: int) -> HttpResponse:
    mail = get_object_or_404(DemoMail, pk=pk)
    tabs = ["html", "texto", "cabeceras"] if mail.html else ["texto", "cabeceras"]
    chosen = request.GET.get("ver", "")
    tab = chosen if chosen in tabs else tabs[0]
    return render(
        request, "mailbox/detail.html", {"mail": mail, "tabs": tabs, "tab": tab, "sandbox": SANDBOX}
    )


@xframe_options_sameorigin
@demo_only
def mail_html(request: HttpRequest, pk: int) -> HttpResponse:
    """Return the mail's HTML for the frame in `mail_detail`. Its links open outside the frame."""
    mail = get_object_or_404(DemoMail, pk=pk)
    response = HttpResponse(mail.html.replace("<head>", '<head><base target="_top">', 1))
    response["Content-Security-Policy"] = HTML_POLICY
    response["Referrer-Policy"] = "no-referrer"
    return response
