from django.conf import settings
from django.http import HttpRequest
from django.utils.crypto import salted_hmac
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

FACES = {"lighthouse": "ma-lighthouse", "headset": "headset", "bubble": "chat-left-dots", "car": "car-front"}
"""The icon of each face that the assistant may have."""


def desk(request: HttpRequest) -> dict[str, object]:
    """Return for every template the help desk's name, contacts and assistant, whether it is the demo, the upload limit,
    and the mark of the person who reads the page."""
    return {
        "desk": {
            "name": settings.DESK_NAME,
            "support_email": settings.DESK_SUPPORT_EMAIL,
            "support_phone": settings.DESK_SUPPORT_PHONE,
            "support_whatsapp": settings.DESK_SUPPORT_WHATSAPP,
            "assistant": {
                "name": settings.DESK_ASSISTANT_NAME or _("Asistente"),
                "is_named": bool(settings.DESK_ASSISTANT_NAME),
                "face": FACES[settings.DESK_ASSISTANT_FACE],
            },
            "demo": settings.DESK_DEMO,
            "max_upload_mb": settings.DESK_MAX_UPLOAD_MB,
        },
        "person_mark": SimpleLazyObject(lambda: person_mark(request)),
    }


def person_mark(request: HttpRequest) -> str:
    """Return the mark by which a browser keeps the drafts of different people apart (js/lib/person.js).

    It is «-» for visitors who are not signed in, and empty on an error page that does not know. For a person it is a
    hash, because it stays in the browser after signing out.
    """
    user = getattr(request, "user", None)
    if user is None:
        return ""
    return salted_hmac("web.person_mark", str(user.pk)).hexdigest()[:16] if user.is_authenticated else "-"
