"""Claim mails, note how far a worker has come with them, and store what became of each.

Every change is made only while the claim holds: the worker that has lost it, because its lease expired, changes
nothing.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any

from django.db import connection, transaction
from django.db.models import BinaryField, Case, F, Field, Q, QuerySet, TextField, Value, When
from django.utils import timezone

from tickets.enums import DeliveryProblem, DeliveryState
from tickets.record import deliveries

from ..enums import Audience, MailState
from ..models import MailBatch, OutgoingEmail
from .emails import ONCE_ONLY

LEASE = timedelta(seconds=60)
"""How long a batch belongs to its worker. Longer than tasks.DRAIN_HARD_LIMIT, so that a lease never expires while its
worker is still sending."""
BACKOFF = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=8),
    timedelta(hours=24),
)
"""How long to wait after each attempt that did not succeed. The attempt after the last step is the last one."""
SECOND_COPY_WAIT = timedelta(minutes=5)
"""How long a mail waits that the server may have taken, before it is sent once more. A server that took it late has
answered other mails by then, and one that is mute would swallow the second copy too."""

DELIVERY_STATES = {
    MailState.SENT: DeliveryState.SENT,
    MailState.FAILED: DeliveryState.FAILED,
    MailState.SUPPRESSED: DeliveryState.WITHHELD,
    MailState.UNCERTAIN: DeliveryState.UNCERTAIN,
}
RISKED_LAST = Q(is_second_copy=True) | Q(audience=Audience.ACCOUNT) | Q(template__in=ONCE_ONLY)
"""Mails that are lost if a mute server swallows them: they are not sent again."""


@dataclass
class Claim:
    """The mails that this worker has claimed, as `MailBatch` stores them."""

    pk: int
    token: uuid.UUID
    mails: list[int]
    places: dict[int, int] = field(init=False)

    def __post_init__(self) -> None:
        self.places = {mail: place for place, mail in enumerate(self.mails)}

    def held(self, mails: Sequence[int]) -> "QuerySet[OutgoingEmail]":
        """Return the rows of `mails` that this claim still holds."""
        return OutgoingEmail.objects.filter(pk__in=mails, claim=self.token)

    def note_start(self, mail: int) -> bool:
        """Note that all mails before `mail` have been answered and that `mail` may leave from now on. Returns False if
        the claim is lost."""
        place = self.places[mail]
        return self._note(place, place + 1)

    def note_end(self) -> bool:
        """Note that the server has answered for all mails."""
        return self._note(len(self.mails), len(self.mails))

    def _note(self, answered: int, started: int) -> bool:
        with connection.cursor() as cursor:
            cursor.execute(_NOTE[connection.vendor == "postgresql"], [answered, started, self.pk])
            return bool(cursor.rowcount == 1)

    def end(self) -> None:
        """Delete the batch. It stays, for `sweep`, while it holds a mail whose outcome could not be stored."""
        if not self.held(self.mails).exists():
            MailBatch.objects.filter(pk=self.pk).delete()


_NOTE = {
    False: "UPDATE notifications_mailbatch SET answered = %s, started = %s WHERE id = %s",
    # Without waiting for the disk: the note must outlive this process, which the server's memory does. If PostgreSQL
    # itself is killed meanwhile, this process still knows.
    True: "UPDATE notifications_mailbatch SET answered = %s, started = %s "
    "FROM set_config('synchronous_commit', 'off', true) WHERE id = %s",
}
"""By whether the database is PostgreSQL. Written once for each mail, so the ORM's share of the time would show."""


@transaction.atomic
def claim(limit: int, *, on_trial: bool = False) -> Claim | None:
    """Claim up to `limit` due mails for this worker; None if there are none. Workers that claim at the same time get
    other rows.

    A mail that was tried before is claimed alone: if it makes workers die, no other mail is in the same batch.
    `on_trial` claims one mail with which to try a server that was away: if possible one that may be repeated, and never
    a second copy.
    """
    due = OutgoingEmail.objects.due().select_for_update(skip_locked=True)
    if on_trial:
        ids = _first(due.exclude(RISKED_LAST)) or _first(due.exclude(is_second_copy=True))
    else:
        rows = list(due.values_list("pk", "attempts")[:limit])
        ids = [pk for pk, _attempts in takewhile(lambda row: row[1] == 0, rows)] or [pk for pk, _ in rows[:1]]
    if not ids:
        return None
    batch = MailBatch.objects.create(mails=ids, lease_until=timezone.now() + LEASE)
    OutgoingEmail.objects.filter(pk__in=ids).update(claim=batch.token, attempts=F("attempts") + 1)
    return Claim(batch.pk, batch.token, ids)


def _first(due: Any) -> list[int]:
    return list(due.values_list("pk", flat=True)[:1])


# --- What became of a mail --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sent:
    """One mail that the server has taken."""

    mail: OutgoingEmail
    subject: str
    provider_id: str
    at: datetime
    fingerprint: bytes = b""


def settle_sent(claim: Claim, sent: Sequence[Sent]) -> None:
    """Mark these mails as sent, with their deliveries: a constant number of queries."""
    if not sent:
        return
    account_mails = [one.mail for one in sent if one.mail.is_about_account]
    hidden = {mail.pk: mail.without_secrets().get("subject", mail.subject) for mail in account_mails}
    values: dict[str, Any] = {
        "state": MailState.SENT,
        "claim": None,
        "last_error": "",
        "sent_at": sent[-1].at,
        "subject": _by_mail({one.mail.pk: one.subject for one in sent} | hidden, "subject"),
        **OutgoingEmail.SECRETS,
    }
    if any(one.provider_id for one in sent):
        values["provider_id"] = _by_mail({one.mail.pk: one.provider_id for one in sent}, "provider_id")
    if prints := {one.mail.pk: one.fingerprint for one in sent if one.fingerprint}:
        values["fingerprint"] = _by_mail(prints, "fingerprint", BinaryField())
    with transaction.atomic():
        held = claim.held([one.mail.pk for one in sent])
        if held.update(**values) == len(sent):
            settled = [one.mail.delivery_id for one in sent]
        else:  # the lease expired meanwhile: `sweep` has settled the others
            settled = list(
                OutgoingEmail.objects.filter(
                    pk__in=[one.mail.pk for one in sent], state=MailState.SENT
                ).values_list("delivery_id", flat=True)
            )
        deliveries.report_all([pk for pk in settled if pk is not None], DeliveryState.SENT)


def _by_mail(values: Mapping[int, Any], column: str, field: "Field[Any, Any] | None" = None) -> Any:
    field = field or TextField()
    cases = [When(pk=pk, then=Value(value, output_field=field)) for pk, value in values.items()]
    return Case(*cases, default=F(column), output_field=field)


def settle(
    mail: OutgoingEmail,
    state: MailState,
    *,
    claim: uuid.UUID | None,
    problem: DeliveryProblem | str = "",
    detail: str = "",
) -> bool:
    """Store the final state of one mail, if `claim` still holds it. Returns whether it did."""
    values: dict[str, Any] = {"state": state, "last_error": detail, "claim": None, "lease_until": None}
    if state == MailState.SENT:
        values["sent_at"] = timezone.now()
    if mail.is_about_account:
        values |= mail.without_secrets()
    return _change(mail, claim, values, DELIVERY_STATES[state], problem, detail)


def postpone(mail: OutgoingEmail, *, claim: uuid.UUID | None, problem: DeliveryProblem, detail: str) -> None:
    """Queue the mail for its next attempt; mark it failed after the last one."""
    if mail.attempts > len(BACKOFF):
        gave_up = problem if problem == DeliveryProblem.BROKEN else DeliveryProblem.GAVE_UP
        settle(mail, MailState.FAILED, claim=claim, problem=gave_up, detail=detail)
        return
    values = {
        "claim": None,
        "next_attempt_at": timezone.now() + BACKOFF[mail.attempts - 1],
        "last_error": detail,
    }
    _change(mail, claim, values, DeliveryState.WAITING, problem, detail)


def settle_unknown(
    mail: OutgoingEmail, *, claim: uuid.UUID | None, detail: str = "", wait: timedelta = timedelta(0)
) -> bool:
    """Settle a mail that may or may not have left, if `claim` still holds it. Returns whether the row changed.

    It is queued once more with the same Message-ID, to leave after `wait`, where a second copy does less harm than a
    lost mail; otherwise it becomes `uncertain`, for a person to look at."""
    if mail.is_second_copy or mail.is_about_account or mail.template in ONCE_ONLY:
        return settle(mail, MailState.UNCERTAIN, claim=claim, problem=DeliveryProblem.UNKNOWN, detail=detail)
    values = {
        "state": MailState.QUEUED,
        "claim": None,
        "lease_until": None,
        "is_second_copy": True,
        "next_attempt_at": timezone.now() + wait,
        "last_error": detail,
    }
    return _change(mail, claim, values, DeliveryState.WAITING, DeliveryProblem.UNKNOWN, detail)


def requeue_unstarted(mail: OutgoingEmail, *, claim: uuid.UUID | None) -> bool:
    """Queue again a mail that had not started, if `claim` still holds it. The attempt counts, and after the last one
    the mail fails: a mail that kills every worker must not be tried for ever. Returns whether the row changed."""
    if mail.attempts > len(BACKOFF):
        return settle(mail, MailState.FAILED, claim=claim, problem=DeliveryProblem.BROKEN)
    mine = OutgoingEmail.objects.filter(pk=mail.pk, claim=claim)
    return bool(mine.update(state=MailState.QUEUED, claim=None, lease_until=None))


def _change(
    mail: OutgoingEmail,
    claim: uuid.UUID | None,
    values: Mapping[str, Any],
    state: DeliveryState,
    problem: DeliveryProblem | str,
    detail: str,
) -> bool:
    with transaction.atomic():
        changed = OutgoingEmail.objects.filter(pk=mail.pk, claim=claim).update(**values)
        if changed and mail.delivery_id:
            deliveries.report(mail.delivery_id, state, problem=problem, detail=detail)
    return bool(changed)


def release(claim: Claim, mails: Sequence[int], detail: str = "") -> None:
    """Queue mails again without counting the attempt: there was no time or no server for them."""
    values: dict[str, Any] = {"last_error": detail} if detail else {}
    if mails:
        claim.held(mails).update(claim=None, attempts=F("attempts") - 1, **values)


# --- Mails of dead workers --------------------------------------------------------------------------------


def sweep(limit: int = 200) -> int:
    """Settle or queue again the mails of workers that died, of up to `limit` batches. Returns how many it changed."""
    expired = MailBatch.objects.filter(lease_until__lt=timezone.now()).order_by("lease_until")
    count = sum(_take_back(pk) for pk in list(expired.values_list("pk", flat=True)[:limit]))
    for mail in list(OutgoingEmail.objects.claimed_by_former_release()[:limit]):
        if mail.state == MailState.STARTED:
            count += settle_unknown(mail, claim=mail.claim)
        else:
            count += requeue_unstarted(mail, claim=mail.claim)
    return count


@transaction.atomic
def _take_back(pk: int) -> int:
    """Settle or queue again the mails of one expired batch, and delete it. Returns how many mails changed."""
    expired = MailBatch.objects.select_for_update(skip_locked=True)
    batch = expired.filter(pk=pk, lease_until__lt=timezone.now()).first()
    if batch is None:
        return 0
    rows = OutgoingEmail.objects.filter(claim=batch.token).in_bulk(batch.mails)
    count = 0
    for place, mail_pk in enumerate(batch.mails):
        mail = rows.get(mail_pk)
        if mail is None:  # settled, or deleted with its ticket
            continue
        if place < batch.answered:
            count += settle(mail, MailState.SENT, claim=batch.token)
        elif place < batch.started:
            count += settle_unknown(mail, claim=batch.token)
        else:
            count += requeue_unstarted(mail, claim=batch.token)
    batch.delete()
    return count


def forget_expired_secrets() -> int:
    """Withhold account mails whose code has expired while nobody could send them, and delete the code. Returns how
    many."""
    expired = OutgoingEmail.objects.filter(
        state=MailState.QUEUED, is_urgent=True, claim__isnull=True, expires_at__lte=timezone.now()
    )
    subject = Case(When(secret_subject="", then=Value("")), default=F("subject"))
    return expired.update(state=MailState.SUPPRESSED, subject=subject, **OutgoingEmail.SECRETS)
