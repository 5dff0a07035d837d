"""The signed link of an organisation's app: a page that says who comes, and the sign-in that it posts (S0.5)."""

from allauth.account.app_settings import EmailVerificationMethod
from allauth.account.internal.flows.login import perform_login
from allauth.account.internal.flows.login_by_code import LoginCodeVerificationProcess
from allauth.account.models import Login
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.cache import add_never_cache_headers
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts import app_links
from accounts.app_links import AppLink, ExpiredLink, NotTheirAccount, RefusedLink
from accounts.models import User
from web import grants, mail_limits, visitors
from web.ratelimit import by_ip, limited

from ..app_session import begin_entry

PLACES = {"": "portal:home", "tickets": "portal:ticket_list", "nuevo": "portal:report"}
"""Where a link leads, by its parameter `ir`."""
STATUS = {ExpiredLink: 410, NotTheirAccount: 422}


@limited("app-link", rate="120/10m", by=by_ip, methods=("GET", "HEAD"))
@require_safe
def app_link(request: HttpRequest, token: str) -> HttpResponse:
    """Say who comes from which app, in a form that our script sends at once. Changes nothing: mail scanners and
    browsers open links ahead of people (B16). The script does not send it if somebody else is signed in."""
    try:
        link = app_links.read(token)
    except RefusedLink as refusal:
        return _refused(request, refusal)
    opened = app_links.find_user(link)
    is_same = opened is not None and opened.pk == request.user.pk
    context = {
        "link": link,
        "token": token,
        "place": _place(request.GET.get("ir", "")),
        "other": request.user if request.user.is_authenticated and not is_same else None,
        "shown_name": (opened.name if is_same and opened else "") or link.name or link.email,
    }
    language = translation.get_language() if request.user.is_authenticated else link.language
    with translation.override(language or translation.get_language()):
        response = render(request, "portal/app/enter.html", context)
    return _private(response)


@limited("app-entry", rate="60/10m", by=by_ip)
@require_POST
def app_entry(request: HttpRequest) -> HttpResponse:
    """Use the link: sign its person in, in a new session, or have them prove the address of an account that the app has
    not made (B24)."""
    place = _place(request.POST.get("ir", ""))
    try:
        link = app_links.read(request.POST.get("token", ""))
        entry = app_links.enter(link)
    except RefusedLink as refusal:
        return _refused(request, refusal)
    changes_person = request.user.pk != entry.user.pk
    begin_entry(request, link, entry.user)
    page = reverse(PLACES[place])
    response = (
        _ask_for_code(request, link, entry.user, page)
        if entry.needs_proof
        else _sign_in(request, entry.user, page)
    )
    if changes_person:  # what the person before has opened and begun in this browser
        grants.forget(request, response)
        visitors.forget(response)
    return _private(response)


def _sign_in(request: HttpRequest, user: User, page: str) -> HttpResponse:
    """Sign in by allauth's stages, so that a second factor is still asked for."""
    login = Login(user=user, email_verification=EmailVerificationMethod.NONE, redirect_url=page)
    response: HttpResponse = perform_login(request, login)
    return response


def _ask_for_code(request: HttpRequest, link: AppLink, user: User, page: str) -> HttpResponse:
    """Mail a code to the account's address, as when somebody signs in with one."""
    try:
        mail_limits.take(request, user.email)
    except ValidationError as problem:
        messages.error(request, " ".join(problem.messages))
        return redirect(f"{reverse('account_login')}?{urlencode({'next': page})}")
    messages.info(
        request,
        _(
            "%(address)s ya tiene cuenta aquí. Confirma que es tuya: la próxima vez entras desde %(app)s sin código."
        )
        % {"address": user.email, "app": link.app},
    )
    LoginCodeVerificationProcess.initiate(request=request, user=user, email=user.email)
    return redirect(f"{reverse('account_confirm_login_code')}?{urlencode({'next': page})}")


def _refused(request: HttpRequest, refusal: RefusedLink) -> HttpResponse:
    """Say why the link opens nothing, and the ways on."""
    status = STATUS.get(type(refusal), 400)
    return _private(render(request, "portal/app/refused.html", {"refusal": refusal}, status=status))


def _place(asked: str) -> str:
    return asked if asked in PLACES else ""


def _private(response: HttpResponse) -> HttpResponse:
    add_never_cache_headers(response)
    response["X-Robots-Tag"] = "noindex"
    return response
