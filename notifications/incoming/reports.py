"""Read delivery reports: what became of a mail of ours (RFC 3464), or that its reader complains (RFC 5965).

Many servers write reports of their own making, so the text is searched too.
"""

import re
from dataclasses import dataclass

from .mime import ReadMail

BOUNCED, DELAYED, DELIVERED, COMPLAINT = "bounced", "delayed", "delivered", "complaint"

_FIELD = re.compile(r"^([A-Za-z-]{2,60})\s*:[ \t]*(.*(?:\n[ \t]+.*)*)", re.MULTILINE)
_STATUS = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_CODE = re.compile(r"\b([45]\d\d)[ -](?=\D)")
_ADDRESS = re.compile(r"[^\s<>@,;:\"()\[\]]{1,128}@[^\s<>@,;:\"()\[\]]{1,253}")
_MESSAGE_ID = re.compile(r"^message-id\s*:\s*<([^<>\s]{1,400})>", re.IGNORECASE | re.MULTILINE)
_DESK_ID = re.compile(r"^x-desk-id\s*:\s*<([^<>\s]{1,400})>", re.IGNORECASE | re.MULTILINE)
LONGEST_REASON = 300
SEARCHED = 200_000


@dataclass(frozen=True)
class Report:
    """What became of one mail. `message_ids` are the ids that the report names, among them that of the mail; `status`
    is an enhanced status code such as «5.2.2», or empty."""

    outcome: str
    recipient: str = ""
    status: str = ""
    reason: str = ""
    message_ids: tuple[str, ...] = ()


def report_of(mail: ReadMail) -> Report:
    """Return what a delivery report says. Call it only for a mail that is one: everything is read as a report."""
    parts = dict(reversed(mail.reports))
    ids = _ids(mail)
    if "message/feedback-report" in parts:
        fields = _fields(parts["message/feedback-report"])
        return Report(
            COMPLAINT, _address(fields.get("original-rcpt-to", "")), "", fields.get("feedback-type", ""), ids
        )
    told = "\n".join(text for kind, text in mail.reports if kind.endswith("delivery-status"))
    fields = _fields(told)
    body = f"{mail.subject}\n{mail.text or mail.html}"[:SEARCHED]
    status = next(iter(_STATUS.findall(fields.get("status", "")) or _STATUS.findall(told or body)), "")
    reason = fields.get("diagnostic-code", "").partition(";")[2].strip() or fields.get("diagnostic-code", "")
    recipient = (
        _address(fields.get("final-recipient", ""))
        or _address(fields.get("original-recipient", ""))
        or _address(mail.header("x-failed-recipients"))
        or _first_other(body, mail)
    )
    outcome = _outcome(fields.get("action", ""), status, mail.subject)
    return Report(outcome, recipient, status, (reason or _sentence(body))[:LONGEST_REASON], ids)


def _outcome(action: str, status: str, subject: str) -> str:
    action = action.strip().lower()
    if action in ("delivered", "relayed", "expanded"):
        return DELIVERED
    if action == "delayed" or (
        not action and (status.startswith("4") or re.search(r"delay|demor", subject, re.IGNORECASE))
    ):
        return DELAYED
    return BOUNCED


def _fields(text: str) -> dict[str, str]:
    """Return the fields of a report; the first of each name counts, which is that of the first recipient."""
    found: dict[str, str] = {}
    for name, value in _FIELD.findall(text[:SEARCHED]):
        found.setdefault(name.lower(), " ".join(value.split()))
    return found


def _ids(mail: ReadMail) -> tuple[str, ...]:
    """Return the Message-IDs that the report names: in the returned headers, in its text, and in what it answers."""
    returned = [
        text
        for kind, text in mail.reports
        if kind in ("message/rfc822", "text/rfc822-headers", "message/global-headers")
    ]
    places = [*returned, mail.text[:SEARCHED], mail.html[:SEARCHED]]
    found = [one for text in places for pattern in (_DESK_ID, _MESSAGE_ID) for one in pattern.findall(text)]
    return tuple(dict.fromkeys([*found, *mail.references]))[:20]


def _address(text: str) -> str:
    found = _ADDRESS.search(text)
    return found[0].strip(".").lower() if found else ""


def _first_other(body: str, mail: ReadMail) -> str:
    """Return the first address in the text that is neither the sender's nor ours."""
    known = {mail.sender.email, *mail.recipients}
    return next(
        (one.strip(".").lower() for one in _ADDRESS.findall(body[:SEARCHED]) if one.lower() not in known), ""
    )


def _sentence(body: str) -> str:
    """Return the line of the text that tells why, the first with a status code."""
    for line in body.splitlines():
        if _STATUS.search(line) or _CODE.search(line):
            return " ".join(line.split())
    return ""
