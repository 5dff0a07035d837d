"""Draining the outbox: claim, mark as started, send, mark as sent. No transaction is open while a server is talked to.

A worker may be killed at any instant. Before `started` it has sent nothing, so its mails simply go back. After it,
nobody can know whether the last one left: that one is sent once more with the same Message-ID, which mail programs
recognise, unless a second copy would annoy more than a loss (docs/decisions/0009-mail-is-written-when-it-leaves.md).
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
"""A drain stops taking mails after so long; the next one goes on. Well below the task's own time limits."""
LEASE = timedelta(seconds=60)
"""How long a claimed mail is left alone. Longer than a drain may live (tasks.DRAIN_HARD_LIMIT): a lease never ends
under a worker that is still sending."""
BACKOFF = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=8),
    timedelta(hours=24),
)
"""After each attempt that the server put off. One attempt more than there are steps, and the mail has failed."""
OUTAGE_SECONDS = 20
"""A server that is away is left alone for so long, by all workers; mails lose no attempt to it."""
OUTAGE_KEY = "notifications.mail-server-away"


# --- Taking mails -----------------------------------------------------------------------------------------


def claim(limit: int = BATCH) -> tuple[uuid.UUID, list[int]]:
    """Take what is due for this worker alone. Whoever asks at the same time gets other rows, or none.

    Mails that have been tried before travel alone: should one of them be what kills workers, it takes no other with it
    for long.
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
    """Send what is due, for at most about so many seconds. Returns how many mails left."""
    sent = 0
    until = monotonic() + seconds
    while monotonic() < until and not cache.get(OUTAGE_KEY):
        token, ids = claim()
        if not ids:
            break
        batch = Round(token, ids)
        sent += batch.run(until)
        if batch.is_server_away:  # said here too: the cache may be away at the same time
            break
    return sent


class Round:
    """One claimed batch over one connection."""

    def __init__(self, token: uuid.UUID, ids: list[int]) -> None:
        self.token = token
        self.ids = ids
        self.connection: BaseEmailBackend | None = None
        self.is_server_away = False

    def run(self, until: float) -> int:
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
            self._hang_up()
        return sent

    def _send(self, pk: int) -> bool:
        """One mail, from writing it to its new state. Returns whether it left."""
        mail = composing.load(pk)
        try:
            written = composing.write(mail)
        except NotSent as reason:
            self._settle(mail, MailState.SUPPRESSED, problem=reason.problem)
            return False
        except Exception:
            logger.exception("mail %s (%s) cannot be written", pk, mail.template)
            self._later(mail, DeliveryProblem.BROKEN, "")
            return False
        try:
            connection = self._dial()
        except ServerAway:
            written.discard_link()
            raise
        if not self._start(mail):  # somebody else has it by now: the lease ended while we were busy
            written.discard_link()
            return False
        try:
            connection.send_messages([written.message])
        except Exception as error:  # whatever a backend raises has a verdict
            failure = failures.of_sending(error)
            logger.warning("mail %s (%s): %s, %s", pk, mail.template, failure.verdict.name, failure.detail)
            self._hang_up()
            self._after_failure(mail, failure)
            if failure.verdict != Verdict.UNKNOWN:
                written.discard_link()
            if failure.verdict == Verdict.OUTAGE:
                raise ServerAway(failure) from error
            return False
        status = getattr(written.message, "anymail_status", None)
        self._settle(mail, MailState.SENT, subject=str(written.message.subject), status=status)
        return True

    # --- The connection ---

    def _dial(self) -> BaseEmailBackend:
        if self.connection is None:
            try:
                connection = get_connection()  # a provider without its key is no backend at all
                connection.open()
            except Exception as error:
                raise ServerAway(failures.of_opening(error)) from error
            self.connection = connection
        return self.connection

    def _hang_up(self) -> None:
        connection, self.connection = self.connection, None
        if connection is not None:
            try:
                connection.close()
            except Exception as error:  # noqa: BLE001  (what was to be said has been said)
                logger.info("the mail server did not say goodbye: %s", error)

    # --- States ---

    def _mine(self, pks: list[int]) -> Any:
        return OutgoingEmail.objects.filter(pk__in=pks, claim=self.token)

    def _start(self, mail: OutgoingEmail) -> bool:
        """From here on the mail may have left."""
        started: int = (
            self._mine([mail.pk])
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
        if mail.attempts > len(BACKOFF):
            gave_up = problem if problem == DeliveryProblem.BROKEN else DeliveryProblem.GAVE_UP
            self._settle(mail, MailState.FAILED, problem=gave_up, detail=detail)
            return
        with transaction.atomic():
            changed = self._mine([mail.pk]).update(
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
            if self._mine([mail.pk]).update(**values) and mail.delivery_id:
                deliveries.report(
                    mail.delivery_id, DELIVERY_STATES[state], problem=problem or "", detail=detail
                )

    def _release(self, pks: list[int], detail: str = "") -> None:
        """Give back untouched what there was no time, or no server, for."""
        rows = self._mine(pks).filter(state__in=[MailState.SENDING, MailState.STARTED])
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
    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.detail)
        self.failure = failure


DELIVERY_STATES = {
    MailState.SENT: DeliveryState.SENT,
    MailState.FAILED: DeliveryState.FAILED,
    MailState.SUPPRESSED: DeliveryState.WITHHELD,
}
EMPTIED = {"text": "", "html": ""}
"""An account's mail carries a code: nothing keeps it once the mail is settled."""


# --- What dead workers left -------------------------------------------------------------------------------


def sweep(limit: int = 200) -> int:
    """Take back the mails of workers that have gone. Returns how many there were."""
    count = 0
    for mail in list(OutgoingEmail.objects.abandoned()[:limit]):
        if mail.state == MailState.STARTED:
            count += settle_unknown(mail, claim=mail.claim)
        else:
            count += put_back(mail, claim=mail.claim)
    return count


def put_back(mail: OutgoingEmail, *, claim: uuid.UUID | None) -> bool:
    """Nothing has left. The attempt counts all the same: a mail that kills every worker must come to an end."""
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
    """Nobody knows whether this mail left. Once more with the same Message-ID, where that does less harm than silence;
    else it stays as it is, for a person to see."""
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
