from django.http import HttpRequest
from django.urls import reverse_lazy

FACES = {
    "portal": reverse_lazy("portal:home"),
    "profile": reverse_lazy("portal:profile"),
    "back_office": reverse_lazy("agents:queue"),
}


def faces(request: HttpRequest) -> dict[str, object]:
    """Return the URLs that lead from one face to another. They are here because a face must not name another face."""
    return {"faces": FACES}
