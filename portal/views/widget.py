"""The script that other sites load to show the assistant (S0.6)."""

import hashlib
import json
from functools import cache
from typing import Any
from xml.etree import ElementTree as ET

from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.http import condition, require_safe

from web.context_processors import FACES

SECONDS = 3600
"""How long browsers keep the script. Its address stays the same, so a new one is there an hour later at most."""


@cache
def script() -> bytes:
    """Return the built script with the desk's settings around it: where the frame begins, the face and the texts."""
    texts = {}
    for language, _name in settings.LANGUAGES:
        with override(language):
            texts[language] = {
                "help": _("¿Necesitas ayuda?"),
                "name": settings.DESK_ASSISTANT_NAME or _("Asistente"),
            }
    given = {
        "start": reverse("portal:frame_start"),
        "language": settings.DESK_DEFAULT_LANGUAGE,
        "texts": texts,
        "face": _symbol(FACES[settings.DESK_ASSISTANT_FACE]),
    }
    built = _static("dist/widget.js").decode()
    return f"(()=>{{const DESK_WIDGET={json.dumps(given, ensure_ascii=False)};{built}}})();".encode()


def _static(name: str) -> bytes:
    found = finders.find(name)
    if found:
        with open(found, "rb") as file:
            return file.read()
    with staticfiles_storage.open(name) as file:
        return bytes(file.read())


def _symbol(name: str) -> dict[str, Any]:
    """Return a symbol of the sprite as the script draws it: other sites cannot use the sprite itself."""
    symbol = name if name.startswith("ma-") else f"bi-{name}"
    root = ET.fromstring(_static("icons.svg"))  # noqa: S314  (our own file)
    found = next(each for each in root.iter() if each.get("id") == symbol)
    shapes = [(shape.tag.rpartition("}")[2], shape.attrib) for shape in found]
    return {"box": found.get("viewBox"), "shapes": shapes}


def _etag(request: HttpRequest) -> str:
    return f'"{hashlib.sha256(script()).hexdigest()[:32]}"'


@require_safe
@condition(etag_func=_etag)
def widget_script(request: HttpRequest) -> HttpResponse:
    """Return the script. Any site may load it; only those in `DESK_WIDGET_ORIGINS` may show what it opens."""
    if not settings.DESK_WIDGET_ORIGINS:
        raise Http404
    response = HttpResponse(script(), content_type="text/javascript; charset=utf-8")
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    patch_cache_control(response, public=True, max_age=SECONDS)
    return response
