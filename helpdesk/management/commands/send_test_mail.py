"""Send one mail at once, past the outbox, and say in words what the server answered."""

import smtplib
import socket
import ssl
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage, get_connection
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.validators import validate_address


class Command(BaseCommand):
    help = "Sends a test mail to this address and says what the mail server answered."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")

    def handle(self, *args: Any, email: str, **options: Any) -> None:
        try:
            validate_address(email)
        except ValidationError as error:
            raise CommandError(f"{email} is no address.") from error
        connection = get_connection()
        message = EmailMessage(
            f"Test mail of {settings.DESK_NAME}",
            "If you read this, the help desk can send mail.",
            to=[email],
            connection=connection,
        )
        server = settings.MAIL_PROVIDER or f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT or 'default port'}"
        self.stdout.write(f"Sending from {message.from_email} to {email} through {server} …")
        try:
            message.send()
        except Exception as error:
            outcome = "The server did not confirm the mail." if is_silence(error) else "Not sent."
            raise CommandError(f"{outcome} {in_words(error)}") from error
        finally:
            connection.close()  # Django leaves one open whose STARTTLS or AUTH failed
        status = getattr(message, "anymail_status", None)
        number = f" Its id there is {status.message_id}." if status and status.message_id else ""
        self.stdout.write(
            f"{server} accepted the mail.{number} If it does not arrive, look into the spam folder."
        )


def is_silence(error: Exception) -> bool:
    """Whether the server fell silent. smtplib hides it: «Connection unexpectedly closed: timed out»."""
    return isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError)


def in_words(error: Exception) -> str:
    """Return what went wrong and what to look at, with what the server said."""
    match error:
        case _ if is_silence(error):
            words = f"No answer within {settings.EMAIL_TIMEOUT} seconds: look at host, port and firewall."
        case smtplib.SMTPAuthenticationError():
            words = "The server refuses user or password: look at EMAIL_URL."
        case smtplib.SMTPSenderRefused():
            words = "The server does not accept the sender: look at DESK_FROM_EMAIL and DESK_SUPPORT_EMAIL."
        case smtplib.SMTPRecipientsRefused():
            words = "The server does not accept the recipient."
        case smtplib.SMTPNotSupportedError():
            words = "The server does not offer what EMAIL_URL asks for: smtp+tls:// needs STARTTLS, a user needs AUTH."
        case smtplib.SMTPServerDisconnected():
            words = "The server hung up: smtp+ssl:// is for port 465, smtp+tls:// for 587."
        case smtplib.SMTPResponseException():
            words = "The server does not take the mail."
        case ssl.SSLError():
            words = "TLS failed: smtp+ssl:// is for port 465, smtp+tls:// for 587; the certificate must fit the host."
        case socket.gaierror():
            words = "There is no host of that name: look at EMAIL_URL."
        case ConnectionRefusedError():
            words = "Nothing listens on that port: look at EMAIL_URL, and at the firewall."
        case _:
            words = "The mail could not be sent."
    return f"{words} ({said(error)})"


def said(error: Exception) -> str:
    """Return the server's own words, on one line."""
    answer: bytes | str
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, answer = next(iter(error.recipients.values()))
    elif isinstance(error, smtplib.SMTPResponseException):
        code, answer = error.smtp_code, error.smtp_error
    else:
        return " ".join(f"{type(error).__name__}: {error}".split())
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else str(answer)
    return " ".join(f"{code} {text}".split())
