import io
import struct
import tracemalloc
from hashlib import sha256

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile, TemporaryUploadedFile
from django.utils import translation

from content.files import FileKind, FileRules, RefusedFile, archives, inspect
from content.files.formats import FORMATS

from . import hostile_files as made

OOXML = "application/vnd.openxmlformats-officedocument"
EVERYTHING = FileRules(kinds=tuple(FileKind), max_files=3, max_bytes=10 * 1024 * 1024)


def look(data: bytes, name: str, rules: FileRules = EVERYTHING, **options):
    return inspect(io.BytesIO(data), name=name, rules=rules, **options)


def refusal(data: bytes, name: str, rules: FileRules = EVERYTHING, **options) -> RefusedFile:
    with pytest.raises(RefusedFile) as caught:
        look(data, name, rules, **options)
    return caught.value


# --- Accepted files ---------------------------------------------------------------------------------------

GOOD = {
    "captura.png": (made.image("PNG"), "image", "image/png"),
    "foto.JPG": (made.image("JPEG"), "image", "image/jpeg"),
    "foto.jpeg": (made.photo_with_place(), "image", "image/jpeg"),
    "progresiva.jpg": (made.image("JPEG", (300, 200), progressive=True), "image", "image/jpeg"),
    "grabacion.gif": (made.animation("GIF"), "image", "image/gif"),
    "pegatina.webp": (made.image("WEBP"), "image", "image/webp"),
    "con-alfa.webp": (made.image("WEBP", mode="RGBA", lossless=True), "image", "image/webp"),
    "animada.webp": (made.animation("WEBP"), "image", "image/webp"),
    "error.mp4": (made.mp4(), "video", "video/mp4"),
    "iphone.mov": (made.mp4(b"qt  "), "video", "video/quicktime"),
    "reenviado.mp4": (made.mp4(b"qt  "), "video", "video/quicktime"),
    "viejo.3gp": (made.mp4(b"3gp4"), "video", "video/3gpp"),
    "pantalla.webm": (made.webm(), "video", "video/webm"),
    "factura.pdf": (made.PDF, "document", "application/pdf"),
    "carta.docx": (made.office("docx"), "document", OOXML + ".wordprocessingml.document"),
    "notas.xlsx": (made.office("xlsx"), "document", OOXML + ".spreadsheetml.sheet"),
    "clase.pptx": (
        made.office("pptx", {"ppt/embeddings/hoja.xlsx": made.office("xlsx")}),
        "document",
        OOXML + ".presentationml.presentation",
    ),
    "acta.odt": (made.open_document(), "document", "application/vnd.oasis.opendocument.text"),
    "viejo.doc": (made.ole("Root Entry", "WordDocument"), "document", "application/msword"),
    "viejo.xls": (made.ole("Root Entry", "Workbook"), "document", "application/vnd.ms-excel"),
    "todo.zip": (
        made.archive({"a/👩\u200d💻.txt": b"hola", "a/carta.docx": made.office("docx"), "p.html": made.HTML}),
        "archive",
        "application/zip",
    ),
    "carta.zip": (made.office("docx"), "archive", "application/zip"),
    "registro.log": ("Error: el usuario José no existe\n".encode(), "text", "text/plain"),
    "windows.txt": ("Contraseña vencida".encode("cp1252"), "text", "text/plain"),
    "powershell.txt": ("Contraseña vencida\r\n".encode("utf-16"), "text", "text/plain"),
    "colores.log": (b"\x1b[31mERROR\x1b[0m <Ana> hola\n", "text", "text/plain"),
    "lista.csv": ("nombre;correo\nÑandú;a@b.test\n".encode("utf-8-sig"), "text", "text/csv"),
    "dato.json": (b'{"a": [1, 2]}', "text", "application/json"),
}  # fmt: skip


@pytest.mark.demand("S0.11")
@pytest.mark.demand("S1.8")
@pytest.mark.parametrize("name", GOOD)
def test_inspect_identifies_accepted_files(name):
    data, kind, content_type = GOOD[name]
    file = io.BytesIO(data)

    found = inspect(file, name=name, rules=EVERYTHING)

    assert (found.kind, found.content_type, found.name) == (kind, content_type, name)
    assert (found.size, found.sha256) == (len(data), sha256(data).hexdigest())
    assert found.extension == name.rpartition(".")[2].lower()
    assert file.tell() == 0


@pytest.mark.parametrize(
    ("given", "kind", "stored"),
    [
        ("foto.jpg", "PNG", "foto.png"),
        ("foto.png", "JPEG", "foto.jpg"),
        ("sticker.jpg", "WEBP", "sticker.webp"),
        ("animado.mp4", "GIF", "animado.gif"),
        ("IMG_0001.HEIC", "JPEG", "IMG_0001.jpg"),
        ("escaneo.bmp", "PNG", "escaneo.png"),
        ("captura", "PNG", "captura.png"),
        ("captura 10.30", "PNG", "captura 10.30.png"),
        ("notas.txt", "PNG", "notas.png"),
        ("foto.jfif", "JPEG", "foto.jfif"),
    ],
)
def test_picture_under_a_wrong_extension_gets_its_own(given, kind, stored):
    found = look(made.image(kind), given, FileRules(kinds=("image",)))

    assert (found.kind, found.content_type, found.name) == ("image", f"image/{kind.lower()}", stored)
    assert found.extension == stored.rpartition(".")[2]


def test_picture_under_a_wrong_extension_is_refused_where_no_images_are_accepted():
    assert refusal(PNG, "informe.pdf", FileRules(kinds=("document",))).code == "mismatch"


def test_inspect_reads_uploads_in_memory_and_on_disk():
    data = made.archive({"registro.txt": b"hola"})
    small = SimpleUploadedFile("a.zip", data, content_type="text/html")
    large = TemporaryUploadedFile("a.zip", "text/html", 0, None)
    with small, large:
        large.write(data)
        for upload in (small, large):
            assert inspect(upload, name=upload.name, rules=EVERYTHING).content_type == "application/zip"
            assert upload.read() == data


# --- Refused files ----------------------------------------------------------------------------------------

JPEG = made.image("JPEG", (300, 200))
PNG = made.image("PNG")
LOG_ZIP = made.archive({"registro.txt": b"hola"})
DOCM = made.office("docx", {"word/vbaProject.bin": b"x"})
SWOLLEN_DOCX = made.office("docx", {"word/b.xml": b"\0" * 15_000_000})

BAD = {
    "empty": (b"", "captura.png", "empty"),
    "renamed program": (made.PROGRAM, "captura.png", "mismatch"),
    "program": (made.PROGRAM, "instalador.exe", "extension"),
    "no extension": (made.PDF, "factura", "extension"),
    "page called image": (made.HTML, "captura.png", "mismatch"),
    "drawing with script": (made.SVG, "logo.svg", "extension"),
    "drawing called image": (made.SVG, "logo.png", "mismatch"),
    "page": (made.HTML, "captura.html", "extension"),
    "jpeg called program": (JPEG, "captura.exe", "extension"),
    "jpeg called page": (JPEG, "captura.html", "extension"),
    "png called page in the middle": (PNG, "captura.php.gif", "name"),
    "phone photo called png": (made.mp4(b"avif"), "foto.png", "phone_image"),
    "pdf called zip": (made.PDF, "todo.zip", "mismatch"),
    "zip called docx": (LOG_ZIP, "carta.docx", "mismatch"),
    "xlsx called docx": (made.office("xlsx"), "carta.docx", "mismatch"),
    "video called image": (made.mp4(), "foto.jpg", "mismatch"),
    "sound called video": (made.mp4(b"M4A "), "video.mp4", "mismatch"),
    "matroska called webm": (made.webm().replace(b"webm", b"matroska"), "video.webm", "mismatch"),
    "phone photo": (made.mp4(b"heic"), "IMG_1.HEIC", "phone_image"),
    "phone photo called jpeg": (made.mp4(b"heic"), "IMG_1.jpg", "phone_image"),
    "rar": (b"Rar!\x1a\x07\x01\x00" + b"\0" * 50, "todo.rar", "extension"),
    "double extension": (PNG, "captura.php.png", "name"),
    # images
    "truncated jpeg": (JPEG[:-40], "foto.jpg", "damaged"),
    "truncated png": (PNG[:-20], "captura.png", "damaged"),
    "truncated gif": (made.animation("GIF")[:-30], "grabacion.gif", "damaged"),
    "truncated webp": (made.image("WEBP", (90, 90))[:-30], "foto.webp", "damaged"),
    "only a png signature": (PNG[:8], "captura.png", "damaged"),
    "only a jpeg signature": (JPEG[:3], "foto.jpg", "damaged"),
    "png without size": (PNG[:16] + b"\0" * 8 + PNG[24:], "captura.png", "damaged"),
    "png of empty parts": (PNG[:33] + made.png_chunk(b"zero", b"") * 4000, "captura.png", "damaged"),
    "gif that is a script": (made.script_in_gif(), "grabacion.gif", "damaged"),
    "zip behind png": (PNG + LOG_ZIP, "captura.png", "polyglot"),
    "zip and more behind png": (PNG + LOG_ZIP + b"fin", "captura.png", "polyglot"),
    "pdf behind jpeg": (JPEG + made.PDF, "foto.jpg", "polyglot"),
    "page behind jpeg": (JPEG + made.HTML, "foto.jpg", "polyglot"),
    "page in jpeg comment": (made.image("JPEG", comment=b"<SCRIPT>alert(1)</SCRIPT>"), "foto.jpg", "polyglot"),
    "page across two reads": (PNG + b"\0" * (65536 - len(PNG) - 3) + made.HTML, "captura.png", "polyglot"),
    # videos, documents, text
    "truncated video": (made.mp4(complete=False), "error.mp4", "damaged"),
    "video of nothing": (b"\0\0\0\x14ftypisom" + b"\0" * 40, "error.mp4", "damaged"),
    "zip behind video": (made.mp4() + LOG_ZIP, "error.mp4", "polyglot"),
    "truncated pdf": (made.PDF[:40], "factura.pdf", "damaged"),
    "pdf that starts programs": (made.pdf(b"<</S/Launch>>"), "factura.pdf", "active"),
    "zip behind pdf": (made.PDF + LOG_ZIP + made.PDF, "factura.pdf", "polyglot"),
    "page called text": (b" \n" + made.HTML, "notas.txt", "active"),
    "page further down": (b"hola\n" * 20_000 + made.HTML, "notas.log", "active"),
    "page in utf-16": (made.HTML.decode().encode("utf-16"), "notas.txt", "active"),
    "drawing called csv": (made.SVG, "lista.csv", "active"),
    "shell script": (b"#!/bin/sh\nrm -rf /\n", "notas.txt", "active"),
    "pdf called text": (made.PDF, "notas.txt", "mismatch"),
    "bytes called text": (b"hola\0mundo", "notas.txt", "mismatch"),
    # office
    "macros in docx": (DOCM, "carta.docx", "macros"),
    "docm called docx": (made.office("docx", types="ms-word.document.macroEnabled.main+xml"), "c.docx", "macros"),
    "docm": (DOCM, "carta.docm", "extension"),
    "old macros in xlsx": (made.office("xlsx", {"xl/macrosheets/sheet1.xml": b"x"}), "notas.xlsx", "macros"),
    "macros in odt": (made.open_document(extra={"Basic/Standard/Module1.xml": b"x"}), "acta.odt", "macros"),
    "macros in doc": (made.ole("WordDocument", "_VBA_PROJECT"), "viejo.doc", "macros"),
    "installer called doc": (made.ole("Root Entry", "Property"), "viejo.doc", "mismatch"),
    "docx with password": (made.ole("EncryptionInfo", "EncryptedPackage"), "carta.docx", "encrypted"),
    # archives
    "empty zip": (made.archive({}), "todo.zip", "empty"),
    "truncated zip": (LOG_ZIP[:-30], "todo.zip", "damaged"),
    "zip behind a program": (made.PROGRAM + LOG_ZIP, "todo.zip", "mismatch"),
    "zip with something before it": (LOG_ZIP + LOG_ZIP, "todo.zip", "damaged"),
    "macros inside zip": (made.archive({"c.docx": DOCM}), "t.zip", "macros"),
    "program in zip": (made.archive({"a/factura.pdf.exe": b"x"}), "todo.zip", "program"),
    "renamed program in zip": (made.archive({"factura.pdf": made.PROGRAM}), "todo.zip", "program"),
    "zip in zip": (made.archive({"b.zip": LOG_ZIP}), "todo.zip", "nested"),
    "renamed zip in zip": (made.archive({"b.txt": LOG_ZIP}), "todo.zip", "nested"),
    "zip in zip called docx": (made.archive({"b.docx": LOG_ZIP}), "todo.zip", "nested"),
    "rar in zip": (made.archive({"b.dat": b"Rar!\x1a\x07\x00" + b"\0" * 20}), "todo.zip", "nested"),
    "path out of zip": (made.archive({"../../etc/cron.d/x": b"x"}), "todo.zip", "path"),
    "windows path out of zip": (made.archive({"..\\..\\x.txt": b"x"}), "todo.zip", "path"),
    "absolute path in zip": (made.archive({"/etc/x.txt": b"x"}), "todo.zip", "path"),
    "drive in zip": (made.archive({"C:/x.txt": b"x"}), "todo.zip", "path"),
    "reversed name in zip": (made.archive({"a\u202etxt.pdf": b"x"}), "todo.zip", "path"),
    "link in zip": (made.with_symbolic_link(), "todo.zip", "path"),
    "zip with password": (made.with_field(LOG_ZIP, b"PK\x01\x02", 8, b"\x01"), "todo.zip", "encrypted"),
    "odd compression": (made.with_field(LOG_ZIP, b"PK\x01\x02", 10, b"\x0c"), "todo.zip", "method"),
    "bomb": (made.zip_bomb(), "todo.zip", "bomb"),
    "bomb called docx": (SWOLLEN_DOCX, "carta.docx", "bomb"),
    "bomb in docx in zip": (made.archive({"c.docx": SWOLLEN_DOCX}), "t.zip", "bomb"),
    "bomb that lies": (made.lying_zip_bomb(), "todo.zip", "bomb"),
    "member that claims too much": (
        made.with_field(LOG_ZIP, b"PK\x01\x02", 24, struct.pack("<L", 900)), "todo.zip", "damaged",
    ),
    "members that share data": (made.overlapping_zip(), "todo.zip", "damaged"),
    "too many members": (made.archive({f"{n}.txt": b"" for n in range(archives.MAX_MEMBERS + 1)}), "t.zip", "bomb"),
    "member count that lies": (made.with_field(LOG_ZIP, b"PK\x05\x06", 10, b"\x00\x02"), "todo.zip", "damaged"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_inspect_refuses_unsafe_files(case):
    data, name, code = BAD[case]

    reason = refusal(data, name)

    assert reason.code == code
    assert str(reason).endswith(".")


def test_inspect_refuses_large_files_and_names_both_sizes():
    rules = FileRules(kinds=("image",), max_bytes=1_000_000)

    reason = refusal(PNG + b"\0" * 1_600_000, "captura.png", rules)

    assert reason.code == "size"
    assert str(reason) == "El archivo pesa 1,6\xa0MB y el máximo es 1\xa0MB. Redúcelo, recórtalo o divídelo."


def test_inspect_ignores_the_declared_size():
    upload = SimpleUploadedFile("captura.png", PNG)
    upload.size = 1

    with pytest.raises(RefusedFile) as caught:
        inspect(upload, name="captura.png", rules=FileRules(kinds=("image",), max_bytes=len(PNG) - 1))

    assert caught.value.code == "size"


def test_inspect_refuses_huge_images_without_decoding_them():
    data = made.huge_png(20_000)
    assert len(data) < 100_000
    tracemalloc.start()
    try:
        reason = refusal(data, "captura.png")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert reason.code == "pixels"
    assert "20000 × 20000" in str(reason)
    assert peak < 2_000_000


@pytest.mark.parametrize(("kind", "share"), [("PNG", 1), ("JPEG", 1), ("GIF", 1), ("WEBP", 0.3)])
def test_inspect_counts_pixels_of_every_image_format(kind, share):
    data, name = made.image(kind, (120, 90)), f"foto.{kind.lower()}"
    limit = round(120 * 90 / share)

    assert look(data, name, max_pixels=limit).kind == "image"
    assert refusal(data, name, max_pixels=limit - 1).code == "pixels"


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_inspect_counts_every_frame_of_an_animation(kind):
    data, name = made.animation(kind, frames=6, size=(24, 16)), f"a.{kind.lower()}"
    pixels = 24 * 16 * 6

    assert look(data, name, max_pixels=pixels).kind == "image"
    assert refusal(data, name, max_pixels=pixels - 1).code == "pixels"


def test_inspect_refuses_jpeg_with_many_scans():
    """Decoding ten megabytes of 60-byte scans would take a quarter of an hour."""
    photo = made.image("JPEG", (200, 200), progressive=True)
    scan = photo[photo.rindex(b"\xff\xda") : -2]
    comment = b"\xff\xfe\x00\x04\xff\xd9"  # a comment that contains an end marker

    assert look(photo[:-2] + comment + scan * 80 + b"\xff\xd9", "foto.jpg").kind == "image"
    bomb = photo[:-2] + comment + scan * 200 + b"\xff\xd9"
    assert refusal(bomb, "foto.jpg").code == "damaged"
    assert refusal(photo[:-2] + scan + comment, "foto.jpg").code == "damaged"


def test_inspect_ignores_scans_after_the_jpeg_end():
    """Phones append a video to the picture, and its bytes may look like scans."""
    assert look(made.image("JPEG", (40, 40)) + b"\xff\xda" * 200, "foto.jpg").kind == "image"


def test_inspect_refuses_animations_with_too_many_frames():
    gif = made.image("GIF", (1, 1), mode="L")
    start = gif.index(b"\x2c\0\0\0\0\1\0\1\0")
    frame = gif[start:-1]

    assert look(gif[:start] + frame * 900 + b";", "a.gif").kind == "image"
    assert refusal(gif[:start] + frame * 1100 + b";", "a.gif").code == "pixels"


def test_gif_sub_blocks_count_towards_the_limit():
    """Otherwise each of the 200,000 allowed blocks could contain another 200,000."""
    gif = made.image("GIF", (1, 1), mode="L")
    start = gif.index(b"\x2c\0\0\0\0\1\0\1\0")
    comment = b"\x21\xfe" + b"\x01a" * 70_000 + b"\0"

    assert look(gif[:start] + comment + gif[start:], "a.gif").kind == "image"
    assert refusal(gif[:start] + comment * 3 + gif[start:], "a.gif").code == "damaged"


def test_inspect_reads_large_videos_in_chunks(tmp_path):
    path = tmp_path / "largo.mp4"
    head, tail = made.mp4()[:20], made.mp4()[528:]
    with path.open("wb") as file:
        file.write(head + struct.pack("!L", 50_000_008) + b"mdat")
        file.truncate(len(head) + 50_000_008)
        file.seek(0, 2)
        file.write(tail)
    tracemalloc.start()
    try:
        with path.open("rb") as file:
            found = inspect(file, name="largo.mp4", rules=FileRules(kinds=("video",), max_bytes=200_000_000))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert (found.kind, found.size > 50_000_000) == ("video", True)
    assert peak < 2_000_000


def test_second_file_is_inspected_like_the_first():
    results = [refusal(made.PROGRAM, name).code for name in ("uno.png", "dos.png")]

    assert results == ["mismatch", "mismatch"]


def test_content_type_comes_from_bytes_in_every_language():
    with translation.override("en"):
        found = look(made.mp4(b"qt  "), "vídeo.mp4")

    assert (found.name, found.content_type) == ("vídeo.mp4", "video/quicktime")


# --- Rules ------------------------------------------------------------------------------------------------


@pytest.mark.demand("S3.8")
def test_rules_accept_images_documents_and_archives():
    rules = FileRules(kinds=("image", "document", "archive"), max_files=3)

    for name in ("captura.png", "carta.docx", "factura.pdf", "todo.zip"):
        assert look(GOOD[name][0], name, rules).name == name
    assert refusal(made.mp4(), "error.mp4", rules).code == "extension"


@pytest.mark.demand("S0.11")
def test_rules_for_captures_accept_only_images_and_videos():
    rules = FileRules(kinds=("image", "video"))

    assert look(made.mp4(), "error.mp4", rules).kind == "video"
    assert str(refusal(made.PDF, "factura.pdf", rules)) == (
        "Aquí no se pueden adjuntar archivos .pdf. Puedes adjuntar imagen o video."
    )
    assert str(refusal(b"BM" + b"x" * 100, "pantalla.bmp", rules)) == (
        "No podemos mostrar imágenes .bmp. Guarda una copia como PNG o JPG y adjúntala."
    )


@pytest.mark.demand("S3.8")
@pytest.mark.parametrize(
    ("rules", "sentence"),
    [
        (
            FileRules(kinds=("archive", "document", "video", "image"), max_files=3),
            "Hasta 3 archivos de 10\xa0MB: imagen, video, PDF, Word, Excel, PowerPoint o ZIP",
        ),
        (
            FileRules(kinds=["image"], max_files=1, max_bytes=1_500_000),
            "Hasta 1 archivo de 1,5\xa0MB: imagen",
        ),
        (
            FileRules(kinds=["text", "video"], max_bytes=640_000),
            "Hasta 5 archivos de 640\xa0kB: video o texto",
        ),
    ],
)
def test_rules_read_as_one_sentence(rules, sentence):
    assert str(rules) == sentence


def test_rules_list_extensions_for_the_file_input():
    assert FileRules(kinds=("image", "archive")).accept == ".png,.jpg,.jpeg,.jfif,.gif,.webp,.zip"


def test_rules_refuse_an_unknown_kind():
    with pytest.raises(ValueError, match="program"):
        FileRules(kinds=("image", "program"))


def test_every_extension_belongs_to_one_format():
    extensions = [extension for known in FORMATS for extension in known.extensions]

    assert len(extensions) == len(set(extensions))
