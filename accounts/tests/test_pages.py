"""allauth's pages and mails use our layout and our Spanish, which says «tú»."""

import re

import polib
import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal import auth
from django.conf import settings
from django.core import mail
from django.template.loader import get_template
from django.test import Client
from django.urls import reverse
from django.utils import translation
from zeal import zeal_ignore

from accounts.models import User
from tools import messages

pytestmark = pytest.mark.django_db
PASSWORD = "una-clave-larga-2026"
ENGLISH = re.compile(
    r"\b(Sign|Email|Password|Please|account|Your|code|Authenticator|Recovery)\b", re.IGNORECASE
)
USTED = re.compile(
    r"\b(usted|su (contraseña|correo|cuenta|dirección)|introduzca|por favor,? (introduzca|escriba))\b",
    re.IGNORECASE,
)


@pytest.fixture
def lucia():
    user = User.objects.create_user("lucia@demo.test", PASSWORD, name="Lucía Fernández")
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def words(html: str) -> str:
    """Return the text that a person reads on a page, without the names of products and languages."""
    body = html[html.index("<body") :]
    body = body.replace("Google Authenticator", "")
    body = re.sub(r"<(script|style|svg|template)\b.*?</\1>|<code>.*?</code>", " ", body, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", body).replace("English", "").split())


def assert_ours(answer) -> str:
    """Check that the page has our layout, one heading, no English and no «usted». Returns its words."""
    html = answer.content.decode()
    assert "/static/dist/portal.css" in html
    assert html.count("<h1") == 1
    text = words(html)
    assert not ENGLISH.findall(text), text
    assert not USTED.findall(text), text
    return text


@pytest.mark.parametrize(
    ("url_name", "heading"),
    [
        ("account_login", "Entra a tu cuenta"),
        ("account_request_login_code", "Entra con un código"),
        ("account_signup", "Crea tu cuenta"),
        ("account_reset_password", "Recupera tu contraseña"),
        ("account_inactive", "Tu cuenta está desactivada"),
        ("account_password_reset_completed", "Guardamos tu contraseña"),
    ],
)
def test_signed_out_page_has_our_layout_and_words(client, url_name, heading):
    assert heading in assert_ours(client.get(reverse(url_name)))


@pytest.mark.parametrize(
    ("url_name", "heading"),
    [
        ("account_email", "Correo electrónico"),
        ("account_change_password", "Contraseña actual"),
        ("account_logout", "¿Quieres salir?"),
        ("account_reauthenticate", "Confirma que eres tú"),
        ("mfa_index", "Verificación en dos pasos"),
    ],
)
def test_account_page_has_our_layout_and_words(client, lucia, url_name, heading):
    with zeal_ignore([{"model": "account.EmailAddress"}]):  # allauth queries the address twice at sign-in
        client.post(reverse("account_login"), {"login": lucia.email, "password": PASSWORD})

    assert heading in assert_ours(client.get(reverse(url_name), follow=True))


def test_second_factor_pages_from_activation_to_sign_in(client, lucia):
    def sign_in():
        with zeal_ignore([{"model": "account.EmailAddress"}]):
            return client.post(
                reverse("account_login"), {"login": lucia.email, "password": PASSWORD}, follow=True
            )

    sign_in()
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    page = client.get(reverse("mfa_activate_totp"))
    assert "Escanea el cuadro" in assert_ours(page)
    secret = re.search(r'id="authenticator_secret"[^>]*value="(\w+)"', page.content.decode())[1]
    assert 'src="data:image/svg+xml' in page.content.decode()

    refused = client.post(reverse("mfa_activate_totp"), {"code": "000000"})
    assert "Ese código no es o ya venció." in assert_ours(refused)

    code = auth.format_hotp_value(auth.hotp_value(secret, next(auth.yield_hotp_counters_from_time())))
    activated = client.post(reverse("mfa_activate_totp"), {"code": code}, follow=True)
    assert "Quedan 10 de 10" in assert_ours(activated)
    assert "Quedan 10 de 10" in assert_ours(client.get(reverse("mfa_view_recovery_codes")))
    assert "dejarán de servir" in assert_ours(client.get(reverse("mfa_generate_recovery_codes")))
    assert "¿Desactivar el segundo paso?" in assert_ours(client.get(reverse("mfa_deactivate_totp")))

    client.post(reverse("account_logout"))
    assert "Escribe el código de tu aplicación" in assert_ours(sign_in())


def test_wrong_password_is_explained_and_keeps_the_address(client, lucia):
    answer = client.post(reverse("account_login"), {"login": lucia.email, "password": "otra"})

    assert "El correo o la contraseña no coinciden" in assert_ours(answer)
    assert f'value="{lucia.email}"' in answer.content.decode()


def test_incomplete_address_is_explained_beside_its_field(client):
    answer = client.post(reverse("account_signup"), {"email": "lucia@", "password1": "corta"})
    html = answer.content.decode()

    assert "Escribe el correo completo, como nombre@correo.com." in assert_ours(answer)
    assert re.search(r'id="id_email"[^>]*aria-invalid="true"|aria-invalid="true"[^>]*id="id_email"', html)


def test_short_password_error_names_the_minimum(client):
    answer = client.post(reverse("account_signup"), {"email": "nueva@demo.test", "password1": "x7!"})

    assert "Es muy corta: usa al menos 8 caracteres." in words(answer.content.decode())


def test_code_sign_in_uses_our_pages(client, lucia):
    asked = client.post(reverse("account_request_login_code"), {"email": lucia.email}, follow=True)
    assert "Escribe el código" in assert_ours(asked)

    wrong = client.post(reverse("account_confirm_login_code"), {"code": "XXXXXX"})
    assert "Ese código no es o ya venció." in assert_ours(wrong)


def test_password_reset_uses_our_pages(client, lucia):
    asked = client.post(reverse("account_reset_password"), {"email": lucia.email}, follow=True)

    assert "Escribe el código" in assert_ours(asked)


def test_unknown_address_gets_the_same_page(client, lucia):
    def page(address: str) -> str:
        other = Client()
        answer = other.post(reverse("account_request_login_code"), {"email": address}, follow=True)
        return words(answer.content.decode()).replace(address, "")

    assert page(lucia.email) == page("nadie@demo.test")


@pytest.mark.parametrize(
    "name",
    [
        "account/email/account_already_exists", "account/email/email_changed", "account/email/email_confirm",
        "account/email/email_confirmation", "account/email/email_confirmation_signup", "account/email/email_deleted",
        "account/email/login_code", "account/email/password_changed", "account/email/password_reset",
        "account/email/password_reset_code", "account/email/password_reset_key", "account/email/password_set",
        "account/email/unknown_account", "mfa/email/recovery_codes_generated", "mfa/email/totp_activated",
        "mfa/email/totp_deactivated",
    ],
)  # fmt: skip
def test_mail_has_subject_text_and_html(name):
    context = {
        "desk": {"name": "Mesa de ayuda", "support_email": "soporte@mesa.test"},
        "code": "ABC123" if "code" in name or "confirmation" in name else "",
        "email": "lucia@demo.test",
        "password_reset_url": "https://mesa.test/cuenta/x",
        "signup_url": "https://mesa.test/cuenta/y",
        "activate_url": "https://mesa.test/cuenta/z",
        "from_email": "a@demo.test",
        "to_email": "b@demo.test",
        "deleted_email": "c@demo.test",
        "ip": "203.0.113.7",
        "user_agent": "<Firefox>",
        "timestamp": "20 nov",
    }
    with translation.override("es"):
        subject, text, html = (
            get_template(f"{name}_{part}").render(context)
            for part in ("subject.txt", "message.txt", "message.html")
        )

    assert len(subject.strip().splitlines()) == 1
    assert not ENGLISH.findall(subject + text.replace("@mesa.test", ""))
    assert not USTED.findall(subject + text)
    assert "<" not in text.replace("<Firefox>", "")
    assert "&lt;Firefox&gt;" in html or ("user_agent" not in name and "<Firefox>" not in html)
    assert "soporte@mesa.test" in text
    assert "soporte@mesa.test" in html
    for secret in ("ABC123", "https://mesa.test/cuenta/"):
        assert (secret in text) == (secret in html)


def test_sign_in_code_is_mailed_in_our_words(client, lucia, deliver):
    client.post(reverse("account_request_login_code"), {"email": lucia.email})
    deliver()

    assert [message.to for message in mail.outbox] == [[lucia.email]]
    assert "Tu código para entrar" in mail.outbox[0].body


def test_reworded_catalogue_never_says_usted():
    catalogue = polib.pofile(str(messages.REWORDED))

    assert [
        entry.msgid for entry in catalogue if USTED.search(str(entry.msgstr or entry.msgstr_plural))
    ] == []
    assert [messages.REWORDED.parents[2]] == settings.LOCALE_PATHS
