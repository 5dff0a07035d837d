"""The profile, signing up, and claiming guest tickets with a confirmed address."""

import re
from html import unescape

import pytest
from allauth.account.models import EmailAddress
from django.test import Client
from django.utils import translation

from accounts.enums import Role
from accounts.models import CustomerKind, User
from accounts.tests.factories import PASSWORD, make_user
from accounts.zones import canonical_zones
from content.sorting import sort_key
from tickets.models import Process
from tickets.tests.factories import make_ticket
from web.zone_choices import NEARBY_ZONES, place_of, zone_choices
from web.zone_names import SPANISH_PLACES

from .factories import signed_in

pytestmark = pytest.mark.django_db
PROFILE = {
    "name": "Lucía F.",
    "phone": "+58 212 771 9011",
    "language": "es",
    "time_zone": "America/Bogota",
    "theme": "dark",
    "notify_by_email": "on",
}
SIGN_UP = {"email": "nueva@example.com", "password1": "una-clave-larga-2026", "name": "Nueva Persona"}


# --- Profile ----------------------------------------------------------------------------------------------


def test_profile_saves_the_editable_fields(customer: User, customer_client: Client):
    customer_client.post("/perfil/", PROFILE)

    customer.refresh_from_db()
    assert {name: getattr(customer, name) for name in PROFILE} == PROFILE | {"notify_by_email": True}
    page = customer_client.get("/perfil/").content.decode()
    assert "Guardamos tus cambios." in page
    assert 'data-bs-theme="dark"' in page


def test_profile_ignores_other_posted_fields(customer: User, customer_client: Client):
    mine = User.objects.filter(pk=customer.pk)
    before = mine.values("email", "role", "standing", "is_active", "external_account").get()

    customer_client.post(
        "/perfil/",
        PROFILE
        | {
            "role": Role.ADMINISTRATOR,
            "email": "x@y.com",
            "standing": "inactive",
            "is_active": "",
            "is_staff": "1",
        },
    )

    assert before == mine.values(*before).get()


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("name", "", "Este dato hace falta."),
        ("name", "x" * 500, "120"),
        ("phone", "llámame", "código de área"),
        ("time_zone", "Marte/Olimpo", "zona horaria"),
        ("language", "tlh", "tlh"),
        ("theme", "azul", "azul"),
    ],
)
def test_profile_shows_errors_and_keeps_other_input(
    customer: User, customer_client: Client, field: str, value: str, message: str
):
    answer = customer_client.post("/perfil/", PROFILE | {"name": "Otro nombre"} | {field: value})

    page = unescape(answer.content.decode())
    assert answer.status_code == 422
    assert message in page
    assert field == "name" or 'value="Otro nombre"' in page
    customer.refresh_from_db()
    assert customer.name == "Lucía Fernández"


def test_profile_switches_to_the_chosen_language(customer_client: Client):
    answer = customer_client.post("/perfil/", PROFILE | {"language": "en"}, follow=True)

    assert '<html lang="en"' in answer.content.decode()


def test_only_staff_see_the_shortcuts_setting(customer_client: Client, agent: User):
    assert 'name="keyboard_shortcuts"' not in customer_client.get("/perfil/").content.decode()
    assert 'name="keyboard_shortcuts"' in signed_in(agent).get("/perfil/").content.decode()


def test_profile_links_to_the_rest_of_the_account(customer_client: Client):
    page = customer_client.get("/perfil/").content.decode()

    for address in ("/cuenta/correo/", "/cuenta/clave/cambiar/", "/cuenta/dos-pasos/"):
        assert f'href="{address}"' in page


def test_profile_asks_to_sign_in(client: Client):
    assert client.get("/perfil/")["Location"] == "/cuenta/entrar/?next=/perfil/"


# --- Signing up -------------------------------------------------------------------------------------------


def test_signing_up_asks_for_a_name(client: Client):
    page = client.get("/cuenta/registro/").content.decode()
    assert 'name="name"' in page
    assert 'name="phone"' in page
    assert 'name="kind"' not in page

    client.post("/cuenta/registro/", SIGN_UP | {"name": "  "})
    assert not User.objects.exists()
    client.post("/cuenta/registro/", SIGN_UP | {"name": "Ana\r\nBcc: x@y.com", "phone": "+57 310 555 0177"})

    user = User.objects.get()
    assert (user.name, user.phone, user.email) == (
        "Ana Bcc: x@y.com",
        "+57 310 555 0177",
        "nueva@example.com",
    )


@pytest.mark.demand("S0.3")
def test_signing_up_offers_customer_kinds(client: Client):
    kind = CustomerKind.objects.create(key="parkiador", name="Parkiador")
    assert "Parkiador" in client.get("/cuenta/registro/").content.decode()

    client.post("/cuenta/registro/", SIGN_UP | {"kind": kind.pk})

    assert User.objects.get().kind == kind


def test_signing_up_creates_only_customers(client: Client):
    client.post(
        "/cuenta/registro/", SIGN_UP | {"role": "administrator", "is_staff": "1", "standing": "inactive"}
    )

    user = User.objects.get()
    assert (user.role, user.is_staff, user.standing) == (Role.CUSTOMER, False, "active")


# --- What was filed as a guest ----------------------------------------------------------------------------


def code_in_page_flow(client: Client) -> str:
    """Return the mailed code, which allauth keeps in the session until it is typed."""
    return next(
        value["code"]
        for value in client.session.values()
        if isinstance(value, dict) and "code" in value and "email" in value
    )


def test_confirming_an_address_claims_its_guest_tickets(client: Client, guest_process: Process):
    ticket = make_ticket(
        guest_process, guest_email="nueva@example.com", category="tramite", title="De invitada"
    )
    other = make_ticket(guest_process, guest_email="otra@example.com", category="tramite", title="De otra")
    client.post("/cuenta/registro/", SIGN_UP)
    ticket.refresh_from_db()
    assert ticket.requester is None

    client.post("/cuenta/correo/confirmar/", {"code": code_in_page_flow(client)})

    ticket.refresh_from_db()
    other.refresh_from_db()
    assert ticket.requester == User.objects.get()
    assert other.requester is None
    page = client.get("/tickets/").content.decode()
    assert "De invitada" in page
    assert "De otra" not in page


def test_unconfirmed_address_claims_no_tickets(client: Client, guest_process: Process):
    ticket = make_ticket(guest_process, guest_email="nueva@example.com", category="tramite")
    client.post("/cuenta/registro/", SIGN_UP)
    client.post("/cuenta/correo/confirmar/", {"code": "000000"})
    user = User.objects.get()

    client.force_login(user)

    ticket.refresh_from_db()
    assert ticket.requester is None
    assert client.get(f"/tickets/{ticket.folio}/").status_code == 404


def test_signing_in_claims_tickets_filed_as_guest(client: Client, guest_process: Process):
    user = make_user(email="ana@example.com")
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    ticket = make_ticket(guest_process, guest_email="ana@example.com", category="tramite")

    client.post("/cuenta/entrar/", {"login": user.email, "password": PASSWORD})

    ticket.refresh_from_db()
    assert ticket.requester == user
    assert re.search(ticket.folio, client.get("/tickets/").content.decode())


def test_signing_in_greets_in_the_users_language(client: Client):
    user = make_user(name="Ana Ruiz", email="ana@example.com", language="es")
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)

    page = client.post(
        "/cuenta/entrar/",
        {"login": user.email, "password": PASSWORD},
        headers={"accept-language": "en"},
        follow=True,
    ).content.decode()

    assert "Entraste como Ana Ruiz" in page


def test_single_confirmed_address_has_no_actions(client: Client):
    user = make_user(email="ana@example.com")
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    client.force_login(user)
    actions = ("action_primary", "action_send", "action_remove")

    page = client.get("/cuenta/correo/").content.decode()
    assert not any(action in page for action in actions)

    EmailAddress.objects.create(user=user, email="otra@example.com", verified=False)
    page = client.get("/cuenta/correo/").content.decode()
    assert all(action in page for action in actions)


@pytest.mark.parametrize("current", ["America/Caracas", "Europe/Lisbon"])
def test_every_time_zone_is_offered_once(current: str):
    groups = zone_choices(current)
    offered = [zone for _group, entries in groups for zone, _label in entries]

    assert len(offered) == len(set(offered))
    assert current in offered
    with translation.override("es"):
        labels = {zone: str(label) for _group, entries in zone_choices(current) for zone, label in entries}
    assert labels["America/Bogota"] == "Bogotá"
    assert labels["Europe/Lisbon"] == "Europa · Lisboa"
    assert labels["Arctic/Longyearbyen"] == "Ártico · Longyearbyen"


def test_zones_are_named_in_the_readers_language():
    def labels():
        return {
            zone: str(label) for _group, entries in zone_choices("America/Lima") for zone, label in entries
        }

    with translation.override("es"):
        spanish = labels()
    with translation.override("en"):
        english = labels()
    cordoba, dakota = "America/Argentina/Cordoba", "America/North_Dakota/Center"
    assert (spanish["Asia/Tokyo"], english["Asia/Tokyo"]) == ("Asia · Tokio", "Asia · Tokyo")
    assert (spanish[cordoba], english[cordoba]) == (
        "América · Argentina · Córdoba",
        "America · Argentina · Cordoba",
    )
    assert (spanish[dakota], english[dakota]) == (
        "América · Dakota del Norte · Center",
        "America · North Dakota · Center",
    )
    with translation.override("es"):
        assert [place_of(zone) for zone in ("Europe/London", cordoba, "UTC")] == ["Londres", "Córdoba", "UTC"]


def test_spanish_names_are_of_zones_that_exist():
    assert SPANISH_PLACES.keys() - canonical_zones() - NEARBY_ZONES.keys() == set()


def test_only_canonical_time_zones_are_offered():
    offered = {zone for _group, entries in zone_choices("America/Caracas") for zone, _label in entries}
    assert {"America/Argentina/Buenos_Aires", "Asia/Kolkata", "Europe/Kyiv"} <= offered
    assert not {"America/Buenos_Aires", "Asia/Calcutta", "Europe/Kiev", "US/Eastern", "EST", "UTC"} & offered


def test_old_name_of_a_time_zone_stays_chosen():
    assert zone_choices("America/Buenos_Aires")[0] == ("America/Buenos_Aires", "America/Buenos_Aires")


def test_time_zones_sort_in_the_readers_language():
    with translation.override("es"):
        labels = [str(label) for _zone, label in zone_choices("America/Caracas")[1][1]]
    assert labels == sorted(labels, key=sort_key)
    assert labels[0].startswith("África")


@pytest.mark.parametrize("name", ["Marte/Olimpo", "", "../etc/passwd", "America", "America/", "x" * 64])
def test_unknown_time_zone_falls_back_to_the_desks(client: Client, settings, name: str):
    settings.DESK_TIME_ZONE = "America/Bogota"
    user = make_user()
    User.objects.filter(pk=user.pk).update(time_zone=name)
    client.force_login(user)

    page = client.get("/perfil/")

    assert page.status_code == 200
    assert '<option value="America/Bogota" selected>' in page.content.decode()
    assert name not in [zone for zone, _label in zone_choices(name)[0][1]]
    user.refresh_from_db()
    assert user.zone.key == "America/Bogota"


def test_profile_typed_before_the_session_ended_is_shown_again(customer_client: Client):
    customer_client.logout()
    values = PROFILE | {"name": "Marcela Ríos"}

    answer = customer_client.post("/perfil/", values, headers={"Origin": "http://testserver"})

    assert answer.status_code == 403
    assert 'name="name" value="Marcela Ríos"' in answer.content.decode()
    assert customer_client.post("/perfil/", PROFILE)["Location"] == "/cuenta/entrar/?next=/perfil/"
    assert customer_client.get("/perfil/")["Location"] == "/cuenta/entrar/?next=/perfil/"
