"""What an error while sending means for the mail: whether it can have left, and whether trying again makes sense."""

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
    """The server is away or does not know us: no fault of this mail, nothing left, all mail waits."""
    LATER = auto()
    """Not accepted now; may be next time."""
    REFUSED = auto()
    """Not accepted, and it would not be next time."""
    UNKNOWN = auto()
    """The connection broke when the mail may already have been accepted."""


@dataclass(frozen=True)
class Failure:
    verdict: Verdict
    detail: str


def of_opening(error: Exception) -> Failure:
    """The connection could not be opened: nothing has left."""
    return Failure(Verdict.OUTAGE, _words(error))


def of_sending(error: Exception) -> Failure:
    match error:
        case smtplib.SMTPRecipientsRefused():
            code, answer = next(iter(error.recipients.values()), (450, b""))
            return _by_code(code, answer)
        case smtplib.SMTPSenderRefused():
            # It is us who were refused, and every mail will be until somebody mends it: none may fail for it.
            return Failure(Verdict.LATER, _answer(error.smtp_code, error.smtp_error))
        case smtplib.SMTPNotSupportedError() | AnymailInvalidAddress() | AnymailRecipientsRefused():
            return Failure(Verdict.REFUSED, _words(error))
        case AnymailAPIError():
            return _of_provider(error)
        case AnymailConfigurationError():
            return Failure(Verdict.OUTAGE, _words(error))
        case smtplib.SMTPResponseException():
            return _by_code(error.smtp_code, error.smtp_error)
        case OSError():  # smtplib's disconnection among them
            verdict = Verdict.UNKNOWN if _data_had_begun(error) else Verdict.LATER
            return Failure(verdict, _words(error))
        case ValueError() | UnicodeError():  # no mail can be made of it, whatever the server
            return Failure(Verdict.REFUSED, _words(error))
    return Failure(Verdict.UNKNOWN, _words(error))


def _by_code(code: int, answer: bytes | str) -> Failure:
    return Failure(Verdict.REFUSED if 500 <= code < 600 else Verdict.LATER, _answer(code, answer))


def _of_provider(error: AnymailAPIError) -> Failure:
    code = error.status_code
    if code is None:  # no answer at all; the request may have arrived
        return Failure(Verdict.UNKNOWN, type(error).__name__)
    # Only the status: what providers answer may quote the mail, secrets in its links included.
    detail = f"HTTP {code}"
    if code == 401:
        return Failure(Verdict.OUTAGE, detail)
    # 403 may mean us, or this recipient alone: all mail must not wait behind one that never goes through.
    if code in (403, 408, 425, 429) or code >= 500:
        return Failure(Verdict.LATER, detail)
    return Failure(Verdict.REFUSED, detail)


def _data_had_begun(error: BaseException) -> bool:
    """Whether smtplib broke down inside DATA. Before it, no server can have accepted the mail; the traceback is the
    only one who knows how far it got."""
    data = smtplib.SMTP.data.__code__
    return any(frame.f_code is data for frame, _line in traceback.walk_tb(error.__traceback__))


def _answer(code: int, answer: bytes | str) -> str:
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else str(answer)
    return _clean(f"{code} {text}")


def _words(error: Exception) -> str:
    return _clean(f"{type(error).__name__}: {error.args[-1] if error.args else ''}".rstrip(": "))


def _clean(text: str) -> str:
    return clean_text(text[:2000]).replace("\n", " ")[:DETAIL_LENGTH]
