"""Test the behaviours that change a page while it is open: refreshes (`poll`), relative times, snacks, the theme."""

import pytest
from playwright.sync_api import Page, expect

from e2e.js.conftest import Answer, Show, Site

pytestmark = pytest.mark.e2e

REGION = """<div id="region" data-behaviour="poll" data-keep-scroll style="height:100px;overflow:auto">
<textarea></textarea><input type="text" value="como vino"><details id="more"><summary>Más</summary>x</details>
<details class="menu"><summary>Menú</summary>x</details><a href="#a" id="link">enlace</a><p id="text">Texto</p>
<p style="height:500px"></p></div><button id="outside">Fuera</button>"""
# Fire the events of an htmx swap and swap if `poll` allows it. Returns whether it did.
REFRESH = """() => {
  const region = document.getElementById("region");
  const detail = { requestConfig: { elt: region }, xhr: { status: 200 }, shouldSwap: true };
  region.dispatchEvent(new CustomEvent("htmx:beforeSwap", { detail }));
  if (!detail.shouldSwap) return false;
  region.innerHTML = window.fresh;
  region.dispatchEvent(new CustomEvent("htmx:afterSettle"));
  return true;
}"""


@pytest.fixture
def region(show: Show) -> Page:
    page = show(REGION, poll="behaviours/poll.js#poll")
    page.evaluate("window.fresh = document.getElementById('region').innerHTML")
    return page


def test_region_at_rest_is_refreshed(region: Page) -> None:
    assert region.evaluate(REFRESH) is True


@pytest.mark.parametrize(
    "busy",
    [
        "document.querySelector('textarea').focus()",
        "document.querySelector('textarea').value = 'a medias'",
        "document.querySelector('[type=text]').value = 'otra cosa'",
        "document.querySelector('.menu').open = true",
        "document.getElementById('region').insertAdjacentHTML('beforeend', '<form class=inline-edit></form>')",
        "getSelection().selectAllChildren(document.getElementById('text'))",
    ],
)
def test_refresh_waits_for_a_person_at_work(region: Page, busy: str) -> None:
    region.evaluate(f"() => {{ {busy} }}")

    assert region.evaluate(REFRESH) is False


@pytest.mark.parametrize(
    "idle",
    [
        "document.getElementById('outside').focus()",
        "getSelection().selectAllChildren(document.getElementById('outside'))",
        "document.getElementById('more').open = true",
    ],
)
def test_work_elsewhere_delays_no_refresh(region: Page, idle: str) -> None:
    region.evaluate(f"() => {{ {idle} }}")

    assert region.evaluate(REFRESH) is True


def test_refresh_keeps_open_details_focus_and_scroll(region: Page) -> None:
    region.evaluate(
        "() => { document.getElementById('more').open = true; document.getElementById('link').focus();"
        " document.getElementById('region').scrollTop = 77; }"
    )
    assert region.evaluate(REFRESH) is True

    expect(region.locator("#more")).to_have_attribute("open", "")
    expect(region.locator("#link")).to_be_focused()
    assert region.evaluate("document.getElementById('region').scrollTop") == 77


def test_refresh_keeps_the_scroll_at_the_end(region: Page) -> None:
    region.evaluate("() => { const r = document.getElementById('region'); r.scrollTop = r.scrollHeight; }")
    region.evaluate("window.fresh += '<p style=\"height:300px\">nuevo</p>'")
    region.evaluate(REFRESH)

    assert region.evaluate(
        "() => { const r = document.getElementById('region'); return r.scrollHeight - r.scrollTop - r.clientHeight; }"
    ) <= 1  # fmt: skip


def test_hidden_tab_sends_no_request(region: Page) -> None:
    ask = """(hidden) => {
      Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
      const region = document.getElementById("region");
      const event = new CustomEvent("htmx:beforeRequest", { detail: { elt: region }, cancelable: true });
      return region.dispatchEvent(event);
    }"""

    assert region.evaluate(ask, True) is False
    assert region.evaluate(ask, False) is True


# --- Relative times ---------------------------------------------------------------------------------------


def clock_page(show: Show, instant: str) -> Page:
    words = 'data-minutes="hace {n} min" data-hours="hace {n} h" data-days="hace {n} d"'
    html = f'<time datetime="{instant}" data-behaviour="relative-time" {words}>como vino</time>'
    return show(html, stopped=True, relative_time="behaviours/relative-time.js#relativeTime")


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        ("2026-11-26T11:59:30Z", "como vino"),
        ("2026-11-26T11:48:00Z", "hace 12 min"),
        ("2026-11-26T09:10:00Z", "hace 2 h"),
        ("2026-11-25T11:00:00Z", "hace 1 d"),
        ("2026-11-16T12:00:00Z", "hace 10 d"),
        ("2026-11-26T13:00:00Z", "como vino"),
    ],
)
def test_relative_time_counts_minutes_hours_and_days(show: Show, instant: str, text: str) -> None:
    expect(clock_page(show, instant).locator("time")).to_have_text(text)


def test_age_stays_true_while_the_page_is_open(show: Show) -> None:
    page = clock_page(show, "2026-11-26T11:48:00Z")
    expect(page.locator("time")).to_have_text("hace 12 min")
    page.clock.run_for(61_000)

    expect(page.locator("time")).to_have_text("hace 13 min")


# --- Snacks and buttons -----------------------------------------------------------------------------------

SNACKS = """<ul class="snacks"><li class="snack" data-kind="{kind}" data-behaviour="snack">
<span>Listo</span><a href="#a">Ver</a><button data-close hidden>Cerrar</button></li></ul>"""


def snack_page(show: Show, kind: str) -> Page:
    return show(SNACKS.format(kind=kind), stopped=True, snack="behaviours/snack.js#snackBehaviour")


def test_snack_disappears_after_five_seconds(show: Show) -> None:
    page = snack_page(show, "ok")
    page.clock.run_for(4900)
    expect(page.locator(".snack")).to_have_count(1)
    page.clock.run_for(200)

    expect(page.locator(".snack")).to_have_count(0)


def test_error_snack_stays_until_it_is_closed(show: Show) -> None:
    page = snack_page(show, "error")
    page.clock.run_for(60_000)
    page.get_by_role("button", name="Cerrar").click()

    expect(page.locator(".snack")).to_have_count(0)


def test_snack_stays_while_it_has_the_focus(show: Show) -> None:
    page = snack_page(show, "ok")
    page.locator(".snack a").focus()
    page.clock.run_for(20_000)
    expect(page.locator(".snack")).to_have_count(1)
    page.locator(".snack a").evaluate("link => link.blur()")
    page.clock.run_for(5100)

    expect(page.locator(".snack")).to_have_count(0)


@pytest.mark.parametrize(
    ("given", "copied"),
    [
        ('data-copy="/tickets/MA-1/"', "{page}tickets/MA-1/"),
        ('data-copy-text="ana+1@desk.test"', "ana+1@desk.test"),
    ],
)
def test_copy_link_copies_and_shows_a_snack(show: Show, given: str, copied: str) -> None:
    page = show(
        f'<button hidden data-behaviour="copy-link" {given} data-text-copied="Copiado">Copiar</button>',
        copy_link="behaviours/copy-link.js#copyLink",
        snack="behaviours/snack.js#snackBehaviour",
    )
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copiar").click()
    expect(page.locator(".snack")).to_have_text("Copiado")

    assert page.evaluate("navigator.clipboard.readText()") == copied.format(page=page.url)


def test_copy_link_shows_the_link_if_the_clipboard_is_denied(show: Show) -> None:
    page = show(
        '<button hidden data-behaviour="copy-link" data-copy="/tickets/MA-1/" data-text-copied="Copiado"'
        ' data-text-denied="Cópialo: {link}">Copiar</button>',
        copy_link="behaviours/copy-link.js#copyLink",
        snack="behaviours/snack.js#snackBehaviour",
    )
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('denied')); }")
    page.get_by_role("button", name="Copiar").click()

    expect(page.locator(".snack")).to_have_text(f"Cópialo: {page.url}tickets/MA-1/")


@pytest.mark.parametrize(
    ("before", "system", "after"),
    [
        ("auto", "light", "dark"),
        ("auto", "dark", "light"),
        ("dark", "dark", "light"),
        ("light", "dark", "dark"),
    ],
)
def test_theme_changes_and_is_posted_to_server(
    show: Show, site: Site, before: str, system: str, after: str
) -> None:
    site.answers["POST /tema/"] = Answer(status=204)
    page = show(
        '<form action="/tema/" method="post" data-behaviour="theme-toggle"><button>Tema</button></form>',
        theme_toggle="behaviours/theme-toggle.js#themeToggle",
    )
    page.emulate_media(color_scheme=system)
    page.evaluate("theme => (document.documentElement.dataset.bsTheme = theme)", before)
    with page.expect_response("**/tema/"):
        page.get_by_role("button").click()

    assert page.evaluate("document.documentElement.dataset.bsTheme") == after
    assert f'name="theme"\r\n\r\n{after}\r\n' in site.asked[-1].body


def test_conversation_opens_at_its_end(show: Show) -> None:
    page = show(
        '<div id="r" data-behaviour="scroll-end" style="height:50px;overflow:auto"><p style="height:400px"></p></div>',
        scroll_end="behaviours/poll.js#scrollToEnd",
    )

    assert page.evaluate("document.getElementById('r').scrollTop") >= 350


def test_go_back_button_appears_and_goes_back(show: Show) -> None:
    html = '<button hidden data-behaviour="go-back">Volver</button>'
    page = show(html, go_back="behaviours/go-back.js#goBack")
    page.goto(page.url + "#segunda")
    page = show(html, go_back="behaviours/go-back.js#goBack")
    page.evaluate("location.hash = 'tercera'")
    page.get_by_role("button", name="Volver").click()
    page.wait_for_function("location.hash !== '#tercera'")

    assert page.evaluate("location.hash") != "#tercera"
