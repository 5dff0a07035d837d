from django.http import HttpRequest
from django.urls import reverse_lazy
from django.utils.functional import SimpleLazyObject

from notifications.models import MailHold

CROSS_LINKS = {
    "portal": reverse_lazy("portal:home"),
    "profile": reverse_lazy("portal:profile"),
    "back_office": reverse_lazy("agents:queue"),
    "assistant": reverse_lazy("portal:assistant"),
    "widget": reverse_lazy("portal:widget"),
    "health": reverse_lazy("health"),
    "setup": reverse_lazy("setup"),
}


def faces(request: HttpRequest) -> dict[str, object]:
    """Return the URLs that link the portal and the back office. They are here because neither app may name the URLs of
    the other.

    `holds_mail` is whether this desk is a restored copy that holds its mail. It is read when a template asks.
    """
    return {"faces": CROSS_LINKS, "holds_mail": SimpleLazyObject(holds_mail)}


def holds_mail() -> bool:
    return MailHold.objects.exists()
