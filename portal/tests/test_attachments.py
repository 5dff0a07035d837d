"""Downloading attachments: who may, and the headers that keep files from running."""

import io
from typing import Any
from unittest.mock import patch

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage
from django.test import Client, override_settings
from PIL import Image

from accounts.models import User
from accounts.tests.factories import make_agent, make_department
from tickets.attachments import draw_thumbnail
from tickets.enums import Purpose
from tickets.models import Attachment, Message, Process, Ticket
from tickets.requesters import guests
from tickets.tests.factories import make_ticket
from tickets.workflow import conversation

from .factories import signed_in, working

pytestmark = pytest.mark.django_db
VIDEO = bytes(range(256)) * 40


@pytest.fixture
def ticket(process: Process, customer: User, agent: User, supervisor: User) -> Ticket:
    return working(make_ticket(process, requester=customer), agent=agent, supervisor=supervisor)


def attach(
    message: Message, *, name: str = "foto.png", content_type: str = "image/png", content: bytes = b""
) -> Attachment:
    if not content:
        picture = io.BytesIO()
        Image.new("RGB", (20, 20), "teal").save(picture, "PNG")
        content = picture.getvalue()
    attachment = Attachment(
        ticket=message.ticket, message=message, name=name, kind="image", content_type=content_type,
        size=len(content),
    )  # fmt: skip
    attachment.file.save(name, ContentFile(content), save=False)
    attachment.save()
    return attachment


def url(attachment: Attachment, rest: str = "") -> str:
    return f"/adjuntos/{attachment.uuid}/{rest}"


def body(response: Any) -> bytes:
    return b"".join(response.streaming_content)


@pytest.fixture
def public(ticket: Ticket) -> Attachment:
    return attach(ticket.messages.get())


@pytest.fixture
def internal(ticket: Ticket, agent: User) -> Attachment:
    return attach(
        conversation.add_internal_note(ticket, actor=agent, body="Solo nosotros"), name="interno.png"
    )


# --- Who --------------------------------------------------------------------------------------------------


def test_requester_staff_and_guest_download_public_files(
    public: Attachment, ticket: Ticket, customer_client: Client, agent: User, supervisor: User
):
    guest = Client()
    guest.get(f"/enlace/{guests.issue(ticket, purpose=Purpose.CONTRIBUTE, email=ticket.requester_email)}/")

    for client in (customer_client, signed_in(agent), signed_in(supervisor), guest):
        assert body(client.get(url(public)))[:4] == b"\x89PNG"


def test_only_staff_download_files_of_internal_notes(
    internal: Attachment, ticket: Ticket, customer_client: Client, agent: User
):
    guest = Client()
    guest.get(f"/enlace/{guests.issue(ticket, purpose=Purpose.FOLLOW, email=ticket.requester_email)}/")

    assert customer_client.get(url(internal)).status_code == 404
    assert guest.get(url(internal)).status_code == 404
    assert body(signed_in(agent).get(url(internal)))[:4] == b"\x89PNG"


def test_strangers_cannot_download_files(
    public: Attachment, process: Process, stranger: User, client: Client
):
    other_desk = make_agent(make_department("academico"))
    other_guest = Client()
    other = make_ticket(process)
    other_guest.get(f"/enlace/{guests.issue(other, purpose=Purpose.FOLLOW, email=other.requester_email)}/")

    for visitor in (client, signed_in(stranger), signed_in(other_desk), other_guest):
        for rest in ("", "miniatura/"):
            answer = visitor.get(url(public, rest))
            assert answer.status_code == 404
            assert b"PNG" not in answer.content


def test_revoked_and_survey_links_download_nothing(public: Attachment, ticket: Ticket):
    survey, follow = Client(), Client()
    survey.get(f"/enlace/{guests.issue(ticket, purpose=Purpose.SURVEY, email=ticket.requester_email)}/")
    follow.get(f"/enlace/{guests.issue(ticket, purpose=Purpose.FOLLOW, email=ticket.requester_email)}/")
    assert body(follow.get(url(public)))
    guests.revoke(ticket)

    assert [client.get(url(public)).status_code for client in (survey, follow)] == [404, 404]


def test_unsent_file_cannot_be_downloaded(public: Attachment, customer_client: Client):
    Attachment.objects.filter(pk=public.pk).update(ticket=None, message=None, draft_key="x")

    assert customer_client.get(url(public)).status_code == 404


@pytest.mark.parametrize(
    ("scan", "title"), [("pending", "Archivo en revisión"), ("infected", "Archivo detenido")]
)
def test_pending_or_infected_file_is_not_served(
    public: Attachment, customer_client: Client, scan: str, title: str
):
    Attachment.objects.filter(pk=public.pk).update(scan=scan)

    answer = customer_client.get(url(public))

    assert answer.status_code == 403
    assert f"<h1>{title}</h1>" in answer.content.decode()


# --- How --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content_type", "disposition"),
    [
        ("foto.png", "image/png", 'inline; filename="foto.png"'),
        ("informe.pdf", "application/pdf", 'attachment; filename="informe.pdf"'),
        ("página.html", "text/plain", "attachment; filename*=utf-8''p%C3%A1gina.html"),
        ("dibujo.svg", "image/svg+xml", 'attachment; filename="dibujo.svg"'),
        ("a.xhtml", "application/xhtml+xml", 'attachment; filename="a.xhtml"'),
    ],
)
def test_download_headers_prevent_execution(
    ticket: Ticket, customer_client: Client, name: str, content_type: str, disposition: str
):
    answer = customer_client.get(url(attach(ticket.messages.get(), name=name, content_type=content_type)))

    assert answer["Content-Disposition"] == disposition
    assert answer["Content-Type"] == content_type
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert "private" in answer["Cache-Control"]
    assert body(answer)


@pytest.mark.parametrize(
    ("header", "status", "part"),
    [
        ("bytes=0-99", 206, VIDEO[:100]),
        ("bytes=10000-", 206, VIDEO[10000:]),
        ("bytes=-5", 206, VIDEO[-5:]),
        ("bytes=0-999999", 206, VIDEO),
        ("bytes=0-1,5-6", 200, VIDEO),
        ("líneas=1", 200, VIDEO),
        ("", 200, VIDEO),
    ],
)
def test_video_is_served_in_requested_ranges(
    ticket: Ticket, customer_client: Client, header: str, status: int, part: bytes
):
    video = attach(ticket.messages.get(), name="falla.mp4", content_type="video/mp4", content=VIDEO)

    answer = customer_client.get(url(video), headers={"Range": header, "Accept-Encoding": "gzip"})

    assert (answer.status_code, body(answer)) == (status, part)
    assert answer["Content-Encoding"] == "identity"
    assert answer["Accept-Ranges"] == "bytes"
    assert int(answer["Content-Length"]) == len(part)


def test_range_beyond_the_end_is_refused(ticket: Ticket, customer_client: Client):
    video = attach(ticket.messages.get(), name="falla.mp4", content_type="video/mp4", content=VIDEO)

    answer = customer_client.get(url(video), headers={"Range": "bytes=99999-"})

    assert (answer.status_code, answer["Content-Range"]) == (416, f"bytes */{len(VIDEO)}")


def test_image_has_a_thumbnail(public: Attachment, ticket: Ticket, customer_client: Client):
    assert customer_client.get(url(public, "miniatura/")).status_code == 404
    draw_thumbnail(public)

    answer = customer_client.get(url(public, "miniatura/"))

    assert answer["Content-Type"] == "image/webp"
    assert body(answer)[:4] == b"RIFF"
    assert url(public, "miniatura/") in customer_client.get(f"/tickets/{ticket.folio}/").content.decode()


def test_front_server_sends_the_file_if_configured(
    public: Attachment, customer_client: Client, client: Client
):
    with override_settings(DESK_ACCEL_PREFIX="/media-interna/"):
        answer = customer_client.get(url(public))
        assert client.get(url(public)).status_code == 404

    assert answer["X-Accel-Redirect"] == f"/media-interna/{public.file.name}"
    assert (answer.content, answer["Content-Type"]) == (b"", "image/png")
    assert "sandbox" in answer["Content-Security-Policy"]


class Store(FileSystemStorage):
    """A storage that signs addresses as an object store does."""

    def url(self, name: str, parameters: dict[str, str] | None = None) -> str:
        return f"https://store.test/{name}?{'&'.join(f'{k}={v}' for k, v in (parameters or {}).items())}"


def test_object_store_redirects_to_a_signed_address(public: Attachment, customer_client: Client):
    draw_thumbnail(public)
    with (
        patch("web.downloads.FileSystemStorage", new=type("Other", (), {})),
        patch.object(Attachment._meta.get_field("file"), "storage", Store()),
    ):
        answer = customer_client.get(url(public))
        small = customer_client.get(url(public, "miniatura/"))

    assert answer.status_code == 302
    assert f"https://store.test/{public.file.name}" in answer["Location"]
    assert "ResponseContentType=image/png" in answer["Location"]
    assert body(small)[:4] == b"RIFF"


def test_get_changes_nothing(public: Attachment, customer_client: Client):
    before = list(Attachment.objects.values()), Ticket.objects.get().version

    body(customer_client.get(url(public)))
    body(customer_client.head(url(public)))

    assert customer_client.post(url(public)).status_code == 405
    assert (list(Attachment.objects.values()), Ticket.objects.get().version) == before
