"""Whose conversation with the assistant a request is about: this browser's, or that of a frame in another site.

On the desk's own pages the conversation is found by the cookie of the browser or by the account. In a frame nothing is:
browsers do not send our cookies there, and what they send is not read, so that no other site can use somebody's session
(decision 52). There the address holds a signed secret, which every form posts back.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from csp.decorators import csp_replace
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.views import redirect_to_login
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import translation
from django.utils.cache import add_never_cache_headers
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.csrf import csrf_exempt

from accounts.models import User
from content.tokens import hash_token
from tickets import chats
from tickets.models import Chat
from web.origins import parts_of
from web.visitors import recognised, visitor_of

from .drafts import CARRIED_FOR

SALT = "portal.chats"
CARRY_SALT = "portal.chats.carry"
NOW = "ahora"
"""The id of what the assistant asks, to which every answer leads back."""
THEMES = ("auto", "light", "dark")
View = Callable[..., HttpResponse]


@dataclass
class Place:
    """The conversation of a request, None before the first answer, and where its pages are.

    `secret` is the part of a frame's address that opens the conversation; empty on the desk's own pages. `user` is
    None for visitors, and always in a frame. `is_signed_out` says that the conversation is an account's whose session
    ended while the person wrote: what they post is kept, and nothing is shown before they sign in again.
    """

    request: HttpRequest
    chat: Chat | None
    user: User | None = None
    secret: str = ""
    is_signed_out: bool = False
    look: dict[str, str] = field(default_factory=dict)

    @property
    def is_framed(self) -> bool:
        return bool(self.secret)

    @property
    def carry(self) -> str:
        """The signed conversation for a hidden field, by which a form finds it when the session or the cookie is gone.
        Empty in a frame, whose address does the same."""
        return "" if self.is_framed or self.chat is None else signing.dumps(self.chat.pk, salt=CARRY_SALT)

    @property
    def reader(self) -> Any:
        """Who reads articles: the signed-in person, or a visitor."""
        return self.user or AnonymousUser()

    def url(self, name: str = "", **query: str) -> str:
        """Return the address of the conversation, or of the view that takes one of its forms."""
        space = ("frame" if self.secret else "assistant") + (f"_{name}" if name else "")
        address = reverse(f"portal:{space}", args=[self.secret] if self.secret else [])
        given = ({} if self.chat else self._asked_look()) | query
        return f"{address}?{urlencode(given)}" if given else address

    def first_url(self) -> str:
        """Return the address where a new conversation begins, in the same language and theme."""
        if not self.is_framed:
            return reverse("portal:assistant")
        return reverse("portal:frame_start", query=self._asked_look())

    def _asked_look(self) -> dict[str, str]:
        return {name: value for name, value in self.look.items() if value}

    def back(self, **query: str) -> HttpResponse:
        """Return the answer to an accepted form: the conversation, at what the assistant asks now."""
        if self.is_signed_out:
            messages.info(
                self.request, _("Tu sesión había terminado. Entra de nuevo para seguir la conversación.")
            )
            return redirect_to_login(self.url())
        return redirect(f"{self.url(**query)}#{NOW}")

    def begun(self) -> Chat:
        """Return the conversation, which begins now if there was none."""
        if self.chat is None:
            self.chat = chats.begin(
                visitor="" if self.secret else recognised(self.request),
                owner=self.user,
                digest=hash_token(self.secret) if self.secret else "",
                language=self.look.get("language", ""),
                theme=self.look.get("theme", ""),
            )
        return self.chat

    @property
    def draft_visitor(self) -> str:
        """The `visitor` of the report that the conversation fills in. In a frame it is the conversation itself, so that
        nobody else finds the report."""
        return f"chat:{self.begun().pk}" if self.secret else recognised(self.request)


def own_view(view: View) -> View:
    """Decorate a view of the conversation on the desk's own pages: it gets a `Place`.

    A person who has signed in and posts a form takes along the conversation that they began before: when their session
    has ended, the browser no longer shows what they wrote. The posted field `carry` finds the conversation of a form
    whose session or cookie is gone.
    """

    @wraps(view)
    def wrapper(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        user = request.user if isinstance(request.user, User) else None
        chat = _carried(request, user) or chats.find_current(visitor=visitor_of(request), user=user)
        is_signed_out = user is None and chat is not None and _owner_of(chat) is not None
        if user and chat and request.method == "POST":
            chats.adopt(chat, user)
        response = view(request, Place(request, chat, user, is_signed_out=is_signed_out), **kwargs)
        add_never_cache_headers(response)
        return response

    return wrapper


def _carried(request: HttpRequest, user: User | None) -> Chat | None:
    """Return the conversation that the posted field `carry` proves; None if it is another account's.

    One that belongs to no account is this browser's from now on, as a report is (`drafts.load`).
    """
    try:
        pk = signing.loads(request.POST.get("carry", ""), salt=CARRY_SALT, max_age=CARRIED_FOR)
    except signing.BadSignature:
        return None
    chat = chats.find_carried(pk)
    if chat is None:
        return None
    owner = _owner_of(chat)
    if owner is None:
        chats.recognise(chat, recognised(request))
    elif user is not None and owner != user.pk:
        return None
    return chat


def _owner_of(chat: Chat) -> int | None:
    """Return the account of the conversation or of its report."""
    owner: int | None = chat.owner_id or (chat.report.owner_id if chat.report else None)
    return owner


def framed_view(view: View) -> View:
    """Decorate a view of the conversation in a frame of another site: it gets a `Place`, and nobody is signed in.

    Only the sites in `DESK_WIDGET_ORIGINS` may frame it; without any it is 404. No cookie is read or set, so there is
    nothing that a forged request could use, and no CSRF cookie to compare: who posts must know the secret, and a
    browser that says that another site sends the form is refused. Opened outside a frame, the address leads to the
    desk's own page: nobody can be sent a conversation that somebody else reads.
    """

    @csrf_exempt
    @xframe_options_exempt
    @wraps(view)
    def wrapper(request: HttpRequest, secret: str = "", **kwargs: Any) -> HttpResponse:
        _body = request.POST  # a body that cannot be read is refused here, where no CSRF check has read it
        if not settings.DESK_WIDGET_ORIGINS:
            raise Http404
        if request.headers.get("Sec-Fetch-Dest", "iframe") != "iframe":
            return redirect("portal:assistant")
        if request.method == "POST" and _comes_from_elsewhere(request):
            raise Http404
        user, request.user = request.user, AnonymousUser()
        try:
            response = _framed(request, secret, view, **kwargs)
        finally:
            request.user = user  # the middleware must not take this for a sign-out
        response.cookies.clear()  # the page of a refusal sets one
        add_never_cache_headers(response)
        response["X-Robots-Tag"] = "noindex"
        framed_by: Callable[..., Any] = csp_replace({"frame-ancestors": settings.DESK_WIDGET_ORIGINS})
        framed: HttpResponse = framed_by(lambda _request: response)(request)
        return framed

    return wrapper


def _framed(request: HttpRequest, secret: str, view: View, **kwargs: Any) -> HttpResponse:
    try:
        if secret:
            signing.loads(secret, salt=SALT, max_age=CARRIED_FOR)
    except signing.SignatureExpired:
        if request.method != "POST":
            return redirect("portal:frame_start")
        secret = ""  # a new conversation keeps what was typed in this one
    except signing.BadSignature:
        return redirect("portal:frame_start")
    chat = chats.find_by_digest(hash_token(secret)) if secret else None
    look = {"language": chat.language, "theme": chat.theme} if chat else look_of(request)
    place = Place(request, chat, secret=secret or new_secret(), look=look)
    with translation.override(look["language"] or translation.get_language()):
        return view(request, place, **kwargs)


def look_of(request: HttpRequest) -> dict[str, str]:
    """Return language and theme that the site asks for in the address of the frame, empty if it asks for none."""
    language, theme = request.GET.get("language", ""), request.GET.get("theme", "")
    return {
        "language": language if language in dict(settings.LANGUAGES) else "",
        "theme": theme if theme in THEMES else "",
    }


def new_secret() -> str:
    """Return a new secret for a frame's address. It opens a conversation for as long as a form carries a draft."""
    return signing.dumps(secrets.token_urlsafe(24), salt=SALT)


def _comes_from_elsewhere(request: HttpRequest) -> bool:
    """Whether the browser says that a page of another site sends this form. The frame's own forms come from here."""
    origin = parts_of(request.headers.get("Origin", "")).netloc
    here = {request.get_host(), urlsplit(settings.DESK_BASE_URL).netloc}
    sent_by = request.headers.get("Sec-Fetch-Site", "same-origin")
    has_origin = "Origin" in request.headers
    return sent_by != "same-origin" or (has_origin and origin not in here)
