"""Keep pictures and other files of an article, inspected like every upload."""

import logging
from contextlib import suppress
from datetime import timedelta
from typing import IO

from django.conf import settings
from django.core.files.base import File
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _

from accounts.models import User
from content.files import FileRules, NotStored, RefusedFile, inspect, malware, reencode_image
from content.files.formats import HEAD_BYTES, sniff
from content.files.images import DamagedImage, measure
from content.files.lost import LostUpload
from content.files.streams import MB, read_at, size_of

from . import policies
from .exceptions import NotAllowed
from .models import Article, ArticleFile

logger = logging.getLogger(__name__)
KINDS = ("image", "document", "video", "archive", "text")
MOST_FILES = 40
UNFINISHED_HOURS = 24
SCANNED_AT_ONCE = 20


def rules() -> FileRules:
    """Return which files an article may have."""
    return FileRules(kinds=KINDS, max_files=MOST_FILES, max_bytes=settings.DESK_MAX_UPLOAD_MB * MB)


def keep(file: "IO[bytes] | File[bytes]", *, name: str, article: Article, actor: User) -> ArticleFile:
    """Inspect a file and keep it for the article. Returns its row, by whose `name` the text shows it.

    Pictures are re-encoded without metadata. Call it outside a transaction: inspecting and scanning take time, and the
    row must be there before the file. Raises `NotAllowed`; `RefusedFile` with the reason, `NotStored` if the desk
    cannot keep any file now.
    """
    if not policies.can_write(actor):
        raise NotAllowed
    try:
        return _keep(file, name=name, article=article, actor=actor)
    except OSError as error:
        logger.error("a file cannot be stored: %s: %s", type(error).__name__, error)  # noqa: TRY400  (no bug of ours)
        raise NotStored from error


def _keep(file: "IO[bytes] | File[bytes]", *, name: str, article: Article, actor: User) -> ArticleFile:
    if isinstance(file, LostUpload):
        raise NotStored
    if article.files.count() >= MOST_FILES:
        raise RefusedFile(_("El artículo ya tiene %(most)d archivos. Quita alguno.") % {"most": MOST_FILES})
    found = inspect(file, name=name, rules=rules(), max_pixels=settings.DESK_MAX_IMAGE_PIXELS)
    row = ArticleFile(
        article=article,
        uploader=actor,
        name=found.name,
        kind=found.kind,
        content_type=found.content_type,
        size=found.size,
        sha256=found.sha256,
        scan=_scan(file),
    )
    file.seek(0)
    if found.kind != "image":
        _store(row, File(file), found.extension)
        return row
    with reencode_image(file, max_pixels=settings.DESK_MAX_IMAGE_PIXELS) as picture:
        row.size = size_of(picture)
        with suppress(DamagedImage, KeyError):
            measured = measure(picture, sniff(read_at(picture, 0, HEAD_BYTES)), row.size)
            row.width, row.height = measured.width, measured.height
        picture.seek(0)
        _store(row, File(picture), found.extension)
    return row


def discard(file: ArticleFile, *, actor: User) -> None:
    """Delete the file, row first. Raises `NotAllowed`."""
    if not policies.can_write(actor):
        raise NotAllowed
    ArticleFile.objects.filter(pk=file.pk).delete()
    _delete_content(file)


def scan_held(limit: int = SCANNED_AT_ONCE) -> int:
    """Scan up to `limit` held files that have no verdict yet. Returns how many got one; stops as soon as the scanner
    or the store is away."""
    judged = 0
    held = ArticleFile.objects.filter(scan=ArticleFile.Scan.PENDING).exclude(file="").order_by("?")
    for row in held[:limit]:
        try:
            with row.file.open("rb") as file:
                verdict = malware.scan(file)
        except OSError as error:
            logger.error("article file %s cannot be scanned: %s", row.uuid, error)  # noqa: TRY400
            break
        if verdict == malware.Verdict.UNAVAILABLE:
            break
        outcome = ArticleFile.Scan.CLEAN if verdict == malware.Verdict.CLEAN else ArticleFile.Scan.INFECTED
        judged += ArticleFile.objects.filter(pk=row.pk).update(scan=outcome)
    return judged


def discard_unfinished() -> int:
    """Delete rows whose file was never written, because the process was killed. Returns how many."""
    before = timezone.now() - timedelta(hours=UNFINISHED_HOURS)
    rows = ArticleFile.objects.filter(file="", created_at__lt=before)
    count: int = rows.delete()[0]
    return count


def _store(row: ArticleFile, content: "File[bytes]", extension: str) -> None:
    """Save the row under a name that the article has not yet, then the file, then name the file in the row."""
    stem = slugify(row.name.rpartition(".")[0])[:80] or "archivo"
    for number in range(1, MOST_FILES + 2):
        row.name = f"{stem}.{extension}" if number == 1 else f"{stem}-{number}.{extension}"
        try:
            with transaction.atomic():
                row.save()
            break
        except IntegrityError:
            if not row.article.files.filter(name=row.name).exists():
                raise
    try:
        row.file.save(row.name, content, save=False)
    except BaseException:
        with suppress(DatabaseError):
            ArticleFile.objects.filter(pk=row.pk).delete()
        raise
    if not ArticleFile.objects.filter(pk=row.pk, file="").update(file=row.file.name):
        row.file.delete(save=False)
        raise FileNotFoundError(f"article file {row.uuid} was deleted while it was written")


def _delete_content(row: ArticleFile) -> None:
    try:
        if row.file:
            row.file.delete(save=False)
    except OSError as error:
        logger.warning("the file of article file %s stays in the store: %s", row.uuid, error)


def _scan(file: "IO[bytes] | File[bytes]") -> str:
    file.seek(0)
    match malware.scan(file):
        case malware.Verdict.INFECTED:
            raise RefusedFile(_("El antivirus detuvo este archivo. Adjunta otro."))
        case malware.Verdict.UNAVAILABLE:
            return ArticleFile.Scan.PENDING
    return ArticleFile.Scan.CLEAN
