"""Views that serve the files of a ticket to everybody who may see the message, and those of an article to its readers.

The content type served is the one that inspection found, never the one that the uploader declared (B2, B3). Files of
the `INLINE` types may open in the browser, sandboxed; all other files are downloads.
"""

import logging
import uuid

from django.conf import settings
from django.db.models.fields.files import FieldFile
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from accounts.models import User
from content.stores import Store
from knowledge.models import Article, ArticleFile
from tickets import policies
from tickets.models import Attachment
from tickets.requesters import guests

from .grants import granted
from .ranges import partial

logger = logging.getLogger(__name__)
RETRY_SECONDS = 60
INLINE = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "video/mp4", "video/webm"})
POLICY = "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox"
THUMBNAIL_TYPE = "image/webp"
IN_TEXT = "en-texto"


@require_safe
def attachment(request: HttpRequest, file: uuid.UUID) -> HttpResponseBase:
    """Serve a file of a ticket to those who may see its message. With `?en-texto`, a picture that stands in the text of
    a page."""
    found = _visible(request, file)
    if found.is_held:
        return render(request, "web/held.html", {"attachment": found}, status=403)
    in_page = found.is_image and IN_TEXT in request.GET
    return _serve(request, found.file, found, content_type=found.content_type, in_page=in_page)


@require_safe
def attachment_thumbnail(request: HttpRequest, file: uuid.UUID) -> HttpResponseBase:
    found = _visible(request, file)
    if found.is_held or not found.thumbnail:
        raise Http404
    return _serve(request, found.thumbnail, found, content_type=THUMBNAIL_TYPE, in_page=True)


@require_safe
def article_file(request: HttpRequest, file: uuid.UUID) -> HttpResponseBase:
    """Serve a file of an article to those who may read the article; others get 404."""
    found = ArticleFile.objects.filter(uuid=file).exclude(file="").first()
    if found is None or not Article.objects.visible_to(request.user).filter(pk=found.article_id).exists():
        raise Http404
    if found.is_held:
        return render(request, "web/held.html", {"attachment": found}, status=403)
    return _serve(request, found.file, found, content_type=found.content_type, in_page=found.is_image)


def _visible(request: HttpRequest, file: uuid.UUID) -> Attachment:
    """Return the attachment with this uuid. Raises Http404 both when it does not exist and when the visitor may not
    see it, so that a stranger cannot tell the two apart (B6)."""
    related = Attachment.objects.select_related("ticket", "message")
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
    request: HttpRequest,
    stored: FieldFile,
    attachment: Attachment | ArticleFile,
    *,
    content_type: str,
    in_page: bool = False,
) -> HttpResponseBase:
    """Return the response with the file: by a redirect to the object store if browsers can reach it, from the front
    server (X-Accel-Redirect) if files are on this disk and there is one, else streamed by this process, with support
    for Range. Pictures that stand in our pages (`in_page`) never come from the object store: the policy of the pages
    allows no other host."""
    inline = in_page or content_type in INLINE
    disposition = content_disposition_header(not inline, attachment.name) or "attachment"
    store: Store = stored.storage  # type: ignore[assignment]
    name = str(stored.name)
    if not in_page:
        signed = {"content_type": content_type, "disposition": disposition}
        if address := store.public_url(name, method=str(request.method), **signed):
            return redirect(address)
    response: HttpResponseBase
    try:
        size = stored.size
        if store.is_local and settings.DESK_ACCEL_PREFIX:
            sent_by = {"X-Accel-Redirect": f"{settings.DESK_ACCEL_PREFIX}{name}"}
            response = HttpResponse(content_type=content_type, headers=sent_by)
        else:
            response = partial(
                lambda start, length: store.part(name, start, length),
                size=size,
                header=request.headers.get("Range", ""),
                content_type=content_type,
                is_head=request.method == "HEAD",
            )
            # GZipMiddleware must not compress this: the byte range would no longer be the one asked for.
            response["Content-Encoding"] = "identity"
    except OSError as problem:
        return _not_given(request, attachment, problem)
    response["Content-Disposition"] = disposition
    response["Content-Security-Policy"] = POLICY
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, max-age=3600"
    return response


def _not_given(request: HttpRequest, attachment: Attachment | ArticleFile, problem: OSError) -> HttpResponse:
    """Answer 404 for a file that the store has lost, 503 while the store does not work."""
    logger.error("attachment %s cannot be read: %s", attachment.uuid, problem)
    is_lost = isinstance(problem, FileNotFoundError)
    context = {"attachment": attachment, "is_lost": is_lost}
    response = render(request, "web/not_given.html", context, status=404 if is_lost else 503)
    response["Cache-Control"] = "no-store"
    if not is_lost:
        response["Retry-After"] = str(RETRY_SECONDS)
    return response
