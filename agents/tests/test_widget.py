"""«Asistente en otros sitios»: what supervisors copy (S0.6)."""

from html import unescape
from typing import Any

import pytest

from accounts.tests.factories import make_agent, make_supervisor

from .factories import signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.demand("S0.6")]
ADDRESS = "/agentes/ajustes/asistente/"


def test_supervisor_copies_script_and_link_with_the_desks_address(settings: Any):
    settings.DESK_BASE_URL = "https://ayuda.example.com"
    settings.DESK_WIDGET_ORIGINS = ["https://garaje.example"]

    text = unescape(signed_in(make_supervisor()).get(ADDRESS).content.decode())

    assert '<script src="https://ayuda.example.com/widget.js" defer></script>' in text
    assert '<a href="https://ayuda.example.com/asistente/">' in text
    assert "https://garaje.example" in text


def test_page_says_that_no_site_is_listed():
    text = unescape(signed_in(make_supervisor()).get(ADDRESS).content.decode())

    assert "DESK_WIDGET_ORIGINS" in text


def test_agents_do_not_get_the_page():
    assert signed_in(make_agent()).get(ADDRESS).status_code == 404
