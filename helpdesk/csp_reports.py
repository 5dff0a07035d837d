"""What browsers refused because of the content security policy, for administrators (/admin/helpdesk/cspreport/).

Anybody can send such a report, so a report costs little and the table stays small: equal reports are one row with a
count, there are `MOST_ROWS` rows at most, and a new kind of report takes the place of the rarest. Of the page only the
name of its view is stored, of the blocked address only its origin: addresses hold folios and links of guests.
"""

import json
from collections.abc import Collection, Iterator
from datetime import timedelta
from functools import reduce
from operator import or_
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from django.db import transaction
from django.db.models import F, Q
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from content.batches import delete_in_batches
from web.client_ip import client_network
from web.ratelimit import allow

from .models import CspReport

MOST_BYTES = 16_000
MOST_AT_ONCE = 10
MOST_ROWS = 200
PER_MINUTE = 20  # of one visitor
PER_MINUTE_OF_ALL = 100
KEPT = timedelta(days=90)
DIRECTIVES = {
    *(f"{name}-src" for name in ("default", "script", "style", "img", "font", "connect", "media", "object")),
    *(f"{name}-src" for name in ("frame", "child", "worker", "manifest")),
    *("script-src-elem", "script-src-attr", "style-src-elem", "style-src-attr"),
    *("base-uri", "form-action", "frame-ancestors"),
}
KEYWORDS = {
    "inline",
    "eval",
    "wasm-eval",
    "self",
    "data",
    "blob",
    "trusted-types-policy",
    "trusted-types-sink",
}
WEB = {"http", "https", "ws", "wss"}
"""Schemes of blocked addresses that are stored. Browser extensions have schemes of their own; nobody here can mend what
they do."""


class Violation(NamedTuple):
    directive: str
    blocked: str
    page: str


@csrf_exempt  # browsers send no token
@require_POST
def receive(request: HttpRequest) -> HttpResponse:
    """Count the violations in the report. The answer is always the same, because nobody reads it."""
    done = HttpResponse(status=204)
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > MOST_BYTES:
        return done
    if not allow(f"csp {client_network(request)}", limit=PER_MINUTE, window=60):
        return done
    if not allow("csp", limit=PER_MINUTE_OF_ALL, window=60):
        return done
    if found := set(violations(request.body, host=request.get_host())):
        count(found)
    return done


def violations(body: bytes, *, host: str) -> Iterator[Violation]:
    """Yield the violations on our own pages in a report of either format (report-uri, Reporting API)."""
    try:
        report = json.loads(body)
    except (ValueError, RecursionError):
        return
    if isinstance(report, dict):
        found = [report.get("csp-report")]
    elif isinstance(report, list):
        found = [one.get("body") for one in report[:MOST_AT_ONCE] if isinstance(one, dict)]
    else:
        return
    for one in found:
        if isinstance(one, dict) and (violation := _read(one, host)):
            yield violation


def _read(report: dict[str, Any], host: str) -> Violation | None:
    def text(*names: str) -> str:
        value = next((report[name] for name in names if report.get(name)), "")
        return value[:2000] if isinstance(value, str) and value.isprintable() else ""

    directive = text("effective-directive", "effectiveDirective", "violated-directive").partition(" ")[0]
    if directive not in DIRECTIVES:
        return None
    page, blocked = (
        _page(text("document-uri", "documentURL"), host),
        _origin(text("blocked-uri", "blockedURL")),
    )
    return Violation(directive, blocked, page) if page and blocked else None


def _page(address: str, host: str) -> str:
    """Return the name of the view that drew the page; "" if it is none of ours."""
    try:
        parts = urlsplit(address)
        if parts.netloc.lower() != host.lower():
            return ""
        match = resolve(parts.path)
    except (ValueError, Resolver404):
        return ""
    return match.view_name[:100]


def _origin(blocked: str) -> str:
    """Return a keyword such as «inline», or scheme and host of the address; "" if it is not of the web."""
    if blocked in KEYWORDS:
        return blocked
    try:
        parts = urlsplit(blocked)
        host = parts.hostname or ""
    except ValueError:
        return ""
    return f"{parts.scheme}://{host}" if parts.scheme in WEB and 0 < len(host) <= 253 else ""


def count(violations: Collection[Violation]) -> None:
    """Add one to each violation's row, and make room for those that have none."""
    same = reduce(or_, (Q(**violation._asdict()) for violation in violations))
    with transaction.atomic():
        known = list(CspReport.objects.filter(same))
        counted = CspReport.objects.filter(pk__in=[row.pk for row in known])
        counted.update(times=F("times") + 1, last_seen=timezone.now())
        new = set(violations) - {Violation(row.directive, row.blocked, row.page) for row in known}
        if not new:
            return
        CspReport.objects.bulk_create(
            (CspReport(**violation._asdict()) for violation in new), ignore_conflicts=True
        )
        others = CspReport.objects.exclude(same).order_by("-times", "-last_seen")
        rarest = others.values_list("pk", flat=True)[MOST_ROWS - len(violations) :]
        CspReport.objects.filter(pk__in=list(rarest)).delete()


def forget_old() -> None:
    delete_in_batches(CspReport.objects.filter(last_seen__lt=timezone.now() - KEPT))
