"""Classify sending errors: whether the mail may have left, and whether to try again."""

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

from content.text import clean_text
from tickets.record.deliveries import DETAIL_LENGTH


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
            return Failure(Verdict.LATER, _answer(error.smtp_code, error.smtp_error))
        case smtplib.SMTPNotSupportedError() | AnymailInvalidAddress() | AnymailRecipientsRefused():
            return Failure(Verdict.REFUSED, _words(error))
        case AnymailAPIError():
            return _of_provider(error)
        case AnymailConfigurationError():
            return Failure(Verdict.OUTAGE, _words(error))
        case smtplib.SMTPResponseException():
            return _by_code(error.smtp_code, error.smtp_error)
        case OSError():  # includes smtplib.SMTPServerDisconnected
            verdict = Verdict.UNKNOWN if _data_had_begun(error) else Verdict.LATER
            return Failure(verdict, _words(error))
        case ValueError() | UnicodeError():  # this mail cannot be encoded, whatever the server
            return Failure(Verdict.REFUSED, _words(error))
    return Failure(Verdict.UNKNOWN, _words(error))


def _by_code(code: int, answer: bytes | str) -> Failure:
    return Failure(Verdict.REFUSED if 500 <= code < 600 else Verdict.LATER, _answer(code, answer))


def _of_provider(error: AnymailAPIError) -> Failure:
    code = error.status_code
    if code is None:  # no answer at all; the request may have arrived
        return Failure(Verdict.UNKNOWN, type(error).__name__)
    # Keep only the status: a provider's answer may quote the mail, including the tokens in its links.
    detail = f"HTTP {code}"
    if code == 401:
        return Failure(Verdict.OUTAGE, detail)
    # 403 may concern our account or only this recipient, so it must not stop all other mails.
    if code in (403, 408, 425, 429) or code >= 500:
        return Failure(Verdict.LATER, detail)
    return Failure(Verdict.REFUSED, detail)


def _data_had_begun(error: BaseException) -> bool:
    """Whether the error was raised inside `smtplib.SMTP.data`. Before DATA, no server can have accepted the mail. Only
    the traceback tells how far smtplib got."""
    data = smtplib.SMTP.data.__code__
    return any(frame.f_code is data for frame, _line in traceback.walk_tb(error.__traceback__))


def _answer(code: int, answer: bytes | str) -> str:
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else str(answer)
    return _clean(f"{code} {text}")


def _words(error: Exception) -> str:
    return _clean(f"{type(error).__name__}: {error.args[-1] if error.args else ''}".rstrip(": "))


def _clean(text: str) -> str:
    return clean_text(text[:2000]).replace("\n", " ")[:DETAIL_LENGTH]
