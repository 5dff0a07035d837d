"""The behaviours of the composer: kinds of message, drafts, standard answers, mentions."""

import threading

import pytest
from playwright.sync_api import Page, expect

from e2e.js.conftest import Answer, Show, Site

pytestmark = pytest.mark.e2e

MODES = """<form id="composer" data-behaviour="composer-modes" data-text-blocked="Ya no se puede."><fieldset
  id="composer-modes" data-modes>
  <label><input type="radio" name="mode" value="follow_up" data-look="public" data-submit="Enviar"
    data-hint="Escribe a Ana" data-body="" checked>Seguimiento</label>
  <label><input type="radio" name="mode" value="solution" data-look="solution" data-submit="Enviar solución"
    data-hint="Qué se hizo" data-body="">Solución</label>
  <label><input type="radio" name="mode" value="note" data-look="note" data-submit="Guardar nota"
    data-hint="Solo el equipo" data-body="">Nota</label></fieldset>
  <textarea name="body" id="composer-body"></textarea>
  <p role="status" data-mode-note hidden></p>
  <button><span data-submit-label>Enviar</span></button>
</form>"""


@pytest.fixture
def composer(show: Show) -> Page:
    return show(MODES, composer_modes="behaviours/composer-modes.js#composerModes")


def test_kind_of_message_renames_button_and_hint(composer: Page) -> None:
    area = composer.locator("textarea")
    expect(area).to_have_attribute("placeholder", "Escribe a Ana")
    composer.get_by_label("Nota").check()

    expect(area).to_have_attribute("placeholder", "Solo el equipo")
    expect(composer.get_by_role("button")).to_have_text("Guardar nota")


def test_each_kind_keeps_its_own_text(composer: Page) -> None:
    area = composer.locator("textarea")
    composer.get_by_label("Solución").check()
    area.fill("Cambiamos el lector")
    composer.get_by_label("Seguimiento").check()
    expect(area).to_have_value("")
    composer.get_by_label("Solución").check()

    expect(area).to_have_value("Cambiamos el lector")


REFRESHED = """<label><input type="radio" name="mode" value="follow_up" data-look="public" data-submit="Enviar y pedir"
    data-hint="Escribe" data-body="viejo" checked>Seguimiento</label>
  <label><input type="radio" name="mode" value="note" data-look="note" data-submit="Guardar nota" data-hint="Nota"
    data-body="">Nota</label>"""


def refresh(page: Page, html: str = REFRESHED) -> None:
    """Replace the kinds of message as htmx does with a part of an answer that goes out of band."""
    page.evaluate(
        """html => {
          const tabs = document.getElementById("composer-modes");
          const tell = (name) => tabs.dispatchEvent(
            new CustomEvent(name, { bubbles: true, detail: { target: tabs } }));
          tell("htmx:oobBeforeSwap");
          tabs.innerHTML = html;
          tell("htmx:oobAfterSwap");
        }""",
        html,
    )


def test_refresh_keeps_every_text_and_the_chosen_kind(composer: Page) -> None:
    area = composer.locator("textarea")
    area.fill("Hola, Ana")
    composer.get_by_label("Nota").check()
    area.fill("Ojo con esto")
    area.evaluate("area => area.setSelectionRange(2, 5)")
    refresh(composer)

    expect(composer.get_by_label("Nota")).to_be_checked()
    expect(area).to_have_value("Ojo con esto")
    expect(area).to_be_focused()
    assert area.evaluate("area => [area.selectionStart, area.selectionEnd]") == [2, 5]
    composer.get_by_label("Seguimiento").check()
    expect(area).to_have_value("Hola, Ana")
    expect(composer.get_by_role("button")).to_have_text("Enviar y pedir")


def test_kind_that_is_gone_keeps_its_text_and_says_why(composer: Page) -> None:
    area = composer.locator("textarea")
    composer.get_by_label("Solución").check()
    area.fill("Cambiamos el lector")
    refresh(composer)

    expect(composer.get_by_label("Solución")).to_be_checked()
    expect(area).to_have_value("Cambiamos el lector")
    expect(composer.get_by_role("status")).to_have_text("Ya no se puede.")
    expect(composer.get_by_role("button")).to_be_disabled()
    composer.get_by_label("Seguimiento").check()
    expect(composer.get_by_role("button")).to_be_enabled()
    expect(composer.get_by_role("status")).to_be_hidden()


def test_kind_that_is_gone_and_empty_gives_way(composer: Page) -> None:
    composer.get_by_label("Seguimiento").check()
    composer.locator("textarea").fill("Hola, Ana")
    composer.get_by_label("Solución").check()
    refresh(composer)

    expect(composer.get_by_label("Seguimiento")).to_be_checked()
    expect(composer.get_by_label("Solución")).to_have_count(0)
    expect(composer.locator("textarea")).to_have_value("Hola, Ana")


def test_note_text_never_becomes_a_public_message(composer: Page) -> None:
    area = composer.locator("textarea")
    composer.get_by_label("Nota").check()
    area.fill("El cliente miente")
    composer.get_by_label("Seguimiento").check()
    expect(area).to_have_value("")
    area.fill("Hola, Ana")
    composer.get_by_label("Nota").check()
    expect(area).to_have_value("El cliente miente")
    composer.get_by_label("Seguimiento").check()

    expect(area).to_have_value("Hola, Ana")


def test_ctrl_enter_sends_the_form_once(composer: Page) -> None:
    composer.evaluate(
        "document.forms[0].addEventListener('submit', (event) => { event.preventDefault();"
        " window.sent = (window.sent || 0) + 1; })"
    )
    composer.locator("textarea").press("Control+Enter")

    assert composer.evaluate("window.sent") == 1


# --- Drafts -----------------------------------------------------------------------------------------------

DRAFT = """<main id="contenido">{seen}</main>
<form data-behaviour="draft" data-draft-key="nuevo" {url} data-text-saved="Guardado a las {{time}}"
  data-text-restored="Recuperamos tu borrador" data-time-zone="America/Caracas">
  <input name="title"><textarea name="body">{here}</textarea><input type="hidden" name="key" value="k">
  <input type="file" name="files"><span data-draft-status></span></form>"""
STORED = "JSON.parse(localStorage.getItem('desk-draft::nuevo'))"


def draft_page(show: Show, *, url: str = "", here: str = "", seen: str = "", stopped: bool = False) -> Page:
    html = DRAFT.format(url=f'data-draft-url="{url}"' if url else "", here=here, seen=seen)
    return show(html, stopped=stopped, draft="behaviours/draft.js#draft")


def with_stored_draft(show: Show, body: str, *, sent: bool = False, age_days: int = 0) -> None:
    """Store `body` in the browser as a draft that was typed on an earlier page, `age_days` ago."""
    page = draft_page(show)
    stored = {"sent": sent, "values": {"body": body}, "mode": None}
    page.evaluate(
        "([stored, age]) => localStorage.setItem('desk-draft::nuevo',"
        " JSON.stringify({ ...stored, at: Date.now() - age * 864e5 }))",
        [stored, age_days],
    )


def test_draft_is_stored_when_typing_pauses(show: Show) -> None:
    page = draft_page(show, stopped=True)
    page.locator("textarea").fill("La puerta no abre")
    page.clock.run_for(700)
    assert page.evaluate(STORED) is None
    page.clock.run_for(200)

    assert page.evaluate(STORED)["values"] == {"title": "", "body": "La puerta no abre"}
    expect(page.locator("[data-draft-status]")).to_have_text("Guardado a las 8:00")


def test_draft_goes_to_the_server_without_files(show: Show, site: Site) -> None:
    site.answers["POST /borrador/"] = Answer(status=204)
    page = draft_page(show, url="/borrador/")
    page.set_input_files("[name=files]", {"name": "a.txt", "mimeType": "text/plain", "buffer": b"secreto"})
    with page.expect_response("**/borrador/"):
        page.locator("textarea").fill("La puerta no abre")
    expect(page.locator("[data-draft-status]")).to_contain_text("Guardado")

    asked = site.asked[-1]
    assert "La puerta no abre" in asked.body
    assert "secreto" not in asked.body
    assert asked.headers["X-CSRFToken"] == "the-token"
    assert page.evaluate(STORED) is None


def test_draft_stays_in_browser_if_server_fails(show: Show, site: Site) -> None:
    site.answers["POST /borrador/"] = Answer(status=500)
    page = draft_page(show, url="/borrador/")
    page.locator("textarea").fill("La puerta no abre")
    expect(page.locator("[data-draft-status]")).to_contain_text("Guardado")

    assert page.evaluate(STORED)["values"]["body"] == "La puerta no abre"


def test_ended_session_fires_desk_expired(show: Show, site: Site) -> None:
    site.answers["POST /borrador/"] = Answer(status=403)
    page = draft_page(show, url="/borrador/")
    page.evaluate("document.addEventListener('desk:expired', () => (window.expired = true))")
    page.locator("textarea").fill("La puerta no abre")
    page.wait_for_function("window.expired")

    assert page.evaluate(STORED)["values"]["body"] == "La puerta no abre"


def test_stored_draft_comes_back(show: Show) -> None:
    with_stored_draft(show, "La puerta no abre")
    page = draft_page(show)

    expect(page.locator("textarea")).to_have_value("La puerta no abre")
    expect(page.locator("[data-draft-status]")).to_have_text("Recuperamos tu borrador")


def test_stored_draft_is_added_to_the_pages_text(show: Show) -> None:
    with_stored_draft(show, "Texto del navegador")
    page = draft_page(show, here="Texto del servidor")

    expect(page.locator("textarea")).to_have_value("Texto del servidor\n\nTexto del navegador")


def test_stored_draft_replaces_text_that_it_continues(show: Show) -> None:
    with_stored_draft(show, "La puerta no abre desde ayer")
    page = draft_page(show, here="La puerta no abre")

    expect(page.locator("textarea")).to_have_value("La puerta no abre desde ayer")


def test_sent_draft_is_deleted_if_page_shows_it(show: Show) -> None:
    with_stored_draft(show, "1. La puerta *no* abre", sent=True)
    page = draft_page(show, seen="La puerta no abre")

    expect(page.locator("textarea")).to_have_value("")
    assert page.evaluate(STORED) is None


def test_sent_draft_comes_back_if_page_lacks_it(show: Show) -> None:
    with_stored_draft(show, "La puerta no abre", sent=True)
    page = draft_page(show, seen="Otra cosa")

    expect(page.locator("textarea")).to_have_value("La puerta no abre")


@pytest.mark.parametrize(("next_page", "is_kept"), [("/tickets/MA-2/#mensaje-9", False), ("/", True)])
def test_sent_draft_is_deleted_if_its_answer_leads_to_the_message(
    show: Show, next_page: str, is_kept: bool
) -> None:
    """The message may be on the page of another ticket, and this one never shows it."""
    page = draft_page(show)
    page.locator("textarea").fill("La puerta no abre")
    page.evaluate(
        """next => {
            const form = document.querySelector("form");
            form.addEventListener("submit", event => event.preventDefault());
            form.requestSubmit();
            const xhr = { getResponseHeader: () => next };
            form.dispatchEvent(new CustomEvent("htmx:beforeOnLoad", { detail: { xhr }, bubbles: true }));
        }""",
        next_page,
    )

    assert (page.evaluate(STORED) is not None) == is_kept


def test_text_typed_just_before_a_reload_is_shown_and_saved_again(show: Show, site: Site) -> None:
    """The page is drawn before the server has saved the text."""
    held = threading.Event()
    site.answers["POST /borrador/"] = Answer(status=204, until=held)
    page = draft_page(show, url="/borrador/", here="Lo de antes")
    page.locator("textarea").fill("Lo de ahora")
    page.reload()

    expect(page.locator("textarea")).to_have_value("Lo de ahora")
    with page.expect_request("**/borrador/") as saved:
        held.set()
    assert "Lo de ahora" in (saved.value.post_data or "")
    page.wait_for_function("!Object.keys(sessionStorage).length")


def test_stored_draft_unfolds_its_form(show: Show) -> None:
    with_stored_draft(show, "Sigue sin abrir")
    html = DRAFT.format(url="", here="", seen="").replace("<form", "<details><summary>x</summary><form")
    page = show(html + "</details>", draft="behaviours/draft.js#draft")

    expect(page.locator("textarea")).to_be_visible()
    expect(page.locator("textarea")).to_have_value("Sigue sin abrir")


@pytest.mark.parametrize(("age_days", "text"), [(6, "La puerta no abre"), (8, "")])
def test_draft_lives_for_a_week(show: Show, age_days: int, text: str) -> None:
    with_stored_draft(show, "La puerta no abre", age_days=age_days)
    page = draft_page(show)

    expect(page.locator("textarea")).to_have_value(text)


def test_broken_stored_draft_is_ignored(show: Show) -> None:
    page = draft_page(show)
    page.evaluate("localStorage.setItem('desk-draft::nuevo', '{')")
    page = draft_page(show, here="Intacto")

    expect(page.locator("textarea")).to_have_value("Intacto")


# --- Standard answers and mentions ------------------------------------------------------------------------

TOOLS = (
    MODES.replace('data-behaviour="composer-modes"', "").replace(
        "</form>",
        """<details class="menu" data-behaviour="slash-opens"><summary>Respuestas</summary><div class="menu__list">
    <input type="search" aria-label="Filtrar" data-filter hidden><p data-none hidden>Nada</p>
    <a href="?articulo=1" data-behaviour="insert-text" data-insert="Mira el código.">Código de verificación</a>
    <a href="?respuesta=1" data-behaviour="insert-text" data-insert="Saludos." data-mode="note">Saludo</a>
    </div></details>
    <span data-behaviour="mentions" data-label="Mencionar a" data-mentions="/menciones/"></span></form>""",
    )
    + """<form id="other"><input type="hidden" id="typing" name="writing" value="0" data-form="composer"
    data-behaviour="writing"></form>"""
)
PEOPLE = """<div role="option" aria-selected="false" data-email="ana@desk.test">Ana</div>
<div role="option" aria-selected="false" data-email="anibal@desk.test">Aníbal</div>"""


@pytest.fixture
def tools(show: Show, site: Site) -> Page:
    site.answers["GET /menciones/"] = Answer(PEOPLE)
    return show(
        TOOLS,
        slash_opens="behaviours/slash-opens.js#slashOpens",
        insert_text="behaviours/insert-text.js#insertText",
        mentions="behaviours/mentions.js#mentions",
        writing="behaviours/writing.js#writing",
    )


def test_slash_opens_answers_only_in_empty_text(tools: Page) -> None:
    area, menu = tools.locator("textarea"), tools.locator("details")
    area.fill("Dice: ")
    area.press("/")
    expect(area).to_have_value("Dice: /")
    expect(menu).not_to_have_attribute("open", "")
    area.fill(" ")
    area.press("/")

    expect(menu).to_have_attribute("open", "")
    expect(tools.get_by_label("Filtrar")).to_be_focused()
    expect(area).to_have_value(" ")


def test_letters_after_slash_filter_the_answers(tools: Page) -> None:
    tools.evaluate(
        "document.addEventListener('keydown', (event) => { (window.seen ||= []).push(event.key); })"
    )
    area, menu = tools.locator("textarea"), tools.locator("details")
    area.press("/")
    tools.keyboard.type("codigo x")
    expect(tools.get_by_text("Nada")).to_be_visible()
    expect(tools.get_by_role("link")).to_have_count(0)
    tools.keyboard.press("Backspace")
    expect(tools.get_by_role("link")).to_have_text(["Código de verificación"])
    tools.keyboard.press("Enter")

    expect(area).to_have_value("Mira el código.")
    expect(area).to_be_focused()
    expect(menu).not_to_have_attribute("open", "")


def test_letter_on_an_answer_goes_to_the_filter(tools: Page) -> None:
    tools.locator("textarea").press("/")
    tools.get_by_role("link", name="Saludo").focus()
    tools.keyboard.press("d")
    expect(tools.get_by_label("Filtrar")).to_have_value("d")
    tools.keyboard.press("Escape")

    expect(tools.locator("textarea")).to_be_focused()
    expect(tools.locator("textarea")).to_have_value("")


def test_standard_answer_is_appended_and_sets_its_mode(tools: Page) -> None:
    area = tools.locator("textarea")
    area.fill("Hola, Ana.")
    tools.locator("details").evaluate("menu => menu.open = true")
    tools.get_by_role("link", name="Saludo").click()

    expect(area).to_have_value("Hola, Ana.\n\nSaludos.")
    expect(area).to_be_focused()
    expect(tools.get_by_label("Nota")).to_be_checked()
    expect(tools.locator("details")).not_to_have_attribute("open", "")


def test_at_sign_lists_colleagues_and_enter_inserts_one(tools: Page, site: Site) -> None:
    tools.get_by_label("Nota").check()
    area = tools.locator("textarea")
    area.press_sequentially("Pregunta a @an")
    expect(tools.get_by_role("option", name="Ana")).to_have_attribute("aria-selected", "true")
    area.press("ArrowDown")
    expect(area).to_have_attribute("aria-activedescendant", "mention-1")
    area.press("Enter")

    expect(area).to_have_value("Pregunta a @anibal@desk.test ")
    expect(tools.get_by_role("listbox")).to_be_hidden()
    assert {asked.query for asked in site.asked} <= {"q=", "q=a", "q=an"}
    assert site.asked[-1].query == "q=an"


def test_escape_closes_the_list_of_colleagues(tools: Page) -> None:
    tools.get_by_label("Nota").check()
    area = tools.locator("textarea")
    area.press_sequentially("@an")
    expect(tools.get_by_role("listbox")).to_be_visible()
    area.press("Escape")

    expect(tools.get_by_role("listbox")).to_be_hidden()
    expect(area).to_have_value("@an")


def test_message_for_the_requester_mentions_nobody(tools: Page, site: Site) -> None:
    tools.clock.install()
    tools.locator("textarea").press_sequentially("@an")
    tools.clock.run_for(1000)

    assert site.asked == []
    expect(tools.get_by_role("listbox")).to_be_hidden()


def test_writing_field_resets_eight_seconds_after_typing(show: Show) -> None:
    page = show(TOOLS, stopped=True, writing="behaviours/writing.js#writing")
    field = page.locator("#typing")
    page.locator("textarea").press_sequentially("a")
    page.clock.run_for(7000)
    page.locator("textarea").press_sequentially("b")
    page.clock.run_for(7000)
    expect(field).to_have_value("1")
    page.clock.run_for(1100)

    expect(field).to_have_value("0")


def test_text_of_the_old_kind_is_saved_at_once(show: Show, site: Site) -> None:
    site.answers["POST /borrador/"] = Answer(status=204)
    form = MODES.replace('data-behaviour="composer-modes"', 'data-behaviour="composer-modes draft"')
    page = show(
        form.replace("<form ", '<form data-draft-url="/borrador/" '),
        composer_modes="behaviours/composer-modes.js#composerModes",
        draft="behaviours/draft.js#draft",
    )
    page.locator("textarea").fill("Hola, Ana")
    with page.expect_response("**/borrador/"):
        page.get_by_label("Nota").check()

    assert 'name="mode"\r\n\r\nfollow_up' in site.asked[0].body
    assert "Hola, Ana" in site.asked[0].body


def test_drafts_are_saved_one_after_the_other(show: Show, site: Site) -> None:
    first = Answer(status=204, until=threading.Event())
    site.answers["POST /borrador/"] = first
    page = draft_page(show, url="/borrador/")
    with page.expect_request("**/borrador/"):
        page.locator("textarea").fill("Uno")
    page.locator("textarea").fill("Uno y dos")
    page.wait_for_timeout(1200)
    assert len(site.asked) == 1
    with page.expect_request("**/borrador/"):
        first.until.set()

    expect(page.locator("[data-draft-status]")).to_contain_text("Guardado")
    assert "Uno y dos" in site.asked[1].body


def test_draft_is_saved_at_once_when_the_tab_is_left(show: Show, site: Site) -> None:
    site.answers["POST /borrador/"] = Answer(status=204)
    page = draft_page(show, url="/borrador/", stopped=True)
    page.locator("textarea").fill("La puerta no abre")
    assert site.asked == []
    with page.expect_response("**/borrador/"):
        page.evaluate(
            """() => {
              Object.defineProperty(document, "hidden", { value: true });
              document.dispatchEvent(new Event("visibilitychange"));
            }"""
        )

    assert "La puerta no abre" in site.asked[0].body


def test_enter_writes_a_line_when_the_list_is_for_other_letters(tools: Page, site: Site) -> None:
    tools.get_by_label("Nota").check()
    area = tools.locator("textarea")
    area.press_sequentially("@an")
    expect(tools.get_by_role("option", name="Ana")).to_be_visible()
    area.press_sequentially("zzz")
    area.press("Enter")

    expect(area).to_have_value("@anzzz\n")


# --- Several people at one browser ------------------------------------------------------------------------


def person_page(show: Show, person: str, html: str = "", **behaviours: str) -> Page:
    """A page of `person`, as main.js sets it up. The mark is set before the behaviours are bound."""
    whose = f'<script>document.body.dataset.person = "{person}"</script>'
    return show(whose + html, run="lib/person.js#forgetOthers", **behaviours)


def keys_of(page: Page) -> list[str]:
    return sorted(page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('desk-draft'))"))


def test_page_deletes_the_drafts_of_everybody_else(show: Show) -> None:
    page = person_page(show, "ana")
    for key in ("desk-draft:ana:nuevo", "desk-draft:-:nuevo", "desk-draft:anabel:nuevo", "desk-draft:nuevo"):
        page.evaluate("(key) => localStorage.setItem(key, '{}')", key)

    assert keys_of(person_page(show, "ana")) == ["desk-draft:ana:nuevo"]
    assert keys_of(person_page(show, "-")) == []


def test_page_left_open_keeps_nothing_for_somebody_else(show: Show) -> None:
    html = DRAFT.format(url="", here="", seen="")
    page = person_page(show, "ana", html, draft="behaviours/draft.js#draft")
    page.evaluate("localStorage.setItem('desk-person', 'luis')")
    page.locator("textarea").fill("La puerta no abre")
    page.wait_for_timeout(1000)

    assert keys_of(page) == []


def test_page_shown_from_memory_to_somebody_else_is_hidden(show: Show) -> None:
    page = person_page(show, "ana", "Nota interna")
    page.evaluate(
        "() => import('/static/js/lib/person.js').then((module) => { module.hideFromOthers();"
        " window.same = true; dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })); })"
    )
    assert page.evaluate("window.same && !document.documentElement.hidden")
    page.evaluate("localStorage.setItem('desk-person', '-')")
    with page.expect_navigation():
        page.evaluate(
            "() => { dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }));"
            " if (!document.documentElement.hidden) throw new Error('shown'); }"
        )


def test_form_waits_until_the_person_has_signed_in_again(show: Show, site: Site) -> None:
    site.answers["POST /borrador/"] = Answer(status=401)
    site.answers["POST /enviar/"] = Answer("ok")
    page = draft_page(show, url="/borrador/")
    page.evaluate("document.forms[0].method = 'post'; document.forms[0].action = '/enviar/'")
    with page.expect_response("**/borrador/"):
        page.locator("textarea").fill("La puerta no abre")
    with page.expect_response("**/borrador/"):
        page.evaluate("document.forms[0].requestSubmit()")
    assert [asked.path for asked in site.asked if asked.path == "/enviar/"] == []
    assert page.evaluate(STORED) is None

    site.answers["POST /borrador/"] = Answer(status=204)
    with page.expect_navigation():
        page.evaluate("document.forms[0].requestSubmit()")
    assert site.asked[-1].path == "/enviar/"
    assert "La+puerta+no+abre" in site.asked[-1].body
