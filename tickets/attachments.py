"""Receive files: inspect them on upload, keep them under a draft key, and attach them when the message is sent."""

import logging
from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from time import monotonic
from typing import IO
from uuid import UUID

from django.conf import settings
from django.core.files.base import ContentFile, File
from django.db import DatabaseError, models, transaction
from django.dispatch import Signal
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from content.errors import InvalidData
from content.files import FileRules, NotStored, RefusedFile, inspect, make_thumbnail, malware, reencode_image
from content.files.lost import LostUpload
from content.files.pictures import PicturesBusy
from content.files.streams import MB, size_of

from .actors import Actor, user_of
from .definitions.definition import FileLimits
from .enums import MessageKind
from .models import Attachment, Message, ReportDraft, Ticket
from .models.conversation import attachment_path
from .models.drafts import REPORT_FILES

logger = logging.getLogger(__name__)
THUMBNAIL_SIZE = (320, 320)
DRAFT_HOURS = 24
DRAWN_AT_ONCE = 20
STORE_FAILURES = 2
STORE_PATIENCE_SECONDS = 2.0
DRAWING_HOURS = 24
SCANNED_AT_ONCE = 20
SCAN_DAYS = 7
"""A file without a verdict is scanned again until this many days after its upload."""
NOTE_LIMITS = FileLimits(kinds=("image", "video", "document", "archive", "text"), max_files=5, max_mb=10)
"""The limits of internal notes. They hold the team's evidence, such as logs, which no process foresees."""

picture_kept = Signal()
"""Sent with `attachment=` when an image was stored. A worker makes its thumbnail, which is too slow for a request."""


def rules_for(limits: FileLimits) -> FileRules:
    """Return the limits of a process as `FileRules`, with the size capped at `DESK_MAX_UPLOAD_MB`."""
    largest = min(limits.max_mb, settings.DESK_MAX_UPLOAD_MB)
    return FileRules(kinds=limits.kinds, max_files=limits.max_files, max_bytes=largest * MB)


def limits_of(ticket: Ticket, kind: MessageKind) -> FileLimits:
    """Return the limits of the files of a message of this kind: the process's own, or `NOTE_LIMITS` for notes (T4)."""
    return NOTE_LIMITS if kind == MessageKind.NOTE else ticket.definition.files


def widest_limits(ticket: Ticket) -> FileLimits:
    """Return the limits of uploads of staff, who choose the kind of message later. `attach_drafts` checks it then."""
    own = ticket.definition.files
    return FileLimits(
        kinds=tuple(dict.fromkeys([*own.kinds, *NOTE_LIMITS.kinds])),
        max_files=max(own.max_files, NOTE_LIMITS.max_files),
        max_mb=max(own.max_mb, NOTE_LIMITS.max_mb),
    )


def keep_draft(
    file: "IO[bytes] | File[bytes]",
    *,
    name: str,
    draft_key: str,
    actor: Actor | None,
    limits: FileLimits,
    visitor: str = "",
) -> Attachment:
    """Inspect a file and save it as an unsent attachment under `draft_key`. Raises `RefusedFile` with the reason:
    `NotStored` if the desk cannot keep any file now.

    Images are re-encoded without metadata. Call it outside a transaction: inspecting, scanning and re-encoding take
    time, and the row must be there before the file (`_store`). `visitor` identifies the client of somebody without an
    account, because the total size of each person's unsent files is limited (B34).
    """
    try:
        return _keep(file, name=name, draft_key=draft_key, actor=actor, limits=limits, visitor=visitor)
    except OSError as error:
        logger.error("a file cannot be stored: %s: %s", type(error).__name__, error)  # noqa: TRY400  (no bug of ours)
        raise NotStored from error


def _keep(
    file: "IO[bytes] | File[bytes]",
    *,
    name: str,
    draft_key: str,
    actor: Actor | None,
    limits: FileLimits,
    visitor: str,
) -> Attachment:
    """Do what `keep_draft` does. Raises `OSError` if a disk or the store fails."""
    if isinstance(file, LostUpload):
        raise NotStored
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
        with reencode_image(file, max_pixels=settings.DESK_MAX_IMAGE_PIXELS) as picture:
            attachment.size = size_of(picture)
            _store(attachment, File(picture))
    else:
        _store(attachment, File(file))
    if attachment.is_image:
        picture_kept.send(sender=Attachment, attachment=attachment)
    return attachment


def _store(attachment: Attachment, content: "File[bytes]") -> None:
    """Save the row without a file, write the file, then name it in the row.

    In this order every file in the store has a row from its first byte on, so `stored_files` can tell a file that
    nobody needs from one that is being written, however long the writer was held up. Until the row names its file,
    every page ignores it; if this process is killed, `discard_old_drafts` deletes it a day later.

    Raises `OSError` if the file could not be written; then neither row nor file stays.
    """
    attachment.save()
    unnamed = Attachment.objects.filter(pk=attachment.pk, file="")
    try:
        attachment.file.save(attachment.name, content, save=False)
    except BaseException:
        with suppress(DatabaseError):
            unnamed.delete()
        raise
    if not unnamed.update(file=attachment.file.name):
        attachment.file.delete(save=False)
        raise FileNotFoundError(f"attachment {attachment.uuid} was deleted while its file was written")


def keep_drafts(
    files: "Iterable[File[bytes]]",
    *,
    draft_key: str,
    actor: Actor | None,
    limits: FileLimits,
    visitor: str = "",
) -> list[str]:
    """Call `keep_draft` for each file and go on after one that is refused. Returns a message for each refused file.

    Inspecting a file may take seconds, so no more files are inspected than a message may have. A store that does not
    answer is waited for once, not for each file.
    """
    problems: list[str] = []
    limit = rules_for(limits).max_files
    given_up: NotStored | None = None
    for number, file in enumerate(files, start=1):
        name = file.name or ""
        if number > limit:
            problems.append(f"{name}: {too_many(limit)}")
            continue
        if given_up:
            problems.append(f"{name}: {given_up}")
            continue
        started = monotonic()
        try:
            keep_draft(file, name=name, draft_key=draft_key, actor=actor, limits=limits, visitor=visitor)
        except RefusedFile as problem:
            problems.append(f"{name}: {problem}")
            if isinstance(problem, NotStored) and monotonic() - started > STORE_PATIENCE_SECONDS:
                given_up = problem
    return problems


def attach_drafts(ticket: Ticket, draft_key: str, *, actor: Actor, message: Message) -> int:
    """Attach the unsent files under `draft_key` to `message`. Returns how many. Called by the verb that writes it.

    Files uploaded by another user are left out, even if the key is right. `limits_of` the message are checked again
    here, because its process or its kind may have been chosen after the upload. Raises `InvalidData`.
    """
    if not draft_key:
        return 0
    limits = limits_of(ticket, MessageKind(message.kind))
    drafts = list(Attachment.objects.drafts(draft_key).filter(uploader=user_of(actor)))
    if not drafts:
        return 0
    if problems := _unfit(drafts, rules_for(limits)):
        raise InvalidData({"files": problems})
    waiting = Attachment.objects.drafts(draft_key).filter(pk__in=[file.pk for file in drafts])
    joined: int = waiting.update(ticket=ticket, message=message, draft_key="", draft_owner="")
    return joined


def _unfit(files: list[Attachment], rules: FileRules) -> list[str]:
    """Return a message for each file that breaks `rules`, or a single one if there are too many files.

    The size of images is not checked again: it was checked before re-encoding, which can make them larger.
    """
    if len(files) > rules.max_files:
        return [too_many(rules.max_files)]
    return [
        _("«%(name)s» no se puede adjuntar aquí. %(limits)s.") % {"name": file.name, "limits": rules}
        for file in files
        if file.kind not in rules.kinds or (not file.is_image and file.size > rules.max_bytes)
    ]


def discard_draft(draft_key: str, uuid: str, *, actor: Actor | None) -> None:
    """Delete one unsent file that the actor uploaded. An unknown or malformed uuid is ignored."""
    try:
        UUID(uuid)
    except ValueError:
        return
    drafts = Attachment.objects.drafts(draft_key).filter(uploader=user_of(actor) if actor else None)
    _discard(drafts.filter(uuid=uuid))


def adopt_drafts(draft_key: str, *, user: User) -> None:
    """Make `user` the uploader of the files that were uploaded under `draft_key` before signing in.

    `draft_key` must come from the session or another place that the browser cannot write: it decides whose files these
    are.
    """
    mine = Attachment.objects.drafts(draft_key).filter(uploader=None)
    mine.update(uploader=user, draft_owner=_owner(user, ""))


def discard_old_drafts() -> int:
    """Delete files that were uploaded more than `DRAFT_HOURS` ago and never sent, unless they belong to a report that
    somebody is writing: they are kept as long as its text. Returns how many. Rows whose file was never written are
    deleted in any case."""
    before = timezone.now() - timedelta(hours=DRAFT_HOURS)
    old = Attachment.objects.filter(ticket__isnull=True, created_at__lt=before)
    of_reports = old.filter(draft_key__startswith=REPORT_FILES).values_list("draft_key", flat=True)
    keys = [UUID(key.removeprefix(REPORT_FILES)) for key in set(of_reports.iterator())]
    written = ReportDraft.objects.filter(key__in=keys, folio="", discarded_at=None)
    kept = [report.files_key for report in written.only("key")]
    return _discard(old.filter(models.Q(file="") | ~models.Q(draft_key__in=kept)))


def _discard(drafts: "models.QuerySet[Attachment]") -> int:
    """Delete each attachment of `drafts` that is still unsent, row first and then file, until the store fails. Returns
    how many.

    The row is deleted through the same query, so that a file that is being sent right now keeps its row and content.
    """
    count = 0
    for attachment in list(drafts):
        if not drafts.filter(pk=attachment.pk).delete()[0]:
            continue
        count += 1
        if not _delete_content(attachment):
            break  # the other rows stay for the next time: every file of an absent store would be waited for
    return count


def delete_files_on_commit(files: Iterable[Attachment]) -> None:
    """Delete the content of files whose rows this transaction deletes, after it commits."""
    for attachment in files:
        transaction.on_commit(partial(_delete_content, attachment))


def _delete_content(attachment: Attachment) -> bool:
    """Delete the files of a row that has been deleted. Returns False if the store fails: nobody can reach them without
    the row, and `stored_files.sweep` deletes them later."""
    # A row whose file was never named in it may have one: the process was killed between the two.
    attachment.file.name = attachment.file.name or attachment_path(attachment, "")
    try:
        attachment.file.delete(save=False)
        if attachment.thumbnail:
            attachment.thumbnail.delete(save=False)
    except OSError as error:
        logger.warning("the file of discarded attachment %s stays in the store: %s", attachment.uuid, error)
        return False
    return True


def draw_thumbnail(attachment: Attachment) -> None:
    """Make and save the thumbnail of an image; takes seconds, so a worker calls it. An image that cannot be decoded
    gets none. Does nothing for other files, held files and images that have one. Raises `PicturesBusy`, and `OSError`
    if a disk or the store fails.

    A process that is killed before the row names the thumbnail leaves a file, which `stored_files.sweep` makes the
    thumbnail or deletes.
    """
    if not attachment.is_image or attachment.thumbnail or attachment.is_held:
        return
    with attachment.file.open("rb") as original:
        try:
            small = make_thumbnail(original, THUMBNAIL_SIZE, max_pixels=settings.DESK_MAX_IMAGE_PIXELS)
        except PicturesBusy:
            raise
        except RefusedFile:
            logger.warning("no thumbnail for attachment %s", attachment.pk)
            return
    attachment.thumbnail.save("thumbnail.webp", ContentFile(small), save=False)
    name = attachment.thumbnail.name
    mine = Attachment.objects.filter(pk=attachment.pk)
    # Otherwise another worker was faster, or the attachment was deleted. The row may name this very file already, if
    # the sweep came between.
    if not mine.filter(thumbnail="").update(thumbnail=name) and not mine.filter(thumbnail=name).exists():
        attachment.thumbnail.delete(save=False)


def draw_missing_thumbnails(limit: int = DRAWN_AT_ONCE) -> None:
    """Draw up to `limit` thumbnails, of the newest images first. An image that has waited for `DRAWING_HOURS` stays
    without one. If drawing one fails, the others are still drawn. If other workers are drawing, or a disk or the store
    fails twice, it leaves the rest to the next run."""
    failures = 0
    since = timezone.now() - timedelta(hours=DRAWING_HOURS)
    images = Attachment.objects.stored().filter(kind="image", thumbnail="", scan=Attachment.Scan.CLEAN)
    newest = images.filter(created_at__gte=since).order_by("-pk")[:limit]
    for pk in list(newest.values_list("pk", flat=True)):
        attachment = images.filter(pk=pk).first()  # read again: another worker may have drawn it meanwhile
        if attachment is None:
            continue
        try:
            draw_thumbnail(attachment)
        except PicturesBusy:
            return
        except FileNotFoundError as error:
            logger.warning("no thumbnail of attachment %s: %s", attachment.pk, error)
        except OSError as error:
            logger.error("no thumbnail of attachment %s for now: %s", attachment.pk, error)  # noqa: TRY400
            failures += 1
            if failures == STORE_FAILURES:
                return
        except Exception:  # one picture must not stop the others
            logger.exception("no thumbnail of attachment %s", attachment.pk)


def scan_held(limit: int = SCANNED_AT_ONCE) -> int:
    """Scan up to `limit` held files that have no verdict yet, and save the verdict. Returns how many got one.

    Files have no verdict if the scanner was unavailable when they were uploaded. Stops as soon as it, or the store, is
    unavailable.
    """
    judged = 0
    since = timezone.now() - timedelta(days=SCAN_DAYS)
    held = Attachment.objects.stored().filter(scan=Attachment.Scan.PENDING, created_at__gte=since)
    # In random order, so that a file on which the scanner fails each time does not block the others.
    for attachment in held.order_by("?")[:limit]:
        try:
            with attachment.file.open("rb") as file:
                verdict = malware.scan(file)
        except FileNotFoundError as error:
            logger.warning("attachment %s cannot be scanned: %s", attachment.pk, error)
            continue
        except OSError as error:
            logger.error("attachment %s cannot be scanned: %s", attachment.pk, error)  # noqa: TRY400
            break
        if verdict == malware.Verdict.UNAVAILABLE:
            break
        outcome = Attachment.Scan.CLEAN if verdict == malware.Verdict.CLEAN else Attachment.Scan.INFECTED
        judged += held.filter(pk=attachment.pk).update(scan=outcome)
    return judged


def _owner(actor: Actor | None, visitor: str) -> str:
    """Return the hash that stands for the uploader, a user or a visitor; empty if neither is known."""
    user = user_of(actor) if actor else None
    who = f"user {user.pk}" if user else f"visitor {visitor}" if visitor else ""
    return salted_hmac("tickets.draft_owner", who, algorithm="sha256").hexdigest() if who else ""


def _require_room(owner: str, size: int) -> None:
    """Raise `RefusedFile` if the owner's unsent files and `size` more bytes exceed `DESK_MAX_UNSENT_MB`.

    Takes no lock: two simultaneous uploads may together exceed the limit a little, which does no harm.
    """
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
    """Return the sentence that says how many files can be attached."""
    return ngettext(
        "Puedes adjuntar hasta %(limit)d archivo.", "Puedes adjuntar hasta %(limit)d archivos.", limit
    ) % {"limit": limit}


def _scan(file: "IO[bytes] | File[bytes]") -> str:
    """Scan a new file. Returns `PENDING` if the scanner gives no verdict, else `CLEAN`; raises `RefusedFile` for
    malware."""
    file.seek(0)
    match malware.scan(file):
        case malware.Verdict.INFECTED:
            raise RefusedFile(_("El antivirus detuvo este archivo. Adjunta otro."))
        case malware.Verdict.UNAVAILABLE:
            return Attachment.Scan.PENDING
    return Attachment.Scan.CLEAN
