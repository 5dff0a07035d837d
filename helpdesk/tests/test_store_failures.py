"""Every form that takes files, while the desk can keep none: a sentence in the person's language says so, the typed
text is in the page, and the form can be sent without the file."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from accounts.tests.factories import make_agent, make_supervisor, make_user
from agents.tests.factories import picture, signed_in, text_of
from agents.tests.test_new_ticket import URL as NEW_TICKET
from agents.tests.test_new_ticket import report
from agents.tests.test_tickets import prepared
from agents.tests.test_tickets import url as desk_url
from agents.tests.test_ways import SOLVED
from content.tests import disks
from portal.tests.factories import DETAILS, make_guest_process, working
from portal.tests.guide import PAGO, Guide, hidden
from tickets.enums import Purpose
from tickets.models import Attachment, ContactEntry, Message, Ticket
from tickets.requesters import guests
from tickets.tests.factories import make_process, make_ticket

pytestmark = pytest.mark.django_db
TYPED = "Sale «Error 500» & no entra."
SENTENCE = {
    "es": "Ahora mismo no podemos guardar archivos. Lo demás que escribiste sigue aquí",
    "en": "We cannot store files right now. Everything else you typed is still here",
}


@dataclass
class Form:
    """A form with files, as a person is about to send it: with the button, and by the script that uploads each file."""

    client: Client
    address: str
    values: dict[str, Any]
    upload: str = ""
    field: str = "files"

    def send(self, **files: Any) -> Any:
        return self.client.post(self.address, self.values | files)


def in_work(requester: User) -> Ticket:
    ticket = make_ticket(make_process(), requester=requester)
    return working(ticket, agent=make_agent(), supervisor=make_supervisor())


def filing() -> Form:
    make_guest_process()
    guide = Guide(Client(), PAGO)
    values = DETAILS | {"description": TYPED, "tipo": PAGO, "carry": hidden(guide.drawn, "carry")}
    return Form(guide.client, guide.details, values, f"/nuevo/{guide.id}/archivos/?tipo={PAGO}")


def reply() -> Form:
    requester = make_user()
    page = f"/tickets/{in_work(requester).folio}/"
    return Form(signed_in(requester), f"{page}responder/", {"body": TYPED}, f"{page}archivos/")


def reply_of_a_guest() -> Form:
    ticket = in_work(make_user())
    client = Client()
    token = guests.issue(ticket, purpose=Purpose.CONTRIBUTE, email=ticket.requester_email)
    client.get(f"/enlace/{token}/")
    page = f"/invitado/{ticket.folio}/"
    return Form(client, f"{page}responder/", {"body": TYPED}, f"{page}archivos/")


def composer(mode: str) -> Callable[[], Form]:
    def form() -> Form:
        agent = make_agent()
        ticket = prepared(make_ticket(requester=make_user()), agent)
        values = {"mode": mode, "body": TYPED}
        return Form(signed_in(agent), desk_url(ticket, "send"), values, desk_url(ticket, "files"))

    return form


def action() -> Form:
    agent = make_agent()
    ticket = prepared(make_ticket(requester=make_user()), agent)
    ContactEntry.objects.create(
        ticket=ticket, kind="whatsapp", outcome="successful", url="https://wa.me/1", by=agent
    )
    values = SOLVED | {"solution_done": TYPED}
    address = desk_url(ticket, "action", "pedir_aprobacion")
    return Form(signed_in(agent), address, values, desk_url(ticket, "screenshots"), "screenshots")


def new_ticket() -> Form:
    category = make_process("incidencia-tecnica").categories.get(key="problema-con-la-app")
    return Form(signed_in(make_agent()), NEW_TICKET, report(category, description=TYPED))


FORMS = {
    "filing": filing,
    "reply": reply,
    "reply of a guest": reply_of_a_guest,
    "follow-up": composer("follow_up"),
    "note": composer("note"),
    "action": action,
    "new ticket": new_ticket,
}


@contextmanager
def failing(kind: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[None]:
    if kind in disks.BROKEN:
        request.getfixturevalue("settings").MEDIA_ROOT = str(folder)
        with disks.BROKEN[kind](folder):
            yield
        return
    bucket = request.getfixturevalue("bucket")
    bucket.take_away() if kind == "unreachable" else bucket.refuse()
    yield


def check_that_nothing_is_lost(form: Form, language: str = "es") -> None:
    messages = Message.objects.count()
    plain = form.send(**{form.field: picture()})

    page = unescape(text_of(plain))
    assert plain.status_code == 422
    assert f"captura.png: {SENTENCE[language]}" in page
    assert TYPED in page
    assert Message.objects.count() == messages
    if form.upload:
        row = form.client.post(form.upload, {"file": picture()})
        assert row.status_code == 422
        assert 'data-state="error"' in row.content.decode()
        assert SENTENCE[language] in unescape(text_of(row))
    assert not Attachment.objects.exists()


@pytest.mark.parametrize("name", FORMS)
def test_every_form_keeps_what_was_typed(name: str, request: pytest.FixtureRequest, tmp_path: Path):
    form = FORMS[name]()
    with failing("full", request, tmp_path / "media"):
        check_that_nothing_is_lost(form)
        sent = form.send()
        if name == "action":  # it asks for a picture
            assert sent.status_code == 422
            assert TYPED in unescape(text_of(sent))
        else:
            assert sent.status_code == 302, text_of(sent)


@pytest.mark.parametrize("kind", ["read-only", "absent", "unreachable", "refusing"])
def test_whatever_is_wrong_with_the_store(kind: str, request: pytest.FixtureRequest, tmp_path: Path):
    form = reply()
    with failing(kind, request, tmp_path / "media"):
        check_that_nothing_is_lost(form)
        assert form.send().status_code == 302


def test_sentence_is_in_the_language_of_the_person(request: pytest.FixtureRequest, tmp_path: Path):
    form = reply()
    User.objects.update(language="en")
    with failing("full", request, tmp_path / "media"):
        check_that_nothing_is_lost(form, "en")


# --- The disk for temporary files, through which larger uploads pass --------------------------------------


@contextmanager
def no_room_for_uploads(folder: Path, kind: str) -> Iterator[None]:
    """Let the folder for temporary files be full, read-only or absent."""
    with pytest.MonkeyPatch.context() as patch, disks.disk_of(64, folder) as is_real:
        if kind == "absent" or not is_real:
            folder = folder / "absent"
        elif kind == "read-only":
            disks.make_read_only(folder)
        patch.setattr(tempfile, "tempdir", str(folder))
        yield
        assert not folder.exists() or list(folder.iterdir()) == [], "part of a file keeps the disk full"


@pytest.mark.parametrize("kind", ["full", "read-only", "absent"])
def test_upload_that_cannot_be_received_loses_no_text(tmp_path: Path, kind: str):
    """Django reads the whole form before any view: the error would come where nobody can keep what was typed."""
    form = reply()
    large = SimpleUploadedFile("video.mp4", bytes(1_200_000), content_type="video/mp4")

    with no_room_for_uploads(tmp_path / "tmp", kind):
        plain = form.send(files=[large, picture()])
        large.seek(0)
        row = form.client.post(form.upload, {"file": large})

    page = unescape(text_of(plain))
    assert (plain.status_code, row.status_code) == (422, 422)
    assert f"video.mp4: {SENTENCE['es']}" in page
    assert TYPED in page
    assert SENTENCE["es"] in unescape(text_of(row))
    assert form.send().status_code == 302
    assert Message.objects.filter(body=TYPED).exists()
