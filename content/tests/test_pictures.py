from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from content.files import FileRules, RefusedFile, inspect, make_thumbnail, reencode_image

from . import hostile_files as made


def opened(data: bytes) -> Image.Image:
    image = Image.open(BytesIO(data))
    image.load()
    return image


def test_reencoded_photo_is_upright_without_metadata():
    photo = made.photo_with_place()
    assert opened(photo).getexif().get_ifd(0x8825)
    assert b"CamaraSecreta" in photo
    assert b"nota privada" in photo

    clean = reencode_image(BytesIO(photo))

    image = opened(clean)
    assert (image.format, image.size) == ("JPEG", (40, 60))
    assert dict(image.getexif()) == {}
    assert b"CamaraSecreta" not in clean
    assert b"nota privada" not in clean
    # The gradient is dark at the top of the file, so it is dark at the right once the picture is rotated.
    assert image.getpixel((38, 30))[0] < 40 < 200 < image.getpixel((1, 30))[0]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_reencoding_applies_every_orientation(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation

    clean = opened(reencode_image(BytesIO(made.image("PNG", (60, 40), exif=exif))))

    assert clean.size == ((60, 40) if orientation < 5 else (40, 60))
    darkest = {1: "top", 2: "top", 3: "bottom", 4: "bottom", 5: "left", 6: "right", 7: "right", 8: "left"}[
        orientation
    ]
    width, height = clean.size
    at = {"top": (9, 0), "bottom": (9, height - 1), "left": (0, 9), "right": (width - 1, 9)}[darkest]
    assert clean.getpixel(at)[0] < 20


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (made.image("PNG", pnginfo=None), "PNG"),
        (made.image("PNG", mode="P"), "PNG"),
        (made.image("PNG", mode="RGBA"), "PNG"),
        (made.image("PNG", mode="I;16"), "PNG"),
        (made.image("PNG", mode="1"), "PNG"),
        (made.image("JPEG", mode="L"), "JPEG"),
        (made.image("JPEG", mode="CMYK"), "JPEG"),
        (made.image("GIF"), "GIF"),
        (made.image("WEBP", mode="RGBA"), "WEBP"),
    ],
)
def test_reencoding_keeps_format_and_size(data, kind):
    clean = opened(reencode_image(BytesIO(data)))

    assert (clean.format, clean.size) == (kind, (24, 16))


def test_reencoding_keeps_transparency():
    glass = Image.new("RGBA", (4, 4), (255, 0, 0, 0))
    target = BytesIO()
    glass.save(target, "PNG")

    assert opened(reencode_image(target)).getpixel((1, 1))[3] == 0
    assert opened(make_thumbnail(target, 8)).getpixel((1, 1))[3] == 0


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_reencoded_animation_keeps_frames_without_metadata(kind):
    options = (
        {"comment": b"nota privada"}
        if kind == "GIF"
        else {"exif": b"Exif\0\0nota privada", "xmp": b"nota privada"}
    )
    data = made.animation(kind, frames=4, **options)
    assert b"nota privada" in data

    clean = reencode_image(BytesIO(data))

    image = opened(clean)
    assert (image.n_frames, image.info["duration"]) == (4, 120)
    assert b"nota privada" not in clean


@pytest.mark.parametrize("extra", [made.HTML, made.PDF, made.archive({"a.txt": b"hola"}), b"#!/bin/sh\n"])
def test_reencoding_drops_appended_data(extra):
    clean = reencode_image(BytesIO(made.image("PNG") + extra))

    assert extra not in clean
    assert clean.endswith(b"IEND\xaeB`\x82")


@pytest.mark.filterwarnings("ignore:Corrupt EXIF:UserWarning")
@pytest.mark.parametrize(
    "exif",
    [
        b"Exif\0\0II*\0\x08\0\0\0\x01\0",
        b"Exif\0\0MM\0*\xff\xff\xff\xff",
        b"Exif\0\0" + b"\xff" * 40,
        b"Exif\0\0",
    ],
)
def test_reencoding_survives_broken_metadata(exif):
    clean = opened(reencode_image(BytesIO(made.image("JPEG", exif=exif))))

    assert clean.size == (24, 16)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (made.image("PNG")[:-60], "damaged"),
        (made.image("PNG").replace(b"IDAT", b"IDAT\xff\xff\xff\xff", 1), "damaged"),
        (made.HTML, "damaged"),
        (b"", "damaged"),
        (made.huge_png(20_000), "pixels"),
    ],
)
@pytest.mark.parametrize("change", [reencode_image, lambda file: make_thumbnail(file, 32)])
def test_images_that_cannot_be_decoded_are_refused(change, data, code):
    with pytest.raises(RefusedFile) as caught:
        change(BytesIO(data))

    assert caught.value.code == code


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_thumbnail_is_upright_and_fits_its_box(kind):
    exif = Image.Exif()
    exif[0x0112] = 6
    options = {} if kind == "GIF" else {"exif": exif}
    file = BytesIO(made.image(kind, (600, 300), **options))

    small = opened(make_thumbnail(file, (100, 80)))

    assert (small.format, small.size) == ("WEBP", (100, 50) if kind == "GIF" else (40, 80))
    assert dict(small.getexif()) == {}
    assert file.tell() == 0


def test_thumbnail_does_not_enlarge_small_images():
    assert opened(make_thumbnail(BytesIO(made.image("PNG", (24, 16))), 320)).size == (24, 16)


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(["PNG", "JPEG", "GIF", "WEBP"]), st.data())
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_damaged_images_are_reencoded_or_refused(kind, data):
    image = bytearray(made.animation("GIF") if kind == "GIF" else made.image(kind))
    for _change in range(data.draw(st.integers(1, 4))):
        image[data.draw(st.integers(0, len(image) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(image)))
    file = BytesIO(bytes(image[: cut or None]))
    try:
        inspect(file, name=f"foto.{kind.lower()}", rules=FileRules(kinds=("image",)), max_pixels=100_000)
        clean = reencode_image(file, max_pixels=100_000)
    except RefusedFile:
        return
    assert opened(clean).format == kind
