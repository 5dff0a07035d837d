"""The report somebody is writing, from the first step to its folio.

Two homes were tried on paper. A row per draft would need a model, an owner before there is one, and a sweep. The
session has all three already, and keeps its content when a person signs in half-way (S2.1); but it can end while
somebody types. So every form of the guide also carries the draft in its own page, signed: whatever ends meanwhile, the
next POST brings everything back. Files wait under the draft's key in the same way.
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
KEPT = 5  # reports that one browser may have half-written at a time; the oldest makes room
LONGEST = 60_000  # characters of a draft that the session takes: more than any form accepts
MOST_FIELDS = 100
SALT = "portal.drafts"
CARRIED_FOR = 3 * 24 * 3600
DETAILS = re.compile(r"title|description|answer_[a-z0-9_-]{1,40}")


@dataclass
class Draft:
    """What was typed so far, as it was typed. `key` files it once (S0.14) and is the name its files wait under."""

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
        """The values as a form takes them."""
        data = QueryDict(mutable=True)
        for name, items in values.items():
            data.setlist(name, items)
        return data

    def files(self, request: HttpRequest) -> QuerySet[Attachment]:
        """The files that will go along: the person's own, and those from before they signed in."""
        mine = Q(uploader=None)
        if request.user.is_authenticated:
            mine |= Q(uploader=request.user)
        return Attachment.objects.drafts(self.files_key).filter(mine)

    def carry(self, *, whole: bool = False) -> str:
        """The draft for the page's own form; `whole` when the form does not hold the earlier answers itself."""
        values = asdict(self) if whole else {"id": self.id, "key": self.key, "owner": self.owner}
        return signing.dumps(values, salt=SALT, compress=True)

    def adopt_files(self, user: User) -> None:
        adopt_drafts(self.files_key, user=user)


NAMES = frozenset(item.name for item in fields(Draft))


def new_id() -> str:
    return secrets.token_urlsafe(9)


def load(request: HttpRequest, draft_id: str) -> Draft:
    """The draft of that name in this browser; else the one its page carries; else an empty one."""
    for values in (_of_session(request).get(draft_id), _carried(request)):
        if values and values.get("id") == draft_id and _may_go_on(request, values):
            return Draft(**{name: value for name, value in values.items() if name in NAMES})
    return Draft(draft_id)


def save(request: HttpRequest, draft: Draft) -> None:
    if request.user.is_authenticated:
        draft.owner = request.user.pk
    drafts = _of_session(request)
    drafts.pop(draft.id, None)
    drafts[draft.id] = asdict(draft)
    request.session[SESSION_KEY] = dict(list(drafts.items())[-KEPT:])


def typed(request: HttpRequest, names: re.Pattern[str] = DETAILS) -> dict[str, list[str]]:
    """What a form posted in fields of these names. Empty when it is too much to keep: no valid form is that long."""
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


def _may_go_on(request: HttpRequest, values: dict[str, Any]) -> bool:
    """Nobody goes on with what another account was writing."""
    return values.get("owner") in (None, request.user.pk) or not request.user.is_authenticated
