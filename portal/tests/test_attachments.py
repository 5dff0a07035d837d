"""Downloading attachments: who may, and the headers that keep files from running."""

import io
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest
from django.core.files.base import ContentFile
from django.test import Client, override_settings
from PIL import Image

from accounts.models import User
from accounts.tests.factories import make_agent, make_department
from content.tests.object_store import Bucket
from tickets.attachments import draw_thumbnail
from tickets.enums import Purpose
from tickets.models import Attachment, Message, Process, Ticket
from tickets.requesters import guests
from tickets.tests.factories import make_ticket
from tickets.workflow import conversation
from web.ranges import CHUNK

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


def test_head_tells_the_headers_of_get(ticket: Ticket, customer_client: Client):
    video = attach(ticket.messages.get(), name="falla.mp4", content_type="video/mp4", content=VIDEO)

    for headers in ({}, {"Range": "bytes=5-9"}, {"Range": "bytes=99999-"}):
        get, head = (
            customer_client.get(url(video), headers=headers),
            customer_client.head(url(video), headers=headers),
        )
        if get.streaming:
            assert body(get)
        assert (head.status_code, head.content) == (get.status_code, b"")
        ours = {"X-Request-ID"}  # each answer has its own
        assert {k: v for k, v in head.headers.items() if k not in ours} == {
            k: v for k, v in get.headers.items() if k not in ours
        }


# --- From an object store ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "status", "part"),
    [
        ("", 200, VIDEO),
        ("bytes=0-99", 206, VIDEO[:100]),
        ("bytes=10000-", 206, VIDEO[10000:]),
        ("bytes=-5", 206, VIDEO[-5:]),
        ("bytes=99999-", 416, b""),
    ],
)
def test_desk_streams_files_of_a_store_that_browsers_cannot_reach(
    bucket: Bucket, ticket: Ticket, customer_client: Client, header: str, status: int, part: bytes
):
    video = attach(ticket.messages.get(), name="falla.mp4", content_type="video/mp4", content=VIDEO)

    answer = customer_client.get(url(video), headers={"Range": header})

    assert (answer.status_code, body(answer) if answer.streaming else answer.content) == (status, part)
    assert "Location" not in answer
    assert answer["Content-Disposition"] == 'inline; filename="falla.mp4"'
    assert "sandbox" in answer["Content-Security-Policy"]
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_streaming_reads_a_chunk_at_a_time(bucket: Bucket, ticket: Ticket, customer_client: Client):
    video = attach(
        ticket.messages.get(), name="falla.mp4", content_type="video/mp4", content=bytes(8 * CHUNK)
    )

    answer = customer_client.get(url(video))

    assert [len(chunk) for chunk in answer.streaming_content] == [CHUNK] * 8
    head = customer_client.head(url(video))
    assert (head["Content-Length"], head.content) == (str(8 * CHUNK), b"")


def test_browsers_go_to_the_public_address_of_the_store(
    bucket: Bucket, ticket: Ticket, customer_client: Client, client: Client
):
    """It answers with our name and content type. Thumbnails and pictures of mails, which stand in pages, come from the
    desk."""
    bucket.make_public(bucket.url.replace("127.0.0.1", "localhost"))
    file = attach(ticket.messages.get(), name="página.png")
    draw_thumbnail(file)

    for method, verb in ((customer_client.get, "GET"), (customer_client.head, "HEAD")):
        answer = method(url(file))
        assert answer.status_code == 302
        assert answer["Location"].startswith(f"http://localhost:{urlsplit(bucket.url).port}/")
        with urlopen(Request(answer["Location"], method=verb)) as given:
            assert given.status == 200
            if verb == "GET":  # moto names neither in its answers to HEAD
                assert given.headers["Content-Type"] == "image/png"
                assert given.headers["Content-Disposition"] == "inline; filename*=utf-8''p%C3%A1gina.png"
                assert given.read()[:4] == b"\x89PNG"
    assert body(customer_client.get(url(file, "miniatura/")))[:4] == b"RIFF"
    assert body(customer_client.get(url(file), {"en-texto": ""}))[:4] == b"\x89PNG"
    assert client.get(url(file)).status_code == 404


@pytest.mark.parametrize("language", ["es", "en"])
@pytest.mark.parametrize("place", ["folder", "bucket"])
def test_lost_file_and_absent_store_are_told_apart(
    place: str, language: str, ticket: Ticket, customer_client: Client, request, settings, tmp_path: Path
):
    if place == "bucket":
        bucket = request.getfixturevalue("bucket")
    else:
        settings.MEDIA_ROOT = str(tmp_path / "media")
    file = attach(ticket.messages.get())
    lost = attach(ticket.messages.get())
    lost.file.storage.delete(lost.file.name)
    User.objects.update(language=language)
    missing = customer_client.get(url(lost))

    if place == "bucket":
        bucket.take_away()
    else:
        (tmp_path / "media").rename(tmp_path / "elsewhere")
    away = customer_client.get(url(file))

    words = {
        "es": ("No encontramos el archivo", "no se ha perdido"),
        "en": ("We cannot find the file", "is not lost"),
    }
    assert missing.status_code == 404
    assert words[language][0] in missing.content.decode()
    assert (away.status_code, away["Retry-After"]) == (503, "60")
    assert words[language][1] in away.content.decode()
    assert f'href="{url(file)}"' in away.content.decode(), "one can try again"
    assert "Traceback" not in away.content.decode()


def test_get_changes_nothing(public: Attachment, customer_client: Client):
    before = list(Attachment.objects.values()), Ticket.objects.get().version

    body(customer_client.get(url(public)))
    customer_client.head(url(public))

    assert customer_client.post(url(public)).status_code == 405
    assert (list(Attachment.objects.values()), Ticket.objects.get().version) == before
