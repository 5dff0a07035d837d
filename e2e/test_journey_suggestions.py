"""An article is found instead of a ticket, with script and without; the report waits; who files is not counted."""

import re

import pytest
from playwright.sync_api import Page, expect

from e2e.conftest import People
from e2e.processes import Stack
from e2e.walker import Walker

pytestmark = [pytest.mark.e2e, pytest.mark.demand("S3.20")]

TOPIC = "/nuevo/?tipo=incidencia-tecnica.problema-de-inicio-de-sesion"
TITLE = "No llega el código para entrar"
TEXT = "Pedí el código de verificación tres veces y no llega ni al correo ni por mensaje."
ARTICLE = "No llega el código de verificación"
WRITE = """
from accounts.models import User
from knowledge import articles
from knowledge.models import Article, Section
if not Article.objects.filter(slug="no-llega-el-codigo-de-verificacion").exists():
    editor = User.objects.get(email="supervisor@demo.test")
    section = Section.objects.get_or_create(slug="cuenta", defaults={"name": "Cuenta"})[0]
    for title, summary in (
        ("No llega el código de verificación", "Revisa el correo no deseado: solo sirve el último código."),
        ("La cámara no lee placas", "Limpia el lente de la cámara."),
    ):
        made = articles.create(actor=editor, section=section, title=title, summary=summary, body="Sigue los pasos.")
        articles.publish(made, actor=editor)
"""
COUNT = """
from datetime import timedelta
from knowledge import deflections
from knowledge.models import Deflection
Deflection.objects.filter(outcome="pending").update(at=deflections.timezone.now() - timedelta(days=8))
deflections.settle()
print("outcomes", sorted(Deflection.objects.values_list("outcome", flat=True)))
Deflection.objects.all().delete()
"""


@pytest.fixture(autouse=True)
def article(desk: Stack) -> None:
    desk.manage("shell", "-c", WRITE)


def outcomes(desk: Stack) -> list[str]:
    """Return what became of what people said, a week later."""
    found = re.search(r"outcomes \[(.*)\]", desk.manage("shell", "-c", COUNT))
    return re.findall(r"'(\w+)'", found[1]) if found else []


def write(page: Page) -> None:
    """Open the form of the topic and fill it in, so that something is offered."""
    page.goto(TOPIC)
    page.get_by_label("Título").fill(TITLE)
    page.get_by_label("Descripción").fill(TEXT)


def panel_of(page: Page) -> None:
    expect(page.get_by_role("complementary", name="Quizá esto lo resuelva")).to_be_visible()


def take_up(page: Page) -> None:
    """Go on with the report that was put aside: what was typed is there."""
    page.get_by_role("link", name="Retomar mi reporte").click()
    expect(page.get_by_label("Descripción")).to_have_value(TEXT)


def file(walker: Walker) -> None:
    page = walker.page
    page.get_by_role("button", name="Continuar").click()
    page.get_by_label("Correo").fill("valentina@example.com")
    page.get_by_role("button", name="Enviar reporte").click()
    expect(page.get_by_role("heading", name="Recibimos tu reporte")).to_be_visible()


def test_article_instead_of_a_ticket(people: People, desk: Stack) -> None:
    valentina = people.on_phone("Valentina")
    page = valentina.page
    write(page)
    panel = page.locator(".suggest--offer")
    panel_of(page)
    expect(page.locator("[data-suggested]")).to_have_text("Hay una respuesta que quizá lo resuelva.")
    expect(panel.get_by_role("link", name=ARTICLE)).to_be_visible()
    expect(panel).to_contain_text("Puedes enviar tu reporte aunque no las leas.")
    expect(page.get_by_label("Descripción")).to_be_focused()
    valentina.look()

    # It goes when it is not the case, and does not come back for the same answers
    panel.get_by_role("button", name="No es mi caso").click()
    expect(panel).to_be_hidden()
    expect(page.get_by_label("Descripción")).to_be_focused()
    page.reload()
    panel_of(page)

    panel.get_by_role("button", name="Esto lo resolvió").click()
    thanks = page.get_by_role("status").filter(has=page.get_by_role("heading", name="Nos alegra"))
    expect(thanks).to_be_focused()
    expect(thanks).to_contain_text("No abrimos ningún ticket.")
    valentina.look()

    # What was typed waits, also for somebody who comes back by the home page
    valentina.go("/")
    expect(page.get_by_role("link", name=TITLE)).to_be_visible()
    page.go_back()
    take_up(page)
    assert outcomes(desk) == ["counted"]


def test_same_offer_without_script(people: People, desk: Stack) -> None:
    sara = people.without_script("Sara")
    page = sara.page
    write(page)
    page.get_by_role("button", name="Continuar").click()
    expect(page.get_by_role("heading", name="Antes de enviar, mira si esto lo resuelve")).to_be_visible()
    expect(page.get_by_role("link", name="No, seguir con mi reporte")).to_be_visible()
    page.get_by_role("button", name="Esto lo resolvió").click()
    expect(page.get_by_role("heading", name="Nos alegra que lo resolvieras")).to_be_visible()
    take_up(page)
    assert outcomes(desk) == ["counted"]


def test_report_goes_on_without_script(people: People) -> None:
    sara = people.without_script("Sara")
    page = sara.page
    write(page)
    page.get_by_role("button", name="Continuar").click()
    page.get_by_role("link", name="No, seguir con mi reporte").click()
    expect(page.get_by_role("heading", name="Revisa")).to_be_visible()


def test_who_files_within_the_week_is_not_counted(people: People, desk: Stack) -> None:
    valentina = people.at_desk("Valentina")
    page = valentina.page
    write(page)
    panel_of(page)
    page.get_by_role("button", name="Esto lo resolvió").click()
    take_up(page)
    file(valentina)
    assert outcomes(desk) == ["filed"]
