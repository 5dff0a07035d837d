"""What happens to rights and open sessions when somebody's account changes."""

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth import SESSION_KEY
from django.test import Client
from django.urls import reverse
from zeal import zeal_ignore

from accounts.enums import Role
from accounts.models import User
from accounts.tests.factories import PASSWORD, make_administrator, make_agent, make_user

pytestmark = pytest.mark.django_db


def is_signed_in(client: Client) -> bool:
    with zeal_ignore([{"model": "sessions.Session"}]):  # Django queries a session again before deleting it
        return client.get(reverse("portal:profile")).status_code == 200


def stored_rights(user: User) -> bool:
    return User.objects.get(pk=user.pk).is_superuser


def by_save(user: User, role: Role) -> None:
    user.role = role
    user.save()


def by_save_of_the_role(user: User, role: Role) -> None:
    user.role = role
    user.save(update_fields=["role"])


def by_update(user: User, role: Role) -> None:
    User.objects.filter(pk=user.pk).update(role=role)


def by_bulk_update(user: User, role: Role) -> None:
    user.role = role
    User.objects.bulk_update([user], ["role"])


WAYS = [by_save, by_save_of_the_role, by_update, by_bulk_update]


@pytest.mark.parametrize("change", WAYS)
def test_role_decides_about_superuser_however_it_is_written(change):
    user = make_agent()
    change(user, Role.ADMINISTRATOR)
    assert stored_rights(user)
    change(user, Role.AGENT)
    assert not stored_rights(user)


def test_bulk_created_people_have_the_rights_of_their_role():
    User.objects.bulk_create(
        [User(email=" Jefa@Example.com", name="Jefa", role=Role.ADMINISTRATOR, is_superuser=False)]
    )
    user = User.objects.get(email="jefa@example.com")
    assert user.is_superuser


@pytest.mark.parametrize("change", WAYS)
@pytest.mark.parametrize(("before", "after"), [(Role.AGENT, Role.CUSTOMER), (Role.CUSTOMER, Role.SUPERVISOR)])
def test_new_role_ends_every_session(change, before, after):
    user = make_user(before)
    browsers = [Client(), Client()]
    for browser in browsers:
        browser.force_login(user)
        assert is_signed_in(browser)

    change(user, after)

    assert not any(is_signed_in(browser) for browser in browsers)


def test_session_does_not_come_back_with_the_account(client):
    user = make_agent()
    client.force_login(user)
    for is_active in (False, True):
        user.is_active = is_active
        user.save(update_fields=["is_active"])
    assert not is_signed_in(client)


def test_deactivated_account_is_signed_out_at_once(client):
    user = make_agent()
    client.force_login(user)
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert not is_signed_in(client)


def test_new_password_ends_only_other_sessions(client):
    user = make_user()
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    other = Client()
    for browser in (client, other):
        browser.force_login(user)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    client.post(
        reverse("account_change_password"),
        {"oldpassword": PASSWORD, "password1": "otra-clave-2026", "password2": "otra-clave-2026"},
    )
    assert is_signed_in(client)
    assert not is_signed_in(other)


def test_other_changes_keep_sessions(client):
    user = make_agent()
    client.force_login(user)
    user.name = "Otro nombre"
    user.save()
    User.objects.filter(pk=user.pk).update(phone="+58 212 771 9011")
    assert is_signed_in(client)


def test_role_given_in_the_admin_ends_the_sessions_of_that_person_only(client):
    administrator, agent = make_administrator(), make_agent()
    client.force_login(administrator)
    other = Client()
    other.force_login(agent)
    page = reverse("admin:accounts_user_change", args=[agent.pk])
    values = client.get(page).context["adminform"].form.initial
    data = {name: value for name, value in values.items() if value not in (None, "", [])}
    for prefix in ("authenticator_set", "memberships"):
        data |= {f"{prefix}-TOTAL_FORMS": 0, f"{prefix}-INITIAL_FORMS": 0}
    assert client.post(page, {**data, "role": Role.SUPERVISOR}).status_code == 302

    assert User.objects.get(pk=agent.pk).role == Role.SUPERVISOR
    assert SESSION_KEY in client.session
    assert not is_signed_in(other)
