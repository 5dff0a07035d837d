import importlib
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import override_settings
from django.urls import clear_url_caches, include, path

import helpdesk.urls
from demo import catalogue as view
from helpdesk.tests.html_rules import faults_of

pytestmark = pytest.mark.urls(__name__)
urlpatterns = [path("catalogo/", include("demo.catalogue")), *helpdesk.urls.urlpatterns]
COMPONENTS = Path(__file__).resolve().parents[2] / "templates" / "components"
DRAWN_ELSEWHERE = {"_icon", "_palette_options", "_auth_art", "_hero_art"}


def test_every_component_is_in_the_catalogue(client, db):
    """e2e/test_behaviours.py runs axe on the catalogue in both themes; it cannot check a component that is missing."""
    drawn = set()
    for page in ("/catalogo/", "/catalogo/cola/"):
        drawn |= {
            Path(t.name).stem
            for t in client.get(page).templates
            if t.name and t.name.startswith("components/")
        }
    by_tag = {"_pill", "_sev", "_sla", "_avatar"}

    assert {path.stem for path in COMPONENTS.glob("_*.html")} - drawn - by_tag - DRAWN_ELSEWHERE == set()


@pytest.mark.parametrize("page", ["/catalogo/", "/catalogo/cola/"])
def test_components_are_valid_html(client, db, page):
    assert faults_of(client.get(page).content.decode()) == []


def test_upload_returns_a_row_with_its_token(client, db):
    answer = client.post("/catalogo/archivo/", {"file": SimpleUploadedFile("foto.png", b"x" * 2000)})
    html = answer.content.decode()

    assert answer.status_code == 200
    assert 'data-state="ready"' in html
    assert '<input type="hidden" name="files_tokens" value="demo">' in html


def test_refused_upload_returns_a_row_with_the_reason(client, db):
    answer = client.post("/catalogo/archivo/", {"file": SimpleUploadedFile("<b>.exe", b"MZ")})
    html = answer.content.decode()

    assert answer.status_code == 422
    assert 'data-state="error"' in html
    assert "<b>.exe" not in html


def test_production_has_no_catalogue():
    try:
        with override_settings(DEBUG=False, DESK_DEMO=False):
            routes = [str(p.pattern) for p in importlib.reload(helpdesk.urls).urlpatterns]
        with override_settings(DEBUG=True):
            in_development = [str(p.pattern) for p in importlib.reload(helpdesk.urls).urlpatterns]
    finally:
        importlib.reload(helpdesk.urls)
        clear_url_caches()

    assert "catalogo/" not in routes
    assert "catalogo/" in in_development
    assert view.UPLOAD_LIMIT_MB == 10
