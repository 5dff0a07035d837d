"""Find and keep the draft of a report, from the first step of the guide until the ticket has a folio.

A draft is a row (`tickets.models.ReportDraft`). It belongs to the browser that began it, known by a cookie, and to the
account that wrote in it. The forms of the guide also carry a signed proof in a hidden field, so that the next POST
finds the draft after the cookie is gone, and restores it after the row is gone. The files are stored under the draft's
key. docs/decisions/0010 gives the reasons.
"""

import re
import secrets
import uuid
from itertools import islice
from typing import Any

from django.core import signing
from django.db.models import Q
from django.http import Http404, HttpRequest, QueryDict

from accounts.models import User
from tickets import drafts
from tickets.attachments import adopt_drafts
from tickets.models import Attachment, ReportDraft
from tickets.models.querysets import AttachmentQuerySet
from web.visitors import recognised, visitor_of

SALT = "portal.drafts"
CARRIED_FOR = 3 * 24 * 3600
LONGEST_CODE = 64
DETAILS = re.compile(r"title|description|answer_[a-z0-9_-]{1,40}")
CONTACT = re.compile(r"email|name|phone|notify|seen")
"""The form of one page posts `seen` too: there it names the page that had written last. What counts is that it came."""


def new_code() -> str:
    return secrets.token_urlsafe(9)


def load(request: HttpRequest, code: str) -> ReportDraft:
    """Return the draft `code` of this visitor, else the one that the posted field `carry` proves, else an empty one.

    A signed-in person gets a draft of their own or of nobody, never another account's. A visitor gets an account's
    draft only by `carry`: their session ended while they wrote. What they post is kept, and `must_sign_in` is true. The
    visitor gets a cookie.
    """
    if len(code) > LONGEST_CODE:
        raise Http404
    visitor = recognised(request)
    user = request.user if isinstance(request.user, User) else None
    draft = _of_visitor(code, visitor, user) or _carried(request, code, user) or ReportDraft(code=code)
    draft.visitor = visitor
    if user is not None:
        draft.owner = user
    return draft


def must_sign_in(request: HttpRequest, draft: ReportDraft) -> bool:
    """Whether the draft belongs to an account and nobody is signed in: it may be written, but not shown."""
    return draft.owner_id is not None and not request.user.is_authenticated


def unfinished(request: HttpRequest, limit: int, *, topic: str = "") -> list[ReportDraft]:
    """Return up to `limit` reports that this person began and has not sent, newest first; with a `topic`, only those
    about it. One whose text was erased counts only if it has files."""
    user = request.user if isinstance(request.user, User) else None
    mine = drafts.unfinished_reports(visitor=visitor_of(request), user=user)
    rows = (mine.filter(topic=topic) if topic else mine)[: drafts.REPORTS_KEPT]
    begun = (row for row in rows if drafts.has_text(row.values) or files_of(request, row).exists())
    return list(islice(begun, limit))


def _of_visitor(code: str, visitor: str, user: User | None) -> ReportDraft | None:
    mine = Q(visitor=visitor, owner=None)
    if user is not None:
        mine |= Q(owner=user)
    return ReportDraft.objects.filter(mine, code=code).order_by("-updated_at", "-pk").first()


def _carried(request: HttpRequest, code: str, user: User | None) -> ReportDraft | None:
    """Return the draft that the hidden field `carry` of the posted form proves, from its row or from the field."""
    text = request.POST.get("carry", "")
    if not re.fullmatch(r"[\w.:-]{1,200000}", text):
        return None
    try:
        values: dict[str, Any] = signing.loads(text, salt=SALT, max_age=CARRIED_FOR)
        key = uuid.UUID(values["key"])
    except (signing.BadSignature, KeyError, ValueError):
        return None
    if values.get("code") != code or not _may_continue(values.get("owner"), user):
        return None
    row = ReportDraft.objects.filter(key=key).first()
    if row is not None:
        return row if _may_continue(row.owner_id, user) else None
    texts = {name: values[name] for name in ("topic", "values", "contact") if name in values}
    return ReportDraft(code=code, key=key, owner_id=values.get("owner"), **texts)


def _may_continue(owner: int | None, user: User | None) -> bool:
    """Whether this person may write in a draft. False if they are signed in and another account owns it."""
    return user is None or owner in (None, user.pk)


def carry(draft: ReportDraft, *, whole: bool = False) -> str:
    """Return the signed draft for a hidden field. Pass `whole` if the form itself does not hold the answers."""
    values: dict[str, Any] = {"code": draft.code, "key": str(draft.key), "owner": draft.owner_id}
    if whole:
        values |= {"topic": draft.topic, "values": draft.values, "contact": draft.contact}
    return signing.dumps(values, salt=SALT, compress=True)


def new_page() -> str:
    """Return a name for a page that is being drawn; its form posts it, so that two tabs are told apart."""
    return secrets.token_urlsafe(12)


def page_of(request: HttpRequest) -> dict[str, Any]:
    """Return the posted name of the page, what had been written before it was drawn, and when it was typed."""
    page, seen = (request.POST.get(name, "").replace("\0", "") for name in ("page", "seen"))
    typed_at = request.POST.get("typed_at", "")
    return {
        "page": page[:40],
        "seen": seen[:80],
        "typed_at": int(typed_at) if re.fullmatch(r"[0-9]{1,15}", typed_at, re.ASCII) else 0,
    }


def typed(request: HttpRequest, names: re.Pattern[str] = DETAILS) -> dict[str, list[str]]:
    """Return the posted values of the fields whose names match `names`.

    Returns an empty dictionary when they are too many or too long to keep; no valid form is that long.
    """
    return drafts.keepable(
        {name: request.POST.getlist(name) for name in request.POST if names.fullmatch(name)}
    )


def as_data(values: dict[str, list[str]]) -> QueryDict:
    """Return `values` as a `QueryDict`, the type of a form's `data`."""
    data = QueryDict(mutable=True)
    for name, items in values.items():
        data.setlist(name, items)
    return data


def files_of(request: HttpRequest, draft: ReportDraft) -> AttachmentQuerySet:
    """Return the files that will be attached: the person's own, and those from before they signed in."""
    found: AttachmentQuerySet = Attachment.objects.drafts(draft.files_key)
    mine = found.filter(uploader=None)
    if request.user.is_authenticated:
        mine |= found.filter(uploader=request.user)
    return mine


def adopt_files(draft: ReportDraft, user: User) -> None:
    adopt_drafts(draft.files_key, user=user)
