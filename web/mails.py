"""Show received mails: the text of an unproven sender without links, and pictures in their places."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext

from content.text import PICTURE_MARK, as_typed, render_markdown, without_picture_marks
from tickets.models import Attachment, IncomingEmail

from .downloads import IN_TEXT

_LINK = re.compile(
    r"\[([^\[\]\n]{0,300})\]\((\S{1,2000}?)\)|((?:https?://|www\.)[^\s<>\"')\]]{1,2000})", re.IGNORECASE
)
_HTTPS = re.compile(
    r"(https://[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,10}(?::\d{1,5})?)(?:[/?#]|$)", re.IGNORECASE
)


@dataclass(frozen=True)
class Part:
    """A stretch of text, or the host to which a link led."""

    text: str
    host: str = ""

    @property
    def label(self) -> str:
        return gettext("enlace oculto: %(host)s") % {"host": self.host}


def without_links(text: str) -> list[Part]:
    """Return the text of a mail in parts, with the host in place of each link, for readers who must not follow it."""
    parts: list[Part] = []
    text, place = as_typed(text), 0
    for found in _LINK.finditer(text):
        label, target, bare = found.groups()
        parts.append(Part(text[place : found.start()] + (label or "")))
        parts.append(Part("", _host(target or bare)))
        place = found.end()
    parts.append(Part(text[place:]))
    return [part for part in parts if part.text or part.host]


def _host(address: str) -> str:
    """Return the host of a link, or its beginning if it names none."""
    whole = address if "://" in address or address.startswith("mailto:") else f"//{address}"
    try:
        host = urlsplit(whole).hostname or ""
    except ValueError:
        host = ""
    return (host or address)[:100]


# --- Messages that came by mail ---------------------------------------------------------------------------


def pictures_in(text: str, files: Sequence[Attachment]) -> dict[str, Attachment]:
    """Return the files of a message that its text shows in their places, by uuid. A held file is not among them."""
    if "](archivo:" not in text:
        return {}
    shown = {str(file.uuid): file for file in files if file.is_image and not file.is_held}
    return {found[2]: shown[found[2]] for found in PICTURE_MARK.finditer(text) if found[2] in shown}


def body_with_pictures(text: str, pictures: Mapping[str, Attachment]) -> SafeString:
    """Return the text of a message as safe HTML, each of `pictures` in its place, and the name of any other picture.

    The text around the pictures is rendered piece by piece, so that no text can end up inside a picture's tag."""
    pieces, place = [], 0
    for found in PICTURE_MARK.finditer(text):
        if file := pictures.get(found[2]):
            pieces += [_rendered(text[place : found.start()]), _picture(file, found[1])]
            place = found.end()
    pieces.append(_rendered(text[place:]))
    return format_html_join("", "{}", ((piece,) for piece in pieces))


def _rendered(text: str) -> SafeString:
    return render_markdown(without_picture_marks(text).strip("\n")) if text.strip() else SafeString("")


def _picture(file: Attachment, name: str) -> SafeString:
    url = reverse("web:attachment", args=[file.uuid])
    return format_html(
        '<p><a href="{}"><img class="ml-img" src="{}?{}" alt="{}" loading="lazy"></a></p>',
        url,
        url,
        IN_TEXT,
        name or file.name,
    )


def refused_rows(mail: IncomingEmail | None) -> list[dict[str, Any]]:
    """Return what components/_file.html draws for the files of a mail that were refused, each with the reason."""
    return [
        {
            "name": str(each.get("name", "")),
            "icon_name": "slash-circle",
            "state": "refused",
            "note": gettext("No lo guardamos: %(reason)s") % {"reason": _reason_of(each)},
        }
        for each in (mail.detail("refused") or [] if mail else [])
    ]


def _reason_of(refused: dict[str, Any]) -> str:
    """Return why a file was refused, in the reader's language. Older mails have it in one."""
    reason = refused.get("reason", "")
    if not isinstance(reason, dict):
        return str(reason)
    language = (get_language() or settings.LANGUAGE_CODE)[:2]
    return str(reason.get(language) or next(iter(reason.values()), ""))


def remote_pictures(mail: IncomingEmail) -> list[str]:
    """Return the addresses of the pictures that a mail has elsewhere, of those that a browser may load: https only."""
    return [address for address in mail.detail("remote") or [] if _origin(address)]


def picture_sources(mail: IncomingEmail) -> list[str]:
    """Return the origins of `remote_pictures` for `img-src`, such as «https://img.example»."""
    return sorted({_origin(address) for address in remote_pictures(mail)})


def _origin(address: str) -> str:
    """Return the origin of an https address; empty for anything else, as it would break the policy."""
    found = _HTTPS.match(address)
    return found[1].lower() if found else ""
