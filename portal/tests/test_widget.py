"""The script that other sites load (S0.6)."""

import gzip
import re
from typing import Any

import pytest
from django.test import Client

from portal.views.widget import script

pytestmark = [pytest.mark.django_db, pytest.mark.demand("S0.6")]


@pytest.fixture
def listed(settings: Any) -> None:
    settings.DESK_WIDGET_ORIGINS = ["https://garaje.example"]
    script.cache_clear()


def test_script_weighs_at_most_10_kb(client: Client, listed: None):
    answer = client.get("/widget.js")

    assert len(answer.content) <= 10_240
    assert len(gzip.compress(answer.content)) < 4_096
    assert answer["Content-Type"].startswith("text/javascript")


def test_any_site_may_load_the_script_and_browsers_keep_it(client: Client, listed: None):
    answer = client.get("/widget.js")

    assert answer["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "public" in answer["Cache-Control"]
    assert not answer.cookies
    assert client.get("/widget.js", headers={"If-None-Match": answer["ETag"]}).status_code == 304


def test_script_has_the_name_of_the_assistant_and_both_languages(client: Client, listed: None, settings: Any):
    settings.DESK_ASSISTANT_NAME = "Parki</script>bot"
    script.cache_clear()
    text = client.get("/widget.js").content.decode()
    script.cache_clear()

    assert '"Parki</script>bot"' in text
    assert "¿Necesitas ayuda?" in text
    assert "Need help?" in text
    assert re.search(r'"start": "/asistente/marco/"', text)


def test_script_does_not_exist_without_listed_sites(client: Client):
    assert client.get("/widget.js").status_code == 404


@pytest.mark.parametrize("face", ["lighthouse", "headset", "bubble", "car"])
def test_every_face_can_be_drawn(client: Client, listed: None, settings: Any, face: str):
    settings.DESK_ASSISTANT_FACE = face
    script.cache_clear()
    text = client.get("/widget.js").content.decode()
    script.cache_clear()

    assert re.search(r'"box": "0 0 \d+ \d+", "shapes": \[\["path", \{"', text)
