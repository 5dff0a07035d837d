"""Security holes of other help desks (B1–B41 in the list of lessons), each with the test that proves we do not have
it. Holes of features that do not exist yet are in `NOT_YET`, with the feature."""

import ast
import re

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.tests.factories import (
    PASSWORD,
    make_administrator,
    make_agent,
    make_department,
    make_supervisor,
    make_user,
)
from notifications.outgoing.delivery import drain
from portal.tests.factories import png as make_png
from tickets.definitions.responses import fill_in
from tickets.enums import Purpose
from tickets.models import Category
from tickets.requesters import guests
from tickets.tests.factories import make_process, make_ticket

from .code import PACKAGES, modules_of

HERE = "helpdesk/tests/test_lessons.py"
PROVEN = {
    1: ["agents/tests/test_security.py::test_hostile_values_crash_nothing"],
    2: ["portal/tests/test_attachments.py::test_download_headers_prevent_execution"],
    3: ["content/tests/test_file_names.py::test_clean_name_ignores_the_language"],
    4: [f"{HERE}::test_b4_every_file_of_a_form_is_inspected"],
    5: ["content/tests/test_file_names.py::test_hostile_names_are_cleaned_or_refused"],
    6: ["portal/tests/test_attachments.py::test_strangers_cannot_download_files"],
    7: ["content/tests/test_text.py::test_attack_vectors_are_inert_in_markdown_and_html"],
    8: ["content/tests/test_text.py::test_other_text_does_not_become_a_link"],
    9: [f"{HERE}::test_b9_names_entered_by_staff_are_escaped"],
    10: ["helpdesk/tests/test_logs.py::test_json_line_is_always_one_line"],
    11: [f"{HERE}::test_b11_static_urls_cannot_leave_their_folder"],
    12: ["tickets/tests/test_reply_address.py::test_changed_hash_is_rejected"],
    13: ["tickets/tests/test_reply_address.py::test_hash_of_one_address_is_invalid_in_another"],
    14: ["notifications/tests/test_emails.py::test_opening_a_link_does_not_verify_the_address"],
    15: ["tickets/tests/test_guests.py::test_unknown_expired_and_revoked_links_are_refused_alike"],
    16: [f"{HERE}::test_b16_sign_out_theme_and_language_need_post"],
    17: ["tickets/tests/test_security.py::test_linking_a_duplicate_needs_rights_on_both_tickets"],
    18: ["agents/tests/test_security.py::test_ticket_of_another_department_is_not_found"],
    19: ["agents/tests/test_security.py::test_ticket_of_another_department_is_never_listed"],
    20: ["agents/tests/test_security.py::test_ticket_of_another_department_is_not_found"],
    21: [
        "agents/tests/test_security.py::test_customers_cannot_act_on_their_ticket_here",
        f"{HERE}::test_b21_signing_up_grants_no_role",
    ],
    22: ["accounts/tests/test_security.py::test_admin_shows_no_data_to_customers"],
    23: ["helpdesk/tests/test_client_ip.py::test_client_ip_trusts_only_trusted_proxies"],
    24: [
        "portal/tests/test_security.py::test_signing_out_leaves_nothing_on_shared_computers",
        f"{HERE}::test_b24_signing_in_changes_the_session",
    ],
    25: [f"{HERE}::test_b25_a_new_password_needs_the_old_one"],
    26: [
        f"{HERE}::test_b26_asking_for_a_password_reveals_no_accounts",
        "accounts/tests/test_security.py::test_sign_up_hashes_passwords_for_existing_accounts_too",
    ],
    27: ["content/tests/test_tokens.py::test_new_token_is_a_random_secret_and_its_hash"],
    28: [f"{HERE}::test_b28_b35_code_neither_fetches_urls_nor_unpickles"],
    29: ["content/tests/test_text.py::test_attack_vectors_are_inert_in_markdown_and_html"],
    32: ["notifications/tests/test_emails.py::test_line_breaks_in_title_reach_no_header"],
    33: [f"{HERE}::test_b33_nobody_is_sent_to_another_site"],
    34: ["web/tests/test_ratelimit.py::test_allow_counts_parallel_threads_exactly"],
    35: [f"{HERE}::test_b28_b35_code_neither_fetches_urls_nor_unpickles"],
    36: ["agents/tests/test_security.py::test_hostile_values_crash_nothing"],
    37: [f"{HERE}::test_b37_guest_tokens_are_not_stored_raw"],
    38: [f"{HERE}::test_b38_standard_answer_fills_only_known_placeholders"],
    39: [
        "portal/tests/test_assistant.py::test_frame_may_be_shown_by_listed_sites_only",
        "portal/tests/test_assistant.py::test_form_that_another_site_sends_to_a_frame_is_refused",
    ],
    40: [
        "helpdesk/tests/test_openai_compatible.py::test_b40_text_of_a_report_gains_nothing",
        "portal/tests/test_assistant.py::test_question_is_answered_from_public_articles",
    ],
    41: [
        "tickets/tests/test_security.py::test_key_works_once_for_each_verb",
        "tickets/tests/test_security.py::test_only_one_of_two_simultaneous_decisions_counts",
    ],
}
NOT_YET = {
    30: "no PDF is made",
    31: "no export exists",
}
ELSEWHERE = "https://evil.test/"


def test_every_lesson_has_its_test_or_its_reason():
    assert sorted([*PROVEN, *NOT_YET]) == list(range(1, 42))
    for tests in PROVEN.values():
        for name in tests:
            path, _colons, function = name.partition("::")
            found = {
                node.name
                for node in ast.walk(ast.parse((settings.BASE_DIR / path).read_text()))
                if isinstance(node, ast.FunctionDef)
            }
            assert function in found, name


@pytest.mark.django_db
def test_b4_every_file_of_a_form_is_inspected(client):
    """The second file of a form is inspected like the first."""
    customer = make_user()
    ticket = make_ticket(requester=customer)
    client.force_login(customer)
    page = SimpleUploadedFile("b.png", b"<script>alert(1)</script>", content_type="image/png")
    answer = client.post(
        reverse("portal:ticket_reply", args=[ticket.folio]),
        {"body": "Va la captura", "files": [make_png("a.png"), page]},
    )
    assert answer.status_code == 422
    assert "b.png" in answer.content.decode()
    assert ticket.messages.count() == 1
    assert not ticket.attachments.exists()


@pytest.mark.django_db
def test_b9_names_entered_by_staff_are_escaped():
    attack = "<img src=x onerror=alert(1)>"
    process, customer = make_process(), make_user(name=f"Ana {attack}")
    department = make_department("soporte-tecnico")
    department.name = attack
    department.save()
    Category.objects.update(name=attack, description=attack, notice=attack, department=department)
    ticket = make_ticket(process, requester=customer, title=attack, description=attack)
    agent = make_agent(department, name=attack)
    pages = {
        customer: ["/", "/nuevo/", "/tickets/", f"/tickets/{ticket.folio}/", "/buscar/?q=img"],
        agent: ["/agentes/", "/agentes/colas/todos/", f"/agentes/tickets/{ticket.folio}/", "/agentes/tickets/nuevo/"],
        make_administrator(): ["/admin/tickets/ticket/", "/admin/accounts/department/", "/admin/accounts/user/"],
    }  # fmt: skip
    for person, addresses in pages.items():
        client = Client()
        client.force_login(person)
        for address in addresses:
            html = client.get(address, follow=True).content.decode()
            assert attack not in html, address
    drain()
    for message in mail.outbox:
        for body, kind in getattr(message, "alternatives", []):
            assert kind != "text/html" or attack not in body


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["/static/../manage.py", "/static/%2e%2e/manage.py", "/static/..%2fmanage.py"]
)
def test_b11_static_urls_cannot_leave_their_folder(client, path):
    answer = client.get(path)
    assert answer.status_code == 404
    assert b"DJANGO_SETTINGS_MODULE" not in answer.content


@pytest.mark.django_db
def test_b16_sign_out_theme_and_language_need_post(client):
    user = make_user()
    client.force_login(user)
    for name in ("account_logout", "set_theme", "set_language"):
        client.get(reverse(name), {"theme": "dark", "language": "en"})
    assert client.session["_auth_user_id"] == str(user.pk)
    before = (user.theme, user.language)
    user.refresh_from_db()
    assert (user.theme, user.language) == before


@pytest.mark.django_db
def test_b21_signing_up_grants_no_role(client):
    extra = {"role": "administrator", "is_staff": "on", "is_superuser": "1", "standing": "inactive"}
    data = {"email": "nueva@example.com", "name": "Nueva", "password1": "una-clave-larga-2026", **extra}
    client.post(reverse("account_signup"), data)
    user = User.objects.get(email="nueva@example.com")
    assert (user.role, user.is_staff, user.is_superuser, user.standing) == (
        "customer",
        False,
        False,
        "active",
    )


def verified_user(**fields) -> User:
    user = make_user(**fields)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


@pytest.mark.django_db
def test_b24_signing_in_changes_the_session(client):
    user = verified_user()
    client.get(reverse("portal:report") + "?tipo=nada")
    session = client.session
    session["filings"] = {}
    session.save()
    before = client.cookies[settings.SESSION_COOKIE_NAME].value
    client.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})
    assert client.session["_auth_user_id"] == str(user.pk)
    assert client.cookies[settings.SESSION_COOKIE_NAME].value != before
    stranger = Client()
    stranger.cookies[settings.SESSION_COOKIE_NAME] = before
    assert "_auth_user_id" not in stranger.session


@pytest.mark.django_db
def test_b25_a_new_password_needs_the_old_one(client):
    user = verified_user()
    client.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})
    data = {
        "oldpassword": "otra-cosa",
        "password1": "clave-del-intruso-9",
        "password2": "clave-del-intruso-9",
    }
    for given in (data, {**data, "oldpassword": ""}):
        client.post(reverse("account_change_password"), given)
        user.refresh_from_db()
        assert user.check_password(PASSWORD)


@pytest.mark.django_db
def test_b26_asking_for_a_password_reveals_no_accounts():
    verified_user(email="lucia@example.com")
    answers = set()
    for name in ("account_reset_password", "account_request_login_code"):
        for email in ("lucia@example.com", "nadie@example.com"):
            client = Client()
            answer = client.post(reverse(name), {"email": email}, follow=True)
            # The CSRF token differs in each form.
            page = re.sub(r"\b[A-Za-z0-9]{64}\b", "", answer.content.decode())
            answers.add((name, tuple(answer.redirect_chain), page.replace(email, "…")))
    assert len(answers) == 2
    drain()
    assert {address for message in mail.outbox for address in message.to} == {"lucia@example.com"}


def test_b28_b35_code_neither_fetches_urls_nor_unpickles():
    """The product fetches no URL that people write, and unpickles or evaluates no stored data.

    Two modules speak HTTP: one asks the language model at the address that the operator has set (DESK_ANSWERS_URL), the
    other asks the demo's own server whether it has started.
    """
    forbidden = {
        *("requests", "httpx", "urllib3", "urllib.request", "http.client"),
        *("pickle", "marshal", "shelve"),
    }
    clients = {
        settings.BASE_DIR / name: {"http.client"} for name in ("helpdesk/openai_compatible.py", "demo/run.py")
    }
    for path in modules_of(*PACKAGES):
        for node in ast.walk(ast.parse(path.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in ("eval", "exec", "__import__"), path
            assert not (forbidden - clients.get(path, set())) & set(names), path
    assert settings.SESSION_SERIALIZER.endswith("JSONSerializer")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "target", [ELSEWHERE, "//evil.test", "/\\evil.test", "\t//evil.test", "javascript:alert(1)"]
)
def test_b33_nobody_is_sent_to_another_site(target):
    user = verified_user()
    client = Client()
    answers = [
        client.post(reverse("set_theme"), {"theme": "dark", "next": target}),
        client.post(reverse("set_language"), {"language": "es", "next": target}),
        client.post(reverse("account_login"), {"login": user.email, "password": PASSWORD, "next": target}),
    ]
    client.force_login(make_supervisor())
    answers.append(client.post("/agentes/tickets/asignar/", {"next": target}))
    for answer in answers:
        assert answer.status_code == 302
        assert re.fullmatch(r"/(?![/\\]).*", answer["Location"]), answer["Location"]


@pytest.mark.django_db
def test_b37_guest_tokens_are_not_stored_raw():
    """The database stores only hashes of tokens. The passwords of mail and file servers come from the environment."""
    ticket = make_ticket()
    raw = guests.issue(ticket, purpose=Purpose.FOLLOW, email="ana@example.com")
    assert raw not in str(list(ticket.guest_tokens.values()))


@pytest.mark.django_db
def test_b38_standard_answer_fills_only_known_placeholders():
    customer = make_user(name="{settings.SECRET_KEY} {ticket.requester.password}")
    ticket = make_ticket(requester=customer)
    attack = (
        "{settings.SECRET_KEY} {ticket.requester.password} {{ settings.SECRET_KEY }} {0.__class__} {nombre}"
    )
    text = fill_in(attack, ticket)
    assert "{ticket.requester.password}" in text  # unknown placeholders stay unchanged
    assert settings.SECRET_KEY not in text
    assert customer.password not in text
    assert "<class" not in text
