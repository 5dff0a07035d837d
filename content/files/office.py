"""Check the parts of office documents for what loads something from another computer or runs it.

Works on single parts of the ZIP file, which `archives` unpacks.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote
from xml.parsers import expat

from django.utils.translation import gettext_lazy as _

from .errors import RefusedFile

_XLINK = "http://www.w3.org/1999/xlink href"
_ODF_PARTS = {"content.xml", "styles.xml", "meta.xml"}
_MANIFEST = "meta-inf/manifest.xml"
_MACRO_PARTS = re.compile("macroenabled|vbaproject|activex", re.IGNORECASE)
_MACRO_RELATIONS = {"vbaproject", "control", "activexcontrolbinary", "wordvbadata", "xlmacrosheet"}
_CLICKED = {"hyperlink", "a", "form"}  # opened only when somebody clicks
_SCHEME = re.compile("[a-z][a-z0-9+.-]+:")  # one letter is a drive
_REMOTE_FIELD = re.compile(r"\s*(?:INCLUDE\w*|IMPORT|LINK)\b.*(?:\w\w:/|\\\\\\\\)", re.IGNORECASE | re.DOTALL)
_DDE_FIELD = re.compile(r"\s*DDE(?:AUTO)?\b", re.IGNORECASE)
_MAX_FIELD = 10_000

Start = Callable[[str, dict[str, str]], None]


def is_telling(path: str) -> bool:
    """Whether the part at `path` is one that `check_part` reads."""
    return _checker(path.lower()) is not None


def check_part(path: str, data: Iterable[bytes]) -> None:
    """Check one part of a document. Raises `RefusedFile`, also for XML that cannot be read."""
    checker = _checker(path.lower())
    if checker is None:
        return
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartDoctypeDeclHandler = _refuse_doctype  # it can define texts that swell or load files
    checker(parser)
    try:
        for part in data:
            parser.Parse(part, False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise damaged() from error


def _checker(path: str) -> Callable[[Any], None] | None:
    name = path.rpartition("/")[2]
    if name.endswith(".rels"):
        return _on_start(_check_relation)
    if path == "[content_types].xml":
        return _on_start(_check_content_type)
    if path == _MANIFEST:
        return _on_start(_check_manifest)
    if path.startswith("xl/externallinks/"):
        return _on_start(_check_external_link)
    if path.startswith("word/") and name.endswith(".xml") and path.count("/") == 1:
        return _check_fields
    return _on_start(_check_open_document) if name in _ODF_PARTS else None


def _on_start(start: Start) -> Callable[[Any], None]:
    def attach(parser: Any) -> None:
        parser.StartElementHandler = start

    return attach


def _local(name: str) -> str:
    return name.rpartition(" ")[2]


def _is_local(target: str) -> bool:
    """Whether an address leads into the document or to the same computer."""
    address = unquote(target).strip().replace("\\", "/").lower()
    if address.startswith("file:"):
        path = address.removeprefix("file:")
        return len(path) - len(path.lstrip("/")) in {
            0,
            1,
            3,
        }  # two and four are followed by a computer's name
    return not address.startswith("//") and not _SCHEME.match(address)


# --- Word, Excel, PowerPoint ------------------------------------------------------------------------------


def _check_relation(name: str, values: dict[str, str]) -> None:
    kind = values.get("Type", "").rpartition("/")[2].lower()
    if kind in _MACRO_RELATIONS:
        raise macros_refused()
    is_external = values.get("TargetMode", "").strip().lower() == "external"
    if is_external and kind not in _CLICKED and not _is_local(values.get("Target", "")):
        raise _loads()


def _check_content_type(name: str, values: dict[str, str]) -> None:
    if _MACRO_PARTS.search(values.get("ContentType", "")):
        raise macros_refused()


def _check_external_link(name: str, values: dict[str, str]) -> None:
    if _local(name) == "ddeLink":
        raise _loads()


def _check_fields(parser: Any) -> None:
    """Read the codes of fields, which may be divided among many elements."""
    code: list[str] = []
    is_code = False

    def start(name: str, values: dict[str, str]) -> None:
        nonlocal is_code
        known = {_local(key): value for key, value in values.items()} if len(values) else {}
        match _local(name):
            case "fldSimple":
                _check_field(known.get("instr", ""))
            case "fldChar":
                _check_field("".join(code))
                code.clear()
            case "instrText":
                is_code = True

    def end(name: str) -> None:
        nonlocal is_code
        is_code = False

    def text(data: str) -> None:
        if is_code and len(code) < _MAX_FIELD:
            code.append(data)

    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = text


def _check_field(code: str) -> None:
    if _DDE_FIELD.match(code) or _REMOTE_FIELD.match(code):
        raise _loads()


# --- OpenDocument -----------------------------------------------------------------------------------------


def _check_manifest(name: str, values: dict[str, str]) -> None:
    if _local(name) == "encryption-data":
        raise password_refused()


def _check_open_document(name: str, values: dict[str, str]) -> None:
    local = _local(name)
    if local in {"event-listener", "script"}:
        raise macros_refused()
    if local.startswith("dde-"):
        raise _loads()
    if local not in _CLICKED and not _is_local(values.get(_XLINK, "")):
        raise _loads()


# --- Reasons ----------------------------------------------------------------------------------------------


def _refuse_doctype(*arguments: object) -> None:
    raise damaged()


def _loads() -> RefusedFile:
    return RefusedFile(
        _("El documento carga partes desde otro lugar al abrirlo. Guárdalo como PDF y adjunta esa copia."),
        code="active",
    )


def macros_refused() -> RefusedFile:
    return RefusedFile(
        _("El documento tiene macros. Guárdalo sin macros o como PDF y adjunta esa copia."), code="macros"
    )


def password_refused() -> RefusedFile:
    return RefusedFile(
        _("El archivo tiene contraseña y no podemos revisarlo. Guárdalo sin contraseña."), code="encrypted"
    )


def damaged() -> RefusedFile:
    return RefusedFile(
        _("El archivo está dañado o incompleto. Vuelve a crearlo y adjunta la copia nueva."), code="damaged"
    )
