"""Keep the files of a mail: inspect them as uploads are (S3.8), and put pictures into their places in the text."""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.utils import translation

from content.errors import DeskError
from content.text import MAX_TEXT, clean_text, picture_mark
from tickets.actors import Guest
from tickets.attachments import NOTE_LIMITS, keep_draft
from tickets.definitions.definition import FileLimits

from .markup import PICTURE, Picture
from .mime import MailFile, ReadMail
from .routing import Verdict
from .words import Words, without_pictures

MAX_REFUSED = 30
MAX_REMOTE = 20
_DATA = re.compile(r"data:(image/[a-z+.-]{1,20});base64,", re.IGNORECASE)
_EXTENSIONS = {"image/jpeg": "jpg", "image/png": "png", "image/gif": "gif", "image/webp": "webp"}


@dataclass
class KeptFiles:
    """The text of a mail with its pictures in place, the key under which its files wait for their message, and what was
    refused."""

    body: str = ""
    draft_key: str = ""
    """Under which the files wait until the message is written; empty if there are none."""
    count: int = 0
    refused: list[dict[str, Any]] = field(default_factory=list)
    remote: list[str] = field(default_factory=list)

    def details(self) -> dict[str, Any]:
        found = {"refused": self.refused[:MAX_REFUSED], "remote": self.remote[:MAX_REMOTE]}
        return {name: value for name, value in found.items() if value}


def keep_files(mail: ReadMail, words: Words, verdict: Verdict, *, key: str) -> KeptFiles:
    """Inspect and keep the files of a mail, each as an upload of its author. Raises `OSError` if the store fails.

    Pictures that the new words do not show are left out: they belong to what was quoted, or to a signature.
    """
    kept = KeptFiles(draft_key=hashlib.sha256(f"mail {key}".encode()).hexdigest()[:60])
    limits = _limits(verdict)
    by_id = {file.content_id: file for file in mail.files if file.content_id}
    shown = {int(number) for number in PICTURE.findall(words.folded.visible)}
    places: dict[int, str] = {}
    used: set[int] = set()
    for number, picture in enumerate(words.pictures):
        if number not in shown:
            used |= _id_of(picture, by_id)
            continue
        file = _file_of(picture, by_id)
        if file is None:
            if picture.source.lower().startswith(("http://", "https://")) and not picture.is_tiny:
                kept.remote.append(picture.source[:500])
            continue
        used |= _id_of(picture, by_id)
        if uuid := _keep(file, kept, limits, verdict):
            places[number] = picture_mark(picture.alt or file.name, uuid)
    for file in mail.files:
        if id(file) not in used:
            _keep(file, kept, limits, verdict)
    kept.body = _text(words.folded.visible, places)
    if not kept.count:
        kept.draft_key = ""
    return kept


def _limits(verdict: Verdict) -> FileLimits:
    if verdict.ticket is not None:
        return verdict.ticket.definition.files
    address = verdict.address
    return address.process.definition.files if address is not None else NOTE_LIMITS


def _file_of(picture: Picture, by_id: dict[str, MailFile]) -> MailFile | None:
    if picture.source.lower().startswith("cid:"):
        return by_id.get(picture.source[4:].strip("<>"))
    if found := _DATA.match(picture.source):
        try:
            content = base64.b64decode(picture.source[found.end() :], validate=False)
        except (binascii.Error, ValueError):
            return None
        extension = _EXTENSIONS.get(found[1].lower(), "")
        return MailFile(f"imagen.{extension}", found[1], content) if extension else None
    return None


def _id_of(picture: Picture, by_id: dict[str, MailFile]) -> set[int]:
    file = by_id.get(picture.source[4:].strip("<>")) if picture.source.lower().startswith("cid:") else None
    return {id(file)} if file is not None else set()


def _keep(file: MailFile, kept: KeptFiles, limits: FileLimits, verdict: Verdict) -> str:
    """Keep a file. Returns its uuid; empty if it was refused, which is noted with the reason."""
    actor = verdict.actor if not isinstance(verdict.actor, Guest) else None
    try:
        content = ContentFile(file.content)
        attachment = keep_draft(
            content, name=file.name, draft_key=kept.draft_key, actor=actor, limits=limits, visitor=""
        )
    except DeskError as problem:
        reason = _in_each_language(problem)
        kept.refused.append({"name": file.name[:120], "size": len(file.content), "reason": reason})
        return ""
    kept.count += 1
    return str(attachment.uuid)


def _in_each_language(problem: DeskError) -> dict[str, str]:
    """Return why a file was refused, by language: requester and staff may read different ones."""
    reasons = {}
    for code, _name in settings.LANGUAGES:
        with translation.override(code):
            reasons[code] = str(problem)
    return reasons


def _text(visible: str, places: dict[int, str]) -> str:
    """Return the text with marks for the pictures that were kept, not longer than a message may be."""
    text = PICTURE.sub(lambda found: places.get(int(found[1]), found[0]), visible)
    text = without_pictures(text)
    if len(text) > MAX_TEXT - 10:
        text = f"{text[: MAX_TEXT - 10]}\n[…]"
    return clean_text(text)
