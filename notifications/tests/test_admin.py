import pytest
from django.urls import reverse

from accounts.tests.factories import make_administrator, make_supervisor
from notifications.enums import MailState
from notifications.models import OutgoingEmail
from notifications.tests.factories import make_mail
from tickets.enums import Template
from tickets.tests.factories import make_ticket

pytestmark = pytest.mark.django_db
LIST = "admin:notifications_outgoingemail_changelist"


@pytest.fixture
def operator(client):
    client.force_login(make_administrator(email="admin@interno.example"))
    return client


def make_failed() -> OutgoingEmail:
    mail = make_mail(make_ticket(), Template.CLOSED)
    OutgoingEmail.objects.filter(pk=mail.pk).update(
        state=MailState.FAILED, attempts=7, last_error="550 5.1.1 no existe <script>"
    )
    return mail


def test_list_filters_by_state_and_shows_the_error(operator):
    mail = make_failed()

    page = operator.get(reverse(LIST), {"state__exact": "failed"}).content.decode()

    assert mail.recipient in page
    assert "550 5.1.1 no existe &lt;script&gt;" in page
    assert page.count("Acuse de recibo") == 0
    assert "1 correo saliente" in page


@pytest.mark.parametrize("count", [1, 12])
def test_list_query_count_is_constant(operator, count, django_assert_max_num_queries):
    for _number in range(count):
        make_failed()

    with django_assert_max_num_queries(8):
        operator.get(reverse(LIST))


def test_action_sends_failed_mails_again(operator):
    mail = make_failed()

    operator.post(reverse(LIST), {"action": "send_again", "_selected_action": [mail.pk]})

    mail.refresh_from_db()
    assert (mail.state, mail.attempts) == (MailState.QUEUED, 0)


def test_outbox_is_read_only(operator):
    mail = make_failed()
    change = reverse("admin:notifications_outgoingemail_change", args=[mail.pk])

    page = operator.get(change).content.decode()
    operator.post(change, {"recipient": "otra@example.com"})
    operator.post(reverse("admin:notifications_outgoingemail_delete", args=[mail.pk]), {"post": "yes"})

    assert 'name="recipient"' not in page
    assert reverse(LIST) + "add/" not in operator.get(reverse(LIST)).content.decode()
    assert OutgoingEmail.objects.get(pk=mail.pk).recipient == mail.recipient


def test_text_of_waiting_account_mail_is_hidden(operator):
    mail = OutgoingEmail.objects.create(
        template="account/email/login_code",
        audience="account",
        recipient="a@b.co",
        text="El código es 909090",
        message_id="<a@x>",
    )

    page = operator.get(reverse("admin:notifications_outgoingemail_change", args=[mail.pk])).content.decode()

    assert "909090" not in page


def test_supervisor_cannot_open_the_outbox(client):
    client.force_login(make_supervisor())
    OutgoingEmail.objects.create(
        template="new_link", audience="guest", recipient="a@b.co", message_id="<a@x>"
    )

    assert "a@b.co" not in client.get(reverse(LIST), follow=True).content.decode()
    assert client.get(reverse(LIST)).status_code == 302
