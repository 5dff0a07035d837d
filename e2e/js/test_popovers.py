"""Menus, dialogs, the palette, and the behaviour `unfold`."""

import pytest
from playwright.sync_api import Page, expect

from e2e.js.conftest import Show

pytestmark = pytest.mark.e2e

MENU = """<details class="menu" data-behaviour="menu"><summary>Menú</summary><div class="menu__list">
<a href="#uno">Uno</a><button hidden>Oculto</button><button>Dos</button></div></details>
<button id="outside">Fuera</button>"""


@pytest.fixture
def menu(show: Show) -> Page:
    page = show(MENU, menu="behaviours/menu.js#menuBehaviour")
    page.locator("summary").click()
    return page


def test_arrows_walk_the_visible_items_in_a_circle(menu: Page) -> None:
    menu.keyboard.press("ArrowDown")
    expect(menu.get_by_text("Uno")).to_be_focused()
    menu.keyboard.press("ArrowDown")
    expect(menu.get_by_text("Dos")).to_be_focused()
    menu.keyboard.press("ArrowDown")

    expect(menu.get_by_text("Uno")).to_be_focused()


def test_escape_closes_the_menu_and_returns_the_focus(menu: Page) -> None:
    menu.keyboard.press("ArrowDown")
    menu.keyboard.press("Escape")

    expect(menu.locator("details")).not_to_have_attribute("open", "")
    expect(menu.locator("summary")).to_be_focused()


@pytest.mark.parametrize("how", ["click", "focus"])
def test_leaving_the_menu_closes_it(menu: Page, how: str) -> None:
    outside = menu.locator("#outside")
    outside.click() if how == "click" else outside.focus()

    expect(menu.locator("details")).not_to_have_attribute("open", "")


# --- Dialogs ----------------------------------------------------------------------------------------------

DIALOG = """<details class="menu" open><summary>Menú</summary>
<a href="/aparte/" data-behaviour="dialog" data-dialog="d">Abrir</a></details>
<a href="#aparte" data-behaviour="dialog" data-dialog="missing" id="plain">Sin diálogo</a>
<dialog id="d" style="width:200px"><button data-close>Cerrar</button><div id="inside"></div></dialog>"""


@pytest.fixture
def dialog(show: Show) -> Page:
    page = show(DIALOG, dialog="behaviours/dialog.js#dialogOpener", run="behaviours/dialog.js#dialogs")
    page.get_by_text("Abrir").click()
    return page


def test_opener_shows_its_dialog_and_closes_its_menu(dialog: Page) -> None:
    expect(dialog.locator("dialog")).to_be_visible()
    expect(dialog.locator("details")).not_to_have_attribute("open", "")


def test_button_in_a_dialog_closes_it(dialog: Page) -> None:
    dialog.get_by_role("button", name="Cerrar").click()

    expect(dialog.locator("dialog")).to_be_hidden()


def test_click_on_backdrop_closes_but_inside_does_not(dialog: Page) -> None:
    box = dialog.locator("dialog").bounding_box()
    assert box
    dialog.mouse.click(box["x"] + 3, box["y"] + 3)
    expect(dialog.locator("dialog")).to_be_visible()
    dialog.mouse.click(5, 5)

    expect(dialog.locator("dialog")).to_be_hidden()


def test_dialog_focuses_the_first_loaded_field(dialog: Page) -> None:
    dialog.evaluate(
        "() => { const inside = document.getElementById('inside');"
        " inside.innerHTML = '<input type=hidden><input id=first>';"
        " inside.dispatchEvent(new CustomEvent('htmx:afterSettle', { bubbles: true })); }"
    )

    expect(dialog.locator("#first")).to_be_focused()


def test_link_without_its_dialog_goes_to_its_page(show: Show) -> None:
    page = show(DIALOG, dialog="behaviours/dialog.js#dialogOpener")
    page.locator("#plain").click()

    assert page.evaluate("location.hash") == "#aparte"


# --- The palette ------------------------------------------------------------------------------------------

PALETTE = """<button data-open-palette>Buscar</button>
<dialog id="palette" data-behaviour="palette"><form><input role="combobox" name="q"></form>
<div role="listbox"></div></dialog>"""
OPTIONS = """() => { const list = document.querySelector("[role=listbox]");
list.innerHTML = '<a role="option" id="o0" href="#uno">Uno</a><a role="option" id="o1" href="#dos">Dos</a>';
list.dispatchEvent(new CustomEvent("htmx:afterSettle")); }"""


@pytest.fixture
def palette(show: Show) -> Page:
    page = show(PALETTE, palette="behaviours/palette.js#palette")
    page.evaluate(
        "document.forms[0].addEventListener('submit', (event) => { event.preventDefault(); window.sent = true; })"
    )
    page.get_by_role("button", name="Buscar").click()
    return page


def test_palette_opens_with_the_focus_in_its_field(palette: Page) -> None:
    expect(palette.get_by_role("combobox")).to_be_focused()


def test_arrows_choose_a_result_and_enter_opens_it(palette: Page) -> None:
    palette.keyboard.type("x")
    palette.evaluate(OPTIONS)
    expect(palette.locator("#o0")).to_have_attribute("aria-selected", "true")
    palette.keyboard.press("ArrowDown")
    expect(palette.get_by_role("combobox")).to_have_attribute("aria-activedescendant", "o1")
    palette.keyboard.press("Enter")

    assert palette.evaluate("location.hash") == "#dos"


def test_arrows_go_round_the_results(palette: Page) -> None:
    palette.evaluate(OPTIONS)
    palette.keyboard.press("ArrowUp")
    expect(palette.locator("#o1")).to_have_attribute("aria-selected", "true")
    palette.keyboard.press("ArrowDown")

    expect(palette.locator("#o0")).to_have_attribute("aria-selected", "true")
    expect(palette.locator("#o1")).to_have_attribute("aria-selected", "false")


def test_enter_without_results_sends_the_search_form(palette: Page) -> None:
    palette.keyboard.type("algo")
    palette.keyboard.press("Enter")

    assert palette.evaluate("[window.sent, location.hash]") == [True, ""]


def test_unfolding_focuses_the_first_field(show: Show) -> None:
    page = show(
        '<details data-behaviour="unfold"><summary>Rechazar</summary>'
        '<input type="hidden"><textarea></textarea></details>',
        unfold="behaviours/unfold.js#unfold",
    )
    page.locator("summary").click()

    expect(page.locator("textarea")).to_be_focused()


def test_keep_place_keeps_focus_and_what_is_unfolded(show: Show) -> None:
    menu = """<details><summary>Respuestas</summary><a href="?respuesta=r1">Saludo</a>
      <a href="?respuesta=r2">Despedida</a></details>"""
    page = show(
        f'<div id="answers" data-behaviour="keep-place">{menu}</div>',
        keep_place="behaviours/keep-place.js#keepPlace",
    )
    page.get_by_text("Respuestas").click()
    page.get_by_role("link", name="Despedida").focus()
    page.evaluate(
        """html => {
          const region = document.getElementById("answers");
          const tell = (name) => region.dispatchEvent(
            new CustomEvent(name, { bubbles: true, detail: { target: region } }));
          tell("htmx:oobBeforeSwap");
          region.innerHTML = html;
          tell("htmx:oobAfterSwap");
        }""",
        menu.replace("Saludo", "Otro saludo"),
    )

    expect(page.get_by_role("link", name="Otro saludo")).to_be_visible()
    expect(page.get_by_role("link", name="Despedida")).to_be_focused()
