"""The verdict of each sending error. Every error is one that the libraries really raise."""

import smtplib
from types import SimpleNamespace

import pytest
from anymail.exceptions import AnymailAPIError, AnymailConfigurationError, AnymailRecipientsRefused
from celery.exceptions import SoftTimeLimitExceeded
from django.core.mail import BadHeaderError

from notifications.outgoing import failures
from notifications.outgoing.failures import Verdict

ADDRESS = "x@example.com"


def provider_error(code: int | None) -> AnymailAPIError:
    response = SimpleNamespace(status_code=code, reason="x", text='{"body": "el enlace secreto"}')
    return AnymailAPIError("el enlace secreto", status_code=code, response=response if code else None)


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (smtplib.SMTPRecipientsRefused({ADDRESS: (550, b"no such user")}), Verdict.REFUSED),
        (smtplib.SMTPRecipientsRefused({ADDRESS: (452, b"too many")}), Verdict.LATER),
        (smtplib.SMTPDataError(554, b"spam"), Verdict.REFUSED),
        (smtplib.SMTPDataError(451, b"later"), Verdict.LATER),
        (smtplib.SMTPSenderRefused(553, b"not yours", "a@b.test"), Verdict.LATER),
        (smtplib.SMTPNotSupportedError("SMTPUTF8"), Verdict.REFUSED),
        (smtplib.SMTPServerDisconnected("gone"), Verdict.LATER),
        (TimeoutError("timed out"), Verdict.LATER),
        (SoftTimeLimitExceeded(), Verdict.LATER),
        (BadHeaderError("Header values can't contain newlines"), Verdict.REFUSED),
        (provider_error(400), Verdict.REFUSED),
        (provider_error(401), Verdict.OUTAGE),
        (provider_error(403), Verdict.LATER),
        (provider_error(429), Verdict.LATER),
        (provider_error(503), Verdict.LATER),
        (provider_error(None), Verdict.UNKNOWN),
        (AnymailRecipientsRefused(), Verdict.REFUSED),
        (AnymailConfigurationError("no key"), Verdict.OUTAGE),
        (RuntimeError("¿qué fue eso?"), Verdict.UNKNOWN),
    ],
)
def test_error_has_its_verdict(error, verdict):
    assert failures.of_sending(error).verdict == verdict


def test_failed_connection_is_an_outage():
    error = smtplib.SMTPAuthenticationError(535, b"who are you?")

    assert failures.of_opening(error) == failures.Failure(
        Verdict.OUTAGE, "SMTPAuthenticationError: b'who are you?'"
    )


def test_server_answer_is_stored_on_one_line():
    failure = failures.of_sending(
        smtplib.SMTPDataError(554, b"5.7.1 spam\r\nsee \x00http://x\xff" + b"y" * 999)
    )

    assert failure.detail.startswith("554 5.7.1 spam see http://x")
    assert len(failure.detail) == 300
    assert "\n" not in failure.detail


def test_provider_answer_is_not_stored():
    """It may quote the mail, including the tokens in its links."""
    assert failures.of_sending(provider_error(400)).detail == "HTTP 400"
    assert "secreto" not in failures.of_sending(provider_error(None)).detail


def test_timeout_behind_an_error_says_that_the_server_is_mute():
    """smtplib hides it behind an error of its own, raised while it handles the timeout."""
    try:
        try:
            raise TimeoutError("timed out")
        except OSError as problem:
            raise smtplib.SMTPServerDisconnected(f"Connection unexpectedly closed: {problem}")  # noqa: B904
    except smtplib.SMTPServerDisconnected as error:
        mute = failures.of_sending(error)
    gone = failures.of_sending(smtplib.SMTPServerDisconnected("Connection unexpectedly closed"))

    assert failures.of_sending(SoftTimeLimitExceeded()).is_mute, (
        "so many short waits that the task's time was up"
    )
    assert (mute.is_mute, mute.is_connection_lost) == (True, False)
    assert (gone.is_mute, gone.is_connection_lost) == (False, True)


def test_codes_and_links_in_an_answer_are_not_stored():
    answer = b"554 BCDF-GHJK es tu c\xc3\xb3digo; http://desk.test/enlace/a_b-C1/ no"

    assert failures.of_sending(smtplib.SMTPDataError(554, answer)).detail == (
        "554 554 … es tu código; http://desk.test/enlace/…/ no"
    )
