"""Draw the pictures of the invented help centre: simple screens and a parcel."""

import io
from collections.abc import Callable

from PIL import Image, ImageDraw

SIZE = (1280, 520)
SKY, CLOUD, INK, DARK, PAPER, GREY, LINE, BRAND, WARM = (
    "#E4F4F8", "#CDECF3", "#0A3741", "#182225", "#FFFFFF", "#637073", "#A1ABAE", "#076C7D", "#FB9344",
)  # fmt: skip
LEFT = 450


def _canvas() -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGB", SIZE, SKY)
    draw = ImageDraw.Draw(image)
    draw.ellipse((-120, 180, 600, 900), fill=CLOUD)
    draw.ellipse((880, -260, 1360, 220), fill=CLOUD)
    return image, draw


def _phone(draw: ImageDraw.ImageDraw) -> None:
    draw.rounded_rectangle((LEFT, 52, LEFT + 380, 712), 44, fill=INK)
    draw.rounded_rectangle((LEFT + 14, 66, LEFT + 366, 726), 32, fill=PAPER)
    draw.rounded_rectangle((LEFT + 48, 132, LEFT + 232, 154), 10, fill=DARK)
    draw.rounded_rectangle((LEFT + 48, 172, LEFT + 288, 184), 6, fill=LINE)


def _png(image: Image.Image) -> bytes:
    content = io.BytesIO()
    image.save(content, "PNG", optimize=True)
    return content.getvalue()


def sign_in() -> bytes:
    """Draw the first screen of the app, with the link below the button ringed."""
    image, draw = _canvas()
    _phone(draw)
    for top in (216, 294):
        draw.rounded_rectangle((LEFT + 48, top, LEFT + 332, top + 60), 14, fill=PAPER, outline=LINE, width=2)
    draw.rounded_rectangle((LEFT + 68, 240, LEFT + 236, 252), 6, fill=GREY)
    for dot in range(5):
        draw.ellipse((LEFT + 70 + 20 * dot, 318, LEFT + 82 + 20 * dot, 330), fill=GREY)
    draw.rounded_rectangle((LEFT + 48, 374, LEFT + 332, 434), 14, fill=BRAND)
    draw.text((LEFT + 155, 392), "Entrar", fill=PAPER, font_size=24)
    draw.text((LEFT + 78, 457), "Olvidé mi contraseña", fill=BRAND, font_size=22)
    draw.rounded_rectangle((LEFT + 60, 446, LEFT + 320, 494), 24, outline=WARM, width=6)
    draw.rounded_rectangle((860, 300, 1080, 370), 34, fill=PAPER)
    draw.text((912, 320), "Toca aquí", fill=DARK, font_size=26)
    draw.line((880, 368, 790, 458), fill=WARM, width=6)
    return _png(image)


def code() -> bytes:
    """Draw the screen on which the code is typed."""
    image, draw = _canvas()
    _phone(draw)
    for place, digit in enumerate("40791"):
        left = LEFT + 48 + 49 * place
        draw.rounded_rectangle((left, 240, left + 40, 296), 10, fill=PAPER, outline=LINE, width=2)
        draw.text((left + 11, 250), digit, fill=DARK, font_size=28)
    draw.rounded_rectangle((LEFT + 293, 240, LEFT + 333, 296), 10, fill=PAPER, outline=WARM, width=5)
    draw.rounded_rectangle((LEFT + 48, 324, LEFT + 332, 380), 14, fill="#FCF0D3")
    draw.text((LEFT + 82, 340), "Vence en 10 minutos", fill="#6B4A00", font_size=21)
    draw.rounded_rectangle((LEFT + 48, 404, LEFT + 332, 464), 14, fill=BRAND)
    draw.text((LEFT + 138, 422), "Continuar", fill=PAPER, font_size=24)
    return _png(image)


def parcel() -> bytes:
    """Draw a parcel with the number of the ticket."""
    image, draw = _canvas()
    draw.polygon([(400, 210), (640, 110), (880, 210), (640, 310)], fill="#E9C9A0")
    draw.polygon([(400, 210), (640, 310), (640, 500), (400, 400)], fill="#D3AC7C")
    draw.polygon([(880, 210), (640, 310), (640, 500), (880, 400)], fill="#BF945F")
    draw.polygon([(500, 168), (540, 152), (780, 252), (740, 268)], fill="#F6E3C6")
    draw.rounded_rectangle((690, 300, 850, 380), 8, fill=PAPER)
    draw.text((712, 322), "MA-10342", fill=DARK, font_size=28)
    draw.rounded_rectangle((676, 286, 864, 394), 20, outline=WARM, width=6)
    return _png(image)


PICTURES: dict[str, Callable[[], bytes]] = {"entrar.png": sign_in, "codigo.png": code, "paquete.png": parcel}
