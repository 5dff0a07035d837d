"""Send the mails of the outbox over one connection: claim a batch, compose it, send one mail after the other, store
what became of them. No transaction is open while talking to a mail server.

A worker may be killed at any time. Before each mail it notes that this mail may leave from now on and that those before
it were answered (`Claim.note_start`). So at most one mail of a killed worker is in doubt. It is sent once more with the
same Message-ID, which mail programs recognise, unless a second copy would be worse than a lost mail
(docs/decisions/0009-mail-is-written-when-it-leaves.md, 0024-mails-leave-in-batches.md).
"""

import logging
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from time import monotonic, sleep
from typing import Self

from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import InterfaceError, OperationalError, connection, transaction
from django.utils import timezone

from tickets.enums import DeliveryProblem

from ..enums import MailState
from ..models import OutgoingEmail
from . import composing, failures, outage, outcomes
from .composing import ComposedMail
from .emails import NotSent
from .failures import Failure, Verdict
from .outcomes import SECOND_COPY_WAIT, Claim, Sent

logger = logging.getLogger(__name__)

FIRST_BATCH, LARGEST_BATCH = 10, 80
"""Mails claimed at once. A batch is twice as large as the one before if that one took less than `BRISK_SECONDS`: with a
slow server an urgent mail must not wait for many others."""
BRISK_SECONDS = 1.0
DRAIN_SECONDS = 20.0
"""`drain` stops after this time and leaves the rest to the next run. Well below the time limits of its task."""
SETTLE_SECONDS = 2.0
"""How long a sent mail may be shown as waiting while its batch is still being sent."""
PATIENCE_SECONDS = 15.0
"""How long a worker waits for the database to come back, to store which mails it has sent."""


def drain(seconds: float = DRAIN_SECONDS) -> int:
    """Send the due mails, starting none after `seconds`. Returns how many mails left."""
    sent, size = 0, FIRST_BATCH
    until = monotonic() + seconds
    with MailServer() as server:
        while monotonic() < until and not outage.is_open():
            on_trial = outage.is_on_trial()
            with outage.trial() if on_trial else nullcontext(True) as may_send:
                claim = outcomes.claim(size, on_trial=on_trial) if may_send else None
                if claim is None:
                    break
                began = monotonic()
                batch = ClaimedBatch(claim, server)
                sent += batch.run(until)
            if on_trial and batch.sent and not batch.is_server_away:
                outage.is_over()
            if batch.is_server_away:  # the breaker alone is not enough: the cache may be unreachable too
                break
            size = min(size * 2, LARGEST_BATCH) if monotonic() - began < BRISK_SECONDS else FIRST_BATCH
    return sent


class ServerAway(Exception):
    """The mail server is unreachable, mute or rejects our credentials."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.detail)
        self.failure = failure


class MailServer:
    """The connection to the mail server, opened for the first mail and kept for all mails of one drain."""

    def __init__(self) -> None:
        self.connection: BaseEmailBackend | None = None
        self.sent = 0
        """Mails that left over the present connection."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def open(self) -> BaseEmailBackend:
        """Return the open connection. Raises `ServerAway`."""
        if self.connection is None:
            try:
                opened = get_connection()  # in the try: a provider without its key raises here
                opened.open()
            except Exception as error:
                raise ServerAway(failures.of_opening(error)) from error
            self.connection, self.sent = opened, 0
        return self.connection

    def send(self, message: EmailMessage) -> Failure | None:
        """Send one mail. Returns how it failed, or None. Raises `ServerAway` if the connection cannot be opened.

        A connection may end between two mails: servers limit how many they take over one. The mail that finds this out
        goes over a new connection at once.
        """
        failure = self._send(message)
        if failure is not None and failure.is_connection_lost and self.sent:
            self.close()
            failure = self._send(message)
        if failure is not None:
            self.close()
        return failure

    def _send(self, message: EmailMessage) -> Failure | None:
        opened = self.open()
        try:
            opened.send_messages([message])
        except Exception as error:  # noqa: BLE001  (`of_sending` classifies every error)
            return failures.of_sending(error)
        self.sent += 1
        return None

    def close(self) -> None:
        closing, self.connection = self.connection, None
        self.sent = 0
        if closing is not None:
            try:
                closing.close()
            except Exception as error:  # noqa: BLE001  (nothing is left to send)
                logger.info("closing the connection to the mail server failed: %s", error)


class ClaimedBatch:
    """The mails of one claim on their way."""

    def __init__(self, claim: Claim, server: MailServer) -> None:
        self.claim = claim
        self.server = server
        self.is_server_away = False
        self.sent = 0
        self._unsettled: list[Sent] = []
        self._settled_at = monotonic()

    def run(self, until: float) -> int:
        """Compose and send the batch until the monotonic time `until`; queue the rest again. Returns how many mails
        left."""
        waiting = self._compose()
        detail = ""
        try:
            while waiting and monotonic() < until:
                self.server.open()
                if not self.claim.note_start(waiting[0][0].pk):
                    break  # the lease expired meanwhile: the mails are another worker's
                self._send_first(waiting)
                self._settle_if_late()
            if self.sent and not waiting:
                self.claim.note_end()
        except ServerAway as away:
            detail = away.failure.detail
            self._stop_sending(away)
        finally:
            _patiently(lambda: self._finish(waiting, detail))
        return self.sent

    def _compose(self) -> deque[tuple[OutgoingEmail, ComposedMail]]:
        """Return the mails to send, composed. Settle or postpone the others."""
        mails = composing.load_all(self.claim.mails)
        ready: deque[tuple[OutgoingEmail, ComposedMail]] = deque()
        for mail, composed in zip(mails, composing.compose_all(mails), strict=True):
            if isinstance(composed, ComposedMail):
                ready.append((mail, composed))
            elif isinstance(composed, NotSent):
                outcomes.settle(mail, MailState.SUPPRESSED, claim=self.claim.token, problem=composed.problem)
            else:
                logger.error("mail %s (%s) cannot be written", mail.pk, mail.template, exc_info=composed)
                outcomes.postpone(mail, claim=self.claim.token, problem=DeliveryProblem.BROKEN, detail="")
        return ready

    def _send_first(self, waiting: deque[tuple[OutgoingEmail, ComposedMail]]) -> None:
        """Take the first mail, send it, and store why it did not leave. Raises `ServerAway` if no mail can be sent now.

        A mail that has been taken from `waiting` may have left. It goes back only if it certainly has not; if its
        outcome cannot be stored, it stays claimed, and `sweep` settles it by the batch's note.
        """
        mail, composed = waiting.popleft()
        try:
            failure = self.server.send(composed.message)
            if failure is not None and failure.verdict == Verdict.OUTAGE:
                raise ServerAway(failure)
        except ServerAway:
            waiting.appendleft((mail, composed))
            raise
        if failure is None:
            status = getattr(composed.message, "anymail_status", None)
            provider_id = getattr(status, "message_id", None)
            provider_id = "" if provider_id is None else str(provider_id)[:200]
            subject = str(composed.message.subject)[:255]
            fingerprint = composing.fingerprint_of(composed)
            self._unsettled.append(Sent(mail, subject, provider_id, timezone.now(), fingerprint))
            self.sent += 1
            return
        logger.warning("mail %s (%s): %s, %s", mail.pk, mail.template, failure.verdict.name, failure.detail)
        self._store(mail, failure)
        if failure.verdict != Verdict.UNKNOWN:
            composed.discard_links()
        if failure.is_mute:
            raise ServerAway(failure)

    def _store(self, mail: OutgoingEmail, failure: Failure) -> None:
        token, detail = self.claim.token, failure.detail
        match failure.verdict:
            case Verdict.UNKNOWN:
                outcomes.settle_unknown(mail, claim=token, detail=detail, wait=SECOND_COPY_WAIT)
            case Verdict.REFUSED:
                problem = DeliveryProblem.REFUSED
                outcomes.settle(mail, MailState.FAILED, claim=token, problem=problem, detail=detail)
            case Verdict.LATER:
                outcomes.postpone(mail, claim=token, problem=DeliveryProblem.LATER, detail=detail)

    def _stop_sending(self, away: ServerAway) -> None:
        self.is_server_away = True
        pause = outage.trip()
        logger.error("the mail server is away, all mail waits %d s: %s", pause, away.failure.detail)

    def _settle_if_late(self) -> None:
        if monotonic() - self._settled_at > SETTLE_SECONDS:
            self._settle()

    def _settle(self) -> None:
        outcomes.settle_sent(self.claim, self._unsettled)
        self._unsettled, self._settled_at = [], monotonic()

    def _finish(self, waiting: Iterable[tuple[OutgoingEmail, ComposedMail]], detail: str) -> None:
        """Store which mails left, and queue those that still wait again."""
        for _mail, composed in waiting:
            composed.discard_links()
        with transaction.atomic():
            outcomes.settle_sent(self.claim, self._unsettled)
            outcomes.release(self.claim, [mail.pk for mail, _composed in waiting], detail)
            self.claim.end()


def _patiently(write: Callable[[], None]) -> None:
    """Call `write` until the database takes it, for up to `PATIENCE_SECONDS`: only this process knows which mails it
    has just sent, and what it does not store is sent again."""
    until = monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return write()
        except (OperationalError, InterfaceError) as error:
            if monotonic() > until or connection.in_atomic_block:
                raise
            logger.warning("the database does not take which mails left, trying again: %s", error)
            connection.close()
            sleep(0.5)
