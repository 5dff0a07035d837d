"""A password is the same in whatever Unicode form a keyboard sends it."""

import unicodedata

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.hashers import get_hasher, make_password
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.passwords import LONGEST, canonical, spellings
from accounts.tests.factories import make_user
from content.tests.hostile_text import assert_grows_linearly

pytestmark = pytest.mark.django_db
PASSWORD = "contraseña-del-país-2026"
FULL_WIDTH = "Ｃlave-2026-larga"


def forms_of(password: str) -> set[str]:
    return {unicodedata.normalize(form, password) for form in ("NFC", "NFD", "NFKC", "NFKD")} | {password}


@pytest.mark.parametrize("password", [PASSWORD, FULL_WIDTH, "ﬁn-de-año-2026"])
def test_every_form_of_a_password_opens_the_account(password: str):
    for stored in forms_of(password):
        user = make_user(password=stored)
        for typed in forms_of(password):
            assert user.check_password(typed), (stored, typed)
        assert not user.check_password(password + "x")
        assert not user.check_password(password.upper())


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
def test_password_stored_before_normalising_still_opens_the_account(form: str):
    user = make_user()
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    User.objects.filter(pk=user.pk).update(password=make_password(unicodedata.normalize(form, PASSWORD)))
    for typed in ("NFC", "NFD"):
        browser = Client()
        data = {"login": user.email, "password": unicodedata.normalize(typed, PASSWORD)}
        browser.post(reverse("account_login"), data)
        assert SESSION_KEY in browser.session, (form, typed)


def test_changed_password_is_stored_in_one_form():
    composed, decomposed = (unicodedata.normalize(form, PASSWORD) for form in ("NFC", "NFD"))
    user = make_user(password=decomposed)
    assert get_hasher().verify(composed, user.password)


def test_ascii_password_has_one_spelling():
    assert spellings("clave-2026") == ["clave-2026"]


def test_unknown_account_costs_as_many_hashes_as_a_known_one(monkeypatch):
    """Otherwise the time of the answer would tell which addresses have an account (B26)."""
    user = make_user()
    hasher = type(get_hasher())
    encode, hashed = hasher.encode, []
    monkeypatch.setattr(
        hasher, "encode", lambda self, *args, **kw: hashed.append(1) or encode(self, *args, **kw)
    )

    def cost(email: str, password: str) -> int:
        hashed.clear()
        Client().post(reverse("account_login"), {"login": email, "password": password})
        return len(hashed)

    for password in ("otra-clave", PASSWORD, FULL_WIDTH, "ñ" * (LONGEST + 1)):
        assert cost(user.email, password) == cost("nadie@example.com", password) > 0


def test_hostile_password_is_normalised_in_time():
    def normalise(size: int) -> None:
        hostile = "a" + "\u0301\u0316" * size
        assert canonical(hostile) == hostile
        assert len(spellings(hostile[:LONGEST])) > 1

    assert_grows_linearly(normalise, short=50_000, floor=0.001)
