"""Keyboard shortcuts: «?» opens a list of all of them, and they can be switched off."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import reverse

from accounts.tests.factories import make_supervisor

from .factories import signed_in, text_of

pytestmark = pytest.mark.django_db
TEMPLATES = Path(settings.BASE_DIR) / "templates"


def keys_in(text: str) -> set[str]:
    found = re.findall(r'data-key="([^"{}]+)"', text) + re.findall(r' key="([a-z])"', text)
    return {key for pair in found for key in pair.lower().split()}


def test_every_shortcut_is_listed(client):
    files = [*(TEMPLATES / "agents").rglob("*.html"), TEMPLATES / "base_agents.html"]
    used = set().union(*(keys_in(path.read_text("utf-8")) for path in files))
    assert {"a", "i", "s", "d", "v", "u", "j", "k", "f", "/", "g", "q", "p", "?"} <= used
    page = text_of(signed_in(make_supervisor()).get(reverse("agents:queue")))
    dialog = page[page.index('id="shortcuts"') :]
    listed = {key.lower() for key in re.findall(r"<kbd>([^<]+)</kbd>", dialog[: dialog.index("</dialog>")])}
    assert used <= {"delete" if key == "supr" else key for key in listed}  # as Spanish keyboards say it


@pytest.mark.parametrize(("wanted", "told"), [(True, "on"), (False, "off")])
def test_single_letter_shortcuts_can_be_switched_off(wanted, told):
    user = make_supervisor(keyboard_shortcuts=wanted)
    assert f'data-shortcuts="{told}"' in text_of(signed_in(user).get(reverse("agents:queue")))
