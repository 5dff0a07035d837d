"""Open what wraps a mail: winmail.dat of Outlook (TNEF) and S/MIME mails that are signed as one block."""

import logging
from collections.abc import Iterator

from asn1crypto import cms
from tnefparse import TNEF

from . import charsets, mime
from .mime import MailFile, ReadMail

logger = logging.getLogger(__name__)
logging.getLogger("tnefparse").setLevel(logging.ERROR)  # it complains of what senders did

TNEF_TYPES = frozenset({"application/ms-tnef", "application/vnd.ms-tnef"})
SMIME_TYPES = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
LARGEST_TNEF_WORK = 3_000_000_000
"""Bytes times objects: the library copies the rest of the file for each object."""
MAX_WRAPS = 3
SIGNED, ENCRYPTED, WINMAIL = "signed", "encrypted", "winmail"


def read(raw: bytes) -> ReadMail:
    """Return `raw` as a mail, with what was wrapped in it in its place. What cannot be opened stays a file."""
    mail = mime.read(raw)
    for _wrap in range(MAX_WRAPS):
        if not _open(mail):
            break
    return mail


def _open(mail: ReadMail) -> bool:
    """Open the first wrapped file of the mail. Returns whether there was one that could be opened."""
    for place, file in enumerate(mail.files):
        if _is_tnef(file) and (found := _unwrapped(file)) is not None:
            text, html, files = found
            mail.protections.add(WINMAIL)
            mail.text, mail.html = mail.text or text, mail.html or html
            mail.files[place : place + 1] = files
            return True
        if _is_smime(file):
            inner = _signed(file.content)
            mail.protections.add(SIGNED if inner is not None else ENCRYPTED)
            if inner is not None:
                told = mime.read(inner)
                mail.text, mail.html = mail.text or told.text, mail.html or told.html
                mail.reports += told.reports
                mail.protections |= told.protections
                mail.files[place : place + 1] = told.files
                return True
    return False


def _is_tnef(file: MailFile) -> bool:
    return file.content_type in TNEF_TYPES or file.name.lower() == "winmail.dat"


def _is_smime(file: MailFile) -> bool:
    return file.content_type in SMIME_TYPES or file.name.lower() in ("smime.p7m", "smime.p7z")


def _unwrapped(file: MailFile) -> tuple[str, str, list[MailFile]] | None:
    """Return text, HTML and files of a winmail.dat; None if it cannot be read or would take seconds."""
    if len(file.content) * sum(1 for _size in _objects(file.content)) > LARGEST_TNEF_WORK:
        return None
    try:
        opened = TNEF(file.content, do_checksum=False)
        files = [_tnef_file(attachment) for attachment in opened.attachments[: mime.MAX_PARTS]]
        return _text(opened.body), _text(opened.htmlbody), [one for one in files if one.content]
    except Exception as error:  # noqa: BLE001  (the library raises errors of many kinds for damaged files)
        logger.info("a winmail.dat cannot be read: %s", error)
        return None


def _objects(data: bytes) -> Iterator[int]:
    """Yield the size of each object of a TNEF file."""
    at = 6
    while at + 12 < len(data):
        size = int.from_bytes(data[at + 5 : at + 9], "little")
        yield size
        at += size + 11


def _tnef_file(attachment: object) -> MailFile:
    name = getattr(attachment, "long_filename", None)
    name = name() if callable(name) else name
    name = name or getattr(attachment, "name", "") or "archivo.bin"
    data = getattr(attachment, "data", b"")
    name_text = name if isinstance(name, str) else charsets.decode(name, "cp1252")
    content = data if isinstance(data, bytes) else b"".join(data) if isinstance(data, list) else b""
    return MailFile(name_text.strip("\x00 ")[:200], "application/octet-stream", content)


def _text(body: object) -> str:
    if isinstance(body, list):
        body = body[0] if body else b""
    text = charsets.decode(body, "") if isinstance(body, bytes) else str(body or "")
    return text.replace("\x00", "")[: mime.MAX_TEXT_BYTES]


def _signed(content: bytes) -> bytes | None:
    """Return the mail inside a signed S/MIME block; None if it is encrypted or damaged. The signature is not checked:
    whose word counts follows from addresses and tokens."""
    try:
        info = cms.ContentInfo.load(content)
        if info["content_type"].native != "signed_data":
            return None
        inner = info["content"]["encap_content_info"]["content"].native
        return inner if isinstance(inner, bytes) else None
    except Exception as error:  # noqa: BLE001  (damaged ASN.1)
        logger.info("an S/MIME mail cannot be read: %s", error)
        return None
