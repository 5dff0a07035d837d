"""Send the mails of the outbox: claim, mark as started, send, mark as sent. No transaction is open while talking to a
mail server.

A worker may be killed at any time. A mail that is not yet `started` has not left, so it goes back to the queue. A mail
that is `started` may have left: it is sent once more with the same Message-ID, which mail programs recognise, unless a
second copy would be worse than a lost mail (docs/decisions/0009-mail-is-written-when-it-leaves.md).
"""

import logging
import uuid
from datetime import timedelta
from itertools import takewhile
from time import monotonic
from typing import Any

from django.core.cache import cache
from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from tickets.enums import DeliveryProblem, DeliveryState
from tickets.record import deliveries

from ..enums import MailState
from ..models import OutgoingEmail
from . import composing, failures
from .emails import ONCE_ONLY, NotSent
from .failures import Failure, Verdict

logger = logging.getLogger(__name__)

BATCH = 20
DRAIN_SECONDS = 20.0
"""`drain` stops after this time and leaves the rest to the next run. Well below the time limits of its task."""
LEASE = timedelta(seconds=60)
"""How long a claimed mail belongs to its worker. Longer than tasks.DRAIN_HARD_LIMIT, so that a lease never expires
while its worker is still sending."""
BACKOFF = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=8),
    timedelta(hours=24),
)
"""How long to wait after each attempt that did not succeed. The attempt after the last step is the last one."""
OUTAGE_SECONDS = 20
"""How long all workers stop sending when the mail server is unreachable. The mails that wait lose no attempt."""
OUTAGE_KEY = "notifications.mail-server-away"


# --- Taking mails -----------------------------------------------------------------------------------------


def claim(limit: int = BATCH) -> tuple[uuid.UUID, list[int]]:
    """Claim up to `limit` due mails for this worker. Returns the claim's token and the ids. Workers that claim at the
    same time get other rows, or none.

    A mail that was tried before is claimed alone: if it makes workers die, no other mail is in the same batch.
    """
    token = uuid.uuid4()
    with transaction.atomic():
        due = OutgoingEmail.objects.due().select_for_update(skip_locked=True)
        rows = list(due.values_list("pk", "attempts")[:limit])
        ids = [pk for pk, _attempts in takewhile(lambda row: row[1] == 0, rows)] or [pk for pk, _ in rows[:1]]
        OutgoingEmail.objects.filter(pk__in=ids).update(
            state=MailState.SENDING,
            claim=token,
            lease_until=timezone.now() + LEASE,
            attempts=F("attempts") + 1,
        )
    return token, ids


def drain(seconds: float = DRAIN_SECONDS) -> int:
    """Send the due mails, starting none after `seconds`. Returns how many mails left."""
    sent = 0
    until = monotonic() + seconds
    while monotonic() < until and not cache.get(OUTAGE_KEY):
        token, ids = claim()
        if not ids:
            break
        batch = ClaimedBatch(token, ids)
        sent += batch.run(until)
        if batch.is_server_away:  # OUTAGE_KEY alone is not enough: the cache may be unreachable too
            break
    return sent


class ClaimedBatch:
    """One claimed batch of mails, sent over one connection."""

    def __init__(self, token: uuid.UUID, ids: list[int]) -> None:
        self.token = token
        self.ids = ids
        self.connection: BaseEmailBackend | None = None
        self.is_server_away = False

    def run(self, until: float) -> int:
        """Send the batch until the monotonic time `until`; queue the rest again. Returns how many mails left."""
        sent = 0
        waiting = iter(self.ids)
        try:
            for pk in waiting:
                if monotonic() >= until:
                    self._release([pk, *waiting])
                    break
                try:
                    sent += self._send(pk)
                except ServerAway as away:
                    self._wait_for_server([pk, *waiting], away.failure)
        finally:
            self._disconnect()
        return sent

    def _send(self, pk: int) -> bool:
        """Compose one mail, send it and store its new state. Returns whether it left. Raises `ServerAway`."""
        mail = composing.load(pk)
        try:
            written = composing.compose(mail)
        except NotSent as reason:
            self._settle(mail, MailState.SUPPRESSED, problem=reason.problem)
            return False
        except Exception:
            logger.exception("mail %s (%s) cannot be written", pk, mail.template)
            self._later(mail, DeliveryProblem.BROKEN, "")
            return False
        try:
            connection = self._connect()
        except ServerAway:
            written.discard_links()
            raise
        if not self._start(mail):  # the lease expired meanwhile and another worker has it
            written.discard_links()
            return False
        try:
            connection.send_messages([written.message])
        except Exception as error:  # `of_sending` classifies every error
            failure = failures.of_sending(error)
            logger.warning("mail %s (%s): %s, %s", pk, mail.template, failure.verdict.name, failure.detail)
            self._disconnect()
            self._after_failure(mail, failure)
            if failure.verdict != Verdict.UNKNOWN:
                written.discard_links()
            if failure.verdict == Verdict.OUTAGE:
                raise ServerAway(failure) from error
            return False
        status = getattr(written.message, "anymail_status", None)
        self._settle(mail, MailState.SENT, subject=str(written.message.subject), status=status)
        return True

    # --- The connection ---

    def _connect(self) -> BaseEmailBackend:
        if self.connection is None:
            try:
                connection = get_connection()  # in the try: a provider without its key raises here
                connection.open()
            except Exception as error:
                raise ServerAway(failures.of_opening(error)) from error
            self.connection = connection
        return self.connection

    def _disconnect(self) -> None:
        connection, self.connection = self.connection, None
        if connection is not None:
            try:
                connection.close()
            except Exception as error:  # noqa: BLE001  (nothing is left to send)
                logger.info("closing the connection to the mail server failed: %s", error)

    # --- States ---

    def _claimed(self, pks: list[int]) -> Any:
        """Return the mails with these ids that this batch still has claimed."""
        return OutgoingEmail.objects.filter(pk__in=pks, claim=self.token)

    def _start(self, mail: OutgoingEmail) -> bool:
        """Mark the mail as started: from here on it may have left. Returns False if this worker lost its claim."""
        started: int = (
            self._claimed([mail.pk])
            .filter(state=MailState.SENDING)
            .update(state=MailState.STARTED, lease_until=timezone.now() + LEASE)
        )
        return started == 1

    def _after_failure(self, mail: OutgoingEmail, failure: Failure) -> None:
        match failure.verdict:
            case Verdict.UNKNOWN:
                settle_unknown(mail, claim=self.token, detail=failure.detail)
            case Verdict.REFUSED:
                self._settle(mail, MailState.FAILED, problem=DeliveryProblem.REFUSED, detail=failure.detail)
            case Verdict.LATER:
                self._later(mail, DeliveryProblem.LATER, failure.detail)

    def _later(self, mail: OutgoingEmail, problem: DeliveryProblem, detail: str) -> None:
        """Queue the mail for its next attempt; mark it failed after the last one."""
        if mail.attempts > len(BACKOFF):
            gave_up = problem if problem == DeliveryProblem.BROKEN else DeliveryProblem.GAVE_UP
            self._settle(mail, MailState.FAILED, problem=gave_up, detail=detail)
            return
        with transaction.atomic():
            changed = self._claimed([mail.pk]).update(
                state=MailState.QUEUED,
                claim=None,
                lease_until=None,
                next_attempt_at=timezone.now() + BACKOFF[mail.attempts - 1],
                last_error=detail,
            )
            if changed and mail.delivery_id:
                deliveries.report(mail.delivery_id, DeliveryState.WAITING, problem=problem, detail=detail)

    def _settle(
        self,
        mail: OutgoingEmail,
        state: MailState,
        *,
        problem: DeliveryProblem | None = None,
        detail: str = "",
        subject: str = "",
        status: Any = None,
    ) -> None:
        values: dict[str, Any] = {"state": state, "last_error": detail, "claim": None, "lease_until": None}
        if state == MailState.SENT:
            provider_id = getattr(status, "message_id", None)
            values |= {
                "sent_at": timezone.now(),
                "subject": subject[:255],
                "provider_id": "" if provider_id is None else str(provider_id)[:200],
            }
        if mail.is_about_account:
            values |= EMPTIED
        with transaction.atomic():
            if self._claimed([mail.pk]).update(**values) and mail.delivery_id:
                deliveries.report(
                    mail.delivery_id, DELIVERY_STATES[state], problem=problem or "", detail=detail
                )

    def _release(self, pks: list[int], detail: str = "") -> None:
        """Queue mails again without counting the attempt: there was no time or no server for them."""
        rows = self._claimed(pks).filter(state__in=[MailState.SENDING, MailState.STARTED])
        values: dict[str, Any] = {"last_error": detail} if detail else {}
        rows.update(
            state=MailState.QUEUED, claim=None, lease_until=None, attempts=F("attempts") - 1, **values
        )

    def _wait_for_server(self, pks: list[int], failure: Failure) -> None:
        logger.error("the mail server is away, %d mails wait: %s", len(pks), failure.detail)
        self.is_server_away = True
        cache.set(OUTAGE_KEY, True, OUTAGE_SECONDS)
        self._release(pks, failure.detail)


class ServerAway(Exception):
    """The mail server is unreachable or rejects our credentials; see `Verdict.OUTAGE`."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.detail)
        self.failure = failure


DELIVERY_STATES = {
    MailState.SENT: DeliveryState.SENT,
    MailState.FAILED: DeliveryState.FAILED,
    MailState.SUPPRESSED: DeliveryState.WITHHELD,
}
EMPTIED = {"text": "", "html": ""}
"""Changes to a settled account mail: its text, which contains a code, is deleted."""


# --- Mails of dead workers --------------------------------------------------------------------------------


def sweep(limit: int = 200) -> int:
    """Settle or queue again up to `limit` mails of workers that died. Returns how many it changed."""
    count = 0
    for mail in list(OutgoingEmail.objects.abandoned()[:limit]):
        if mail.state == MailState.STARTED:
            count += settle_unknown(mail, claim=mail.claim)
        else:
            count += requeue_unstarted(mail, claim=mail.claim)
    return count


def requeue_unstarted(mail: OutgoingEmail, *, claim: uuid.UUID | None) -> bool:
    """Queue again a mail that had not started, if `claim` still holds it. The attempt counts, and after the last one
    the mail fails: a mail that kills every worker must not be tried for ever. Returns whether the row changed."""
    gave_up = mail.attempts > len(BACKOFF)
    values: dict[str, Any] = {"state": MailState.FAILED if gave_up else MailState.QUEUED}
    if gave_up and mail.is_about_account:
        values |= EMPTIED
    with transaction.atomic():
        mine = OutgoingEmail.objects.filter(pk=mail.pk, state=MailState.SENDING, claim=claim)
        changed = mine.update(claim=None, lease_until=None, **values)
        if changed and gave_up and mail.delivery_id:
            deliveries.report(mail.delivery_id, DeliveryState.FAILED, problem=DeliveryProblem.BROKEN)
    return bool(changed)


def settle_unknown(mail: OutgoingEmail, *, claim: uuid.UUID | None, detail: str = "") -> bool:
    """Settle a started mail that may or may not have left, if `claim` still holds it. Returns whether the row changed.

    It is queued once more with the same Message-ID where a second copy does less harm than a lost mail; otherwise it
    becomes `uncertain`, for a person to look at."""
    again = not (mail.is_second_copy or mail.is_about_account or mail.template in ONCE_ONLY)
    values: dict[str, Any] = {"claim": None, "lease_until": None, "last_error": detail}
    if again:
        values |= {"state": MailState.QUEUED, "is_second_copy": True, "next_attempt_at": timezone.now()}
    else:
        values |= {"state": MailState.UNCERTAIN}
    if mail.is_about_account:
        values |= EMPTIED
    with transaction.atomic():
        changed = OutgoingEmail.objects.filter(pk=mail.pk, state=MailState.STARTED, claim=claim).update(
            **values
        )
        if changed and mail.delivery_id:
            state = DeliveryState.WAITING if again else DeliveryState.UNCERTAIN
            deliveries.report(mail.delivery_id, state, problem=DeliveryProblem.UNKNOWN, detail=detail)
    return bool(changed)
