"""Handle the uploads of js/behaviours/upload.js, which sends one file at a time while a form is being filled in."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from content.files import RefusedFile
from tickets.actors import Actor
from tickets.attachments import keep_draft
from tickets.definitions.definition import FileLimits
from tickets.models import Attachment

from .files import refused_file_row

ROW = "components/_file.html"


def take_upload(
    request: HttpRequest,
    row_of: Callable[[Attachment], dict[str, Any]],
    *,
    draft_key: str,
    actor: Actor | None,
    limits: FileLimits,
    visitor: str = "",
) -> HttpResponse:
    """Store the request's `file` under `draft_key` and return its row as HTML, drawn with the values of `row_of`.

    Returns 400 if there is no file. For a refused file, returns 422 and a row with the reason.
    """
    file = request.FILES.get("file")
    if file is None:
        return HttpResponse(status=400)
    try:
        kept = keep_draft(
            file, name=file.name or "", draft_key=draft_key, actor=actor, limits=limits, visitor=visitor
        )
    except RefusedFile as problem:
        return render(request, ROW, refused_file_row(file, problem), status=422)
    return render(request, ROW, row_of(kept))
