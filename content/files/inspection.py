"""Inspect an uploaded file: identify it, or refuse it with a reason."""

import hashlib
from dataclasses import dataclass

from django.utils.functional import lazy
from django.utils.translation import gettext_lazy as _

from .archives import has_zip_at_end, identify_zip
from .errors import RefusedFile
from .formats import BY_EXTENSION, BY_KEY, HEAD_BYTES, ISO_VIDEO, OFFICE, OLE, FileKind, Format, sniff
from .media import ACTIVE, check_text, check_video, not_text
from .names import PROGRAMS, SERVED, clean_name, extension_of, with_extension
from .ole import check_ole
from .pdf import check_pdf
from .pictures import MAX_PIXELS, check_pixels
from .rules import FileRules, filesize
from .streams import Source, chunks, has_any, read_at, size_of

_IN_AN_IMAGE = (*ACTIVE, b"%pdf-1.", b"%pdf-2.")
_ARCHIVE_EXTENSIONS = {"rar", "7z", "gz", "tgz", "tar", "bz2", "xz"}
_PHONE_IMAGES = {"heic", "heif", "avif"}
_OTHER_IMAGES = {"bmp", "tif", "tiff"}
# A picture loses these when it gets its true extension; any other end of its name stays.
_REPLACED = {*BY_EXTENSION, *_PHONE_IMAGES, *_OTHER_IMAGES, "jpe"}


@dataclass(frozen=True, slots=True)
class Inspected:
    """An accepted file. `kind` and `content_type` follow from its bytes (for text and ZIP also from the extension),
    never from the content type that the browser declared (B3). `size` is in bytes, `sha256` in hex."""

    kind: str
    content_type: str
    extension: str
    name: str
    size: int
    sha256: str


def inspect(file: Source, *, name: str, rules: FileRules, max_pixels: int = MAX_PIXELS) -> Inspected:
    """Identify `file` and rewind it. Raises `RefusedFile`, whose message says what to do.

    The extension must be on the allow-list and of a kind that `rules` accept, and the content must match the extension.
    A picture is accepted under any extension that runs nowhere, because messengers and phones often give it a wrong
    one; its name gets the right one. No image is decoded and only a chunk at a time is in memory, so it may run in a
    request.
    """
    name = clean_name(name)
    size = size_of(file)
    if not size:
        raise RefusedFile(
            _("El archivo está vacío. Comprueba que se guardó bien y elígelo otra vez."), code="empty"
        )
    if size > rules.max_bytes:
        raise RefusedFile(
            _("El archivo pesa {size} y el máximo es {limit}. Redúcelo, recórtalo o divídelo."),
            code="size",
            size=lazy(filesize, str)(size),
            limit=lazy(filesize, str)(rules.max_bytes),
        )
    named = _picture(file, name, rules)
    if named is None:
        named = _by_name(extension_of(name), rules)
    elif extension_of(name) not in named.extensions:
        name = with_extension(name, named.extensions[0], instead_of=_REPLACED)
    found = _by_content(file, named, size, max_pixels)
    digest = hashlib.sha256()
    for data in chunks(file):
        digest.update(data)
    file.seek(0)
    return Inspected(found.kind.value, found.content_type, extension_of(name), name, size, digest.hexdigest())


def _picture(file: Source, name: str, rules: FileRules) -> Format | None:
    """Return the image format of the content. None if it is no image, if `rules` accept none, or if the extension is
    that of a program or a page."""
    found = BY_KEY.get(sniff(read_at(file, 0, HEAD_BYTES)))
    if found is None or found.kind != FileKind.IMAGE or not rules.allows(found):
        return None
    return None if extension_of(name) in PROGRAMS | SERVED else found


def _by_name(extension: str, rules: FileRules) -> Format:
    """Return the accepted format with this extension. Raises `RefusedFile`."""
    known = BY_EXTENSION.get(extension)
    if known and rules.allows(known):
        return known
    if extension in _PHONE_IMAGES and rules.allows(BY_KEY["jpeg"]):
        raise _phone_image()
    if extension in _OTHER_IMAGES and rules.allows(BY_KEY["jpeg"]):
        raise RefusedFile(
            _("No podemos mostrar imágenes .{extension}. Guarda una copia como PNG o JPG y adjúntala."),
            code="extension",
            extension=extension,
        )
    if extension in _ARCHIVE_EXTENSIONS and rules.allows(BY_KEY["zip"]):
        raise RefusedFile(
            _("Solo abrimos comprimidos ZIP. Comprime los archivos en un ZIP."), code="extension"
        )
    formats = lazy(rules.formats, str)()
    if not extension:
        raise RefusedFile(
            _("El nombre no dice de qué tipo es el archivo. Puedes adjuntar {formats}."),
            code="extension",
            formats=formats,
        )
    raise RefusedFile(
        _("Aquí no se pueden adjuntar archivos .{extension}. Puedes adjuntar {formats}."),
        code="extension",
        extension=extension,
        formats=formats,
    )


def _by_content(file: Source, named: Format, size: int, max_pixels: int) -> Format:
    """Return the format of the bytes: `named`, or another video format that is often given the same extension.

    Raises `RefusedFile` if the content does not match `named` or is unsafe.
    """
    content = sniff(read_at(file, 0, HEAD_BYTES))
    if named.kind == FileKind.TEXT:
        if content:
            raise not_text()
        check_text(file)
        return named
    if content == "heif" and named.kind == FileKind.IMAGE:
        raise _phone_image()
    if content == "ole" and named.key in OFFICE | OLE:
        found = check_ole(file, named.key)
        content = named.key if found else content
    elif content == "zip" and (named.key in OFFICE or named.kind == FileKind.ARCHIVE):
        content = identify_zip(file)
        if named.kind == FileKind.ARCHIVE and content in OFFICE:
            content = named.key
    elif content in ISO_VIDEO and named.key in ISO_VIDEO:
        named = BY_KEY[content]
    if content != named.key:
        raise RefusedFile(
            _(
                "El contenido no corresponde a un archivo .{extension}. Ábrelo, guárdalo con ese formato y adjúntalo."
            ),
            code="mismatch",
            extension=named.extensions[0],
        )
    _check_inside(file, named, size, max_pixels)
    return named


def _check_inside(file: Source, known: Format, size: int, max_pixels: int) -> None:
    """Check the content of a file whose format is known. Raises `RefusedFile`, also if it contains another file."""
    match known.kind:
        case FileKind.IMAGE:
            check_pixels(file, known.key, size, max_pixels=max_pixels)
            hidden = has_any(file, _IN_AN_IMAGE)
        case FileKind.VIDEO:
            check_video(file, known.key, size)
            hidden = any(needle in read_at(file, 0, HEAD_BYTES).lower() for needle in ACTIVE)
        case _:
            if known.key == "pdf":
                check_pdf(file, size)
            hidden = False
    if hidden or (
        known.kind != FileKind.ARCHIVE and known.key not in OFFICE | OLE and has_zip_at_end(file, size)
    ):
        raise RefusedFile(
            _("El archivo lleva otro escondido dentro. Haz una captura o una copia nueva y adjúntala."),
            code="polyglot",
        )


def _phone_image() -> RefusedFile:
    return RefusedFile(
        _(
            "Todavía no podemos abrir fotos HEIC ni AVIF. Adjunta una captura de pantalla, o elige «Más compatible» "
            "en los formatos de la cámara del teléfono."
        ),
        code="phone_image",
    )
