from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from content.files import FileRules, RefusedFile, decoder, inspect, make_thumbnail, reencode_image
from content.files.pictures import MAX_PIXELS

from . import hostile_files as made
from . import hostile_pictures as hostile


def reencoded(data: bytes, **options) -> bytes:
    """Re-encode without starting a process, which tests of many pictures have no time for."""
    target = BytesIO()
    decoder.reencode(BytesIO(data), target, **{"max_pixels": MAX_PIXELS, **options})
    return target.getvalue()


def thumbnail(data: bytes, box=(320, 320)) -> Image.Image:
    target = BytesIO()
    decoder.thumbnail(BytesIO(data), target, max_pixels=MAX_PIXELS, box=box)
    return opened(target.getvalue())


def opened(data: bytes) -> Image.Image:
    image = Image.open(BytesIO(data))
    image.load()
    return image


def test_reencoded_photo_is_upright_without_metadata():
    photo = made.photo_with_place()
    assert opened(photo).getexif().get_ifd(0x8825)
    assert b"CamaraSecreta" in photo
    assert b"nota privada" in photo

    with reencode_image(BytesIO(photo)) as result:
        clean = result.read()

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

    clean = opened(reencoded(made.image("PNG", (60, 40), exif=exif)))

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
    clean = opened(reencoded(data))

    assert (clean.format, clean.size) == (kind, (24, 16))


def test_reencoding_keeps_transparency():
    glass = Image.new("RGBA", (4, 4), (255, 0, 0, 0))
    target = BytesIO()
    glass.save(target, "PNG")

    assert opened(reencoded(target.getvalue())).getpixel((1, 1))[3] == 0
    assert thumbnail(target.getvalue(), (8, 8)).getpixel((1, 1))[3] == 0


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_reencoded_animation_keeps_frames_without_metadata(kind):
    options = (
        {"comment": b"nota privada"}
        if kind == "GIF"
        else {"exif": b"Exif\0\0nota privada", "xmp": b"nota privada"}
    )
    data = made.animation(kind, frames=4, **options)
    assert b"nota privada" in data

    clean = reencoded(data)

    image = opened(clean)
    assert (image.n_frames, image.info["duration"]) == (4, 120)
    assert b"nota privada" not in clean


@pytest.mark.parametrize("extra", [made.HTML, made.PDF, made.archive({"a.txt": b"hola"}), b"#!/bin/sh\n"])
def test_reencoding_drops_appended_data(extra):
    clean = reencoded(made.image("PNG") + extra)

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
    clean = opened(reencoded(made.image("JPEG", exif=exif)))

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
        clean = reencoded(file.getvalue(), max_pixels=100_000)
    except (RefusedFile, *decoder.DAMAGED):
        return
    assert opened(clean).format == kind


# --- Colours, modes and depths ----------------------------------------------------------------------------

P3 = hostile.p3_profile()


def as_srgb(colour: tuple[int, ...]) -> list[float]:
    """Convert a colour of Display P3 by the book: linear light, Display P3 to sRGB, gamma."""
    linear = [(c / 255 / 12.92) if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour]
    matrix = ((1.2249, -0.2247, 0), (-0.0420, 1.0419, 0), (-0.0197, -0.0786, 1.0979))
    mixed = [sum(a * b for a, b in zip(row, linear, strict=True)) for row in matrix]
    return [255 * (c * 12.92 if c <= 0.0031308 else 1.055 * c ** (1 / 2.4) - 0.055) for c in mixed]


def flat(kind: str, mode: str, colour, **options) -> bytes:
    target = BytesIO()
    picture = (
        Image.new("RGB", (32, 32), colour).quantize(4) if mode == "P" else Image.new(mode, (32, 32), colour)
    )
    picture.save(target, kind, **options)
    return target.getvalue()


WIDE = (200, 90, 60)


@pytest.mark.parametrize(
    ("kind", "mode", "colour", "options"),
    [
        ("JPEG", "RGB", WIDE, {"quality": 100, "subsampling": 0}),
        ("PNG", "RGB", WIDE, {}),
        ("PNG", "RGBA", (*WIDE, 255), {}),
        ("PNG", "P", WIDE, {}),
        ("WEBP", "RGB", WIDE, {"lossless": True}),
        ("WEBP", "RGBA", (*WIDE, 200), {"lossless": True}),
    ],
)
def test_wide_gamut_pictures_keep_their_colours(kind, mode, colour, options):
    data = flat(kind, mode, colour, icc_profile=P3, **options)
    expected = pytest.approx(as_srgb(WIDE), abs=4)
    assert opened(data).convert("RGB").getpixel((9, 9)) != expected

    clean = opened(reencoded(data))

    assert "icc_profile" not in clean.info
    assert clean.mode == mode
    assert clean.convert("RGB").getpixel((9, 9)) == expected
    assert thumbnail(data).convert("RGB").getpixel((9, 9)) == expected


def test_grey_and_ink_pictures_keep_their_colours():
    grey = opened(reencoded(flat("PNG", "L", 128, icc_profile=hostile.grey_profile())))
    half = opened(reencoded(flat("PNG", "LA", (128, 77), icc_profile=hostile.grey_profile())))
    inks = opened(reencoded(flat("JPEG", "CMYK", (9, 9, 9, 9), icc_profile=hostile.ink_profile())))

    assert (grey.mode, half.mode, inks.mode) == ("L", "LA", "RGB")
    assert grey.getpixel((9, 9)) == pytest.approx(188, abs=2)
    assert half.getpixel((9, 9)) == (pytest.approx(188, abs=2), 77)
    red, green, blue = inks.getpixel((9, 9))
    assert green > red > blue


def test_transparent_colour_stays_transparent_when_colours_change():
    for mode, colour, profile in (("RGB", WIDE, P3), ("L", 128, hostile.grey_profile())):
        data = flat("PNG", mode, colour, icc_profile=profile, transparency=colour)

        assert opened(reencoded(data)).convert("RGBA").getpixel((9, 9))[3] == 0


@pytest.mark.parametrize("profile", [b"x", P3[:200], P3[:128], b"\0" * 4000, hostile.ink_profile()])
def test_unusable_profile_is_ignored(profile):
    clean = opened(reencoded(flat("PNG", "RGB", WIDE, icc_profile=profile)))

    assert clean.getpixel((9, 9)) == WIDE


def test_colours_of_a_png_without_profile_stay():
    numbers = {b"gAMA": b"\0\1\x86\xa0", b"cHRM": b"\0\0\1\0" * 8, b"cICP": bytes((12, 13, 0, 1))}
    data = made.image("PNG")
    for kind, number in numbers.items():
        data = data[:33] + made.png_chunk(kind, number) + data[33:]
    data = data[:33] + made.png_chunk(b"tEXt", b"Author\0Ana") + data[33:]

    clean = reencoded(data)

    assert all(made.png_chunk(kind, number) in clean for kind, number in numbers.items())
    assert b"Ana" not in clean
    with_profile = reencoded(flat("PNG", "RGB", WIDE, icc_profile=P3, gamma=0.5))
    assert b"gAMA" not in with_profile


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_png_keeps_its_mode(mode):
    data = made.image("PNG", mode=mode)
    before, after = opened(data), opened(reencoded(data))

    assert after.mode == before.mode
    assert after.tobytes() == before.tobytes()


def test_sixteen_bits_of_grey_stay_and_are_seen_in_the_thumbnail():
    data = flat("PNG", "I;16", 30_000)

    assert opened(reencoded(data)).getpixel((9, 9)) == 30_000
    assert thumbnail(data).getpixel((9, 9))[0] == pytest.approx(117, abs=2)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_thumbnail_looks_like_its_picture(mode):
    small = thumbnail(made.image("PNG", (400, 300), mode=mode), (40, 40)).convert("L")

    assert small.size == (40, 30)
    if mode != "I;16":  # converted from eight bits, which is black in sixteen
        assert small.getpixel((20, 1)) < 40
        assert small.getpixel((20, 28)) > 200


def test_transparent_palette_stays_transparent():
    picture = Image.new("P", (20, 20), 1)
    picture.putpalette([255, 0, 0, 0, 0, 255])
    picture.paste(0, (0, 0, 10, 20))
    for kind in ("PNG", "GIF"):
        target = BytesIO()
        picture.save(target, kind, transparency=0)
        clean = opened(reencoded(target.getvalue())).convert("RGBA")

        assert clean.getpixel((3, 9))[3] == 0
        assert clean.getpixel((15, 9)) == (0, 0, 255, 255)


# --- Animations -------------------------------------------------------------------------------------------


def walking(kind: str, *, size: tuple[int, int] = (48, 24), **options) -> bytes:
    """Return an animation of a square that walks to the right over nothing, then waits."""
    frames = []
    for step in range(4):
        frame = Image.new("RGBA", size, (0, 0, 0, 0))
        frame.paste((255, 0, 0, 255), (10 * step, 8, 10 * step + 8, 16))
        frames.append(frame)
    target = BytesIO()
    given = {
        "duration": [100, 200, 300, 1000],
        "loop": 3,
        **({"disposal": 2} if kind == "GIF" else {}),
        **options,
    }
    frames[0].save(target, kind, save_all=True, append_images=frames[1:], **given)
    return target.getvalue()


def frames_of(data: bytes) -> list[tuple[Image.Image, float]]:
    if data[:4] == b"RIFF":  # Pillow shows transparency only if it is announced; browsers show it always
        data = data[:20] + bytes([data[20] | 0x10]) + data[21:]
    with Image.open(BytesIO(data)) as image:
        frames = []
        for index in range(image.n_frames):
            image.seek(index)
            image.load()
            frames.append((image.convert("RGBA"), image.info.get("duration", 0)))
    return frames


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_animation_keeps_its_frames_times_and_repetitions(kind):
    data = walking(kind, **({"lossless": True} if kind == "WEBP" else {}))

    clean = reencoded(data)

    before, after = frames_of(data), frames_of(clean)
    assert [duration for _frame, duration in after] == [100, 200, 300, 1000]
    assert opened(clean).info["loop"] == opened(data).info["loop"]
    for (old, _), (new, _) in zip(before, after, strict=True):
        for at in ((x, 12) for x in range(4, 48, 10)):
            assert new.getpixel(at)[3] == old.getpixel(at)[3]
            if old.getpixel(at)[3]:
                assert new.getpixel(at)[:3] == pytest.approx(old.getpixel(at)[:3], abs=12)


def test_gif_that_plays_once_does_not_repeat():
    frames = [Image.new("RGB", (9, 9), colour) for colour in ("red", "blue")]
    target = BytesIO()
    frames[0].save(target, "GIF", save_all=True, append_images=frames[1:], duration=90)

    assert "loop" not in opened(reencoded(target.getvalue())).info


@pytest.mark.parametrize("kind", ["WEBP", "PNG"])
def test_animation_is_turned_upright(kind):
    exif = Image.Exif()
    exif[0x0112] = 6
    data = walking(kind, exif=exif)

    clean = reencoded(data)

    assert opened(clean).size == (24, 48)
    assert dict(opened(clean).getexif()) == {}
    assert [frame.getpixel((12, 4))[3] for frame, _duration in frames_of(clean)] == [255, 0, 0, 0]
    assert [frame.getpixel((12, 34))[3] for frame, _duration in frames_of(clean)] == [0, 0, 0, 255]


def test_animation_keeps_its_colours():
    frames = [Image.new("RGB", (32, 32), colour) for colour in (WIDE, (60, 90, 200))]
    for kind in ("PNG", "WEBP"):
        target = BytesIO()
        frames[0].save(
            target, kind, save_all=True, append_images=frames[1:], duration=90, icc_profile=P3, lossless=True
        )
        first, second = (frame.getpixel((9, 9))[:3] for frame, _ in frames_of(reencoded(target.getvalue())))

        assert first == pytest.approx(as_srgb(WIDE), abs=6)
        assert second == pytest.approx(as_srgb((60, 90, 200)), abs=6)


def test_picture_for_programs_without_animation_stays():
    still = Image.new("RGB", (24, 24), "green")
    frames = [Image.new("RGB", (24, 24), colour) for colour in ("red", "blue")]
    target = BytesIO()
    still.save(target, "PNG", save_all=True, default_image=True, append_images=frames, duration=[100, 300])
    data = target.getvalue()
    assert opened(data).n_frames == 3

    clean = reencoded(data)

    assert [frame.getpixel((9, 9))[:3] for frame, _ in frames_of(clean)] == [
        (0, 128, 0),
        (255, 0, 0),
        (0, 0, 255),
    ]
    assert [duration for _, duration in frames_of(clean)][1:] == [100, 300]
    pixels = 24 * 24 * 3
    rules = FileRules(kinds=("image",))
    assert inspect(BytesIO(data), name="a.png", rules=rules, max_pixels=pixels).kind == "image"
    with pytest.raises(RefusedFile, match="3 cuadros"):
        inspect(BytesIO(data), name="a.png", rules=rules, max_pixels=pixels - 1)


def test_animation_with_fewer_frames_than_it_claims_is_refused():
    data = walking("PNG")
    at = data.index(b"acTL") - 4
    lying = data[:at] + made.png_chunk(b"acTL", b"\0\0\0\x09\0\0\0\0") + data[at + 20 :]

    with pytest.raises(RefusedFile, match="dañada"):
        reencode_image(BytesIO(lying))
