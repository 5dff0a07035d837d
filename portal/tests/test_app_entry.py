"""Entering from an organisation's app by its signed link (S0.5)."""

import re
import time
from html import unescape
from typing import Any

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import AppPerson, ConnectedApp, UsedAppLink, User
from accounts.tests.app_tokens import App, make_app
from accounts.tests.factories import make_agent, make_user
from tickets.models import Process, Ticket
from tickets.tests.factories import make_process, make_ticket
from tickets.workflow.publishing import publish

from .factories import signed_in
from .guide import hidden

pytestmark = [pytest.mark.django_db, pytest.mark.demand("S0.5")]
ENTRY = "/desde/app/"


@pytest.fixture
def app(db: None) -> App:
    return make_app(address="https://parkiapp.example.com/ayuda")


def link_of(token: str, place: str = "") -> str:
    return f"{ENTRY}{token}/" + (f"?ir={place}" if place else "")


def person_of(client: Client) -> User | None:
    pk = client.session.get("_auth_user_id")
    return User.objects.get(pk=pk) if pk else None


def enter(client: Client, token: str, place: str = "") -> Any:
    """Open the link and send the form of its page, as our script does."""
    page = client.get(link_of(token, place))
    assert page.status_code == 200
    text = page.content.decode()
    return client.post(ENTRY, {name: hidden(text, name) for name in ("token", "ir")})


def test_person_enters_without_a_password(client: Client, app: App):
    answer = enter(client, app.token())

    assert answer["Location"] == "/"
    assert person_of(client) == User.objects.get(email="marcela@example.com")
    page = client.get("/").content.decode()
    assert "Entraste como Marcela Duque." in page


@pytest.mark.parametrize(
    ("place", "page"),
    [
        ("", "/"),
        ("tickets", "/tickets/"),
        ("nuevo", "/nuevo/"),
        ("https://malo.example", "/"),
        ("//malo", "/"),
    ],
)
def test_link_leads_to_a_page_of_ours(client: Client, app: App, place: str, page: str):
    """B33: the parameter chooses among three pages and is never an address."""
    assert enter(client, app.token(), place)["Location"] == page


def test_opening_the_link_changes_nothing(client: Client, app: App):
    """B16: scanners of mails and browsers open links before people do."""
    token = app.token()

    for method in (client.get, client.head):
        with CaptureQueriesContext(connection) as queries:
            assert method(link_of(token)).status_code == 200
        assert not [q["sql"] for q in queries if q["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]
    assert not User.objects.filter(email="marcela@example.com").exists()
    assert person_of(client) is None
    assert enter(Client(), token)["Location"] == "/"


def test_page_of_the_link_sends_itself_and_has_a_button(client: Client, app: App):
    page = client.get(link_of(app.token())).content.decode()

    assert re.search(r'data-behaviour="submit-once send-now"', page)
    assert re.search(r'<button[^>]*type="submit">\s*Continuar\s*</button>', page)
    assert "Vienes de Parkiapp como marcela@example.com." in page


def test_page_of_the_link_is_kept_nowhere(client: Client, app: App):
    response = client.get(link_of(app.token()))

    assert "no-store" in response["Cache-Control"]
    assert response["X-Robots-Tag"] == "noindex"
    assert "script-src 'self'" in response["Content-Security-Policy"]


def test_form_needs_the_csrf_token(app: App):
    client = Client(enforce_csrf_checks=True)

    assert client.post(ENTRY, {"token": app.token()}).status_code == 403
    assert not UsedAppLink.objects.exists()


def test_page_speaks_the_language_of_the_link(client: Client, app: App):
    page = client.get(link_of(app.token(locale="en-US"))).content.decode()

    assert "Continue" in page
    assert "Continuar" not in page


# --- Refused links ----------------------------------------------------------------------------------------


def test_used_link_says_how_to_go_on(client: Client, app: App):
    token = app.token()
    enter(client, token)

    answer = Client().post(ENTRY, {"token": token})

    page = answer.content.decode()
    assert answer.status_code == 410
    assert "Este enlace ya se usó" in page
    assert 'href="https://parkiapp.example.com/ayuda"' in page
    assert 'href="/cuenta/entrar/"' in page


@pytest.mark.parametrize(
    ("claims", "status", "says"),
    [
        ({"iat": 1, "exp": 100}, 410, "El enlace venció"),
        ({"iat": int(time.time()) + 900, "exp": int(time.time()) + 1000}, 410, "va adelantado"),
        ({"iss": "otra"}, 400, "No conocemos la aplicación"),
        ({"email": "no"}, 400, "incompleto o dañado"),
        ({"secret": "otro"}, 400, "venga de Parkiapp"),
    ],
)
def test_refused_link_says_why(client: Client, app: App, claims: dict[str, Any], status: int, says: str):
    for answer in (
        client.get(link_of(app.token(**claims))),
        client.post(ENTRY, {"token": app.token(**claims)}),
    ):
        assert answer.status_code == status
        assert says in unescape(answer.content.decode())
        assert "/nuevo/" in answer.content.decode()
    assert person_of(client) is None


def test_refused_link_never_shows_what_it_says(client: Client, app: App):
    """Without a right signature nothing in a link can be believed, so a stranger cannot make our page say it."""
    page = client.get(link_of(app.token(secret="otro", name="Transfiere a la cuenta 99"))).content.decode()

    assert "Transfiere" not in page


def test_names_in_a_link_are_escaped(client: Client, app: App):
    """B9, B10."""
    ConnectedApp.objects.update(name="<b>App</b>")
    page = client.get(link_of(app.token(name="<script>alert(1)</script>"))).content.decode()

    assert "<script>alert" not in page
    assert "<b>App" not in page


def test_staff_are_sent_to_the_usual_door(client: Client, app: App):
    make_agent(email="marcela@example.com")

    answer = client.post(ENTRY, {"token": app.token()})

    assert answer.status_code == 422
    assert "Las cuentas del equipo no entran desde otra aplicación" in answer.content.decode()
    assert person_of(client) is None


@pytest.mark.usefixtures("one_instant")
def test_guesses_are_limited(client: Client, app: App):
    """B34."""
    answers = [client.post(ENTRY, {"token": "a.b.c"}).status_code for _turn in range(61)]

    assert answers[-2:] == [400, 429]


# --- Sessions ---------------------------------------------------------------------------------------------


def test_entering_begins_a_new_session(client: Client, app: App):
    """B24: nothing of the session before remains."""
    session = client.session
    session["unsent"] = {"MA-1": "Texto de otra persona"}
    session.save()
    before = session.session_key

    enter(client, app.token())

    assert client.session.session_key != before
    assert "unsent" not in client.session


def test_what_a_visitor_began_before_is_not_shown(client: Client, app: App):
    """B24: on a shared phone, the person before may have typed a report and gone."""
    make_process("reparacion-de-dispositivo")
    form = client.get("/").content.decode()
    typed = {
        "answer_marca": "Nokia",
        "description": "Es de otra persona",
        "phone": "no",
        "carry": hidden(form, "carry"),
    }
    action = re.search(r'action="(/nuevo/[^"]+/formulario/)"', form)[1]
    client.post(action, typed | {"tipo": hidden(form, "tipo")})
    assert "Es de otra persona" in client.get("/").content.decode()

    enter(client, app.token())

    assert "Es de otra persona" not in client.get("/").content.decode()


def test_somebody_elses_session_is_named_and_ended(app: App, stranger: User, process: Process):
    """B24, on a shared phone: the page says so and waits; then the other person is signed out."""
    theirs = make_ticket(process, requester=stranger, title="De otra persona")
    client = signed_in(stranger)
    before = client.session.session_key

    page = client.get(link_of(app.token())).content.decode()
    assert f"En este navegador está la sesión de {stranger.name}." in page
    assert "send-now" not in page
    assert "Continuar como Marcela Duque" in page
    assert person_of(client) == stranger
    enter(client, app.token())

    assert person_of(client).email == "marcela@example.com"
    assert client.session.session_key != before
    assert client.get(f"/tickets/{theirs.folio}/").status_code == 404
    old = Client()
    old.cookies["desk_session"] = before
    assert person_of(old) is None


def test_person_who_is_in_already_just_goes_on(client: Client, app: App):
    enter(client, app.token())
    before = client.session.session_key

    page = client.get(link_of(app.token())).content.decode()
    assert "send-now" in page
    assert "En este navegador está" not in page
    enter(client, app.token())

    assert person_of(client).email == "marcela@example.com"
    assert client.session.session_key != before


def test_second_factor_is_still_asked_for(client: Client, app: App):
    enter(client, app.token())
    user = User.objects.get(email="marcela@example.com")
    TOTP.activate(user, generate_totp_secret())
    RecoveryCodes.activate(user)
    phone = Client()

    answer = enter(phone, app.token())

    assert answer["Location"] == "/cuenta/dos-pasos/codigo/"
    assert person_of(phone) is None
    assert phone.get("/tickets/").status_code == 302


# --- Accounts that were here before -----------------------------------------------------------------------


def test_account_with_that_address_is_proved_by_a_code_once(
    client: Client, app: App, customer: User, deliver: Any
):
    token = app.token(email=customer.email)

    answer = enter(client, token, "tickets")

    assert answer["Location"] == "/cuenta/entrar/codigo/confirmar/?next=%2Ftickets%2F"
    assert person_of(client) is None
    assert not AppPerson.objects.exists()
    page = client.get(answer["Location"]).content.decode()
    assert f"{customer.email} ya tiene cuenta aquí." in page
    deliver()
    code = re.search(r"^\s*([A-Z0-9]{4,}-?[A-Z0-9]*)\s*$", mail.outbox[-1].body, re.MULTILINE)[1]
    done = client.post("/cuenta/entrar/codigo/confirmar/", {"code": code, "next": "/tickets/"})
    assert done["Location"] == "/tickets/"
    assert person_of(client) == customer
    assert AppPerson.objects.get().user == customer
    other_phone = Client()
    assert enter(other_phone, app.token(email=customer.email))["Location"] == "/"
    assert person_of(other_phone) == customer


def test_wrong_code_links_nothing(client: Client, app: App, customer: User):
    enter(client, app.token(email=customer.email))

    client.post("/cuenta/entrar/codigo/confirmar/", {"code": "AAAA-AAAA"})

    assert person_of(client) is None
    assert not AppPerson.objects.exists()


def test_another_person_signing_in_is_not_linked(client: Client, app: App, customer: User, stranger: User):
    """The app sent one person, and another signs in in that browser."""
    enter(client, app.token(email=customer.email))

    client.force_login(stranger)

    assert person_of(client) == stranger
    assert not AppPerson.objects.exists()


def test_guests_tickets_wait_until_the_address_is_proved(client: Client, app: App, guest_process: Process):
    """The app's word is not the mailbox: what others filed under an address stays closed to its account."""
    ticket = make_ticket(
        guest_process, title="De alguien", category="tramite", guest_email="marcela@example.com"
    )
    assert ticket.requester is None

    enter(client, app.token())

    ticket.refresh_from_db()
    assert ticket.requester is None
    assert "De alguien" not in client.get("/tickets/").content.decode()


# --- The version of the app -------------------------------------------------------------------------------


def filed_by(client: Client, topic: str, **values: Any) -> Ticket:
    details = client.get(f"/nuevo/?tipo={topic}")["Location"].partition("?")[0]
    contact = client.post(details, {"tipo": topic, "title": "Falla", "description": "No abre."} | values)[
        "Location"
    ]
    client.post(contact, {"seen": "1"})
    return Ticket.objects.latest("id")


def test_staff_read_from_which_app_a_report_came(client: Client, app: App):
    make_process("incidencia-tecnica")
    enter(client, app.token())
    ticket = filed_by(client, "incidencia-tecnica.problema-con-la-app")
    staff = signed_in(make_user(role="supervisor"))

    page = staff.get(f"/agentes/tickets/{ticket.folio}/").content.decode()

    assert "envió el reporte desde <b>Parkiapp 5.2.1</b>" in page
    assert "5.2.1" not in client.get(f"/tickets/{ticket.folio}/").content.decode()


def test_other_reports_of_the_person_name_no_app(client: Client, app: App):
    make_process("incidencia-tecnica")
    enter(client, app.token())
    user = User.objects.get(email="marcela@example.com")

    ticket = filed_by(signed_in(user), "incidencia-tecnica.problema-con-la-app")

    assert "app" not in ticket.events.get(kind="filed").data


def test_question_for_the_version_is_answered_already(client: Client, app: App):
    publish(
        """
format = 1
key = "movil"
name = "Móvil"
[[fields]]
key = "version_app"
label = "Versión"
prefill = "app_version"
[[stages]]
key = "nuevo"
label = "Nuevo"
kind = "new"
[[stages]]
key = "fin"
label = "Fin"
kind = "done"
[[actions]]
key = "acabar"
label = "Acabar"
from = ["nuevo"]
to = "fin"
by = ["staff"]
""".replace('key = "version"', 'key = "version_app"')
    )
    enter(client, app.token(app_version='5.2"<1'))

    page = client.get(client.get("/nuevo/?tipo=movil")["Location"]).content.decode()

    assert 'name="answer_version_app" value="5.2&quot;&lt;1"' in page
    assert (
        'name="answer_version_app" value'
        not in Client().get("/nuevo/x/detalles/?tipo=movil").content.decode()
    )


@pytest.mark.parametrize("method", ["get", "post"])
def test_query_count_is_bounded(client: Client, app: App, method: str, django_assert_max_num_queries: Any):
    enter(Client(), app.token())
    token = app.token()

    with django_assert_max_num_queries(4 if method == "get" else 40):
        if method == "get":
            client.get(link_of(token))
        else:
            client.post(ENTRY, {"token": token})
