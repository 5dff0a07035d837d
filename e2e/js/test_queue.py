"""The keyboard of the back office: `queue-keys` in a queue, and `keys` on every page."""

import pytest
from playwright.sync_api import Page, expect

from e2e.js.conftest import Show

pytestmark = pytest.mark.e2e

ROWS = "".join(
    f'<tr data-row="MA-{n}"><td><input type="checkbox" name="sel" value="MA-{n}"></td>'
    f'<td><a href="#MA-{n}" data-open>Ticket {n}</a></td></tr>'
    for n in range(1, 6)
)
QUEUE = f"""<form data-behaviour="queue-keys"><table><thead><tr><th><input type="checkbox" data-select-all></th></tr>
</thead><tbody>{ROWS}</tbody></table></form>
<div class="bulkbar"><span data-selected-count data-text-one="{{n}} elegido" data-text-many="{{n}} elegidos">Selección
</span><button data-clear>Quitar</button></div><input id="search"><dialog>Otra cosa</dialog>"""


@pytest.fixture
def queue(show: Show) -> Page:
    return show(QUEUE, queue_keys="behaviours/queue-keys.js#queueKeys")


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def chosen(page: Page) -> list[str]:
    return page.locator("[data-row] input:checked").evaluate_all("boxes => boxes.map(box => box.value)")


def test_cursor_moves_and_stops_at_both_ends(queue: Page) -> None:
    cursor = queue.locator("[data-cursor]")
    press(queue, "j", "k")
    expect(cursor).to_have_attribute("data-row", "MA-1")
    press(queue, *"jjjjjj")

    expect(cursor).to_have_attribute("data-row", "MA-5")
    expect(queue.get_by_role("link", name="Ticket 5")).to_be_focused()


def test_enter_opens_the_row_under_the_cursor(queue: Page) -> None:
    press(queue, "j", "j")
    queue.evaluate("document.activeElement.blur()")
    press(queue, "Enter")

    assert queue.evaluate("location.hash") == "#MA-2"


def test_x_selects_and_shift_x_selects_the_range(queue: Page) -> None:
    press(queue, "j", "j", "x", "j", "j", "Shift+X")

    assert chosen(queue) == ["MA-2", "MA-3", "MA-4"]
    expect(queue.locator("[data-selected-count]")).to_have_text("3 elegidos")
    expect(queue.locator("[data-row=MA-3]")).to_have_attribute("data-selected", "")


def test_shift_click_selects_a_range_upwards(queue: Page) -> None:
    queue.locator("input[value=MA-4]").check()
    queue.locator("input[value=MA-2]").click(modifiers=["Shift"])

    assert chosen(queue) == ["MA-2", "MA-3", "MA-4"]


def test_bar_is_there_only_with_a_selection(queue: Page) -> None:
    bar = queue.locator(".bulkbar")
    expect(bar).to_be_hidden()
    press(queue, "j", "x")
    expect(bar).to_be_visible()
    expect(queue.locator("[data-selected-count]")).to_have_text("1 elegido")
    press(queue, "x")

    expect(bar).to_be_hidden()


def test_select_all_box_shows_and_changes_selection(queue: Page) -> None:
    head = queue.locator("[data-select-all]")
    queue.locator("input[value=MA-2]").check()
    assert head.evaluate("box => [box.checked, box.indeterminate]") == [False, True]
    head.check()
    assert len(chosen(queue)) == 5
    assert head.evaluate("box => [box.checked, box.indeterminate]") == [True, False]
    head.uncheck()

    assert chosen(queue) == []


@pytest.mark.parametrize("how", ["Escape", "button"])
def test_escape_or_button_clears_the_selection(queue: Page, how: str) -> None:
    press(queue, "j", "x")
    if how == "button":
        queue.get_by_role("button", name="Quitar").click()
    else:
        press(queue, how)

    assert chosen(queue) == []
    expect(queue.locator(".bulkbar")).to_be_hidden()


def test_cursor_survives_a_refresh(queue: Page) -> None:
    press(queue, "j", "j", "j")
    queue.evaluate(
        """() => {
          const body = document.querySelector("tbody");
          body.innerHTML = body.innerHTML.replace(/ data-cursor=""/, "");
          body.dispatchEvent(new CustomEvent("htmx:afterSettle", { bubbles: true }));
        }"""
    )

    expect(queue.locator("[data-cursor]")).to_have_attribute("data-row", "MA-3")


@pytest.mark.parametrize(
    "prevent",
    [
        "document.getElementById('search').focus()",
        "document.querySelector('dialog').showModal()",
        "document.body.dataset.shortcuts = 'off'",
    ],
)
def test_letters_do_nothing_when_shortcuts_do_not_apply(queue: Page, prevent: str) -> None:
    queue.evaluate(prevent)
    press(queue, "j", "x")

    expect(queue.locator("[data-cursor]")).to_have_count(0)
    assert chosen(queue) == []


# --- Keys of the whole page -------------------------------------------------------------------------------

PAGE = """<div data-behaviour="keys">
<a href="#asignar" data-key="a">Asignar</a> <a href="#bandeja" data-key="g q">Bandeja</a>
<a href="#lejos" data-key="z" hidden>Oculto</a> <button disabled data-key="d">Inactivo</button>
<button disabled data-key="s">Inactivo</button> <a href="#severidad" data-key="s">Severidad</a>
<a href="#pregunta" data-key="?">Ayuda</a><input id="search" data-key="/" value="ya escrito">
<form><label style="display:none"><input type="radio" name="m" value="n" data-key="n">Nota</label></form>
<details class="menu"><summary>Más</summary><a href="#menu" data-key="m">Del menú</a></details>
<dialog id="palette">Paleta</dialog></div>"""


@pytest.fixture
def desk(show: Show) -> Page:
    page = show(PAGE, keys="behaviours/keys.js#keys")
    page.evaluate(
        "document.getElementById('palette').addEventListener('desk:open', () => (window.opened = true))"
    )
    return page


@pytest.mark.parametrize(
    ("keys", "place"),
    [("a", "#asignar"), ("gq", "#bandeja"), ("?", "#pregunta"), ("m", "#menu"), ("s", "#severidad")],
)
def test_key_presses_the_element_that_names_it(desk: Page, keys: str, place: str) -> None:
    press(desk, *keys)

    assert desk.evaluate("location.hash") == place


def test_pair_of_keys_must_come_in_time(show: Show) -> None:
    page = show(PAGE, stopped=True, keys="behaviours/keys.js#keys")
    press(page, "g")
    page.clock.run_for(1300)
    press(page, "q")

    assert page.evaluate("location.hash") == ""


@pytest.mark.parametrize("key", ["z", "d", "q", "Control+a", "Alt+a"])
def test_key_without_usable_element_does_nothing(desk: Page, key: str) -> None:
    press(desk, key)

    assert desk.evaluate("location.hash") == ""


def test_slash_selects_what_the_field_holds(desk: Page) -> None:
    press(desk, "/")

    expect(desk.locator("#search")).to_be_focused()
    assert desk.evaluate("getSelection().toString()") == "ya escrito"


def test_key_chooses_hidden_radio_and_fires_desk_write(desk: Page) -> None:
    desk.evaluate("document.forms[0].addEventListener('desk:write', () => (window.write = true))")
    press(desk, "n")

    assert desk.evaluate("[document.forms[0].m.value, window.write]") == ["n", True]


@pytest.mark.parametrize("key", ["Control+k", "Meta+K"])
def test_ctrl_k_opens_the_palette_even_while_typing(desk: Page, key: str) -> None:
    desk.locator("#search").press(key)

    assert desk.evaluate("window.opened") is True


@pytest.mark.parametrize(
    "prevent", ["document.getElementById('search').focus()", "document.querySelector('dialog').showModal()"]
)
def test_keys_do_nothing_while_typing_or_in_dialogs(desk: Page, prevent: str) -> None:
    desk.evaluate(prevent)
    press(desk, "a")

    assert desk.evaluate("location.hash") == ""


def test_keys_can_be_switched_off(desk: Page) -> None:
    desk.evaluate("document.querySelector('[data-behaviour]').dataset.shortcuts = 'off'")
    press(desk, "a")

    assert desk.evaluate("location.hash") == ""
