"""Make the files that people of the stories attach: small, and really of the type that the name says."""

import io
from functools import cache

from PIL import Image, ImageDraw

INK, PAPER, LINE, BRAND, WARM = "#1f2933", "#ffffff", "#d5dbe3", "#2456a6", "#b42318"
SIZE = (720, 450)


@cache
def make_file(name: str) -> bytes:
    """Return the content of a file called `name`. Raises ValueError for a suffix it cannot make."""
    stem, _dot, extension = name.rpartition(".")
    words = stem.replace("-", " ").replace("_", " ")
    match extension:
        case "png" | "jpg":
            return _picture(words, "PNG" if extension == "png" else "JPEG")
        case "pdf":
            return _pdf(words)
        case "txt" | "log":
            return f"{words}\n2026-01-12 10:21:07 ERROR gateway timeout after 30000 ms\n".encode()
    raise ValueError(f"no way to make {name}")


def _picture(words: str, kind: str) -> bytes:
    """Draw a window with a title, some lines and a message, similar to a screenshot."""
    image = Image.new("RGB", SIZE, PAPER)
    draw = ImageDraw.Draw(image)
    width, height = SIZE
    draw.rectangle((0, 0, width, 46), fill=BRAND)
    for left in (18, 40, 62):
        draw.ellipse((left, 17, left + 12, 29), fill=PAPER)
    draw.text((96, 14), "plataforma", fill=PAPER, font_size=16)
    for row in range(4):
        top = 84 + row * 34
        draw.rounded_rectangle((40, top, 220, top + 18), 6, fill=LINE)
        draw.rounded_rectangle((250, top, width - 60 - row * 70, top + 18), 6, fill=LINE)
    draw.rounded_rectangle((40, height - 190, width - 40, height - 60), 12, outline=WARM, width=3)
    draw.text((64, height - 160), words.capitalize(), fill=WARM, font_size=24)
    draw.text((64, height - 116), "Error 500 · intenta de nuevo en un rato", fill=INK, font_size=18)
    content = io.BytesIO()
    image.save(content, kind)
    return content.getvalue()


def _pdf(words: str) -> bytes:
    """Return a minimal PDF of one page with a title."""
    text = words.capitalize().encode("cp1252", "replace")
    text = text.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
    stream = b"BT /F1 18 Tf 72 740 Td (" + text + b") Tj ET"
    bodies = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources 6 0 R >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Font << /F1 5 0 R >> >>",
    )
    out, offsets = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(bodies, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(bodies) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(bodies) + 1, table)
    return bytes(out)
