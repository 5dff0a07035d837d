"""The behaviour `upload`: each file has its own request, at most two at a time, while the person goes on writing."""

import threading

import pytest
from playwright.sync_api import FilePayload, Page, expect

from e2e.js.conftest import Answer, Show, Site

pytestmark = pytest.mark.e2e

ROW = """<li><div class="file" data-state="{state}"><span class="file__name">{name}</span>
<span class="file__meta">{meta}</span><input type="hidden" name="tokens" value="{token}">
<button type="button" data-remove="/quitar/{token}/" aria-label="Quitar {name}">x</button></div></li>"""
FORM = """<form action="/enviar/" method="post"><textarea name="body"></textarea>
<fieldset data-behaviour="upload" {url} data-max-files="2" data-max-mb="1" data-text-used="{{n}} de {{limit}}"
  data-text-count="Ya hay {{limit}}" data-text-empty="Está vacío" data-text-size="{{size}} de {{limit}}"
  data-text-failed="No subió" data-text-progress="{{done}} de {{total}}" data-text-uploading="Subiendo {{name}}"
  data-text-cancel="Cancelar {{name}}" data-text-remove="Quitar {{name}}" data-text-waiting="Espera a tus archivos">
  <legend>Archivos</legend><div class="dropzone"><input type="file" multiple class="visually-hidden"></div>
  <span data-used></span><ul data-files></ul>
  <template data-row><li><div class="file"><span class="file__name"></span><span class="file__meta">
  <progress max="100" value="0"></progress> 0 B</span></div></li></template>
</fieldset><button>Enviar</button></form>"""


def a_file(name: str, size: int = 1500) -> FilePayload:
    return {"name": name, "mimeType": "text/plain", "buffer": b"x" * size}


def stored(name: str, token: str, state: str = "ready", meta: str = "listo") -> str:
    return ROW.format(name=name, token=token, state=state, meta=meta)


@pytest.fixture
def form(show: Show, site: Site) -> Page:
    site.answers["POST /subir/"] = Answer(stored("foto.png", "t1"))
    site.answers["POST /enviar/"] = Answer("<p>enviado")
    return show(FORM.format(url='data-upload-url="/subir/"'), upload="behaviours/upload.js#upload")


def choose(page: Page, *files: FilePayload) -> None:
    page.set_input_files("input[type=file]", list(files))


def test_uploaded_file_gets_the_servers_row(form: Page, site: Site) -> None:
    choose(form, a_file("foto.png"))
    expect(form.locator("input[name=tokens]")).to_have_value("t1")
    expect(form.locator("[data-used]")).to_have_text("1 de 2")

    asked = site.asked[0]
    assert 'name="file"; filename="foto.png"' in asked.body
    assert asked.headers["X-CSRFToken"] == "the-token"


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (a_file("vacio.txt", 0), "Está vacío"),
        (a_file("grande.txt", 1_260_000), "1,3\xa0MB de 1\xa0MB"),
    ],
)
def test_empty_or_too_large_file_is_not_sent(form: Page, site: Site, file: FilePayload, text: str) -> None:
    choose(form, file)
    found = form.locator(".file")
    expect(found).to_have_attribute("data-state", "error")
    expect(found.locator(".file__meta")).to_have_text(text)

    assert site.asked == []
    expect(form.locator("[data-used]")).to_have_text("")


def test_files_beyond_the_limit_are_refused(form: Page, site: Site) -> None:
    choose(form, a_file("1.txt"), a_file("2.txt"), a_file("3.txt"))
    expect(form.locator(".file[data-state=error] .file__meta")).to_have_text("Ya hay 2")
    expect(form.locator("[data-used]")).to_have_text("2 de 2")
    expect(form.locator("input[name=tokens]")).to_have_count(2)  # the server has answered

    assert len(site.asked) == 2
    assert form.locator("fieldset").evaluate("box => box.classList.contains('is-full')")


def test_file_refused_by_server_shows_its_reason(form: Page, site: Site) -> None:
    site.answers["POST /subir/"] = Answer(stored("foto.png", "", "error", "No se admite"), 422)
    choose(form, a_file("foto.png"))

    expect(form.locator(".file[data-state=error] .file__meta")).to_have_text("No se admite")
    expect(form.locator("[data-used]")).to_have_text("")


@pytest.mark.parametrize(("status", "text"), [(500, "No subió"), (413, "2\xa0kB de 1\xa0MB")])
def test_failed_upload_says_so_in_its_row(form: Page, site: Site, status: int, text: str) -> None:
    site.answers["POST /subir/"] = Answer(status=status)
    choose(form, a_file("foto.png", 1600))

    expect(form.locator(".file__meta")).to_have_text(text)
    expect(form.get_by_role("button", name="Quitar foto.png")).to_be_visible()


@pytest.mark.parametrize(
    ("headers", "text"),
    [({}, "La página había vencido"), ({"Desk-Cookies-Blocked": "1"}, "Permite las cookies")],
)
def test_refused_upload_says_why(form: Page, site: Site, headers: dict[str, str], text: str) -> None:
    """It is not the connection."""
    form.evaluate(
        "Object.assign(document.getElementById('snacks').dataset,"
        " { textExpired: 'La página había vencido', textCookies: 'Permite las cookies' })"
    )
    site.answers["POST /subir/"] = Answer(status=403, headers=headers)
    choose(form, a_file("foto.png"))

    expect(form.locator(".file__meta")).to_have_text(text)


def test_form_is_sent_when_its_uploads_end(form: Page, site: Site) -> None:
    arrived = threading.Event()
    site.answers["POST /subir/"] = Answer(stored("foto.png", "t1"), until=arrived)
    choose(form, a_file("foto.png"))
    form.get_by_role("button", name="Enviar").click()
    expect(form.get_by_text("Espera a tus archivos")).to_be_visible()
    assert "/enviar/" not in [asked.path for asked in site.asked]
    arrived.set()
    expect(form.get_by_text("enviado")).to_be_visible()

    assert "tokens=t1" in next(asked.body for asked in site.asked if asked.path == "/enviar/")


def test_form_is_not_sent_if_upload_fails(form: Page, site: Site) -> None:
    arrived = threading.Event()
    site.answers["POST /subir/"] = Answer(status=500, until=arrived)
    choose(form, a_file("foto.png"))
    form.get_by_role("button", name="Enviar").click()
    arrived.set()
    expect(form.locator(".file__meta")).to_have_text("No subió")

    assert [asked.path for asked in site.asked] == ["/subir/"]


def test_at_most_two_files_upload_at_once(show: Show, site: Site) -> None:
    arrived = threading.Event()
    site.answers["POST /subir/"] = Answer(stored("foto.png", "t1"), until=arrived)
    html = FORM.format(url='data-upload-url="/subir/"').replace('data-max-files="2"', "")
    page = show(html, upload="behaviours/upload.js#upload")
    started: list[str] = []
    page.on("request", lambda request: request.method == "POST" and started.append(request.url))
    choose(page, *[a_file(f"{n}.txt") for n in range(4)])
    expect(page.locator("progress")).to_have_count(4)
    assert len(started) == 2
    arrived.set()
    expect(page.locator("input[name=tokens]")).to_have_count(4)

    assert len(started) == 4


def test_removing_a_stored_file_tells_the_server(form: Page, site: Site) -> None:
    site.answers["POST /quitar/t1/"] = Answer(status=204)
    choose(form, a_file("foto.png"))
    expect(form.locator("input[name=tokens]")).to_have_value("t1")
    with form.expect_response("**/quitar/t1/"):
        form.get_by_role("button", name="Quitar foto.png").click()

    expect(form.locator(".file")).to_have_count(0)
    expect(form.locator("[data-used]")).to_have_text("")
    expect(form.locator("input[type=file]")).to_be_focused()


def test_upload_under_way_can_be_cancelled(form: Page, site: Site) -> None:
    arrived = threading.Event()
    site.answers["POST /subir/"] = Answer(stored("foto.png", "t1"), until=arrived)
    choose(form, a_file("foto.png"))
    form.get_by_role("button", name="Cancelar foto.png").click()
    arrived.set()
    expect(form.locator(".file")).to_have_count(0)
    form.get_by_role("button", name="Enviar").click()
    expect(form.get_by_text("enviado")).to_be_visible()

    assert "tokens" not in next(asked.body for asked in site.asked if asked.path == "/enviar/")


ONE_FILE = "() => { const t = new DataTransfer(); t.items.add(new File(['xx'], 'foto.png')); return t; }"


def test_dropped_file_is_uploaded(form: Page) -> None:
    form.dispatch_event(".dropzone", "drop", {"dataTransfer": form.evaluate_handle(ONE_FILE)})

    expect(form.locator("input[name=tokens]")).to_have_value("t1")


def test_pasted_file_is_uploaded_but_not_text(form: Page) -> None:
    paste = """([area, data]) => area.dispatchEvent(
      new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }))"""
    area = form.locator("textarea").element_handle()
    text = form.evaluate_handle(
        "() => { const t = new DataTransfer(); t.setData('text/plain', 'x'); return t; }"
    )
    assert form.evaluate(paste, [area, text]) is True
    assert form.evaluate(paste, [area, form.evaluate_handle(ONE_FILE)]) is False

    expect(form.locator("input[name=tokens]")).to_have_value("t1")


def test_dropzone_is_marked_during_a_drag(form: Page) -> None:
    data = form.evaluate_handle(ONE_FILE)
    zone = form.locator(".dropzone")
    zone.dispatch_event("dragenter", {"dataTransfer": data})
    expect(zone).to_have_class("dropzone is-over")
    zone.dispatch_event("dragleave", {"dataTransfer": data})

    expect(zone).to_have_class("dropzone")


def test_files_without_upload_url_stay_in_the_field(show: Show) -> None:
    page = show(FORM.format(url=""), upload="behaviours/upload.js#upload")
    field = page.locator("input[type=file]")

    expect(field).to_have_class("form-control")
    expect(field).to_have_attribute("aria-label", "Archivos")
    choose(page, a_file("foto.png"))
    expect(page.locator(".file")).to_have_count(0)
