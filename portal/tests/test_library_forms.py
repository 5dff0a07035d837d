"""The forms of the five shipped processes, as people find, fill and send them."""

import re
from collections.abc import Callable
from html import unescape

import pytest
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from accounts.tests.factories import make_agent, make_department, make_supervisor
from content.tests import hostile_files as made
from tickets.models import Attachment, Ticket
from tickets.tests.factories import make_process

from .browsing import html
from .factories import png, signed_in
from .guide import Guide

pytestmark = pytest.mark.django_db
FAULT = {"title": "No puedo pagar", "description": "1. Abrí la App.\n2. Dice «Error 12»."}
PHONE = {"title": "No enciende", "description": "Se cayó al agua.", "answer_marca": "Samsung"}
INCIDENT = {
    "title": "La nómina duplica las horas",
    "description": "Al cerrar el mes salen dos veces.",
    "answer_tipo": "error",
    "answer_sistema": "Nómina",
    "answer_pasos": "1. Cerrar el mes.\n2. Ver el recibo.",
    "answer_prioridad": "high",
}
INCIDENT_TOPIC = "reporte-de-incidentes.incidente"


def plain(text: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split())


def questions(page: str) -> dict[str, list[str]]:
    """Return the label of each question of the details page, with its options."""
    found = {}
    for name, label in re.findall(
        r'<label\s+for="id_(\w+)"\s+class="form-label[^>]*>(.*?)</label>', page, re.DOTALL
    ):
        select = re.search(rf'<select name="{name}".*?</select>', page, re.DOTALL)
        options = re.findall(r'<option value="[^"]+"[^>]*>(.*?)</option>', select[0] if select else "")
        found[plain(label).replace(" *", "").replace(" (opcional)", "")] = options
    return found


def topics(client: Client, process: str) -> list[str]:
    """Return the topics of a process that the first step of the guide offers."""
    page = client.get("/nuevo/").content.decode()
    cards = re.findall(
        r'class="rcard" href="\?tipo=([\w-]+)\.[^"]+".*?rcard__title">(.*?)</span>', page, re.DOTALL
    )
    return [plain(label) for key, label in cards if key == process]


def refused(answer) -> set[str]:
    """Return the fields that the details page complains about, by name."""
    assert answer.status_code == 422
    return set(re.findall(r'id="id_(?:answer_)?(\w+)_error"', answer.content.decode()))


def sent(guide: Guide, **contact: str) -> Ticket:
    assert guide.send(**contact)["Location"] == guide.done
    return Ticket.objects.latest("id")


# --- S0 · technical incidents -----------------------------------------------------------------------------


@pytest.fixture
def incidents(db: None) -> str:
    return make_process("incidencia-tecnica").key


KINDS_OF_PROBLEM = [
    "Falla en el pago", "Problema con la App", "Error de visualización", "Problema de inicio de sesión",
]  # fmt: skip


@pytest.mark.demand("S0.9")
def test_incident_offers_the_four_kinds_of_problem(client: Client, incidents: str):
    assert topics(client, incidents) == KINDS_OF_PROBLEM
    for number, slug in enumerate(
        ("falla-en-el-pago", "problema-con-la-app", "error-de-visualizacion", "problema-de-inicio-de-sesion")
    ):
        guide = Guide(Client(), f"{incidents}.{slug}")
        guide.fill(FAULT)
        ticket = sent(guide, email=f"ana{number}@example.com")
        assert ticket.category.name == KINDS_OF_PROBLEM[number]


@pytest.mark.demand("S0.10", "S0.13")
def test_incident_asks_for_steps_and_error_message(client: Client, incidents: str):
    guide = Guide(client, f"{incidents}.problema-con-la-app")
    assert "Descripción detallada" in questions(guide.drawn)
    help_text = re.search(r'<div id="id_description_helptext"[^>]*>(.*?)</div>', guide.drawn, re.DOTALL)
    assert "qué pasos seguiste" in help_text[1]
    assert "el mensaje de error" in help_text[1]
    assert refused(guide.fill(FAULT | {"description": " "})) == {"description"}

    guide.fill(FAULT)
    assert re.search(r"<button[^>]*>\s*Enviar reporte\s*</button>", guide.page(guide.contact))
    assert sent(guide, email="ana@example.com").messages.get().body == FAULT["description"]


@pytest.mark.demand("S0.11")
def test_incident_takes_images_and_videos_alone(client: Client, incidents: str):
    guide = Guide(client, f"{incidents}.error-de-visualizacion")
    files = [
        png("falla.png"),
        SimpleUploadedFile("falla.mp4", made.mp4()),
        SimpleUploadedFile("nota.pdf", made.pdf()),
    ]

    page = guide.fill(FAULT, files=files).content.decode()
    assert "nota.pdf: " in unescape(page)
    guide.fill(FAULT)

    ticket = sent(guide, email="ana@example.com")
    shown = ticket.messages.get().attachments.order_by("name")
    assert [(file.name, file.kind) for file in shown] == [("falla.mp4", "video"), ("falla.png", "image")]


@pytest.mark.demand("S0.12")
@pytest.mark.parametrize(("phone", "kept"), [("+57 310 555 0177", "+57 310 555 0177"), ("", "")])
def test_incident_confirms_the_address_and_takes_a_phone(
    client: Client, incidents: str, phone: str, kept: str
):
    guide = Guide(client, f"{incidents}.falla-en-el-pago")
    guide.fill(FAULT)
    page = guide.page(guide.contact)
    assert 'name="email"' in page
    assert 'name="phone"' in page
    assert guide.send(email="", phone=phone).status_code == 422

    ticket = sent(guide, email="ana@example.com", phone=phone)
    assert (ticket.requester_email, ticket.requester_phone) == ("ana@example.com", kept)


@pytest.mark.demand("S0.5")
def test_home_page_helps_from_question_to_folio(client: Client, incidents: str):
    """The portal is the help section: its first page asks how it can help and leads to the form."""
    home = html(client, "/")
    assert "¿Cómo podemos ayudarte?" in home
    link = re.search(r'href="(/nuevo/\?tipo=incidencia-tecnica\.problema-con-la-app)"', home)[1]
    details = client.get(link)["Location"].partition("?")[0]
    contact = client.post(details, FAULT | {"tipo": f"{incidents}.problema-con-la-app"})["Location"]

    page = client.post(contact, {"email": "ana@example.com"}, follow=True).content.decode()
    assert Ticket.objects.get().folio in page


@pytest.mark.demand("S0.6")
@pytest.mark.parametrize("address", ["/", "/nuevo/", "/enlace-nuevo/", "/buscar/?q=pago"])
def test_footer_of_every_page_leads_to_the_form(customer: User, incidents: str, address: str):
    for client in (Client(), signed_in(customer)):
        page = client.get(address, follow=True).content.decode()
        footer = page[page.index('<footer class="p-footer"') :]
        link = re.search(
            r'<a class="report push" href="([^"]+)"[^>]*>.*?Reportar un problema\s*</a>', footer, re.DOTALL
        )
        assert "Problema con la App" in client.get(link[1], follow=True).content.decode()


# --- S1 · the repair of a device --------------------------------------------------------------------------


@pytest.fixture
def repair(db: None) -> str:
    return f"{make_process('reparacion-de-dispositivo').key}.dispositivo"


@pytest.mark.demand("S1.1", "S1.3", "S1.7")
def test_repair_asks_for_the_device_its_faults_and_the_person(client: Client, repair: str):
    guide = Guide(client, repair)
    assert list(questions(guide.drawn)) == [
        "Cuéntanos qué pasó", "Marca del dispositivo", "Modelo", "Número de serie o IMEI", "Fecha de compra",
    ]  # fmt: skip
    assert 'name="answer_fallas"' in guide.drawn
    wrong = PHONE | {"answer_marca": "", "description": "", "answer_numero_de_serie": "¡!"}
    assert refused(guide.fill(wrong)) == {"marca", "description", "numero_de_serie"}
    guide.fill(PHONE | {"answer_numero_de_serie": "353918-05", "answer_comprado_el": "2025-11-03"})
    assert guide.send(email="marta@example.com", name="Marta", phone="").status_code == 422
    assert not Ticket.objects.exists()

    ticket = sent(guide, email="marta@example.com", name="Marta", phone="+58 212 555 0101")
    assert (ticket.requester_name, ticket.requester_phone) == ("Marta", "+58 212 555 0101")
    assert ticket.fields == {
        "marca": "Samsung", "numero_de_serie": "353918-05", "comprado_el": "2025-11-03",
    }  # fmt: skip
    assert ticket.department.key == "reparaciones"


@pytest.mark.demand("S1.8")
def test_repair_takes_images_and_documents(client: Client, repair: str):
    guide = Guide(client, repair)
    files = [
        png("foto.png"),
        SimpleUploadedFile("factura.pdf", made.pdf()),
        SimpleUploadedFile("v.mp4", made.mp4()),
    ]

    assert "v.mp4: " in unescape(guide.fill(PHONE, files=files).content.decode())

    assert sorted(Attachment.objects.values_list("kind", flat=True)) == ["document", "image"]


# --- S2 · support with closing approval -------------------------------------------------------------------


@pytest.mark.demand("S2.24", "S2.36", "S2.37", "S2.38", "S2.39")
@pytest.mark.parametrize(
    ("topic", "department", "kind"),
    [
        ("plataforma", "soporte-tecnico", "problem"),
        ("acceso", "soporte-tecnico", "problem"),
        ("alta-de-cuenta", "soporte-tecnico", "procedure"),
        ("pagos", "administracion", "problem"),
        ("solvencia", "administracion", "procedure"),
        ("horas-de-vuelo", "cca", "problem"),
        ("cambio-de-horario", "cca", "procedure"),
        ("notas", "academico", "problem"),
        ("constancias", "academico", "procedure"),
    ],
)
def test_topic_decides_department_and_kind_of_case(
    customer: User, customer_client: Client, topic: str, department: str, kind: str
):
    process = make_process()
    guide = Guide(customer_client, f"{process.key}.{topic}")
    guide.fill({"title": "Un caso", "description": "Con todo detalle."})

    ticket = sent(guide, email=customer.email)

    assert (ticket.requester, ticket.department.key, ticket.case_kind) == (customer, department, kind)
    assert (ticket.due_at - ticket.created_at).days == {"problem": 5, "procedure": 30}[kind]


# --- S3 · the guided request ------------------------------------------------------------------------------


@pytest.fixture
def requests(db: None) -> str:
    return make_process("solicitud-guiada").key


NOTICES = {
    "reporte-de-bug": ("Reporte de Bug", "Incluye la dirección de la página, los pasos y una captura."),
    "solicitud-de-plugin": ("Solicitud de Plugin", "Cuéntanos para qué lo necesitas y quién lo usará"),
    "asistencia-tecnica": ("Asistencia Técnica", "No envíes contraseñas"),
}


@pytest.mark.demand("S3.2", "S3.6")
def test_each_type_of_request_shows_its_notice_alone(client: Client, requests: str):
    assert topics(client, requests) == [name for name, _notice in NOTICES.values()]
    for slug, (name, _notice) in NOTICES.items():
        guide = Guide(Client(), f"{requests}.{slug}")
        text = unescape(guide.drawn)
        assert {key for key, (_name, notice) in NOTICES.items() if notice in text} == {slug}
        guide.fill(FAULT)
        assert sent(guide, email="ana@example.com").category.name == name


@pytest.mark.demand("S3.7", "S3.9")
def test_request_needs_title_description_and_address(client: Client, requests: str):
    guide = Guide(client, f"{requests}.asistencia-tecnica")
    assert list(questions(guide.drawn)) == ["Título", "Descripción detallada"]
    assert refused(guide.fill({"title": " ", "description": ""})) == {"title", "description"}
    guide.fill(FAULT)
    for address in ("", "ana@", "no-es-correo"):
        assert guide.send(email=address).status_code == 422
    assert not Ticket.objects.exists()
    assert sent(guide, email="ana@example.com").title == FAULT["title"]


@pytest.mark.demand("S3.8")
@pytest.mark.parametrize(
    "last", [("captura.png", made.image()), ("registro.zip", made.archive({"a.txt": b"10:20"}))]
)
def test_request_takes_three_files_and_no_fourth(client: Client, requests: str, last: tuple[str, bytes]):
    guide = Guide(client, f"{requests}.reporte-de-bug")
    assert "Hasta 3 archivos" in guide.drawn
    given = {
        "informe.pdf": made.pdf(),
        "acta.docx": made.office("docx"),
        last[0]: last[1],
        "cuarta.png": made.image(),
    }
    files = [SimpleUploadedFile(name, content) for name, content in given.items()]

    page = unescape(guide.fill(FAULT, files=files).content.decode())

    assert "cuarta.png: Puedes adjuntar hasta 3 archivos." in page
    guide.fill(FAULT)
    names = sent(guide, email="ana@example.com").messages.get().attachments.values_list("name", flat=True)
    assert sorted(names) == sorted(["informe.pdf", "acta.docx", last[0]])


@pytest.mark.demand("S3.8")
def test_request_takes_no_video(client: Client, requests: str):
    guide = Guide(client, f"{requests}.reporte-de-bug")

    assert "v.mp4: " in guide.fill(FAULT, files=[SimpleUploadedFile("v.mp4", made.mp4())]).content.decode()

    assert not Attachment.objects.exists()


# --- S4 · incident report ---------------------------------------------------------------------------------


@pytest.fixture
def reports(db: None) -> None:
    make_process("reporte-de-incidentes")


@pytest.mark.usefixtures("reports")
@pytest.mark.demand("S4.5", "S4.6", "S4.7", "S4.8", "S4.9", "S4.10")
def test_report_asks_what_the_template_lists(customer_client: Client):
    """In this order, and none of the questions that the evaluator answers."""
    assert questions(Guide(customer_client, INCIDENT_TOPIC).drawn) == {
        "Incidente": [],
        "Descripción": [],
        "Tipo de incidente": ["Error", "Mejora", "Nueva Funcionalidad", "Tarea"],
        "Sistema": [],
        "Pasos para recrear el error": [],
        "Prioridad": ["Crítica", "Alta", "Media", "Baja"],
    }


@pytest.mark.usefixtures("reports")
@pytest.mark.demand("S4.5", "S4.6", "S4.7", "S4.8", "S4.9", "S4.10")
def test_report_is_refused_without_any_of_its_answers(customer_client: Client):
    guide = Guide(customer_client, INCIDENT_TOPIC)
    for field in INCIDENT:
        assert refused(guide.fill(INCIDENT | {field: ""})) == {field.removeprefix("answer_")}
    for field in ("answer_tipo", "answer_prioridad"):
        assert refused(guide.fill(INCIDENT | {field: "otra"})) == {field.removeprefix("answer_")}
    assert not Ticket.objects.exists()


@pytest.mark.usefixtures("reports")
@pytest.mark.demand("S4.5", "S4.6", "S4.7", "S4.8", "S4.9", "S4.10", "S4.14")
def test_report_shows_its_answers_to_reporter_and_evaluator(customer: User, customer_client: Client):
    guide = Guide(customer_client, INCIDENT_TOPIC)
    guide.fill(INCIDENT, files=[png("recibo.png")])
    ticket = sent(guide, email=customer.email)

    mine = plain(html(customer_client, f"/tickets/{ticket.folio}/"))
    evaluator = make_agent(ticket.department)
    theirs = html(signed_in(evaluator), f"/agentes/tickets/{ticket.folio}/")

    for page in (mine, plain(theirs)):
        for part in (INCIDENT["title"], INCIDENT["description"], "recibo.png", "Tipo de incidente Error"):
            assert part in page
        for part in ("Sistema Nómina", "Pasos para recrear el error 1. Cerrar el mes. 2. Ver el recibo."):
            assert part in page
    assert re.search(r"<dt>Prioridad</dt>((?!<dt>).)*[>\s]Alta\s*<", theirs, re.DOTALL)


@pytest.mark.usefixtures("reports")
@pytest.mark.demand("S4.1", "S4.5", "S4.9")
@pytest.mark.parametrize("kind", ["mejora", "funcionalidad", "tarea"])
def test_suggestion_needs_no_steps(customer: User, customer_client: Client, kind: str):
    guide = Guide(customer_client, INCIDENT_TOPIC)
    guide.fill(INCIDENT | {"answer_tipo": kind})

    assert sent(guide, email=customer.email).fields == {"tipo": kind, "sistema": "Nómina"}


@pytest.mark.usefixtures("reports")
@pytest.mark.demand("S4.10")
@pytest.mark.parametrize("priority", ["critical", "high", "medium", "low"])
def test_priority_of_a_report_is_the_tickets_severity(customer: User, customer_client: Client, priority: str):
    guide = Guide(customer_client, INCIDENT_TOPIC)
    guide.fill(INCIDENT | {"answer_prioridad": priority})

    assert sent(guide, email=customer.email).severity == priority


@pytest.mark.usefixtures("reports")
@pytest.mark.demand("S4.14")
def test_every_member_may_report_and_no_stranger(customer: User):
    for person in (customer, make_agent()):
        guide = Guide(signed_in(person), INCIDENT_TOPIC)
        guide.fill(INCIDENT)
        assert sent(guide, email=person.email).requester == person
    filed = Ticket.objects.count()
    stranger = Guide(Client(), INCIDENT_TOPIC)
    stranger.fill(INCIDENT)
    assert "/cuenta/entrar/" in stranger.page(stranger.contact)
    stranger.send(email="ana@example.com")
    assert Ticket.objects.count() == filed


# --- Every process: who is told ---------------------------------------------------------------------------


@pytest.mark.demand("S0.15", "S0.16", "S1.9", "S1.10", "S2.2")
@pytest.mark.parametrize(
    ("topic", "report", "team"),
    [
        ("incidencia-tecnica.falla-en-el-pago", FAULT, "soporte-tecnico"),
        ("reparacion-de-dispositivo.dispositivo", PHONE, "reparaciones"),
        ("soporte-con-aprobacion.pagos", FAULT, ""),
        ("solicitud-guiada.reporte-de-bug", FAULT, "desarrollo"),
        (INCIDENT_TOPIC, INCIDENT, "desarrollo"),
    ],
)
def test_filing_tells_the_requester_the_number_and_the_team_alone(
    customer: User,
    customer_client: Client,
    deliver: Callable[[], int],
    topic: str,
    report: dict[str, str],
    team: str,
):
    """The team is the department, or the supervisors where they prepare the tickets."""
    make_process(topic.partition(".")[0])
    member = make_agent(make_department(team)) if team else make_supervisor()
    make_agent(make_department("otro"))
    guide = Guide(customer_client, topic)
    guide.fill(report)

    ticket = sent(guide, email=customer.email, phone="+58 212 555 0101", notify="on", seen="1")
    deliver()

    told = {message.to[0]: message for message in mail.outbox}
    assert told.keys() == {customer.email, member.email}
    assert "Recibimos tu solicitud" in told[customer.email].subject
    for message in told.values():
        assert ticket.folio in message.subject
        assert ticket.title in message.body
