"""Read mailboxes over IMAP. The desk keeps how far it has read and changes nothing in a mailbox.

Mails are received in the order of their numbers, and `MailboxMark` moves on when the next one begins. If this process
is killed before, the mail is read again and known by its Message-ID: it is neither lost nor counted twice (A18).
"""

import imaplib
import logging
import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from time import monotonic
from typing import Any

from django.db.models import Q
from django.utils import timezone
from imap_tools import BaseMailBox, MailBox, MailBoxStartTls, MailBoxUnencrypted
from imap_tools.errors import ImapToolsError

from .. import nudge
from ..models import MailboxMark
from . import mime, receiving
from .accounts import Account, accounts

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = 30
LEASE = timedelta(seconds=30)
COLLECT_SECONDS = 25.0
MOST_TRIES = 10
"""After so many processes have begun to read a mail and not come to its end, only its headers are read: it waits in
quarantine."""
AT_ONCE = 100
IDLE_SECONDS = 240
HEAD = mime.MAX_HEADER_BYTES
AWAY = (imaplib.IMAP4.error, ImapToolsError, OSError, EOFError)
"""What a server that is away, or refuses us, raises."""
_UID, _SIZE = re.compile(rb"\bUID (\d+)", re.IGNORECASE), re.compile(rb"\bRFC822\.SIZE (\d+)", re.IGNORECASE)


def connect(account: Account) -> BaseMailBox:
    """Return the open mailbox. Raises one of `AWAY`."""
    kinds: dict[str, Callable[..., BaseMailBox]] = {
        "imaps": MailBox,
        "imap": MailBoxUnencrypted,
        "imap+tls": MailBoxStartTls,
    }
    box = kinds[account.scheme](account.host, account.port, timeout=TIMEOUT_SECONDS)
    try:
        box.login(account.user, account.password, initial_folder=None)
        box.folder.set(account.folder, readonly=True)
    except AWAY:
        close(box)
        raise
    return box


def collect_all(seconds: float = COLLECT_SECONDS) -> int:
    """Receive the new mails of every mailbox that no other process reads now. Returns how many. A mailbox that cannot
    be read is noted in its mark and left for the next time."""
    until = monotonic() + seconds
    count = 0
    for account in accounts():
        with leased(account) as mark:
            if mark is None:
                continue
            try:
                box = connect(account)
                try:
                    count += collect(box, account, mark, until=until)
                finally:
                    close(box)
            except AWAY as error:
                note_failure(mark, error)
            else:
                note_success(mark)
    return count


def watch(account: Account, *, until: Callable[[], bool]) -> None:
    """Receive the mails of one mailbox as they come (IDLE), until `until` says so or the connection ends. Raises one of
    `AWAY`. Returns at once if another process reads it."""
    with leased(account) as mark:
        if mark is None:
            return
        try:
            box = connect(account)
            try:
                while not until():
                    collect(box, account, mark, until=monotonic() + COLLECT_SECONDS)
                    note_success(mark)
                    if not renew(mark):
                        return
                    box.idle.wait(timeout=min(IDLE_SECONDS, LEASE.total_seconds() / 4))
            finally:
                close(box)
        except AWAY as error:
            note_failure(mark, error)
            raise


def close(box: BaseMailBox) -> None:
    try:
        box.logout()
    except AWAY as error:
        logger.info("leaving a mailbox failed: %s", error)
    with suppress(OSError):
        box.client.shutdown()


# --- Reading one mailbox ----------------------------------------------------------------------------------


def collect(box: BaseMailBox, account: Account, mark: MailboxMark, *, until: float) -> int:
    """Receive the mails that are newer than the mark, beginning none after the monotonic time `until`. Returns how
    many. Of a mailbox that is read for the first time, only the mails that nobody has read."""
    count = 0
    with nudge.sparingly():
        for uid, size in _sized(box, _new_uids(box, mark)):
            if monotonic() > until or not renew(mark):
                break
            raw = _fetch(box, uid, size, whole=_begin(mark, uid))
            if raw is not None:
                receiving.receive(raw, mailbox=account.address)
                count += 1
            mark.last_uid, mark.received = uid, mark.received + int(raw is not None)
        _note(mark, trying_uid=0, tries=0)
    return count


def _new_uids(box: BaseMailBox, mark: MailboxMark) -> list[int]:
    """Return the numbers of the mails to read, in order. If the server has numbered its mails anew, all that nobody has
    read are looked at again; those received before are known."""
    validity = int(box.folder.status(box.folder.get(), ["UIDVALIDITY"])["UIDVALIDITY"])
    is_first = mark.uidvalidity != validity
    if is_first:
        mark.uidvalidity, mark.last_uid = validity, 0
        MailboxMark.objects.filter(pk=mark.pk).update(uidvalidity=validity, last_uid=0)
    criteria = "UNSEEN" if not mark.last_uid else f"UID {mark.last_uid + 1}:*"
    found = sorted(int(uid) for uid in box.uids(criteria, charset=None))
    return [uid for uid in found if uid > mark.last_uid]


def _begin(mark: MailboxMark, uid: int) -> bool:
    """Note that reading this mail begins, and with it that the one before is received. Returns whether to read it
    whole."""
    _note(mark, trying_uid=uid, tries=mark.tries + 1 if mark.trying_uid == uid else 1)
    return mark.tries <= MOST_TRIES


def _note(mark: MailboxMark, *, trying_uid: int, tries: int) -> None:
    """Keep how far the mailbox is read, and which mail is being read. If another process has taken the mailbox, its
    mark stays."""
    mark.trying_uid, mark.tries = trying_uid, tries
    MailboxMark.objects.filter(pk=mark.pk, lease=mark.lease).update(
        last_uid=mark.last_uid, received=mark.received, trying_uid=trying_uid, tries=tries
    )


def _fetch(box: BaseMailBox, uid: int, size: int, *, whole: bool) -> bytes | None:
    """Return the bytes of a mail of this size without marking it as read; None if it is gone. Of one that is too large,
    or that must not be read whole, the headers with a note that says so."""
    if whole and size <= mime.MAX_BYTES:
        return _literal(box.client.uid("FETCH", str(uid), "(BODY.PEEK[])"))
    head = _literal(box.client.uid("FETCH", str(uid), "(BODY.PEEK[HEADER])"))
    note = mime.TOO_LARGE if size > mime.MAX_BYTES else mime.UNREADABLE
    return None if head is None else f"{mime.CUT_HEADER}: {note}\r\n".encode() + head[:HEAD]


def _sized(box: BaseMailBox, uids: list[int]) -> Iterator[tuple[int, int]]:
    """Yield the mails that are still there, each with its size in bytes. Asks for `AT_ONCE` sizes at a time."""
    for place in range(0, len(uids), AT_ONCE):
        some = uids[place : place + AT_ONCE]
        _status, data = box.client.uid("FETCH", ",".join(map(str, some)), "(UID RFC822.SIZE)")
        sizes = dict(filter(None, map(_size_in, data or ())))
        yield from ((uid, sizes[uid]) for uid in some if uid in sizes)


def _size_in(line: object) -> tuple[int, int] | None:
    """Return the number and the size of the mail that a line of the answer tells of, if it tells of one."""
    if not isinstance(line, bytes):
        return None
    uid, size = _UID.search(line), _SIZE.search(line)
    return (int(uid[1]), int(size[1])) if uid and size else None


def _literal(response: Any) -> bytes | None:
    _status, data = response
    return next((part[1] for part in data or () if isinstance(part, tuple) and len(part) > 1), None)


# --- The mark ---------------------------------------------------------------------------------------------


@contextmanager
def leased(account: Account) -> Iterator[MailboxMark | None]:
    """Hold the mailbox for the `with` block. Yields its mark, or None if another process reads it."""
    mark, _created = MailboxMark.objects.get_or_create(name=account.name)
    now = timezone.now()
    token = uuid.uuid4()
    free = MailboxMark.objects.filter(Q(lease_until__isnull=True) | Q(lease_until__lt=now), pk=mark.pk)
    if not free.update(lease=token, lease_until=now + LEASE):
        yield None
        return
    mark = MailboxMark.objects.get(pk=mark.pk)
    try:
        yield mark
    finally:
        MailboxMark.objects.filter(pk=mark.pk, lease=token).update(lease=None, lease_until=None)


def renew(mark: MailboxMark) -> bool:
    """Hold the mailbox longer. Returns False if another process has taken it. Writes only when half of the time is
    over."""
    now = timezone.now()
    if mark.lease_until is not None and mark.lease_until - now > LEASE / 2:
        return True
    mark.lease_until = now + LEASE
    return bool(MailboxMark.objects.filter(pk=mark.pk, lease=mark.lease).update(lease_until=mark.lease_until))


def note_success(mark: MailboxMark) -> None:
    MailboxMark.objects.filter(pk=mark.pk).update(read_at=timezone.now(), last_error="", failing_since=None)


def note_failure(mark: MailboxMark, error: BaseException) -> None:
    """Note why the mailbox cannot be read. A password in the server's answer would be ours, so it is taken out."""
    text = " ".join(str(error).split())[:250] or type(error).__name__
    for account in accounts():
        if account.password:
            text = text.replace(account.password, "••••")
    logger.error("mailbox %s cannot be read: %s", mark.name, text)
    now = timezone.now()
    rows = MailboxMark.objects.filter(pk=mark.pk)
    rows.filter(failing_since__isnull=True).update(failing_since=now)
    rows.update(last_error=text)
