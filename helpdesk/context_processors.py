from django.http import HttpRequest
from django.urls import reverse_lazy

FACES = {
    "portal": reverse_lazy("portal:home"),
    "profile": reverse_lazy("portal:profile"),
    "back_office": reverse_lazy("agents:queue"),
}


def faces(request: HttpRequest) -> dict[str, object]:
    """The ways from one face to another. Only the wiring knows both, so their own templates name neither."""
    return {"faces": FACES}
