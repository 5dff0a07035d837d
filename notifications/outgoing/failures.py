"""Classify sending errors: whether the mail may have left, and whether to try again."""

import re
import smtplib
import traceback
from dataclasses import dataclass
from enum import Enum, auto

from anymail.exceptions import (
    AnymailAPIError,
    AnymailConfigurationError,
    AnymailInvalidAddress,
    AnymailRecipientsRefused,
)
from celery.exceptions import SoftTimeLimitExceeded

from content.text import clean_text
from tickets.record.deliveries import DETAIL_LENGTH

CLOSING = 421  # SMTP: the server closes the connection
CHAIN = 10  # errors behind an error that are looked at
SECRET = re.compile(r"(/enlace/)[\w-]+|\b[A-Z0-9]{3,4}-[A-Z0-9]{3,4}\b")
"""Tokens of links and codes: a server that refuses a mail may quote it in its answer."""


class Verdict(Enum):
    OUTAGE = auto()
    """The server is unreachable or rejects our credentials. The mail has not left; all mails wait."""
    LATER = auto()
    """Not accepted now; a later attempt may work."""
    REFUSED = auto()
    """Not accepted, and no later attempt would work."""
    UNKNOWN = auto()
    """The mail may have been accepted: the connection broke after DATA had begun, a provider did not answer, or the
    error is of an unknown kind."""


@dataclass(frozen=True)
class Failure:
    verdict: Verdict
    detail: str
    is_mute: bool = False
    """Whether the server did not answer in time: the next mail would wait as long, so all mails wait."""
    is_connection_lost: bool = False
    """Whether the connection ended before the mail could have left."""


def of_opening(error: Exception) -> Failure:
    """Classify an error raised while opening the connection: always `OUTAGE`, because no mail has left."""
    return Failure(Verdict.OUTAGE, _words(error))


def of_sending(error: Exception) -> Failure:
    """Classify an error raised while sending one mail."""
    match error:
        case smtplib.SMTPRecipientsRefused():
            code, answer = next(iter(error.recipients.values()), (450, b""))
            return _by_code(code, answer)
        case smtplib.SMTPSenderRefused():
            # The server refused our sender address, so it refuses every mail until the address is corrected. Retry
            # later, so that they are not marked as failed at once.
            detail = _answer(error.smtp_code, error.smtp_error)
            return Failure(Verdict.LATER, detail, is_connection_lost=error.smtp_code == CLOSING)
        case smtplib.SMTPNotSupportedError() | AnymailInvalidAddress() | AnymailRecipientsRefused():
            return Failure(Verdict.REFUSED, _words(error))
        case AnymailAPIError():
            return _of_provider(error)
        case AnymailConfigurationError():
            return Failure(Verdict.OUTAGE, _words(error))
        case smtplib.SMTPResponseException():
            return _by_code(error.smtp_code, error.smtp_error)
        case OSError() | SoftTimeLimitExceeded():  # includes smtplib.SMTPServerDisconnected
            verdict = Verdict.UNKNOWN if _whole_mail_was_sent(error) else Verdict.LATER
            mute = _timed_out(error)
            return Failure(verdict, _words(error), mute, verdict == Verdict.LATER and not mute)
        case ValueError() | UnicodeError():  # this mail cannot be encoded, whatever the server
            return Failure(Verdict.REFUSED, _words(error))
    return Failure(Verdict.UNKNOWN, _words(error))


def _by_code(code: int, answer: bytes | str) -> Failure:
    verdict = Verdict.REFUSED if 500 <= code < 600 else Verdict.LATER
    return Failure(verdict, _answer(code, answer), is_connection_lost=code == CLOSING)


def _of_provider(error: AnymailAPIError) -> Failure:
    code = error.status_code
    if code is None:  # no answer at all; the request may have arrived
        return Failure(Verdict.UNKNOWN, type(error).__name__, is_mute=_timed_out(error))
    # Keep only the status: a provider's answer may quote the mail, including the tokens in its links.
    detail = f"HTTP {code}"
    if code == 401:
        return Failure(Verdict.OUTAGE, detail)
    # 403 may concern our account or only this recipient, so it must not stop all other mails.
    if code in (403, 408, 425, 429) or code >= 500:
        return Failure(Verdict.LATER, detail)
    return Failure(Verdict.REFUSED, detail)


def _whole_mail_was_sent(error: BaseException) -> bool:
    """Whether the error was raised while smtplib waited for the answer to a whole mail. Before its last line no server
    can have accepted it. Only the traceback tells how far `smtplib.SMTP.data` got: `q` is the mail, ready to be sent,
    and `SMTP.send` raises before it has handed over all of it."""
    frames = [frame for frame, _line in traceback.walk_tb(error.__traceback__)]
    began = any(frame.f_code is smtplib.SMTP.data.__code__ and "q" in frame.f_locals for frame in frames)
    return began and not any(frame.f_code is smtplib.SMTP.send.__code__ for frame in frames)


def _timed_out(error: BaseException | None) -> bool:
    """Whether a timeout is the error or behind it: smtplib and anymail raise errors of their own instead."""
    seen = 0
    while error is not None and seen < CHAIN:
        if isinstance(error, TimeoutError | SoftTimeLimitExceeded):
            return True
        error, seen = error.__cause__ or error.__context__, seen + 1
    return False


def _answer(code: int, answer: bytes | str) -> str:
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else str(answer)
    return _clean(f"{code} {text}")


def _words(error: Exception) -> str:
    return _clean(f"{type(error).__name__}: {error.args[-1] if error.args else ''}".rstrip(": "))


def _clean(text: str) -> str:
    text = clean_text(text[:2000]).replace("\n", " ")
    return SECRET.sub(lambda found: f"{found[1] or ''}…", text)[:DETAIL_LENGTH]
