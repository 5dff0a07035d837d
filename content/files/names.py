"""Clean file names. A name is shown and offered for download, and is never a path. Its extension decides the content
type only for text and ZIP files, and a picture gets the extension of its content."""

import re
import unicodedata
from collections.abc import Collection

from django.utils.translation import gettext_lazy as _

from ..text import normalize
from .errors import RefusedFile

MAX_NAME = 120  # characters, extension included
NAMELESS = "archivo"  # not translated: a file's name must not depend on the reader's language (B3)


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Extensions of programs that run on a double click, and of documents with macros.
PROGRAMS = words(
    "exe com scr msi msp pif cpl dll sys ocx bat cmd ps1 psm1 vbs vbe js jse wsf wsh wsc hta lnk scf reg url jar "
    "apk ipa app dmg pkg deb rpm appimage command desktop iso img vhd vhdx chm gadget "
    "docm dotm xlsm xltm xlam xlsb pptm potm ppsm ppam sldm"
)
# Extensions that some web servers run, or that browsers show with their scripts.
SERVED = words(
    "php php3 php4 php5 php7 php8 phtml pht phar phps pgif asp aspx asa asax ascx ashx asmx cer cdx cfm cfc cfml "
    "jsp jspx jspf jsw jsv jhtml cgi fcgi pl pm py rb sh shtml stm shtm htaccess "
    "html htm xhtml xht mht mhtml svg svgz xml xsl xslt swf"
)
# Most of these also end web addresses, and screenshots are often named after the page they show: «ejemplo.com.png».
_INNOCENT_INSIDE = words("app com do img iso pl pm py sh so url")
_REFUSED_INSIDE = (PROGRAMS | SERVED) - _INNOCENT_INSIDE

_EXTENSION = re.compile(r"[A-Za-z0-9]{1,10}")
_RESERVED = re.compile(r"(?:con|prn|aux|nul|clock\$|conin\$|conout\$|com[0-9]|lpt[0-9])\s*(?:\.|\Z)")
# Characters with a meaning for Windows, shells or headers, and those that look like path separators.
_UNSAFE = re.compile('[<>:"|?*\u2044\u2215\u29f5\u29f8\u29f9\ufe68\uff0f\uff3c]')
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
_EDGES = " .-~"


def clean_name(name: str) -> str:
    """Return a safe name made from the name of an uploaded file. Cleaning it again changes nothing.

    The result is in NFC and has no path, no control, direction or invisible characters, no dots or blanks at the edges
    and no name that Windows reserves. It is cut to `MAX_NAME` characters, keeping the extension. Raises `RefusedFile`
    for a program's extension inside the name («factura.php.png»): some servers run such a file as a program (B5).
    """
    cleaned = _cleaned(name)
    while (again := _cleaned(cleaned)) != cleaned:  # cutting can leave a name that another rule changes
        cleaned = again
    return cleaned


def _cleaned(name: str) -> str:
    stem, extension = _split(_tidied(name))
    _refuse_hidden_program(stem)
    if _RESERVED.match(normalize("NFKC", stem).lower()):
        stem = f"_{stem}"
    if not extension:
        return _cut(stem, MAX_NAME)
    return f"{_cut(stem, MAX_NAME - len(extension) - 1)}.{extension}"


def extension_of(name: str) -> str:
    """Return the extension of `name` in lower case and without the dot; empty if it has none."""
    return _split(name)[1].lower()


def with_extension(name: str, extension: str, *, instead_of: Collection[str]) -> str:
    """Return the clean name with `extension`, in the place of one in `instead_of` or else added: the end of «captura
    10.30» is no extension. Raises `RefusedFile`."""
    stem, given = _split(name)
    return clean_name(f"{stem if given.lower() in instead_of else name}.{extension}")


def has_hidden_characters(name: str) -> bool:
    """Whether a name has control characters, direction marks or invisible characters. The joiner U+200D of emoji is
    allowed."""
    return any(
        (unicodedata.category(char)[0] == "C" and char != "\u200d") or char in _INVISIBLE for char in name
    )


def _split(name: str) -> tuple[str, str]:
    """Return the stem and the extension, as written and without the dot; the extension may be empty."""
    stem, _dot, extension = name.rpartition(".")
    if stem and _EXTENSION.fullmatch(extension):
        return stem, extension
    return name, ""


def _tidied(name: str) -> str:
    """Return the last part of the path without invisible characters, or `NAMELESS` if nothing is left."""
    seen = "".join(
        " " if category == "Z" else char
        for char in name
        if (category := unicodedata.category(char)[0]) != "C" and char not in _INVISIBLE
    )
    parts = [part for part in re.split(r"[/\\]", seen) if part.strip(_EDGES)]
    last = _UNSAFE.sub("_", normalize("NFC", parts[-1] if parts else ""))
    last = re.sub(r"(?:\s*\.)+", ".", " ".join(last.split()))  # macOS writes «9.30 a. m..png»
    return last.strip(_EDGES) or NAMELESS


def _refuse_hidden_program(stem: str) -> None:
    folded = re.sub(r"%[0-9a-f]{2}", "", normalize("NFKC", stem).lower())
    for part in folded.split(".")[1:]:
        word = re.split(r"[^a-z0-9 ]", part, maxsplit=1)[0].strip()
        if word in _REFUSED_INSIDE:
            raise RefusedFile(
                _(
                    "El nombre lleva «.{word}» en medio, como si fuera un programa. Cámbialo y adjúntalo otra vez."
                ),
                code="name",
                word=word,
            )


def _cut(text: str, length: int) -> str:
    """Return at most `length` characters of `text`, never separating an accent from its letter."""
    if len(text) > length:
        while length and unicodedata.combining(text[length]):
            length -= 1
        text = text[:length]
    return text.rstrip(_EDGES) or NAMELESS
