from django.http import HttpRequest
from django.urls import reverse_lazy

CROSS_LINKS = {
    "portal": reverse_lazy("portal:home"),
    "profile": reverse_lazy("portal:profile"),
    "back_office": reverse_lazy("agents:queue"),
}


def faces(request: HttpRequest) -> dict[str, object]:
    """Return the URLs that link the portal and the back office. They are here because neither app may name the URLs of
    the other."""
    return {"faces": CROSS_LINKS}
