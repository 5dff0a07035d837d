"""The behaviour `proposal`: an answer goes into the composer once, and its row says so while the text is there."""

import pytest
from playwright.sync_api import Page, expect

from e2e.js.conftest import Show

pytestmark = pytest.mark.e2e

PAGE = """<form id="composer">
  <label><input type="radio" name="mode" value="follow_up" data-look="public">Seguimiento</label>
  <label><input type="radio" name="mode" value="note" data-look="note" checked>Nota</label>
  <div id="composer-sources"></div>
  <textarea id="composer-body" aria-label="Mensaje">Lo vi.</textarea>
</form>
<div id="propuesta" data-behaviour="proposal">
  <span data-count data-text="{n} de {total}"></span>
  <ul>
    <li data-part="severity" data-taken>Media</li>
    <li data-part="answer">
      <span data-taken-tag hidden>Tomada</span>
      <a href="/otra/" data-takes-answer data-insert="Hola, Ana." data-mode="follow_up">Tomar</a>
      <template data-source-bar><p data-drops="Hola, Ana.">De MA-10012
        <button type="button" data-drop hidden>Quitar</button></p></template>
    </li>
  </ul>
  <p data-take-all><button type="button" data-takes-answer>Todo</button></p>
</div>"""


@pytest.fixture
def beside(show: Show) -> Page:
    return show(PAGE, proposal="behaviours/proposal.js#proposal")


def test_answer_follows_what_was_typed_and_is_marked_as_taken(beside: Page) -> None:
    beside.get_by_role("link", name="Tomar").click()

    area = beside.get_by_label("Mensaje")
    expect(area).to_have_value("Lo vi.\n\nHola, Ana.")
    expect(area).to_be_focused()
    expect(beside.get_by_label("Seguimiento")).to_be_checked()
    expect(beside.locator("#composer-sources")).to_contain_text("De MA-10012")
    expect(beside.get_by_text("Tomada")).to_be_visible()
    expect(beside.get_by_role("link", name="Tomar")).to_be_hidden()
    expect(beside.locator("[data-count]")).to_have_text("2 de 2")
    expect(beside.get_by_role("button", name="Todo")).to_be_hidden()


def test_answer_is_inserted_once(beside: Page) -> None:
    beside.get_by_label("Mensaje").fill("Hola, Ana. Ya está.")

    expect(beside.get_by_text("Tomada")).to_be_visible()
    beside.evaluate("document.querySelector('[data-take-all] button').click()")
    expect(beside.get_by_label("Mensaje")).to_have_value("Hola, Ana. Ya está.")


def test_dropping_removes_the_answer_and_nothing_else(beside: Page) -> None:
    beside.get_by_role("link", name="Tomar").click()
    beside.get_by_role("button", name="Quitar").click()

    expect(beside.get_by_label("Mensaje")).to_have_value("Lo vi.")
    expect(beside.locator("#composer-sources")).to_be_empty()
    expect(beside.get_by_role("link", name="Tomar")).to_be_visible()
    expect(beside.locator("[data-count]")).to_have_text("1 de 2")
