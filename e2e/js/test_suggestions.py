"""The panel of suggestions: it asks after a pause, changes only for other answers, and remembers what was put aside."""

import pytest
from playwright.sync_api import Page, expect

from e2e.js.conftest import Answer, Show, Site

pytestmark = [pytest.mark.e2e, pytest.mark.demand("S3.20")]

BEHAVIOUR = {"suggestions": "behaviours/suggestions.js#suggestions"}
FORM = """
<form>
  <input type="hidden" name="tipo" value="s.acceso">
  <input name="title" aria-label="Título">
  <textarea name="description" aria-label="Qué pasó"></textarea>
  <aside data-behaviour="suggestions" data-url="/sugerencias/" data-text-one="Una" data-text-many="Hay {n}" %s hidden>
    <button type="button" data-close>Ocultar</button>
    <div data-answer></div>
    <div data-items></div>
  </aside>
  <p role="status" data-suggested></p>
</form>
"""
TEXT = "No me llega el código"


def items(*keys: str) -> str:
    item = '<article data-key="{0}"><b>{0}</b><button type="button" data-dismiss>No es {0}</button></article>'
    return "".join(item.format(key) for key in keys)


def write(page: Page, text: str = TEXT) -> None:
    page.get_by_label("Qué pasó").fill(text)


def test_suggestions_come_after_a_pause_and_are_told(show: Show, site: Site) -> None:
    site.answers["POST /sugerencias/"] = Answer(items("a", "b"))
    page = show(FORM % "", **BEHAVIOUR)
    page.get_by_label("Qué pasó").press_sequentially(TEXT)

    expect(page.locator("article")).to_have_count(2)
    expect(page.get_by_role("status")).to_have_text("Hay 2")
    expect(page.get_by_label("Qué pasó")).to_be_focused()
    assert len(site.asked) == 1
    assert TEXT in site.asked[0].body
    assert "s.acceso" in site.asked[0].body
    assert site.asked[0].headers["X-CSRFToken"] == "the-token"


def test_suggestions_stay_where_they_are_while_the_same_fit(show: Show, site: Site) -> None:
    site.answers["POST /sugerencias/"] = Answer(items("a", "b"))
    page = show(FORM % "", **BEHAVIOUR)
    write(page)
    expect(page.locator("article")).to_have_count(2)
    page.locator("article").first.evaluate("item => { item.dataset.same = '' }")
    write(page, f"{TEXT} desde ayer")
    page.wait_for_function("performance.getEntriesByName(location.origin + '/sugerencias/').length === 2")
    page.wait_for_timeout(100)

    expect(page.locator("article[data-same]")).to_have_count(1)


def test_suggestions_put_aside_stay_away(show: Show, site: Site) -> None:
    site.answers["POST /sugerencias/"] = Answer(items("a", "b"))
    page = show(FORM % "", **BEHAVIOUR)
    write(page)
    page.get_by_role("button", name="No es a").click()
    expect(page.get_by_role("button", name="No es b")).to_be_focused()
    site.answers["POST /sugerencias/"] = Answer(items("a", "c"))
    write(page, f"{TEXT} y otra cosa")

    expect(page.locator("article")).to_have_text(["cNo es c"])
    expect(page.get_by_role("status")).to_have_text("Una")
    page.get_by_role("button", name="No es c").click()
    expect(page.locator("aside")).to_be_hidden()
    expect(page.get_by_label("Qué pasó")).to_be_focused()


def test_suggestions_hidden_by_hand_do_not_come_back(show: Show, site: Site) -> None:
    site.answers["POST /sugerencias/"] = Answer(items("a"))
    page = show(FORM % "", **BEHAVIOUR)
    write(page)
    page.get_by_role("button", name="Ocultar").click()
    write(page, f"{TEXT} y otra cosa")
    page.wait_for_timeout(1200)

    expect(page.locator("aside")).to_be_hidden()
    assert len(site.asked) == 1


@pytest.mark.parametrize(
    "answer", [Answer(status=204), Answer(status=429), Answer(status=500), Answer("<b>", 404)]
)
def test_suggestions_say_nothing_when_nothing_fits_or_it_fails(
    show: Show, site: Site, answer: Answer
) -> None:
    site.answers["POST /sugerencias/"] = answer
    page = show(FORM % "", **BEHAVIOUR)
    write(page)
    page.wait_for_timeout(1200)

    expect(page.locator("aside")).to_be_hidden()
    expect(page.get_by_role("status")).to_have_text("")


def test_suggestions_ask_for_an_answer_where_one_is_written(show: Show, site: Site) -> None:
    site.answers["POST /sugerencias/"] = Answer(items("a"))
    page = show(FORM % "data-answers", **BEHAVIOUR)
    write(page)
    expect(page.locator("[data-answer] article")).to_have_count(1)

    assert ["respuesta" in asked.body for asked in site.asked] == [False, True]


def test_suggestions_ask_nothing_for_a_word(show: Show, site: Site) -> None:
    page = show(FORM % "", **BEHAVIOUR)
    write(page, "Hola")
    page.wait_for_timeout(1200)

    assert site.asked == []
