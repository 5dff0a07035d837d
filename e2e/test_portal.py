"""The portal in a browser: what JavaScript adds, that everything works without it, and the size of the pages."""

import gzip
import re
import struct
import zlib
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Response, Route, expect

from e2e.conftest import PHONE, People
from e2e.processes import Stack
from e2e.walker import Walker

pytestmark = pytest.mark.e2e
CUSTOMER, AGENT = "cliente@demo.test", "tecnico@demo.test"
FIRST_VISIT, LATER_PAGE = 170_000, 20_000
TOPIC = "soporte-con-aprobacion.plataforma"


def picture(folder: Path, name: str, *, noise: int = 0) -> Path:
    """Write a PNG of one pixel, with `noise` bytes more to make it large. Returns its path."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    content = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
        + (chunk(b"tEXt", b"Comment\0" + b"x" * noise) if noise else b"")
        + chunk(b"IDAT", zlib.compress(b"\0\x0e\x7c\x8e"))
        + chunk(b"IEND", b"")
    )
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.fixture
def customer(people: People) -> Walker:
    walker = people.at_desk("clienta")
    walker.sign_in(CUSTOMER)
    return walker


def details(page: Page, title: str, topic: str = TOPIC) -> None:
    page.goto(f"/nuevo/?tipo={topic}")
    page.get_by_label("Título").fill(title)
    page.get_by_label(re.compile("¿Qué|Descripción|pasó")).first.fill("Pasos: abrí la página. Error: «500».")


def file_ticket(page: Page, title: str) -> str:
    """File a ticket through the guide and open its page. Returns the folio."""
    details(page, title)
    page.get_by_role("button", name="Continuar").last.click()
    page.wait_for_url("**/contacto/")
    page.get_by_role("button", name=re.compile("Enviar reporte", re.IGNORECASE)).click()
    page.wait_for_url("**/listo/")
    page.get_by_role("link", name="Ver mi ticket").click()
    page.wait_for_url("**/tickets/*/")
    return page.url.rstrip("/").rpartition("/")[2]


def in_the_desk(desk: Stack, folio: str, code: str) -> None:
    """Run `code` in `manage.py shell` with the stack's settings, to act as staff while the customer's page is open."""
    desk.manage(
        "shell",
        "-v0",
        "-c",
        f"""
from accounts.models import User
from tickets.models import Ticket
from tickets.workflow import conversation
from tickets.requesters import standing
ticket = Ticket.objects.get(folio={folio!r})
agent = User.objects.get(email={AGENT!r})
supervisor = User.objects.get(email="supervisor@demo.test")
{code}
""",
    )


# --- Accessibility ----------------------------------------------------------------------------------------


def test_every_page_has_no_violations(people: People, tmp_path: Path) -> None:
    for walker in (people.at_desk("en el escritorio"), people.on_phone("en el teléfono")):
        page = walker.page
        for address in (
            "/",
            "/nuevo/",
            "/enlace/nuevo/",
            "/buscar/?q=pago",
            "/buscar/?q=zzz",
            "/ayuda/",
            "/ayuda/seccion/cuenta/",
            "/ayuda/no-puedo-entrar-a-mi-cuenta/",
            f"/nuevo/?tipo={TOPIC}",
        ):
            walker.go(address)
            walker.look()
        walker.sign_in(CUSTOMER)
        for address in ("/", "/tickets/", "/perfil/"):
            walker.go(address)
            walker.look()
        details(page, "Un título bastante largo para ver cómo se acomoda " * 3)
        page.locator("input[type=file]").set_input_files(
            [picture(tmp_path, "captura.png"), picture(tmp_path, "b.exe")]
        )
        expect(page.locator(".file[data-state=ready]")).to_have_count(1)
        expect(page.locator(".file[data-state=error]")).to_have_count(1)
        walker.look()
        page.locator(".file[data-state=error] [data-remove]").click()
        page.get_by_role("button", name="Continuar").last.click()
        page.wait_for_url("**/contacto/")
        walker.look()
        page.get_by_role("button", name=re.compile("Enviar reporte", re.IGNORECASE)).click()
        page.wait_for_url("**/listo/")
        walker.look()
        page.get_by_role("link", name="Ver mi ticket").click()
        page.wait_for_url("**/tickets/*/")
        walker.look()
        walker.go(f"{page.url}encuesta/")
        walker.look()


# --- Refreshing -------------------------------------------------------------------------------------------


@pytest.mark.demand("S1.17", "S3.3")
def test_refresh_keeps_the_typed_reply(customer: Walker, desk: Stack) -> None:
    page = customer.page
    folio = file_ticket(page, "No carga la página de notas")
    box = page.get_by_label("Tu respuesta")
    box.click()
    page.keyboard.type("Estoy escri")

    in_the_desk(
        desk,
        folio,
        "standing.check_standing(ticket, actor=supervisor, standing='active')\n"
        "conversation.send_follow_up(ticket, actor=supervisor, body='Ya lo estamos **viendo**.')",
    )

    expect(page.locator("#hilo")).to_contain_text("Ya lo estamos viendo.", timeout=8_000)
    expect(box).to_be_focused()
    page.keyboard.type("biendo")
    expect(box).to_have_value("Estoy escribiendo")
    page.get_by_role("button", name="Enviar respuesta").last.click()
    expect(page.locator("#hilo")).to_contain_text("Estoy escribiendo")
    expect(page.get_by_label("Tu respuesta")).to_have_value("")


# --- Files ------------------------------------------------------------------------------------------------


@pytest.mark.demand("S3.8", "S1.8")
def test_files_are_uploaded_one_by_one(customer: Walker, tmp_path: Path) -> None:
    page = customer.page
    details(page, "Con archivos")
    page.locator("input[type=file]").set_input_files(
        [
            picture(tmp_path, "bien.png"),
            picture(tmp_path, "enorme.png", noise=11_000_000),
            picture(tmp_path, "no.exe"),
        ]
    )

    expect(page.locator(".file", has_text="bien.png")).to_have_attribute("data-state", "ready")
    expect(page.locator(".file", has_text="enorme.png")).to_contain_text("supera el límite")
    expect(page.locator(".file", has_text="no.exe")).to_have_attribute("data-state", "error")
    page.reload()
    expect(page.locator(".file__name")).to_have_text(["bien.png"])
    with page.expect_response(lambda response: response.request.method == "POST"):
        page.get_by_role("button", name="Quitar bien.png").click()
    expect(page.locator(".file")).to_have_count(0)
    page.reload()
    expect(page.locator(".file")).to_have_count(0)


def test_next_step_waits_for_uploads(customer: Walker, tmp_path: Path) -> None:
    page = customer.page
    details(page, "Un archivo lento")
    held: list[Route] = []
    page.route("**/archivos/**", lambda route: held.append(route))  # noqa: PLW0108  # Playwright writes on the function
    page.locator("input[type=file]").set_input_files(picture(tmp_path, "lento.png"))
    page.get_by_role("button", name="Continuar").last.click()
    expect(page.locator("#snacks")).to_contain_text("Seguimos en cuanto terminen de subir")
    assert "/detalles/" in page.url

    held[0].continue_()
    page.wait_for_url("**/contacto/")
    expect(page.locator("main")).to_contain_text("lento.png")


# --- Nothing typed is lost --------------------------------------------------------------------------------


def test_back_and_forward_keep_typed_text(customer: Walker) -> None:
    page = customer.page
    details(page, "Ida y vuelta")
    expect(page.locator("[data-draft-status]")).to_contain_text("Borrador guardado")
    page.get_by_role("button", name="Continuar").last.click()
    page.wait_for_url("**/contacto/")
    page.get_by_label("Teléfono").fill("+58 212 771 9011")
    page.get_by_role("button", name="Volver").click()
    page.wait_for_url("**/detalles/")
    expect(page.get_by_label("Título")).to_have_value("Ida y vuelta")
    page.get_by_role("button", name="Continuar").last.click()
    expect(page.get_by_label("Teléfono")).to_have_value("+58 212 771 9011")


def test_double_click_files_one_ticket(customer: Walker) -> None:
    page = customer.page
    details(page, "Doble clic")
    page.get_by_role("button", name="Continuar").last.click()
    page.wait_for_url("**/contacto/")
    page.get_by_role("button", name=re.compile("Enviar reporte", re.IGNORECASE)).dblclick()
    page.wait_for_url("**/listo/")
    page.go_back()
    page.goto("/tickets/?q=Doble+clic")
    expect(page.locator(".hist__title")).to_have_count(1)


@pytest.mark.demand("S1.4")
def test_guide_works_by_keyboard_alone(customer: Walker) -> None:
    page = customer.page
    page.goto("/nuevo/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Saltar al contenido")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/detalles/**")
    page.get_by_label("Título").focus()
    page.keyboard.type("Con el teclado")
    page.keyboard.press("Tab")
    page.keyboard.type("Todo se alcanza con Tab.")
    for _step in range(40):
        if page.evaluate("document.activeElement.textContent.trim()") == "Continuar":
            break
        page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Continuar").last).to_be_focused()


# --- Without JavaScript -----------------------------------------------------------------------------------


@pytest.mark.demand("S1.4", "S3.9")
def test_filing_works_without_javascript(browser: Browser, desk: Stack, tmp_path: Path) -> None:
    context = browser.new_context(
        viewport=PHONE,
        base_url=desk.url(),
        locale="es-VE",
        java_script_enabled=False,
        is_mobile=True,
        has_touch=True,
    )
    page = context.new_page()
    page.goto("/nuevo/")
    page.get_by_role("link", name="Problema con la App").click()
    page.get_by_label("Título").fill("Sin script")
    page.locator("textarea").first.fill("La App se cierra al pagar.")
    page.locator("input[type=file]").set_input_files(picture(tmp_path, "captura.png"))
    page.get_by_role("button", name="Continuar").last.click()
    page.get_by_label("Correo electrónico").fill("sin-script@example.com")
    page.get_by_role("button", name=re.compile("Enviar reporte", re.IGNORECASE)).click()

    expect(page.get_by_role("heading", name="Recibimos tu reporte")).to_be_visible()
    expect(page.locator("main")).to_contain_text("sin-script@example.com")
    context.close()


# --- Size of the pages ------------------------------------------------------------------------------------


class Scale:
    """Measures how many bytes production sends for a page. Files that the demo's server sends uncompressed are
    compressed here."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self._answers: list[Response] = []
        page.on("response", lambda answer: self._answers.append(answer))  # noqa: PLW0108  (playwright wants a function)

    def visit(self, address: str) -> int:
        self._answers.clear()
        self.page.goto(address)
        self.page.wait_for_load_state("networkidle")
        return sum(self._weight(answer) for answer in self._answers if answer.ok)

    def _weight(self, answer: Response) -> int:
        sent = answer.request.sizes()["responseBodySize"]
        plain = "content-encoding" not in answer.headers and "woff2" not in answer.url
        return len(gzip.compress(answer.body(), 6)) if sent > 0 and plain else max(sent, 0)


def test_pages_are_small(people: People) -> None:
    walker = people.on_phone("con datos contados")
    scale = Scale(walker.page)

    first = scale.visit("/")
    walker.sign_in(CUSTOMER)
    folio = file_ticket(walker.page, "Peso pluma")
    pages = ("/", "/nuevo/", f"/nuevo/?tipo={TOPIC}", "/tickets/", f"/tickets/{folio}/", "/perfil/")
    later = {address: scale.visit(address) for address in pages}

    assert 50_000 < first <= FIRST_VISIT
    assert max(later.values()) <= LATER_PAGE, later
