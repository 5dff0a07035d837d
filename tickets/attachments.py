"""Files on their way into a ticket: inspected on arrival, kept under a draft key, joined to a message when sent."""

import logging
from collections.abc import Iterable
from datetime import timedelta
from typing import IO
from uuid import UUID

from django.conf import settings
from django.core.files.base import ContentFile, File
from django.db import models
from django.dispatch import Signal
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from content.errors import InvalidData
from content.files import FileRules, RefusedFile, inspect, make_thumbnail, malware, reencode_image
from content.files.streams import MB

from .actors import Actor, user_of
from .definitions.definition import FileLimits
from .enums import MessageKind
from .models import Attachment, Message, Ticket

logger = logging.getLogger(__name__)
THUMBNAIL_SIZE = (320, 320)
DRAFT_HOURS = 24
SCANNED_AT_ONCE = 20
SCAN_DAYS = 7
"""How long a file without a verdict is asked about."""
REPLY_LIMITS = FileLimits(kinds=("image", "video", "document", "archive", "text"), max_files=5, max_mb=10)

picture_kept = Signal()
"""Sent when an image was stored, with `attachment=`: its thumbnail can be drawn, which takes too long for a request."""


def rules_for(limits: FileLimits) -> FileRules:
    """A process's limits, never above the desk's own."""
    largest = min(limits.max_mb, settings.DESK_MAX_UPLOAD_MB)
    return FileRules(kinds=limits.kinds, max_files=limits.max_files, max_bytes=largest * MB)


def keep_draft(
    file: "IO[bytes] | File[bytes]",
    *,
    name: str,
    draft_key: str,
    actor: Actor | None,
    limits: FileLimits,
    visitor: str = "",
) -> Attachment:
    """Inspect a file and keep it until what it belongs to is sent. Raises `RefusedFile` with the reason.

    Images are written anew, without metadata. No transaction is held while the bytes are looked at. `visitor` is where
    somebody without an account comes from: what each person has not sent yet is bounded (B34).
    """
    rules = rules_for(limits)
    if Attachment.objects.drafts(draft_key).count() >= rules.max_files:
        raise RefusedFile(too_many(rules.max_files))
    found = inspect(file, name=name, rules=rules, max_pixels=settings.DESK_MAX_IMAGE_PIXELS)
    owner = _owner(actor, visitor)
    _require_room(owner, found.size)
    attachment = Attachment(
        draft_key=draft_key,
        draft_owner=owner,
        uploader=user_of(actor) if actor else None,
        name=found.name,
        kind=found.kind,
        content_type=found.content_type,
        size=found.size,
        sha256=found.sha256,
        scan=_scan(file),
    )
    file.seek(0)
    if found.kind == "image":
        content = reencode_image(file)
        attachment.size = len(content)
        attachment.file.save(found.name, ContentFile(content), save=False)
    else:
        attachment.file.save(found.name, File(file), save=False)
    attachment.save()
    if attachment.is_image:
        picture_kept.send(sender=Attachment, attachment=attachment)
    return attachment


def keep_drafts(
    files: "Iterable[File[bytes]]",
    *,
    draft_key: str,
    actor: Actor | None,
    limits: FileLimits,
    visitor: str = "",
) -> list[str]:
    """Keep every file that may come in; the reasons for those that may not. One that is refused stops no other."""
    problems = []
    for file in files:
        name = file.name or ""
        try:
            keep_draft(file, name=name, draft_key=draft_key, actor=actor, limits=limits, visitor=visitor)
        except RefusedFile as problem:
            problems.append(f"{name}: {problem}")
    return problems


def attach_drafts(ticket: Ticket, draft_key: str, *, actor: Actor, message: Message) -> int:
    """Join the files waiting under `draft_key` to `message`; inside the verb that writes it. Returns how many.

    Files that somebody else's session uploaded never come along, whatever the key. A report keeps to its process's
    limits, whatever was chosen when the files came, and every other message to `REPLY_LIMITS`. Raises `InvalidData`.
    """
    if not draft_key:
        return 0
    limits = ticket.definition.files if message.kind == MessageKind.REPORT else REPLY_LIMITS
    drafts = list(Attachment.objects.drafts(draft_key).filter(uploader=user_of(actor)))
    if problems := _unfit(drafts, rules_for(limits)):
        raise InvalidData({"files": problems})
    waiting = Attachment.objects.drafts(draft_key).filter(pk__in=[file.pk for file in drafts])
    joined: int = waiting.update(ticket=ticket, message=message, draft_key="", draft_owner="")
    return joined


def _unfit(files: list[Attachment], rules: FileRules) -> list[str]:
    """Images were weighed as they came; written anew they may weigh more."""
    if len(files) > rules.max_files:
        return [too_many(rules.max_files)]
    return [
        _("«%(name)s» no se puede adjuntar aquí. %(limits)s.") % {"name": file.name, "limits": rules}
        for file in files
        if file.kind not in rules.kinds or (not file.is_image and file.size > rules.max_bytes)
    ]


def discard_draft(draft_key: str, uuid: str, *, actor: Actor | None) -> None:
    """The person removed a file before sending. What no file is called removes none."""
    try:
        UUID(uuid)
    except ValueError:
        return
    drafts = Attachment.objects.drafts(draft_key).filter(uploader=user_of(actor) if actor else None)
    _discard(drafts.filter(uuid=uuid))


def adopt_drafts(draft_key: str, *, user: User) -> None:
    """What somebody uploaded before signing in is theirs. `draft_key` must come from where only this desk writes."""
    mine = Attachment.objects.drafts(draft_key).filter(uploader=None)
    mine.update(uploader=user, draft_owner=_owner(user, ""))


def discard_old_drafts() -> int:
    """Files that were never sent. Returns how many went."""
    before = timezone.now() - timedelta(hours=DRAFT_HOURS)
    return _discard(Attachment.objects.filter(ticket__isnull=True, created_at__lt=before))


def _discard(drafts: "models.QuerySet[Attachment]") -> int:
    """The row goes first, if it still is a draft: what is sent at this very moment keeps its file."""
    count = 0
    for attachment in list(drafts):
        if not drafts.filter(pk=attachment.pk).delete()[0]:
            continue
        count += 1
        try:
            attachment.file.delete(save=False)
            if attachment.thumbnail:
                attachment.thumbnail.delete(save=False)
        except (
            Exception
        ):  # whatever a store raises: nobody can reach the file any more, and others have their turn
            logger.exception("the file of discarded attachment %s stays in the store", attachment.uuid)
    return count


def draw_thumbnail(attachment: Attachment) -> None:
    """A small picture for lists; a worker's job. An image that cannot be drawn stays without one."""
    if not attachment.is_image or attachment.thumbnail or attachment.is_held:
        return
    with attachment.file.open("rb") as original:
        try:
            small = make_thumbnail(original, THUMBNAIL_SIZE)
        except RefusedFile:
            logger.warning("no thumbnail for attachment %s", attachment.pk)
            return
    attachment.thumbnail.save("thumbnail.webp", ContentFile(small), save=False)
    mine = Attachment.objects.filter(pk=attachment.pk, thumbnail="")
    if not mine.update(
        thumbnail=attachment.thumbnail.name
    ):  # another worker was faster, or the file was taken back
        attachment.thumbnail.delete(save=False)


def without_thumbnail() -> "models.QuerySet[Attachment]":
    return Attachment.objects.filter(kind="image", thumbnail="", scan=Attachment.Scan.CLEAN)


def scan_held(limit: int = SCANNED_AT_ONCE) -> int:
    """Ask again about files that came while the scanner could not be asked: its verdict lets them out or keeps them in.
    Returns how many were judged."""
    judged = 0
    since = timezone.now() - timedelta(days=SCAN_DAYS)
    held = Attachment.objects.filter(scan=Attachment.Scan.PENDING, created_at__gte=since)
    # In no order: one that is too much for the scanner, time after time, must not keep the others from their turn.
    for attachment in held.order_by("?")[:limit]:
        try:
            with attachment.file.open("rb") as file:
                verdict = malware.scan(file)
        except Exception:
            logger.exception("attachment %s cannot be scanned", attachment.pk)
            continue
        if verdict == malware.Verdict.UNAVAILABLE:
            break
        outcome = Attachment.Scan.CLEAN if verdict == malware.Verdict.CLEAN else Attachment.Scan.INFECTED
        judged += held.filter(pk=attachment.pk).update(scan=outcome)
    return judged


def _owner(actor: Actor | None, visitor: str) -> str:
    user = user_of(actor) if actor else None
    who = f"user {user.pk}" if user else f"visitor {visitor}" if visitor else ""
    return salted_hmac("tickets.draft_owner", who, algorithm="sha256").hexdigest() if who else ""


def _require_room(owner: str, size: int) -> None:
    """Two uploads at the same moment may each find room for themselves: the bound is against piling up."""
    if not owner:
        return
    unsent = Attachment.objects.filter(draft_owner=owner, ticket__isnull=True)
    total = unsent.aggregate(total=models.Sum("size"))["total"] or 0
    if total + size > settings.DESK_MAX_UNSENT_MB * MB:
        raise RefusedFile(
            _(
                "Tienes muchos archivos sin enviar: juntos pueden ocupar hasta %(limit)s MB. Envía o quita algunos."
            )
            % {"limit": settings.DESK_MAX_UNSENT_MB},
            code="too_much_unsent",
        )


def too_many(limit: int) -> str:
    return ngettext(
        "Puedes adjuntar hasta %(limit)d archivo.", "Puedes adjuntar hasta %(limit)d archivos.", limit
    ) % {"limit": limit}


def _scan(file: "IO[bytes] | File[bytes]") -> str:
    """Hold what the scanner could not clear, refuse what it caught."""
    file.seek(0)
    match malware.scan(file):
        case malware.Verdict.INFECTED:
            raise RefusedFile(_("El antivirus detuvo este archivo. Adjunta otro."))
        case malware.Verdict.UNAVAILABLE:
            return Attachment.Scan.PENDING
    return Attachment.Scan.CLEAN
