"""Views that serve the files of a ticket to everybody who may see the message: requesters, guests and staff.

The content type served is the one that inspection found, never the one that the uploader declared (B2, B3). Files of
the `INLINE` types may open in the browser, sandboxed; all other files are downloads.
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
    """Return the attachment with this uuid. Raises Http404 both when it does not exist and when the visitor may not
    see it, so that a stranger cannot tell the two apart (B6)."""
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
    token = guests.find_readable(tokens, folio=folio, purposes=policies.READING_PURPOSES) if tokens else None
    return token is not None and policies.can_download(guests.guest_of(token), attachment)


def _serve(
    request: HttpRequest, stored: FieldFile, attachment: Attachment, *, content_type: str, inline: bool
) -> HttpResponseBase:
    """Return the response with the file: from the front server (X-Accel-Redirect) or by a redirect to the object store
    if there is one, else from this process, with support for Range. Thumbnails in the object store also come from this
    process."""
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
        # GZipMiddleware must not compress this: the byte range would no longer be the one asked for.
        response["Content-Encoding"] = "identity"
    response["Content-Disposition"] = disposition
    response["Content-Security-Policy"] = POLICY
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, max-age=3600"
    return response


def _signed(stored: FieldFile, content_type: str, disposition: str) -> str:
    """Return a short-lived URL at the object store that answers with our content type and file name."""
    storage: Any = stored.storage
    parameters = {"ResponseContentType": content_type, "ResponseContentDisposition": disposition}
    url: str = storage.url(stored.name, parameters=parameters)
    return url
