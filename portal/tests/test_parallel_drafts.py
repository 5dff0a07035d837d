"""Requests of one browser that reach a running server at the same time."""

import socket
import threading
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from django.db import connections
from django.test import Client

from tickets.models import Process, ReportDraft

from .factories import DETAILS, png
from .guide import PAGO, Guide, hidden

pytestmark = pytest.mark.django_db(transaction=True)
BOUNDARY = "limite"


class Browser:
    """A browser whose guide is drawn by the test client, and whose requests go to the live server."""

    def __init__(self, server: Any) -> None:
        self.client = Client(enforce_csrf_checks=True)
        self.address = urlsplit(server.url)

    def guide(self) -> Guide:
        return Guide(self.client, PAGO)

    def headers(self, length: int, content_type: str) -> dict[str, str]:
        cookies = {name: morsel.value for name, morsel in self.client.cookies.items()}
        return {
            "Host": self.address.netloc,
            "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
            "X-CSRFToken": cookies["desk_csrf"],
            "Content-Type": content_type,
            "Content-Length": str(length),
            "Connection": "close",
        }

    def post(self, path: str, values: dict[str, str]) -> int:
        body = urlencode(values)
        request = HTTPConnection(self.address.hostname or "", self.address.port, timeout=30)
        request.request("POST", path, body, self.headers(len(body), "application/x-www-form-urlencoded"))
        status = request.getresponse().status
        request.close()
        return status

    def autosave(self, guide: Guide, **values: str) -> int:
        carry, page = hidden(guide.drawn, "carry"), hidden(guide.drawn, "page")
        return self.post(
            f"/nuevo/{guide.id}/borrador/", {"tipo": PAGO, "carry": carry, "page": page} | values
        )

    def upload_slowly(self, guide: Guide, meanwhile: Callable[[], None]) -> bytes:
        """Send a photo in two halves and call `meanwhile` in between. Returns the answer."""
        photo = png("foto.png")
        parts = [
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="carry"\r\n\r\n'.encode(),
            hidden(guide.drawn, "carry").encode(),
            f'\r\n--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="foto.png"\r\n'.encode(),
            b"Content-Type: image/png\r\n\r\n" + photo.read() + f"\r\n--{BOUNDARY}--\r\n".encode(),
        ]
        body = b"".join(parts)
        headers = self.headers(len(body), f"multipart/form-data; boundary={BOUNDARY}")
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        with socket.create_connection((self.address.hostname, self.address.port), timeout=30) as line:
            path = f"/nuevo/{guide.id}/archivos/?tipo={PAGO}"
            line.sendall(f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + body[: len(body) // 2])
            meanwhile()
            line.sendall(body[len(body) // 2 :])
            return b"".join(iter(lambda: line.recv(65536), b""))


@pytest.fixture
def tabs(live_server: Any, guest_process: Process) -> Iterator[Browser]:
    yield Browser(live_server)
    connections.close_all()


def together(*acts: Callable[[], Any]) -> list[Any]:
    """Call every act in a thread of its own, all at the same moment. Returns their results in order."""
    start, results = threading.Barrier(len(acts)), [None] * len(acts)

    def run(position: int, act: Callable[[], Any]) -> None:
        start.wait()
        results[position] = act()

    threads = [threading.Thread(target=run, args=item) for item in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return results


@pytest.mark.parametrize("was_saved", [False, True])
def test_text_saved_during_a_slow_upload_stays(tabs: Browser, was_saved: bool):
    guide = tabs.guide()
    if was_saved:
        tabs.autosave(guide, title="La talanquera")

    def type_on() -> None:
        assert tabs.autosave(guide, title="La talanquera no sube", description="Desde las 7.") == 204

    answer = tabs.upload_slowly(guide, type_on)

    assert b"foto.png" in answer
    page = guide.page(guide.details)
    assert "La talanquera no sube" in page
    assert "foto.png" in page


def test_four_tabs_at_once_keep_four_reports(tabs: Browser):
    guides = [tabs.guide() for _tab in range(4)]

    def write(guide: Guide, number: int) -> Callable[[], int]:
        return lambda: tabs.autosave(guide, title=f"Reporte {number}", description="Algo falla.")

    assert together(*(write(guide, number) for number, guide in enumerate(guides))) == [204] * 4

    for number, guide in enumerate(guides):
        assert f'value="Reporte {number}"' in guide.page(guide.details)


def test_first_saves_of_one_page_make_one_draft(tabs: Browser):
    guide = tabs.guide()
    acts = [lambda number=number: tabs.autosave(guide, title=f"Título {number}") for number in range(6)]

    assert together(*acts) == [204] * 6
    assert ReportDraft.objects.count() == 1


def test_details_and_contact_saved_at_once_keep_both(tabs: Browser):
    guide = tabs.guide()
    tabs.autosave(guide, **DETAILS)
    carry = hidden(guide.page(guide.contact), "carry")

    for number in range(5):
        contact = {"carry": carry, "email": f"ana{number}@example.com", "name": f"Ana {number}"}
        details = DETAILS | {"title": f"Título {number}"}
        together(
            lambda details=details: tabs.autosave(guide, **details),
            lambda contact=contact: tabs.post(f"/nuevo/{guide.id}/borrador/", contact),
        )
        draft = ReportDraft.objects.get()
        assert (draft.values["title"], draft.contact["name"]) == ([f"Título {number}"], [f"Ana {number}"])
