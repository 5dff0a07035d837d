"""The behaviours of forms. Each test name begins with the behaviour."""

import pytest
from playwright.sync_api import Page, expect

from e2e.js.conftest import Answer, Show, Site

pytestmark = pytest.mark.e2e

SUBMITS = """() => {
  window.sent = 0;
  document.addEventListener("submit", (event) => { window.sent += !event.defaultPrevented; event.preventDefault(); });
}"""


AUTOSIZE_AREA = '<textarea data-behaviour="autosize" rows="1"></textarea>'


def test_autosize_uses_css_where_supported(show: Show) -> None:
    page = show(AUTOSIZE_AREA, autosize="behaviours/autosize.js#autosize")

    expect(page.locator("textarea")).to_have_class("grows")


def test_autosize_without_css_stops_at_half_the_window(show: Show) -> None:
    show_page = show(AUTOSIZE_AREA, autosize="behaviours/autosize.js#autosize")
    show_page.add_init_script("CSS.supports = () => false")
    page = show(AUTOSIZE_AREA, autosize="behaviours/autosize.js#autosize")
    area = page.locator("textarea")
    one_line = area.bounding_box()["height"]
    area.fill("\n" * 5)
    six_lines = area.bounding_box()["height"]
    area.fill("\n" * 200)

    assert one_line * 3 < six_lines < 300
    assert area.evaluate("area => area.style.height") == "300px"


def test_char_counter_starts_at_four_fifths_used(show: Show) -> None:
    page = show(
        '<textarea maxlength="50" data-behaviour="char-counter" data-text-left="Quedan {n}"></textarea>',
        char_counter="behaviours/char-counter.js#charCounter",
    )
    note = page.get_by_role("status")
    page.locator("textarea").fill("x" * 39)
    expect(note).to_have_text("")
    page.locator("textarea").fill("x" * 40)

    expect(note).to_have_text("Quedan 10")


def test_char_counter_needs_a_limit(show: Show) -> None:
    page = show(
        '<textarea data-behaviour="char-counter" data-text-left="Quedan {n}"></textarea>',
        char_counter="behaviours/char-counter.js#charCounter",
    )

    expect(page.get_by_role("status")).to_have_count(0)


SHOWN_WHEN_FORM = """<form>
  <select name="equipo"><option value="">-</option><option value="pc">PC</option><option value="red">Red</option>
  </select>
  <input type="checkbox" name="sigue" value="si">
  <div id="question" data-behaviour="shown-when" data-shown-when='{"equipo": ["pc", "red"], "sigue": ["si"]}'>
    <input name="detalle"></div>
</form>"""


def test_shown_when_question_needs_every_condition(show: Show) -> None:
    page = show(SHOWN_WHEN_FORM, shown_when="behaviours/shown-when.js#shownWhen")
    question = page.locator("#question")
    expect(question).to_be_hidden()
    page.locator("select").select_option("red")
    expect(question).to_be_hidden()
    page.locator("[name=sigue]").check()
    expect(question).to_be_visible()
    page.locator("select").select_option("")

    expect(question).to_be_hidden()


UNTICKED_FORM = """<form>
  <input type="checkbox" name="urgente">
  <div id="question" data-behaviour="shown-when" data-shown-when='{"urgente": [""]}'><input name="cuando"></div>
</form>"""


def test_question_for_no_is_shown_while_the_box_is_unticked(show: Show) -> None:
    page = show(UNTICKED_FORM, shown_when="behaviours/shown-when.js#shownWhen")
    question = page.locator("#question")
    expect(question).to_be_visible()
    page.locator("[name=urgente]").check()

    expect(question).to_be_hidden()


SUBMIT_ONCE_FORM = """<form id="f" action="/guardar/" method="post" data-behaviour="submit-once">
  <button name="accion" value="guardar">Guardar</button><button type="button" id="other">Otro</button></form>
  <button form="f" type="submit" id="outside">Fuera</button>"""


def test_submit_once_prevents_the_second_submission(show: Show, site: Site) -> None:
    page = show(SUBMIT_ONCE_FORM, submit_once="behaviours/submit-once.js#submitOnce")
    page.evaluate(SUBMITS)
    page.evaluate("() => { const f = document.forms[0]; f.requestSubmit(); f.requestSubmit(); }")

    assert page.evaluate("window.sent") == 1
    expect(page.locator("form")).to_have_attribute("aria-busy", "true")


def test_submit_once_sends_the_pressed_buttons_value(show: Show, site: Site) -> None:
    site.answers["POST /guardar/"] = Answer("<p>guardado")
    page = show(SUBMIT_ONCE_FORM, submit_once="behaviours/submit-once.js#submitOnce")
    page.get_by_role("button", name="Guardar").click()
    expect(page.get_by_text("guardado")).to_be_visible()

    assert [asked.body for asked in site.asked if asked.method == "POST"] == ["accion=guardar"]


def test_submit_once_enables_buttons_after_the_request(show: Show) -> None:
    page = show(SUBMIT_ONCE_FORM, submit_once="behaviours/submit-once.js#submitOnce")
    page.evaluate(SUBMITS)
    page.get_by_role("button", name="Guardar").click()
    expect(page.locator("#outside")).to_be_disabled()
    expect(page.get_by_role("button", name="Guardar")).to_be_disabled()
    expect(page.locator("#other")).to_be_enabled()
    page.locator("form").dispatch_event("htmx:afterRequest")

    expect(page.get_by_role("button", name="Guardar")).to_be_enabled()
    expect(page.locator("#outside")).to_be_enabled()


def test_submit_once_disables_nothing_if_submission_is_prevented(show: Show) -> None:
    page = show(SUBMIT_ONCE_FORM, submit_once="behaviours/submit-once.js#submitOnce")
    page.evaluate("document.addEventListener('submit', (event) => event.preventDefault(), true)")
    page.get_by_role("button", name="Guardar").click()

    expect(page.get_by_role("button", name="Guardar")).to_be_enabled()
    assert page.locator("form").get_attribute("aria-busy") is None


DIRTY_GUARD_FORM = """<form data-behaviour="dirty-guard"><textarea name="body"></textarea>
  <input type="hidden" name="version" value="1"><input type="hidden" name="csrfmiddlewaretoken" value="a"></form>"""
DIRTY_GUARD_ASKS = """() => { const event = new Event("beforeunload", { cancelable: true });
  window.dispatchEvent(event); return event.defaultPrevented; }"""


@pytest.fixture
def dirty_guard_page(show: Show) -> Page:
    return show(DIRTY_GUARD_FORM, dirty_guard="behaviours/dirty-guard.js#dirtyGuard")


def test_dirty_guard_untouched_form_lets_the_person_go(dirty_guard_page: Page) -> None:
    assert dirty_guard_page.evaluate(DIRTY_GUARD_ASKS) is False


def test_dirty_guard_typed_text_asks_before_leaving(dirty_guard_page: Page) -> None:
    dirty_guard_page.locator("textarea").fill("Sin enviar")

    assert dirty_guard_page.evaluate(DIRTY_GUARD_ASKS) is True


@pytest.mark.parametrize("event", ["desk:kept", "submit"])
def test_dirty_guard_ignores_kept_or_sent_text(dirty_guard_page: Page, event: str) -> None:
    dirty_guard_page.locator("textarea").fill("Guardado")
    dirty_guard_page.locator("form").dispatch_event(event)

    assert dirty_guard_page.evaluate(DIRTY_GUARD_ASKS) is False


def test_dirty_guard_ignores_fields_the_page_renews(dirty_guard_page: Page) -> None:
    dirty_guard_page.evaluate("document.forms[0].version.value = '2'")
    dirty_guard_page.evaluate("document.forms[0].csrfmiddlewaretoken.value = 'b'")

    assert dirty_guard_page.evaluate(DIRTY_GUARD_ASKS) is False


def test_dirty_guard_ignores_a_removed_form(dirty_guard_page: Page) -> None:
    dirty_guard_page.locator("textarea").fill("Se fue")
    dirty_guard_page.evaluate("document.forms[0].remove()")

    assert dirty_guard_page.evaluate(DIRTY_GUARD_ASKS) is False


def test_error_summary_focuses_the_first_invalid_field(show: Show) -> None:
    page = show(
        '<form><div data-behaviour="error-summary">Revisa</div><input type="hidden" aria-invalid="true">'
        '<input id="good"><input id="first" aria-invalid="true"><input aria-invalid="true"></form>',
        error_summary="behaviours/error-summary.js#errorSummary",
    )

    expect(page.locator("#first")).to_be_focused()


def test_error_summary_is_focused_without_invalid_field(show: Show) -> None:
    page = show(
        '<form><div id="alert" data-behaviour="error-summary">Revisa</div><input></form>',
        error_summary="behaviours/error-summary.js#errorSummary",
    )

    expect(page.locator("#alert")).to_be_focused()


@pytest.fixture
def ctrl_enter_page(show: Show) -> Page:
    page = show(
        '<form data-behaviour="ctrl-enter"><input></form><input id="elsewhere"><dialog>Otra cosa</dialog>',
        ctrl_enter="behaviours/ctrl-enter.js#ctrlEnter",
    )
    page.evaluate(SUBMITS)
    return page


@pytest.mark.parametrize("key", ["Control+Enter", "Meta+Enter"])
def test_ctrl_enter_sends_from_anywhere_on_the_page(ctrl_enter_page: Page, key: str) -> None:
    ctrl_enter_page.locator("#elsewhere").press(key)

    assert ctrl_enter_page.evaluate("window.sent") == 1


def test_ctrl_enter_ignores_enter_alone(ctrl_enter_page: Page) -> None:
    ctrl_enter_page.locator("#elsewhere").press("Enter")

    assert ctrl_enter_page.evaluate("window.sent") == 0


def test_ctrl_enter_sends_nothing_during_a_dialog(ctrl_enter_page: Page) -> None:
    ctrl_enter_page.evaluate("document.querySelector('dialog').showModal()")
    ctrl_enter_page.keyboard.press("Control+Enter")

    assert ctrl_enter_page.evaluate("window.sent") == 0


def test_ctrl_enter_sends_the_form_of_an_open_dialog_only(show: Show) -> None:
    page = show(
        '<input id="elsewhere"><dialog><form data-behaviour="ctrl-enter"><input id="inside"></form></dialog>',
        ctrl_enter="behaviours/ctrl-enter.js#ctrlEnter",
    )
    page.evaluate(SUBMITS)
    page.locator("#elsewhere").press("Control+Enter")
    assert page.evaluate("window.sent") == 0

    page.evaluate("document.querySelector('dialog').showModal()")
    page.locator("#inside").press("Control+Enter")
    assert page.evaluate("window.sent") == 1


def test_password_eye_shows_and_hides_the_password(show: Show) -> None:
    page = show(
        '<input type="password" id="clave">'
        '<button hidden data-target="clave" data-behaviour="password-eye">Ver</button>',
        password_eye="behaviours/password-eye.js#passwordEye",
    )
    button = page.get_by_role("button")
    button.click()
    expect(page.locator("#clave")).to_have_attribute("type", "text")
    expect(button).to_have_attribute("aria-pressed", "true")
    button.click()

    expect(page.locator("#clave")).to_have_attribute("type", "password")
    expect(button).to_have_attribute("aria-pressed", "false")


INLINE_EDIT_FORM = """<form class="inline-edit"><select name="value"><option>1</option><option>2</option></select>
  <button type="button" data-cancel>Dejar</button></form>"""


@pytest.fixture
def inline_edit_page(show: Show) -> Page:
    page = show(INLINE_EDIT_FORM, run="behaviours/inline-edit.js#inlineEdits")
    page.evaluate(SUBMITS)
    page.evaluate(
        "document.querySelector('[data-cancel]').addEventListener('click', () => (window.left = true))"
    )
    return page


def test_inline_edit_enter_on_a_select_submits(inline_edit_page: Page) -> None:
    inline_edit_page.locator("select").press("Enter")

    assert inline_edit_page.evaluate("[window.sent, window.left]") == [1, None]


def test_inline_edit_escape_cancels(inline_edit_page: Page) -> None:
    inline_edit_page.locator("select").press("Escape")

    assert inline_edit_page.evaluate("[window.sent, window.left]") == [0, True]


IN_PLACE_FORM = """<form id="f" action="/enviar/" method="post" data-behaviour="in-place">
  <input name="email" value="ana"><button name="ir" value="detalles">Volver</button></form>"""


def test_in_place_shows_the_servers_own_page_after_an_error(show: Show, site: Site) -> None:
    site.answers["POST /enviar/"] = Answer("<p>La página había vencido")
    page = show(IN_PLACE_FORM, in_place="behaviours/in-place.js#inPlace")
    page.evaluate(
        """() => {
          const form = document.forms[0];
          const triggeringEvent = { submitter: form.querySelector("button") };
          form.dispatchEvent(new CustomEvent("htmx:responseError", { detail: { requestConfig: { triggeringEvent } } }));
        }"""
    )
    expect(page.get_by_text("La página había vencido")).to_be_visible()

    assert [asked.body for asked in site.asked if asked.method == "POST"] == ["email=ana&ir=detalles"]


RETURN_TO_PAGE = """answer => {
  const xhr = { getResponseHeader: () => answer };
  document.forms[0].dispatchEvent(new CustomEvent("htmx:beforeOnLoad", { detail: { xhr } }));
  window.dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
}"""


def test_in_place_loads_a_restored_page_again_after_success(show: Show) -> None:
    page = show(IN_PLACE_FORM, in_place="behaviours/in-place.js#inPlace")

    with page.expect_navigation():
        page.evaluate(RETURN_TO_PAGE, "/listo/")


def test_in_place_leaves_a_restored_page_alone_after_a_refusal(show: Show) -> None:
    page = show(IN_PLACE_FORM, in_place="behaviours/in-place.js#inPlace")
    page.locator("[name=email]").fill("ana@example.com")
    page.evaluate(RETURN_TO_PAGE, "")
    page.wait_for_timeout(300)

    expect(page.locator("[name=email]")).to_have_value("ana@example.com")


ADDRESS = """
<form>
  <input name="email" type="email" aria-label="Correo" value="{typed}">
  <div data-behaviour="address-hint" data-misspelt='{{"gmial.com":"gmail.com"}}'>
    <input type="hidden" name="address_ok" value="">
    <p role="status" hidden>¿Quisiste decir <button type="button"></button>?</p>
  </div>
</form>
"""
ADDRESS_HINT = {"address_hint": "behaviours/address-hint.js#addressHint"}


def test_address_hint_offers_the_address_that_was_meant(show: Show) -> None:
    page = show(ADDRESS.format(typed=""), **ADDRESS_HINT)
    email, hint, seen = (
        page.get_by_label("Correo"),
        page.get_by_role("status"),
        page.locator("[name=address_ok]"),
    )

    email.fill("ana@GMIAL.com")
    email.blur()

    expect(hint).to_contain_text("ana@gmail.com")
    expect(seen).to_have_value("ana@GMIAL.com")
    page.get_by_role("button").click()
    expect(email).to_have_value("ana@gmail.com")
    expect(hint).to_be_hidden()
    expect(seen).to_have_value("")


def test_address_hint_comes_before_the_button_is_pressed(show: Show) -> None:
    """The hint moves the button down. Shown when the field is left, the press that leaves the field would miss it."""
    sent = '<button type="button" onclick="this.textContent=1+ +this.textContent">0</button>'
    page = show(ADDRESS.format(typed="").replace("</form>", f"{sent}</form>"), **ADDRESS_HINT)
    button = page.locator("form > button")

    page.get_by_label("Correo").press_sequentially("ana@gmial.com")
    expect(page.get_by_role("status")).to_contain_text("ana@gmail.com")
    button.click()

    expect(button).to_have_text("1")


def test_address_hint_waits_while_the_address_may_go_on(show: Show) -> None:
    page = show(ADDRESS.format(typed="").replace("gmial.com", "gmail.co"), **ADDRESS_HINT)

    page.get_by_label("Correo").press_sequentially("ana@gmail.co")
    expect(page.locator("[role=status]")).to_be_hidden()
    expect(page.get_by_role("status")).to_contain_text("ana@gmail.com")
    page.get_by_label("Correo").press_sequentially("m")
    expect(page.locator("[role=status]")).to_be_hidden()


@pytest.mark.parametrize(
    "typed", ["ana@constructor", "ana@gmail.com", "ana", "@gmial.com", "ana@gmial.com.co", ""]
)
def test_address_hint_is_silent_otherwise(show: Show, typed: str) -> None:
    page = show(ADDRESS.format(typed=typed), **ADDRESS_HINT)

    expect(page.locator("[role=status]")).to_be_hidden()


def test_address_hint_is_there_for_what_was_typed_before(show: Show) -> None:
    page = show(ADDRESS.format(typed="ana@gmial.com"), **ADDRESS_HINT)

    expect(page.get_by_role("status")).to_contain_text("ana@gmail.com")


def test_send_now_sends_the_form_once(show: Show, site: Site) -> None:
    site.answers["POST /entrar/"] = Answer("<p>Dentro</p>")
    page = show(
        """<iframe name="marco" title="Marco"></iframe>
        <form method="post" action="/entrar/" target="marco" data-behaviour="send-now"><button>Sí</button></form>""",
        send_now="behaviours/send-now.js#sendNow",
    )

    expect(page.frame_locator("iframe").get_by_text("Dentro")).to_be_visible()
    assert [asked.path for asked in site.asked if asked.method == "POST"] == ["/entrar/"]
