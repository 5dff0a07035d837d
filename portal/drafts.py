"""The draft of a report, from the first step of the guide until the ticket has a folio.

The draft is stored in the session. A table of drafts would need a model, an owner before the person has signed in, and
a job that deletes old rows. A session already has an owner and an end, and keeps its content when a person signs in
half-way (S2.1). But it can end while the person types. So the forms of the guide also carry the draft in a signed
hidden field, and the next POST restores it. The files are stored under the draft's key.
"""

import re
import secrets
import uuid
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from django.core import signing
from django.db.models import Q, QuerySet
from django.http import HttpRequest, QueryDict

from accounts.models import User
from tickets.attachments import adopt_drafts
from tickets.models import Attachment

SESSION_KEY = "filings"
KEPT = 5  # drafts per browser; adding one more deletes the oldest
LONGEST = 60_000  # characters of one posted form that are stored; no valid form has more
MOST_FIELDS = 100
SALT = "portal.drafts"
CARRIED_FOR = 3 * 24 * 3600
DETAILS = re.compile(r"title|description|answer_[a-z0-9_-]{1,40}")


@dataclass
class Draft:
    """The values that the person has typed so far, not validated.

    A draft that is sent twice has the same `key`, so it is filed once (S0.14). Its files are stored under `files_key`.
    """

    id: str
    key: str = field(default_factory=lambda: str(uuid.uuid4()))
    topic: str = ""
    values: dict[str, list[str]] = field(default_factory=dict)
    contact: dict[str, list[str]] = field(default_factory=dict)
    owner: int | None = None
    folio: str = ""

    @property
    def files_key(self) -> str:
        return f"filing:{self.key}"

    def data(self, values: dict[str, list[str]]) -> QueryDict:
        """Return `values` as a `QueryDict`, the type of a form's `data`."""
        data = QueryDict(mutable=True)
        for name, items in values.items():
            data.setlist(name, items)
        return data

    def files(self, request: HttpRequest) -> QuerySet[Attachment]:
        """Return the files that will be attached: the person's own, and those from before they signed in."""
        mine = Q(uploader=None)
        if request.user.is_authenticated:
            mine |= Q(uploader=request.user)
        return Attachment.objects.drafts(self.files_key).filter(mine)

    def carry(self, *, whole: bool = False) -> str:
        """Return the signed draft for a hidden field. Pass `whole` if the form itself does not hold the answers."""
        values = asdict(self) if whole else {"id": self.id, "key": self.key, "owner": self.owner}
        return signing.dumps(values, salt=SALT, compress=True)

    def adopt_files(self, user: User) -> None:
        adopt_drafts(self.files_key, user=user)


NAMES = frozenset(item.name for item in fields(Draft))


def new_id() -> str:
    return secrets.token_urlsafe(9)


def load(request: HttpRequest, draft_id: str) -> Draft:
    """Return the draft `draft_id` from the session, else from the request's hidden field `carry`, else an empty one."""
    for values in (_of_session(request).get(draft_id), _carried(request)):
        if values and values.get("id") == draft_id and _may_continue(request, values):
            return Draft(**{name: value for name, value in values.items() if name in NAMES})
    return Draft(draft_id)


def save(request: HttpRequest, draft: Draft) -> None:
    """Store the draft in the session and make a signed-in person its owner. Only the `KEPT` newest drafts stay."""
    if request.user.is_authenticated:
        draft.owner = request.user.pk
    drafts = _of_session(request)
    drafts.pop(draft.id, None)
    drafts[draft.id] = asdict(draft)
    request.session[SESSION_KEY] = dict(list(drafts.items())[-KEPT:])


def typed(request: HttpRequest, names: re.Pattern[str] = DETAILS) -> dict[str, list[str]]:
    """Return the posted values of the fields whose names match `names`.

    Returns an empty dictionary when they are too many or too long to keep; no valid form is that long.
    """
    values = {name: request.POST.getlist(name) for name in request.POST if names.fullmatch(name)}
    size = sum(len(item) for items in values.values() for item in items)
    return values if size <= LONGEST and len(values) <= MOST_FIELDS else {}


def _of_session(request: HttpRequest) -> dict[str, dict[str, Any]]:
    return dict(request.session.get(SESSION_KEY, {}))


def _carried(request: HttpRequest) -> dict[str, Any] | None:
    text = request.POST.get("carry") or request.GET.get("carry") or ""
    if not re.fullmatch(r"[\w.:-]{1,200000}", text):
        return None
    try:
        return signing.loads(text, salt=SALT, max_age=CARRIED_FOR)
    except signing.BadSignature:
        return None


def _may_continue(request: HttpRequest, values: dict[str, Any]) -> bool:
    """Whether this visitor may continue the draft. False if they are signed in and another account owns it."""
    return values.get("owner") in (None, request.user.pk) or not request.user.is_authenticated
