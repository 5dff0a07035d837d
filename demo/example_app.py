"""An app of the invented organisation, as far as its button «Ayuda», which signs a link and leads to it (S0.5), and the
assistant in its page (S0.6)."""

import base64
import hmac
import json
import secrets
import time
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.utils.translation import get_language
from django.views.decorators.http import require_http_methods

from accounts.connected_apps import readable
from accounts.models import AppSecret

from .replay.apps import KEY

VERSION = "5.2.1"
PEOPLE: dict[str, dict[str, Any]] = {
    "nueva": {
        "sub": "u-2041",
        "email": "lucia.pardo@correo.test",
        "name": "Lucía Pardo",
        "kind": "parkiador",
    },
    "conocida": {"sub": "u-1177", "email": "mateo.rios@demo.test", "name": "Mateo Ríos", "kind": "parkiador"},
    "equipo": {"sub": "u-9", "email": "agente@demo.test", "name": "Gabriela Rondón"},
}
"""By what they show: somebody new, somebody whose address has an account here already, and a member of staff."""


@require_http_methods(["GET", "HEAD", "POST"])
def example_app(request: HttpRequest) -> HttpResponse:
    if not settings.DESK_DEMO:
        raise Http404
    person = PEOPLE.get(request.POST.get("persona", ""))
    if request.method == "POST" and person is not None:
        return redirect(reverse("portal:app_link", args=[signed(person)]))
    desk = other_name(request)
    response = render(
        request, "example_app.html", {"people": PEOPLE, "version": VERSION, "desk_elsewhere": desk}
    )
    if desk:  # what django-csp's decorator `csp_update` sets
        vars(response)["_csp_update"] = {"script-src": [desk], "frame-src": [desk]}
    return response


def other_name(request: HttpRequest) -> str:
    """Return the address of this desk under the other name of this machine, which browsers take for another site: from
    there the page loads the widget. Empty if the desk is reached by neither name."""
    name, _colon, port = request.get_host().partition(":")
    other = {"127.0.0.1": "localhost", "localhost": "127.0.0.1"}.get(name, "")
    return f"{request.scheme}://{other}:{port}" if other and port and settings.DESK_WIDGET_ORIGINS else ""


def signed(person: dict[str, Any]) -> str:
    """Return a token about the person, as an app makes it on its server: docs/app-links.md."""
    secret = get_object_or_404(AppSecret.objects.filter(app__key=KEY, revoked_at=None)[:1])
    now = int(time.time())
    claims = {
        "iss": KEY,
        "locale": get_language(),
        "app_version": VERSION,
        "iat": now,
        "exp": now + 120,
        "jti": secrets.token_urlsafe(16),
        **person,
    }
    parts = ({"alg": "HS256", "typ": "JWT", "kid": secret.key_id}, claims)
    text = ".".join(_encoded(json.dumps(part).encode()) for part in parts)
    return f"{text}.{_encoded(hmac.digest(readable(secret).encode(), text.encode(), 'sha256'))}"


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


urlpatterns = [path("", example_app, name="example_app")]
