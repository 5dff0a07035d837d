"""`manage.py send_test_mail` against a real SMTP server, which accepts or refuses."""

import socket
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from e2e.sink import MailSink
from tools.servers import spare_port


@pytest.fixture
def smtp(settings):
    """Point the settings to a port, with the real SMTP backend."""

    def use(port: int, **more: object) -> None:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
        for name, value in more.items():
            setattr(settings, name, value)

    return use


def send(address: str = "ana@example.com") -> str:
    out = StringIO()
    call_command("send_test_mail", address, stdout=out)
    return out.getvalue()


def test_accepted_mail_is_said_to_be_accepted(smtp):
    with MailSink() as sink:
        smtp(sink.port)
        said = send()
        [arrived] = sink.mails

    assert f"127.0.0.1:{sink.port} accepted the mail" in said
    assert arrived.to == "ana@example.com"


def test_nothing_listens_there(smtp):
    smtp(spare_port())

    with pytest.raises(CommandError, match="Nothing listens on that port: look at EMAIL_URL"):
        send()


def test_unknown_host_is_named(smtp):
    smtp(25, EMAIL_HOST="mail.invalid")

    with pytest.raises(CommandError, match="no host of that name"):
        send()


def test_server_without_tls_is_named(smtp):
    with MailSink() as sink:
        smtp(sink.port, EMAIL_USE_TLS=True)
        with pytest.raises(CommandError, match="needs STARTTLS"):
            send()


def test_server_without_accounts_is_named(smtp):
    with MailSink() as sink:
        smtp(sink.port, EMAIL_HOST_USER="desk", EMAIL_HOST_PASSWORD="hunter2")
        with pytest.raises(CommandError, match="a user needs AUTH") as refused:
            send()

    assert "hunter2" not in str(refused.value)


class Refusing(MailSink):
    async def handle_RCPT(self, *args: Any) -> str:  # noqa: N802  (aiosmtpd's name)
        return "550 5.1.1 No such user here"


def test_answer_of_the_server_is_quoted(smtp):
    with Refusing() as sink:
        smtp(sink.port)
        with pytest.raises(
            CommandError, match=r"does not accept the recipient.*550 5\.1\.1 No such user here"
        ):
            send()


def test_no_address_is_sent_to(smtp):
    with pytest.raises(CommandError, match="is no address"):
        send("ana")


def test_silent_server_is_not_said_to_have_hung_up(smtp, settings):
    """smtplib reports both alike, and a mail that was not confirmed may have been taken."""
    settings.EMAIL_TIMEOUT = 0.1
    with socket.create_server(("127.0.0.1", 0)) as silent:
        smtp(silent.getsockname()[1])
        with pytest.raises(CommandError, match=r"did not confirm the mail. No answer within 0.1 seconds"):
            send()
