"""Say whether a program sent a mail: then nobody is woken, and nothing answers it (RFC 3834, A15, A16)."""

import re
from dataclasses import dataclass
from typing import Final

from .mime import ReadMail

PERSON, AUTO_REPLY, AUTO_GENERATED, BULK, LIST, BOUNCE, OWN = (
    *("person", "auto_reply", "auto_generated", "bulk", "list", "bounce", "own"),
)
WAKES: Final = frozenset({PERSON})

_DAEMON = re.compile(
    r"^(?:mailer-?daemon|post_?master|mail-?daemon|mail[-_.]?delivery\S*|double-bounce|bounces?|mdaemon|nobody|mail-system"
    r"|system_administrator|auto-?reply.*)$",
    re.IGNORECASE,
)
_NO_REPLY = re.compile(
    r"^(?:no-?_?reply|do-?not-?reply|donotreply|noresponder|no-?responder|ne-?pas-?repondre)\b", re.IGNORECASE
)
_BOUNCE_SUBJECT = re.compile(
    r"(?:^|:\s*|\[|\()(?:undeliver(?:able|ed)|undelivery|returned\s+mail|mail\s+delivery\s+(?:failed|failure|system|subsystem"
    r"|status)|delivery\s+(?:status\s+notification|failure|has\s+failed|problem|report|notification|unsuccessful|error)"
    r"|failure\s+(?:notice|delivery)|failed\s+delivery|non\s+recapitabile|no\s+se\s+(?:puede|pudo)\s+entregar"
    r"|(?:mensaje|correo)\s+(?:no\s+entregado|devuelto)|error\s+(?:de\s+entrega|sending)|entrega\s+fallida"
    r"|unzustellbar|nicht\s+zustellbar|message\s+(?:undeliverable|not\s+delivered|delivery\s+failure|delayed)|mail\s+system\s+error"
    r"|mail\s+could\s+not\s+be\s+delivered|notificação\s+de\s+falha|não\s+entregue|non\s+distribué|échec\s+de\s+la\s+remise"
    r"|mancato\s+recapito|unable\s+to\s+deliver|could\s*n.t\s+be\s+delivered|warning:\s+(?:could\s+not\s+send|message)"
    r"|returned\s+to\s+sender|bounced?\s+mail|returned\s+message|mail\s+error|delayed\s+mail|delivery\s+delay)",
    re.IGNORECASE,
)
_AWAY_SUBJECT = re.compile(
    r"^(?:\W*)(?:auto(?:matic|mated)?[\s:-]*(?:reply|response|reply:)|out\s+of\s+(?:the\s+)?office|respuesta\s+autom[aá]tica"
    r"|fuera\s+de\s+(?:la\s+)?oficina|ausente\b|autorespuesta|resposta\s+autom[aá]tica|réponse\s+automatique"
    r"|abwesenheits|automatische\s+antwort|risposta\s+automatica|absence\s+du\s+bureau|vacation\b|auto:)",
    re.IGNORECASE,
)
_BOUNCE_BODY = re.compile(
    r"this\s+is\s+the\s+(?:mail\s+(?:system|delivery)|postfix\s+program|qmail-send)|hi\.\s+this\s+is\s+the|"
    r"message\s+that\s+you\s+sent\s+could\s+not\s+be\s+delivered|this\s+message\s+was\s+created\s+automatically\s+by\s+mail"
    r"\s+delivery\s+software|delivery\s+to\s+the\s+following\s+recipients?\s+(?:failed|was)|your\s+message\s+(?:cannot|could"
    r"\s+not|did\s+not|was\s+not|wasn.t)\s+(?:be\s+)?(?:reach|deliver)|did\s+not\s+reach\s+the\s+following|"
    r"permanent\s+fatal\s+errors|no\s+se\s+pudo\s+entregar\s+(?:el|su|tu)\s+mensaje",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Origin:
    """What kind of program or person sent a mail, and the header or sign that tells."""

    kind: str
    sign: str = ""

    @property
    def is_person(self) -> bool:
        return self.kind == PERSON


def origin_of(mail: ReadMail, *, own_addresses: frozenset[str] = frozenset(), own_domain: str = "") -> Origin:
    """Return who or what sent the mail. `own_addresses` are those of the desk: a mail from one is our own."""
    for find in (_own, _bounce, _automatic, _bulk):
        found = find(mail, own_addresses, own_domain)
        if found is not None:
            return found
    return Origin(PERSON)


def _own(mail: ReadMail, own: frozenset[str], domain: str) -> Origin | None:
    if mail.header("x-desk-id"):
        return Origin(OWN, "X-Desk-Id")
    if domain and mail.message_id.lower().endswith(f"@{domain.lower()}") and _is_ours(mail.message_id):
        return Origin(OWN, "Message-ID")
    if mail.sender.email and mail.sender.email in own:
        return Origin(OWN, "From")
    return None


def _is_ours(message_id: str) -> bool:
    return re.match(r"(?:\d+\.\d+\.|account\.)", message_id) is not None


def _bounce(mail: ReadMail, own: frozenset[str], domain: str) -> Origin | None:
    kinds = {kind for kind, _text in mail.reports}
    content_type = mail.header("content-type").lower()
    if "message/delivery-status" in kinds or "report-type=delivery-status" in content_type.replace('"', ""):
        return Origin(BOUNCE, "delivery-status")
    if "message/feedback-report" in kinds or "report-type=feedback-report" in content_type.replace('"', ""):
        return Origin(BOUNCE, "feedback-report")
    if "message/disposition-notification" in kinds:
        return Origin(AUTO_REPLY, "disposition-notification")
    if mail.header("x-failed-recipients"):
        return Origin(BOUNCE, "X-Failed-Recipients")
    local = mail.sender.email.partition("@")[0] or mail.header("from").strip("<>\"' ").partition(" ")[0]
    empty = [mail.header("from"), *mail.all("return-path")]
    null_path = any(value.replace(" ", "") == "<>" for value in empty)
    subject = mail.subject
    if _BOUNCE_SUBJECT.search(subject) and (null_path or _DAEMON.match(local) or _NO_REPLY.match(local)):
        return Origin(BOUNCE, "Subject")
    if _DAEMON.match(local):
        return Origin(BOUNCE, "From")
    if null_path:
        away = _AWAY_SUBJECT.match(subject)
        return Origin(AUTO_REPLY if away or mail.header("auto-submitted") else BOUNCE, "Return-Path")
    if _BOUNCE_SUBJECT.match(subject) and _BOUNCE_BODY.search((mail.text or mail.html)[:5000]):
        return Origin(BOUNCE, "Subject")
    return None


def _automatic(mail: ReadMail, own: frozenset[str], domain: str) -> Origin | None:
    submitted = mail.header("auto-submitted").lower().partition(";")[0].strip()
    if submitted and submitted != "no":
        return Origin(
            AUTO_REPLY if submitted.startswith("auto-replied") else AUTO_GENERATED, "Auto-Submitted"
        )
    for name in (
        "x-autoreply",
        "x-autorespond",
        "x-autoresponder",
        "x-auto-reply",
        "x-autoreply-from",
        "x-mail-autoreply",
    ):
        if (value := mail.header(name)) and value.lower() not in ("no", "false", "0"):
            return Origin(AUTO_REPLY, name)
    if mail.header("precedence").lower() in ("auto_reply", "auto-reply"):
        return Origin(AUTO_REPLY, "Precedence")
    if _AWAY_SUBJECT.match(mail.subject):
        return Origin(AUTO_REPLY, "Subject")
    if mail.header("x-loop") or mail.header("x-ms-exchange-inbox-rules-loop"):
        return Origin(AUTO_GENERATED, "X-Loop")
    if mail.header("x-ms-exchange-generated-message-source") or (
        mail.header("feedback-id") and mail.header("x-auto-response-suppress")
    ):
        return Origin(AUTO_GENERATED, "X-Auto-Response-Suppress")
    if "all" in mail.header("x-auto-response-suppress").lower() and _NO_REPLY.match(mail.sender.email):
        return Origin(AUTO_GENERATED, "X-Auto-Response-Suppress")
    return None


def _bulk(mail: ReadMail, own: frozenset[str], domain: str) -> Origin | None:
    precedence = mail.header("precedence").lower()
    if precedence in ("bulk", "junk"):
        return Origin(BULK, "Precedence")
    if precedence == "list":
        return Origin(LIST, "Precedence")
    for name in (
        "list-id",
        "list-post",
        "list-unsubscribe",
        "list-help",
        "list-subscribe",
        "list-owner",
        "mailing-list",
    ):
        if mail.header(name):
            return Origin(LIST, name)
    if _NO_REPLY.match(mail.sender.email):
        return Origin(AUTO_GENERATED, "From")
    return None
