"""«Aplicaciones conectadas»: the organisation's apps that send their people here signed in (S0.5)."""

from django.contrib import messages
from django.db.models import Count, Max, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.connected_apps import make_secret, revoke_secret
from accounts.models import AppSecret, ConnectedApp
from web.ratelimit import by_user, limited
from web.refusals import Refusal

from ..access import DeskRequest, administrator_view
from ..forms.connected_apps import ConnectedAppForm


@require_safe
@administrator_view
def connected_apps(request: DeskRequest) -> HttpResponse:
    working = Count("secrets", filter=Q(secrets__revoked_at=None))
    apps = ConnectedApp.objects.annotate(working=working, used_at=Max("secrets__used_at"))
    return render(request, "agents/apps/list.html", {"apps": apps})


@require_http_methods(["GET", "HEAD", "POST"])
@administrator_view
def new_connected_app(request: DeskRequest) -> HttpResponse:
    form = ConnectedAppForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        app = form.save()
        messages.success(request, _("Conectamos «%(app)s». Crea ahora su secreto.") % {"app": app})
        return redirect("agents:connected_app", app.key)
    return render(request, "agents/apps/new.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@administrator_view
def connected_app(request: DeskRequest, key: str) -> HttpResponse:
    app = get_object_or_404(ConnectedApp, key=key)
    form = ConnectedAppForm(request.POST or None, instance=get_object_or_404(ConnectedApp, pk=app.pk))
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Guardamos tus cambios."))
        return redirect("agents:connected_app", app.key)
    return _page(request, app, form, status=422 if form.errors else 200)


@limited("app-secret", rate="10/h", by=by_user)
@require_http_methods(["GET", "HEAD", "POST"])
@administrator_view
def make_app_secret(request: DeskRequest, key: str) -> HttpResponse:
    """Make a secret and show it on the page that answers, which no browser stores: it is shown once."""
    app = get_object_or_404(ConnectedApp, key=key)
    if request.method != "POST":
        return redirect("agents:connected_app", app.key)
    raw = ""
    with Refusal() as refusal:
        _row, raw = make_secret(app, by=request.user)
    if refusal:
        messages.error(request, str(refusal))
        return redirect("agents:connected_app", app.key)
    response = _page(request, app, ConnectedAppForm(instance=app), secret=raw)
    add_never_cache_headers(response)
    return response


@require_POST
@administrator_view
def revoke_app_secret(request: DeskRequest, key: str, pk: int) -> HttpResponse:
    secret = get_object_or_404(AppSecret.objects.select_related("app"), pk=pk, app__key=key)
    revoke_secret(secret, by=request.user)
    messages.success(request, _("Revocamos el secreto %(id)s.") % {"id": secret.key_id})
    return redirect("agents:connected_app", key)


def _page(
    request: DeskRequest, app: ConnectedApp, form: ConnectedAppForm, *, secret: str = "", status: int = 200
) -> HttpResponse:
    context = {
        "app": app,
        "form": form,
        "secret": secret,
        "secrets": app.secrets.select_related("created_by")[:20],
    }
    return render(request, "agents/apps/detail.html", context, status=status)
