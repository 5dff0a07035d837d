"""The map of the process on the requester's page, and what it never says."""

import re
import sys
from html import unescape

import pytest
from django.template.loader import render_to_string
from django.test import Client

from accounts.models import User
from tickets.definitions.loading import library
from tickets.models import ProcessVersion, Ticket
from tickets.tests.factories import make_process
from web.process_map import process_map

from .browsing import html, url

pytestmark = pytest.mark.django_db


def map_of(page: str) -> str:
    found = re.search(r'<div class="pmap">.*?</ol>.*?</details>', page, re.DOTALL)
    assert found
    return found[0]


@pytest.mark.demand("S1.2")
def test_map_marks_the_present_stage_by_its_customer_label(in_work: Ticket, customer_client: Client):
    page = html(customer_client, url(in_work))

    assert "Ver el proceso completo" in page
    shown = map_of(page)
    [here] = re.findall(r'aria-current="step">\s*<b>([^<]+)</b>', shown)
    assert here == "En proceso"
    assert shown.count("Estás aquí") == 2  # in the list and in the drawing
    assert "<svg" in shown
    assert "Tu aprobación" in shown
    assert "Le toca a: Tú" in shown


def test_map_is_in_the_readers_language(in_work: Ticket, customer: User, customer_client: Client):
    User.objects.filter(pk=customer.pk).update(language="en")
    shown = map_of(html(customer_client, url(in_work)))
    assert "You are here" in shown
    assert "In progress" in shown
    assert "En proceso" not in shown


@pytest.mark.parametrize("key", library())
def test_map_tells_customers_nothing_internal(key: str):
    process = make_process(key)
    definition = process.definition
    shown_map = process_map(process.current_id, audience="customer", here=definition.first_stage.key)
    shown = unescape(render_to_string("components/process_map.html", {"map": shown_map, "name": "Mapa"}))

    public = {str(stage.customer_label) for stage in definition.stages}
    words = re.sub(r"<[^>]+>", "\n", shown)
    for stage in definition.stages:
        if str(stage.label) not in public:
            assert str(stage.label) not in words
    for action in definition.actions:
        assert str(action.label) not in {line.strip() for line in words.splitlines()} - public
    for need in (*definition.departments, *definition.groups):
        assert str(need.label) not in words
    for key_ in (*(s.key for s in definition.stages), *(a.key for a in definition.actions)):
        assert f'"{key_}"' not in shown


def test_map_needs_no_inline_style_or_script(in_work: Ticket, customer_client: Client):
    shown = map_of(html(customer_client, url(in_work)))
    assert "style=" not in shown
    assert "<script" not in shown


def test_list_is_shown_without_a_drawing(
    in_work: Ticket, customer_client: Client, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "graphlay", None)
    ProcessVersion.objects.filter(pk=in_work.process_version_id).update(diagram=None)
    ProcessVersion.objects.forget(in_work.process_version_id)
    try:
        shown = html(customer_client, url(in_work))
    finally:
        ProcessVersion.objects.forget(in_work.process_version_id)
    assert '<ol class="pmap__list"' in shown
    assert 'class="flow"' not in shown
