"""The JavaScript behaviours, tested on the catalogue, which has an example of each."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from e2e.conftest import People
from e2e.walker import Walker

pytestmark = pytest.mark.e2e


@pytest.fixture
def walker(people: People) -> Walker:
    walker = people.at_desk("quien mira el catálogo")
    walker.go("/catalogo/")
    return walker


@pytest.fixture
def page(walker: Walker) -> Page:
    return walker.page


@pytest.fixture
def queue(walker: Walker) -> Page:
    walker.go("/catalogo/cola/")
    return walker.page


def test_catalogue_has_no_axe_violations(people: People) -> None:
    for walker in (people.at_desk("escritorio"), people.on_phone("teléfono")):
        for address in ("/catalogo/", "/catalogo/cola/"):
            walker.go(address)
            walker.look()


def test_theme_changes_at_once_and_is_kept(page: Page) -> None:
    page.get_by_role("button", name="Cambiar entre tema claro y oscuro").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.wait_for_load_state("networkidle")

    page.reload()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")


def test_page_follows_the_system_theme_by_default(page: Page) -> None:
    def ground() -> str:
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    assert page.locator("html").get_attribute("data-bs-theme") == "auto"
    page.emulate_media(color_scheme="light")
    light = ground()
    page.emulate_media(color_scheme="dark")
    assert ground() != light


def test_opening_rejection_focuses_the_reason(page: Page) -> None:
    rejection = page.locator(".approve__reject:not([open])").first
    rejection.locator("summary").focus()
    page.keyboard.press("Enter")

    expect(page.locator(".approve__reject[open] textarea:focus")).to_have_count(1)


def test_refused_form_focuses_the_first_wrong_field(page: Page) -> None:
    expect(page.locator("#id_title")).to_be_focused()


def test_menu_works_by_keyboard(page: Page) -> None:
    menu, opener = page.locator("details.menu--start"), page.locator("details.menu--start > summary")
    opener.click()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("button", name="Pedir información")).to_be_focused()
    page.keyboard.press("Escape")
    expect(menu).not_to_have_attribute("open", "")
    expect(opener).to_be_focused()

    opener.click()
    page.locator("h1").click()
    expect(menu).not_to_have_attribute("open", "")


def test_dialog_closes_by_button_and_backdrop(page: Page) -> None:
    opener, dialog = page.get_by_role("button", name="Diálogo"), page.locator("#sample-dialog")
    opener.click()
    dialog.get_by_role("button", name="Cancelar").click()
    expect(dialog).to_be_hidden()

    opener.click()
    page.mouse.click(5, 5)
    expect(dialog).to_be_hidden()


def test_password_can_be_shown(page: Page) -> None:
    page.get_by_role("button", name="Mostrar contraseña").click()
    expect(page.locator("#k7")).to_have_attribute("type", "text")


def test_counter_is_announced_near_the_limit(page: Page) -> None:
    field = page.locator("#id_a-description")
    field.fill("x" * 100)
    expect(page.get_by_text(re.compile("Quedan"))).to_have_count(0)
    field.fill("x" * 170)
    expect(page.get_by_text("Quedan 30 caracteres")).to_be_visible()


def test_draft_is_kept_in_the_browser(page: Page) -> None:
    form = page.locator("form[data-draft-key=catalogo]")
    page.locator("#id_a-title").fill("La talanquera no sube")
    expect(form.locator("[data-draft-status]")).to_have_text(re.compile(r"Borrador guardado a las \d+:\d\d"))

    again = page.context.new_page()
    again.goto(page.url)
    expect(again.locator("#id_a-title")).to_have_value("La talanquera no sube")
    expect(again.locator("form[data-draft-key=catalogo] [data-draft-status]")).to_have_text(
        "Recuperamos tu borrador"
    )


def test_leaving_unsaved_text_asks_first(page: Page) -> None:
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.locator("#approve-reason").evaluate("field => field.closest('details').open = true")
    page.locator("#approve-reason").press_sequentially("Sigue fallando")
    page.goto("about:blank")

    assert asked == ["beforeunload"]


def test_each_refused_file_shows_its_reason(walker: Walker, tmp_path: Path) -> None:
    page = walker.page
    for name, content in {
        "foto.png": b"x" * 300_000,
        "vacio.txt": b"",
        "grande.pdf": b"x" * 11_000_000,
    }.items():
        (tmp_path / name).write_bytes(content)
    form = page.locator("form[data-draft-key=catalogo]")
    page.set_input_files("#id_a-documents", sorted(tmp_path.iterdir()))

    expect(form.locator(".file", has_text="foto.png")).to_have_text(re.compile(r"300\s+kB\s+·\s+listo"))
    expect(form.locator(".file", has_text="vacio.txt")).to_have_text(re.compile("El archivo está vacío"))
    expect(form.locator(".file", has_text="grande.pdf")).to_have_text(
        re.compile(r"11\sMB: supera el límite de 10\sMB")
    )
    expect(form.locator("[data-used]")).to_have_text("2 de 3")
    assert form.locator("input[name=files_tokens]").evaluate_all("all => all.map(one => one.value)") == [
        "t1",
        "demo",
    ]

    form.get_by_role("button", name="Quitar foto.png").click()
    expect(form.locator(".file", has_text="foto.png")).to_have_count(0)
    expect(form.locator("[data-used]")).to_have_text("1 de 3")


def test_dropped_file_is_uploaded(page: Page) -> None:
    transfer = page.evaluate_handle(
        "() => { const t = new DataTransfer(); t.items.add(new File(['x'.repeat(900)], 'nota.txt')); return t; }"
    )
    page.dispatch_event("form[data-draft-key=catalogo] .dropzone", "drop", {"dataTransfer": transfer})

    row = page.locator("form[data-draft-key=catalogo] .file", has_text="nota.txt")
    expect(row).to_have_attribute("data-state", "ready")


def test_composer_mode_changes_colour_and_button(page: Page) -> None:
    composer = page.locator("#composer")
    plain = composer.evaluate("form => getComputedStyle(form).backgroundColor")
    composer.get_by_text("Nota interna").click()

    expect(composer.get_by_role("button", name="Guardar nota")).to_be_visible()
    expect(composer.locator("textarea")).to_have_attribute("placeholder", "Nota visible solo para el equipo")
    assert composer.evaluate("form => getComputedStyle(form).backgroundColor") != plain


def test_standard_answer_is_added_to_the_text(page: Page) -> None:
    text = page.locator("#composer textarea")
    text.fill("Hola, Mateo.")
    page.get_by_role("button", name="Insertar respuesta").click()

    expect(text).to_have_value("Hola, Mateo.\n\nHola. Vemos un saldo pendiente en tu cuenta.")
    expect(page.locator("#composer [data-draft-status]")).to_have_text(re.compile("Borrador guardado"))


def test_ctrl_enter_sends_once(page: Page) -> None:
    posts: list[str] = []
    page.on("request", lambda request: posts.append(request.url) if request.is_navigation_request() else None)
    page.locator("#composer textarea").fill("Listo")
    with page.expect_navigation():
        page.locator("#composer textarea").press("Control+Enter")
    snack = page.locator("#snacks .snack")

    expect(snack).to_have_text(re.compile("Guardamos tus cambios"))
    expect(snack).to_have_count(0, timeout=8000)
    assert len([url for url in posts if url.endswith("/listo/")]) == 1


def test_second_click_sends_nothing(page: Page) -> None:
    sent = page.locator("form[data-draft-key=catalogo]").evaluate(
        """(form) => {
          let sent = 0;
          form.addEventListener("submit", (event) => {
            sent += event.defaultPrevented ? 0 : 1;
            event.preventDefault();
          });
          form.requestSubmit();
          form.requestSubmit();
          return sent;
        }"""
    )

    assert sent == 1


def test_queue_works_by_keyboard(queue: Page) -> None:
    bar, chosen = queue.locator(".bulkbar"), queue.locator("[data-row] input:checked")
    expect(bar).to_be_hidden()
    for key in ("j", "j", "x", "j", "j", "Shift+X"):
        queue.keyboard.press(key)

    expect(queue.locator("[data-cursor]")).to_have_attribute("data-row", "MA-10480")
    expect(chosen).to_have_count(3)
    expect(bar).to_be_visible()
    expect(queue.locator("[data-selected-count]")).to_have_text("3 seleccionados")

    queue.keyboard.press("Escape")
    expect(chosen).to_have_count(0)
    expect(bar).to_be_hidden()

    queue.keyboard.press("k")
    with queue.expect_navigation():
        queue.keyboard.press("Enter")


def test_shortcuts_are_off_while_typing(queue: Page) -> None:
    queue.keyboard.press("Control+k")
    field = queue.get_by_role("combobox")
    expect(field).to_be_focused()
    queue.keyboard.type("jx?")

    expect(field).to_have_value("jx?")
    expect(queue.locator("[data-cursor]")).to_have_count(0)
    queue.keyboard.press("Escape")
    expect(queue.locator("#palette")).to_be_hidden()


def test_shortcuts_can_be_listed_and_disabled(queue: Page) -> None:
    queue.keyboard.press("?")
    expect(queue.locator("#shortcuts")).to_be_visible()
    queue.keyboard.press("Escape")

    queue.evaluate("document.body.dataset.shortcuts = 'off'")
    queue.keyboard.press("j")
    queue.keyboard.press("?")
    expect(queue.locator("[data-cursor]")).to_have_count(0)
    expect(queue.locator("#shortcuts")).to_be_hidden()


def test_refresh_waits_while_somebody_types(queue: Page) -> None:
    """While somebody types, a region with «poll» keeps the field, its text and the caret; afterwards it refreshes."""
    queue.evaluate(
        """() => {
          const region = document.getElementById("cola");
          region.innerHTML = '<input id="typed">';
          region.dataset.behaviour = "poll";
          document.dispatchEvent(new CustomEvent("desk:bind"));
          window.refresh = () => htmx.ajax("GET", "/catalogo/cola/", { source: region, target: region });
        }"""
    )
    queue.locator("#typed").press_sequentially("a medio escribir")
    queue.evaluate("window.refresh()")
    expect(queue.locator("#typed")).to_have_value("a medio escribir")
    expect(queue.locator("#typed")).to_be_focused()

    queue.locator("#typed").fill("")
    queue.locator("h1").click()
    queue.evaluate("window.refresh()")
    expect(queue.locator("#cola table")).to_be_visible()
