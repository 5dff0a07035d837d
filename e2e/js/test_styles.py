"""Style sheets in a narrow window: what must be measured in a browser."""

import pytest
from playwright.sync_api import Page

from e2e.js.conftest import Show

pytestmark = pytest.mark.e2e

STYLES = '<link rel="stylesheet" href="/static/dist/{sheet}.css">'
ROW = """<dl class="props{more}"><dt>Etapa</dt><dd>
  <span class="pill pill--quiet"><span class="truncate">Diagnóstico y resolución</span></span>
  <a class="small d-block" href="#">Ver el mapa</a>
</dd></dl>"""


def box_of(page: Page, selector: str) -> dict[str, float]:
    box = page.locator(selector).bounding_box()
    assert box
    return dict(box)


@pytest.mark.parametrize(("sheet", "more"), [("agents", ""), ("portal", " props--read")])
def test_link_of_a_property_stands_below_its_value(show: Show, sheet: str, more: str) -> None:
    page = show(STYLES.format(sheet=sheet) + ROW.format(more=more))
    page.set_viewport_size({"width": 320, "height": 600})
    value, link = box_of(page, ".pill"), box_of(page, "dd a")

    assert link["y"] >= value["y"] + value["height"]
    assert link["x"] == value["x"]


@pytest.mark.parametrize("css", ["scroll-x", "chart-scroll", "panel panel__pad scroll-x"])
def test_region_that_scrolls_has_a_shadow_where_there_is_more(show: Show, css: str) -> None:
    page = show(
        f'{STYLES.format(sheet="agents")}<div class="{css}"><svg width="900" height="90"></svg></div>'
    )
    attached = page.locator("div").first.evaluate("box => getComputedStyle(box).backgroundAttachment")

    assert attached == "local, local, scroll, scroll"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
