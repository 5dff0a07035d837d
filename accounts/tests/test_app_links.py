"""Signed links of the organisation's apps: which are believed, and whose account they open (S0.5)."""

import re
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from accounts import app_links
from accounts.app_links import ExpiredLink, NotTheirAccount, RefusedLink, UnreadableLink
from accounts.connected_apps import TooManySecrets, make_secret, revoke_secret
from accounts.models import AppPerson, AppSecret, ConnectedApp, CustomerKind, UsedAppLink, User
from content.sealing import CannotUnseal, seal, unseal

from .app_tokens import App, encoded, make_app
from .factories import make_agent, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.demand("S0.5")]
DOCS = Path(__file__).resolve().parents[2] / "docs" / "app-links.md"


@pytest.fixture
def app(db: None) -> App:
    return make_app()


def enter(token: str) -> app_links.Entry:
    return app_links.enter(app_links.read(token))


# --- What is believed -------------------------------------------------------------------------------------


def test_link_says_who_the_person_is(app: App):
    link = app_links.read(app.token())

    assert (link.app, link.subject, link.email, link.name) == (
        app.row, "u-77", "marcela@example.com", "Marcela Duque",
    )  # fmt: skip
    assert (link.language, link.version) == ("es", "5.2.1")


def test_link_of_the_documented_python_is_believed(app: App):
    """The example in docs/app-links.md, as developers copy it."""
    [code] = re.findall(r"```python\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    example: dict[str, Any] = {}
    exec(code, example)
    person = {"id": 77, "email": "Ana@Example.com", "name": "Ana", "kind": "parkiador", "locale": "en"}

    address = example["help_link"]("https://ayuda.example.com", "parkiapp", app.secret, person, "1.0")

    token = address.removeprefix("https://ayuda.example.com/desde/app/").removesuffix("/")
    link = app_links.read(token)
    assert (link.subject, link.email, link.kind, link.language) == (
        "77",
        "ana@example.com",
        "parkiador",
        "en",
    )


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"},
        {"alg": "hs256"},
        {"alg": "RS256"},
        {},
        {"alg": "HS256", "crit": ["exp"]},
        {"alg": "HS256", "kid": "otra"},
        {"alg": "HS256", "kid": None, "jwk": {}, "alg2": 1, "crit": []},
    ],
)
def test_other_algorithms_and_keys_are_refused(app: App, header: dict[str, Any]):
    with pytest.raises(UnreadableLink):
        app_links.read(app.token(header=header))


def test_changed_claims_break_the_signature(app: App):
    head, _body, signature = app.token().split(".")
    _head, other, _signature = app.token(email="jefe@example.com").split(".")

    with pytest.raises(UnreadableLink):
        app_links.read(f"{head}.{other}.{signature}")


@pytest.mark.parametrize("secret", ["", "otro secreto", "parkiapp"])
def test_wrong_secret_is_refused(app: App, secret: str):
    with pytest.raises(UnreadableLink, match="Parkiapp"):
        app_links.read(app.token(secret=secret))


def test_one_app_cannot_sign_for_another(app: App):
    other = make_app("otra", "Otra")

    with pytest.raises(UnreadableLink):
        app_links.read(other.token(iss="parkiapp"))


@pytest.mark.parametrize("iss", ["desconocida", None, 7, "", "a\0b", "x" * 5000, ["parkiapp"]])
def test_unknown_app_is_refused(app: App, iss: Any):
    with pytest.raises(UnreadableLink):
        app_links.read(app.token(iss=iss))


def test_disconnected_app_is_refused(app: App):
    ConnectedApp.objects.update(is_active=False)

    with pytest.raises(UnreadableLink):
        app_links.read(app.token())


@pytest.mark.parametrize(
    "token",
    [
        "", "a.b", "a.b.c.d", "x" * 9000, "ñ.b.c", "e30.e30.", "....", "e30.W10.e30", "\0.\0.\0",
        f"{encoded(b'[' * 900)}.e30.e30", f"{encoded(b'1e999')}.e30.e30", "e30=.e30.e30",
    ],
)  # fmt: skip
def test_damaged_token_is_refused_without_an_error(app: App, token: str):
    with pytest.raises(UnreadableLink):
        app_links.read(token)


@pytest.mark.parametrize(
    "wrong",
    [
        {"sub": None}, {"sub": ""}, {"sub": True}, {"sub": {"id": 1}}, {"sub": "x" * 201},
        {"sub": "u-\u200b77"}, {"sub": " u-77"}, {"sub": "u-77\n"}, {"sub": "u\x0077"},
        {"email": None}, {"email": "no"}, {"email": "a@b"}, {"email": "а@еxample.com"},
        {"email": "a@b.com, c@d.com"}, {"email": "a@b.com\nBcc: c@d.com"},
        {"jti": None}, {"jti": ""}, {"iat": None}, {"exp": None}, {"exp": "mañana"},
        {"exp": float("nan")}, {"exp": float("inf")}, {"iat": -1}, {"exp": 10**30}, {"exp": True},
    ],
    ids=str,
)  # fmt: skip
def test_missing_or_wrong_claim_is_refused(app: App, wrong: dict[str, Any]):
    with pytest.raises(RefusedLink) as refused:
        app_links.read(app.token(**wrong))

    assert refused.value.detail


@pytest.mark.parametrize(
    ("issued", "ends", "problem"),
    [
        (-500, -300, "venció"),
        (-300, -70, "venció"),
        (120, 240, "adelantado"),
        (0, 301, "dañado"),
        (0, 0, "dañado"),
        (0, 10**6, "dañado"),
        (10, -10, "dañado"),
    ],
)
def test_times_out_of_bounds_are_refused(app: App, issued: int, ends: int, problem: str):
    now = int(time.time())

    with pytest.raises(RefusedLink, match=problem):
        app_links.read(app.token(iat=now + issued, exp=now + ends))


@pytest.mark.parametrize(("issued", "ends"), [(50, 100), (-170, -50), (0, 300), (-299, 1)])
def test_clocks_may_differ_by_a_minute(app: App, issued: int, ends: int):
    now = int(time.time())

    assert app_links.read(app.token(iat=now + issued, exp=now + ends))


# --- Secrets ----------------------------------------------------------------------------------------------


def test_secret_is_encrypted_at_rest(app: App):
    """B37, B27: the row holds neither the secret nor anything made of ids alone."""
    row = AppSecret.objects.get()

    assert app.secret not in row.sealed
    assert unseal(row.sealed) == app.secret
    assert seal("lo mismo") != seal("lo mismo")


def test_new_secret_replaces_the_old_without_a_gap(app: App):
    old = AppSecret.objects.get()
    admin = make_user(role="administrator")
    new, raw = make_secret(app.row, by=admin)

    assert app_links.read(app.token()).secret == old
    assert app_links.read(app.token(secret=raw)).secret == new
    assert app_links.read(app.token(secret=raw, header={"alg": "HS256", "kid": new.key_id})).secret == new
    with pytest.raises(TooManySecrets):
        make_secret(app.row, by=admin)
    revoke_secret(old, by=admin)
    with pytest.raises(UnreadableLink):
        app_links.read(app.token())
    assert make_secret(app.row, by=admin)


def test_rotated_secret_key_still_reads_the_secret(app: App, settings: Any):
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "x" * 60, [settings.SECRET_KEY]

    enter(app.token())
    settings.SECRET_KEY_FALLBACKS = []
    assert app_links.read(app.token())  # using the link has sealed the secret anew


def test_lost_secret_key_fails_closed(app: App, settings: Any):
    """B37: a secret that cannot be read must not become an empty one, which everybody knows."""
    settings.SECRET_KEY = "y" * 60

    for token in (app.token(), app.token(secret="")):
        with pytest.raises(UnreadableLink):
            app_links.read(token)
    with pytest.raises(CannotUnseal):
        unseal(AppSecret.objects.get().sealed)


# --- Whose account ----------------------------------------------------------------------------------------


def test_new_person_gets_an_account_without_a_password(app: App):
    kind = CustomerKind.objects.create(key="parkiador", name="Parkiador")

    entry = enter(app.token(kind="parkiador", locale="en-US"))

    assert not entry.needs_proof
    user = User.objects.get(email="marcela@example.com")
    assert (user.name, user.kind, user.language, user.external_account) == (
        "Marcela Duque", kind, "en", "u-77",
    )  # fmt: skip
    assert not user.has_usable_password()
    assert not user.is_desk_staff


def test_same_subject_opens_the_same_account_whatever_the_address(app: App):
    first = enter(app.token()).user
    make_user(email="otra@example.com")

    again = enter(app.token(email="otra@example.com", name="Otro Nombre")).user

    assert again == first
    first.refresh_from_db()
    assert (first.email, first.name) == ("marcela@example.com", "Marcela Duque")


def test_link_works_once(app: App):
    token = app.token()
    enter(token)

    with pytest.raises(ExpiredLink, match="una sola vez"):
        enter(token)
    assert User.objects.filter(email="marcela@example.com").count() == 1


def test_reading_a_link_does_not_use_it(app: App):
    token = app.token()
    for _turn in range(3):
        app_links.read(token)

    assert enter(token)


def test_address_of_another_account_must_be_proved(app: App):
    """The app vouches for its own people, not for accounts that were here before."""
    owner = make_user(email="marcela@example.com")

    entry = enter(app.token())

    assert (entry.user, entry.needs_proof) == (owner, True)
    assert not AppPerson.objects.exists()
    assert app_links.link_account(app.row.pk, "u-77", owner)
    assert enter(app.token()) == app_links.Entry(owner)


def test_account_of_one_app_is_not_open_to_another(app: App):
    enter(app.token())
    other = make_app("otra", "Otra")

    assert enter(other.token()).needs_proof


def test_linked_subject_cannot_be_linked_to_another_account(app: App):
    enter(app.token())

    assert not app_links.link_account(app.row.pk, "u-77", make_user())


@pytest.mark.parametrize("linked", [False, True])
def test_staff_never_enter_by_an_app(app: App, linked: bool):
    """B24: also a customer who was linked before they became staff."""
    agent = make_agent(email="marcela@example.com")
    if linked:
        AppPerson.objects.create(app=app.row, subject="u-77", user=agent)

    with pytest.raises(NotTheirAccount):
        enter(app.token())
    assert not app_links.link_account(app.row.pk, "u-78", agent)


@pytest.mark.parametrize("linked", [False, True])
def test_deactivated_account_stays_closed(app: App, linked: bool):
    user = make_user(email="marcela@example.com", is_active=False)
    if linked:
        AppPerson.objects.create(app=app.row, subject="u-77", user=user)

    with pytest.raises(NotTheirAccount):
        enter(app.token())


@pytest.mark.parametrize("claims", [{"role": "administrator"}, {"is_staff": True}, {"kind": "no-existe"}])
def test_claims_give_no_rights(app: App, claims: dict[str, Any]):
    """B21: what the app may say is a closed list."""
    user = enter(app.token(**claims)).user

    assert not user.is_desk_staff
    assert user.kind is None


def test_kind_follows_the_organisation(app: App):
    user = enter(app.token()).user
    kind = CustomerKind.objects.create(key="parkioferente", name="Parkioferente")

    enter(app.token(kind="parkioferente"))

    user.refresh_from_db()
    assert user.kind == kind


def test_marks_of_used_links_go_once_they_have_expired(app: App):
    token = app.token()
    enter(token)
    app_links.forget_used()
    assert UsedAppLink.objects.count() == 1

    with time_machine.travel(timezone.now() + timedelta(minutes=5)):
        app_links.forget_used()
        assert not UsedAppLink.objects.exists()
        with pytest.raises(ExpiredLink):
            enter(token)


# --- At the same time -------------------------------------------------------------------------------------


def at_once(*tokens: str) -> list[str]:
    """Enter with all tokens at the same time, and return what became of each."""
    outcomes: list[str] = []
    start = threading.Barrier(len(tokens))

    def go(token: str) -> None:
        link = app_links.read(token)
        start.wait()
        try:
            outcomes.append("proof" if app_links.enter(link).needs_proof else "entered")
        except ExpiredLink:
            outcomes.append("used")
        finally:
            connection.close()

    threads = [threading.Thread(target=go, args=[token]) for token in tokens]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(outcomes)


@pytest.mark.django_db(transaction=True)
def test_link_opened_twice_at_once_works_once():
    token = make_app().token()

    assert at_once(token, token, token) == ["entered", "used", "used"]
    assert User.objects.filter(email="marcela@example.com").count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_links_of_a_new_person_at_once_make_one_account():
    app = make_app()

    assert at_once(app.token(), app.token(), app.token()) == ["entered"] * 3
    assert AppPerson.objects.count() == 1
