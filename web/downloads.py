"""Files of a ticket, for whoever may see the message they came with: customers, guests and the desk alike.

The type that is served is the one that inspection found, never the name's or the uploader's (B2, B3). Pictures and
videos may open in the browser, sandboxed; everything else is a download.
"""

import uuid
from typing import Any

from django.conf import settings
from django.core.files.storage import FileSystemStorage
from django.db.models.fields.files import FieldFile
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from accounts.models import User
from tickets import policies
from tickets.models import Attachment
from tickets.requesters import guests

from .grants import granted
from .ranges import partial

INLINE = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "video/mp4", "video/webm"})
POLICY = "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox"
THUMBNAIL_TYPE = "image/webp"


@require_safe
def attachment(request: HttpRequest, file: uuid.UUID) -> HttpResponseBase:
    found = _visible(request, file)
    if found.is_held:
        return render(request, "web/held.html", {"attachment": found}, status=403)
    is_inline = found.content_type in INLINE
    return _serve(request, found.file, found, content_type=found.content_type, inline=is_inline)


@require_safe
def attachment_thumbnail(request: HttpRequest, file: uuid.UUID) -> HttpResponseBase:
    found = _visible(request, file)
    if found.is_held or not found.thumbnail:
        raise Http404
    return _serve(request, found.thumbnail, found, content_type=THUMBNAIL_TYPE, inline=True)


def _visible(request: HttpRequest, file: uuid.UUID) -> Attachment:
    """The file, if this browser may have it; a stranger learns nothing from asking (B6)."""
    related = Attachment.objects.select_related("ticket__process_version", "message")
    found = related.filter(uuid=file, ticket__isnull=False).first()
    if found is None or not _may_see(request, found):
        raise Http404
    return found


def _may_see(request: HttpRequest, attachment: Attachment) -> bool:
    if isinstance(request.user, User) and policies.can_download(request.user, attachment):
        return True
    tokens = granted(request)
    folio = attachment.ticket.folio if attachment.ticket else ""
    token = guests.still_valid(tokens, folio=folio, purposes=policies.READING_PURPOSES) if tokens else None
    return token is not None and policies.can_download(guests.actor_of(token), attachment)


def _serve(
    request: HttpRequest, stored: FieldFile, attachment: Attachment, *, content_type: str, inline: bool
) -> HttpResponseBase:
    """Through the front server or the object store where there is one; else from here, in parts if asked."""
    disposition = content_disposition_header(not inline, attachment.name) or "attachment"
    prefix = settings.DESK_ACCEL_PREFIX
    is_local = isinstance(stored.storage, FileSystemStorage)
    response: HttpResponseBase
    if is_local and prefix:
        response = HttpResponse(
            content_type=content_type, headers={"X-Accel-Redirect": f"{prefix}{stored.name}"}
        )
    elif not is_local and stored.name != attachment.thumbnail.name:
        return redirect(_signed(stored, content_type, disposition))
    else:
        response = partial(
            stored.open("rb"),
            size=stored.size,
            header=request.headers.get("Range", ""),
            content_type=content_type,
        )
        # Bytes as they are: squeezed once more, parts would not be what the player asked for (GZipMiddleware).
        response["Content-Encoding"] = "identity"
    response["Content-Disposition"] = disposition
    response["Content-Security-Policy"] = POLICY
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, max-age=3600"
    return response


def _signed(stored: FieldFile, content_type: str, disposition: str) -> str:
    """A short-lived address at the object store, which answers with our type and name, not with its own."""
    storage: Any = stored.storage
    parameters = {"ResponseContentType": content_type, "ResponseContentDisposition": disposition}
    url: str = storage.url(stored.name, parameters=parameters)
    return url
