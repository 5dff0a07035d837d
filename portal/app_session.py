"""What a session knows of the app that sent the person (S0.5): its name and version, for the reports filed in it.

Between the app's link and the sign-in, which may ask for a code first, the session holds an entry. The receiver of the
sign-in takes it over if that person has signed in, else drops it.
"""

from typing import Any

from django.contrib.auth import logout
from django.http import HttpRequest

from accounts import app_links
from accounts.app_links import AppLink
from accounts.models import User

ENTRY, APP = "app_entry", "app"


def begin_entry(request: HttpRequest, link: AppLink, user: User) -> None:
    """End the session, whoever had it (B24), and note in a new one who comes from which app."""
    logout(request)
    request.session[ENTRY] = {
        "user": user.pk,
        "app": link.app.pk,
        "name": link.app.name,
        "subject": link.subject,
        "version": link.version,
    }


def finish_entry(request: HttpRequest, user: User) -> None:
    """Link the account to the app that sent the person, now that they have signed in, and remember the app."""
    entry = request.session.pop(ENTRY, None)
    if entry is None or entry["user"] != user.pk:
        return
    if app_links.link_account(entry["app"], entry["subject"], user):
        request.session[APP] = {"name": entry["name"], "version": entry["version"]}


def origin_of(request: HttpRequest) -> dict[str, Any]:
    """Return what is recorded with a report about the app of this session: its `app` and `app_version`; nothing without
    one."""
    app = request.session.get(APP) if request.user.is_authenticated else None
    return {"app": app["name"], "app_version": app["version"]} if app else {}
