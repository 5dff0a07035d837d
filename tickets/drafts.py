"""Keep what people typed and have not sent: reports of the portal, and forms of the back office.

The composer's drafts are kept by `workflow.conversation.save_draft`, unsent files by `attachments`.
"""

import time
from collections.abc import Mapping
from datetime import timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import User
from content.batches import delete_in_batches

from .models import FormDraft, ReportDraft, Ticket

Values = Mapping[str, list[str]]

REPORTS_KEPT = 20  # per visitor or account; a new one deletes the oldest
FORMS_KEPT = 100  # per user; a new one deletes the oldest
PAGES_KEPT = 5
"""Versions of one report, written on different pages at once, that are kept beside the latest."""
LONGEST = 60_000  # characters of one posted form of a report that are kept; no valid one has more
LONGEST_FORM = 200_000  # the same of a form of the back office, which may hold several long texts
MOST_FIELDS = 100
VISITOR_DAYS = 7
ACCOUNT_DAYS = 30
DISCARDED_DAYS = 1


def keepable(values: Values, *, longest: int = LONGEST) -> dict[str, list[str]]:
    """Return `values` without NUL, which PostgreSQL rejects; an empty dictionary if they are too many or too long."""
    size = sum(len(name) + sum(map(len, items)) for name, items in values.items())
    if size > longest or len(values) > MOST_FIELDS:
        return {}
    return {name: [item.replace("\0", "") for item in items] for name, items in values.items()}


def has_text(values: Values) -> bool:
    return bool(texts(values))


def texts(values: Values) -> set[tuple[str, str]]:
    """Return the names with what was typed or chosen, without the blank ones."""
    return {(name, item) for name, items in values.items() for item in items if item.strip()}


# --- Reports ----------------------------------------------------------------------------------------------


@transaction.atomic
def keep_report(
    draft: ReportDraft, *, topic: str, values: Values, page: str = "", seen: str = "", typed_at: int = 0
) -> ReportDraft:
    """Store the topic and the values of the details, and return the row as it is then.

    The row is read again under a lock, so a request that began earlier undoes nothing. `page` names the page that
    posts, and `seen` what `ReportDraft.written` was when it was drawn. If another page has written meanwhile, its
    values stay in `overwritten`. A save that arrives after a later one of the same page changes nothing, and nothing
    changes a report that has been filed.
    """
    row = _locked_report(draft)
    if row.folio or (page and row.page == page and typed_at < row.typed_at):
        return row
    kept = {name: list(items) for name, items in values.items()}
    overwritten = [pair for pair in row.overwritten if pair[0] not in (page, row.page)]
    if row.page not in ("", page) and row.written != seen and texts(row.values) - texts(kept):
        overwritten.append([row.page, row.values])
    row.topic, row.values, row.page, row.typed_at = topic, kept, page, typed_at
    row.overwritten = overwritten[-PAGES_KEPT:]
    return _saved(row, draft)


@transaction.atomic
def keep_answers(
    draft: ReportDraft, *, topic: str, answers: Mapping[str, list[str] | None], page: str
) -> ReportDraft:
    """Store the topic and these values of the details, and return the row as it is then. None deletes a value.

    Other values stay as the last page left them. `page` names who asks, so that a form of the guide that was drawn
    earlier does not overwrite the answers unnoticed.
    """
    row = _locked_report(draft)
    if row.folio:
        return row
    changed = {name for name, given in answers.items() if row.values.get(name) != given}
    if changed or row.topic != topic:
        values = {name: items for name, items in row.values.items() if name not in answers}
        row.values = values | {name: list(given) for name, given in answers.items() if given is not None}
        row.topic, row.page, row.typed_at = topic, page, time.time_ns() // 1_000_000
    return _saved(row, draft)


def keep_contact(draft: ReportDraft, *, contact: Values) -> ReportDraft:
    """Store what was typed in the last step, and return the row as it is then."""
    typed = {name: list(items) for name, items in contact.items()}
    columns = {"contact": typed, "visitor": draft.visitor, "updated_at": timezone.now(), "discarded_at": None}
    if draft.owner_id:
        columns["owner_id"] = draft.owner_id
    if draft.pk and ReportDraft.objects.filter(pk=draft.pk, folio="").update(**columns):
        draft.contact = typed
        return draft
    with transaction.atomic():
        row = _locked_report(draft)
        if not row.folio:
            row.contact = typed
        return _saved(row, draft)


@transaction.atomic
def begin_report(draft: ReportDraft, *, topic: str) -> ReportDraft:
    """Store the draft if it has no row yet, because a file was uploaded before anything was typed."""
    row = _locked_report(draft)
    row.topic = row.topic or topic
    return _saved(row, draft)


@transaction.atomic
def take_overwritten(draft: ReportDraft) -> ReportDraft:
    """Exchange the values with those that another page wrote and this report lost last."""
    row = _locked_report(draft)
    if row.overwritten and not row.folio:
        *rest, (page, values) = row.overwritten
        row.overwritten = [[row.page, row.values], *rest] if has_text(row.values) else rest
        row.values, row.page, row.typed_at = values, page, 0
    return _saved(row, draft)


def mark_filed(draft: ReportDraft, *, folio: str, email: str) -> None:
    """Replace the texts of the stored draft with the folio: the ticket has them now."""
    ReportDraft.objects.filter(pk=draft.pk).update(
        folio=folio,
        values={},
        overwritten=[],
        contact={"email": [email]},
        updated_at=timezone.now(),
        discarded_at=None,
    )


def discard_report(draft: ReportDraft, *, discarded: bool = True) -> None:
    """Hide the report from the home page, or show it again. `forget_old_drafts` deletes it a day later."""
    at = timezone.now() if discarded else None
    ReportDraft.objects.filter(pk=draft.pk, folio="").update(discarded_at=at)


def unfinished_reports(*, visitor: str, user: User | None) -> "QuerySet[ReportDraft]":
    """Return the reports that this visitor or account began and has not sent, newest first."""
    mine = Q(visitor=visitor, owner=None) if visitor else Q(pk=None)
    if user is not None:
        mine |= Q(owner=user)
    rows = ReportDraft.objects.filter(mine, folio="", discarded_at=None).exclude(values={})
    return rows.order_by("-updated_at", "-pk")


def _locked_report(draft: ReportDraft) -> ReportDraft:
    """Return the draft's row, locked until the transaction ends; made from `draft` if there is none."""
    rows = ReportDraft.objects.select_for_update()
    row = rows.filter(key=draft.key).first()
    if row is not None:
        return row
    names = ("code", "visitor", "owner_id", "key", "topic", "values", "contact")
    new = ReportDraft(**{name: getattr(draft, name) for name in names})
    ReportDraft.objects.bulk_create(
        [new], ignore_conflicts=True
    )  # another request may make it at the same time
    row = rows.get(key=draft.key)
    _prune_reports(row)
    return row


def _saved(row: ReportDraft, draft: ReportDraft) -> ReportDraft:
    """Save the locked row for the visitor and the account that `draft` was loaded for."""
    row.visitor = draft.visitor
    row.owner_id = draft.owner_id or row.owner_id
    row.updated_at, row.discarded_at = timezone.now(), None
    row.save()
    return row


def _prune_reports(row: ReportDraft) -> None:
    mine = Q(owner=row.owner_id) if row.owner_id else Q(visitor=row.visitor, owner=None)
    newest = ReportDraft.objects.filter(mine).order_by("-updated_at", "-pk").values_list("pk", flat=True)
    ReportDraft.objects.filter(pk__in=list(newest[REPORTS_KEPT : REPORTS_KEPT + 50])).delete()


# --- Forms of the back office -----------------------------------------------------------------------------


@transaction.atomic
def keep_form(user: User, form: str, *, values: Values, ticket: Ticket | None = None, key: str = "") -> bool:
    """Store what `user` typed into `form`. Without any text, empty what was stored. Returns False if it is too large,
    and then leaves what was stored.

    `key` is the idempotency key of the page that saves. If a form with this key was sent meanwhile, nothing is stored.
    """
    kept = keepable(values, longest=LONGEST_FORM)
    if values and not kept:
        return False
    rows = FormDraft.objects.select_for_update().filter(user=user, form=form)
    row = rows.first()
    if row is None:
        new = FormDraft(user=user, form=form, ticket=ticket)
        FormDraft.objects.bulk_create(
            [new], ignore_conflicts=True
        )  # another request may make it at the same time
        _prune_forms(user)
        row = rows.get()
    if key and row.sent_key == key:
        return True
    row.values, row.updated_at = kept if has_text(kept) else {}, timezone.now()
    row.save()
    return True


def _prune_forms(user: User) -> None:
    newest = FormDraft.objects.filter(user=user).order_by("-updated_at", "-pk").values_list("pk", flat=True)
    FormDraft.objects.filter(pk__in=list(newest[FORMS_KEPT : FORMS_KEPT + 50])).delete()


def kept_form(user: User, form: str) -> dict[str, list[str]]:
    """Return what `user` typed into `form` and has not sent; empty if there is nothing."""
    row = FormDraft.objects.filter(user=user, form=form).first()
    return dict(row.values) if row else {}


def forget_form(user: User, form: str, *, ticket: Ticket | None = None, key: str = "") -> None:
    """Delete what is stored of `form`, because it was sent or discarded, and remember the sent form's `key`."""
    FormDraft.objects.update_or_create(
        user=user,
        form=form,
        defaults={"ticket": ticket, "values": {}, "sent_key": key, "updated_at": timezone.now()},
    )


# --- Age --------------------------------------------------------------------------------------------------


def forget_old_drafts() -> int:
    """Delete drafts that nobody has touched for a long time, and discarded reports. Returns how many."""
    return delete_in_batches(old_reports()) + delete_in_batches(old_forms())


def old_reports() -> "QuerySet[ReportDraft]":
    now = timezone.now()
    return ReportDraft.objects.filter(
        Q(updated_at__lt=now - timedelta(days=ACCOUNT_DAYS))
        | Q(updated_at__lt=now - timedelta(days=VISITOR_DAYS), owner=None)
        | Q(updated_at__lt=now - timedelta(days=DISCARDED_DAYS), discarded_at__isnull=False)
    )


def old_forms() -> "QuerySet[FormDraft]":
    return FormDraft.objects.filter(updated_at__lt=timezone.now() - timedelta(days=ACCOUNT_DAYS))
