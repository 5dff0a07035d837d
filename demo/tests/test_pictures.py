"""Pictures of stories that were decoded ahead are those that an upload would have decoded itself."""

import io

import pytest

from demo.replay import pictures
from demo.replay.files import make_file
from demo.replay.script import note
from demo.replay.story import Story
from tickets import attachments


@pytest.fixture
def decoded(monkeypatch):
    """The contents that are given to the product's own `reencode_image`, in order."""
    contents, reencode_image = [], pictures.reencode_image

    def listening(file, **limits):
        contents.append(file.read())
        return reencode_image(file, **limits)

    monkeypatch.setattr(pictures, "reencode_image", listening)
    return contents


def upload(content):
    """Return the picture and the thumbnail that an upload stores."""
    with attachments.reencode_image(io.BytesIO(content)) as file:
        picture = file.read()
    return picture, attachments.make_thumbnail(io.BytesIO(picture), attachments.THUMBNAIL_SIZE)


@pytest.mark.parametrize("name", ["captura.png", "foto.jpg"])
def test_pictures_ahead_are_those_of_an_upload(name):
    content = make_file(name)
    itself = upload(content)
    with pictures.decoded_ahead([name]):
        assert upload(content) == itself


def test_picture_of_two_stories_is_decoded_once(decoded):
    content = make_file("captura.png")
    with pictures.decoded_ahead(["captura.png", "captura.png", "recibo.pdf"]):
        assert upload(content) == upload(content)
    assert decoded == [content]


def test_pictures_not_named_ahead_are_decoded_at_the_upload(decoded):
    content = make_file("otra.png")
    with pictures.decoded_ahead([]):
        picture, thumbnail = upload(content)
    assert decoded == [content]
    assert picture.startswith(b"\x89PNG")
    assert thumbnail[8:12] == b"WEBP"


def test_steps_and_stories_name_their_files():
    step = note("agente", "Captura.", "3m", files=("captura.png",))
    story = Story("proceso", "categoria", "cliente", "3h", "Título", "Texto", (step,), files=("foto.jpg",))
    assert [step.files, story.files] == [("captura.png",), ("foto.jpg",)]
