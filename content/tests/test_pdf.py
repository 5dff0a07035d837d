"""PDF that run something are refused, however they hide it; those of ordinary programs are accepted."""

import io
import random
import tracemalloc
import zlib

import pytest
from django.core.files.uploadedfile import TemporaryUploadedFile

from content.files import FileRules, RefusedFile, inspect, pdf

from . import hostile_files as made
from .hostile_text import assert_grows_linearly

RULES = FileRules(kinds=("document",), max_bytes=30_000_000)
SCRIPT = b"<</S/JavaScript/JS(app.alert(1))>>"
PACKED = b"1 0 " + SCRIPT
NOISE = random.Random(1).randbytes(150_000)


def verdict(data: bytes) -> str:
    try:
        inspect(io.BytesIO(data), name="a.pdf", rules=RULES)
    except RefusedFile as problem:
        return problem.code
    return "accepted"


def packed(data: bytes = PACKED, entries: bytes = b"/Type/ObjStm/N 1/First 4/Filter/FlateDecode") -> bytes:
    return made.pdf(made.pdf_stream(data, entries))


def without_checksum(data: bytes) -> bytes:
    """Change the last byte of the checksum, which programs do not look at."""
    squeezed = zlib.compress(PACKED)
    return data.replace(squeezed, squeezed[:-1] + bytes([squeezed[-1] ^ 1]))


RUNS = {
    "launch": made.pdf(b"<</S/Launch/F(cmd.exe)>>"),
    "launch with blanks": made.pdf(b"<</S\r\n\t /Launch/F(cmd.exe)>>"),
    "launch after a comment": made.pdf(b"<</S%x\n/Launch/F(cmd.exe)>>"),
    "launch in other letters": made.pdf(b"<</#53/L#61u#6Ec#68/F(cmd.exe)>>"),
    "launch elsewhere": made.pdf(b"<</S 3 0 R/F(cmd.exe)>>", b"/Launch"),
    "launch packed": packed(b"1 0 <</S/Launch/F(cmd.exe)>>"),
    "launch packed elsewhere": packed(b"1 0 /Launch"),
    "launch after text with brackets": made.pdf(b"<</T(a\\)b(c)\\\\)/S 3 0 R>>", b"/Launch"),
    "script at once": made.pdf(catalog=b"/OpenAction" + SCRIPT),
    "script on a page event": made.pdf(b"<</Type/Page/AA<</O" + SCRIPT + b">>>>"),
    "script by name": made.pdf(catalog=b"/Names<</JavaScript 2 0 R>>"),
    "script in other letters": made.pdf(b"<</S/J#61va#53cript/#4AS(x)>>"),
    "script elsewhere": made.pdf(b"<</S 3 0 R/JS 4 0 R>>", b"(x)", b"(y)"),
    "script of a film": made.pdf(b"<</S/Rendition/J#53(x)>>"),
    "script packed": packed(),
    "script packed in other letters": packed(b"1 0 <</S/J#61vaScript/JS(x)>>"),
    "packed without a type": packed(entries=b"/N 1/First 4/Filter/FlateDecode"),
    "packed, type in other letters": packed(entries=b"/Type/Obj#53tm/Filter[/Fl#61teDecode]"),
    "packed, short name": packed(entries=b"/N 1/First 4/Filter/Fl"),
    "packed and stored": packed(entries=b"/Type/ObjStm/N 1/First 4"),
    "packed, wrong checksum": without_checksum(packed()),
    "packed, larger than a part": packed(b"1 0 <" + NOISE.hex().encode() + b">" + SCRIPT),
    "bracket before the object": made.pdf(b"(", SCRIPT),
    "bracket that never ends": made.pdf(b"<</T(/S/X/JS 3 0 R>>"),
    "word obj in a text": made.pdf(b"<</T( obj )/A<</S 3 0 R/JS(x)>>>>"),
    "hex text with a bracket": made.pdf(b"<</T<28(>/S 3 0 R/JS 4 0 R>>", b"/X"),
    "word stream between the entries": made.pdf(b"<</A stream /S 3 0 R/JS 4 0 R>>"),
    "object inside a stream": made.pdf(made.pdf_stream(b"9 0 obj<</S/X/JS(x)>>endobj", b"/Type/X")),
    "action inside a stream": made.pdf(made.pdf_stream(b"<</S /JavaScript>>", b"/Type/X")),
    "form with scripts": made.pdf(catalog=b"/AcroForm<</XFA 2 0 R>>"),
    "file on another machine": made.pdf(b"<</S/GoToR/F(\\\\evil.example\\share\\a.pdf)/D[0/Fit]>>"),
    "file on another machine, packed": packed(b"1 0 <</S/GoToR/F<</FS/URL/F(http://evil.example)>>>>"),
    "file on another machine, in other letters": made.pdf(b"<</S/GoTo#52/F(a.pdf)>>"),
    "opens a file on another machine": made.pdf(catalog=b"/OpenAction<</S/GoToR/F(//evil.example/a)>>"),
    "form that is sent": made.pdf(b"<</S/SubmitForm/F<</FS/URL/F(https://example.com)>>>>"),
    "form that is sent, in other letters": made.pdf(b"<</S/Submit#46orm/F(//evil.example/a)>>"),
    "form that is sent, packed": packed(b"1 0 <</S/SubmitForm/F(//evil.example/a)>>"),
    "document inside": made.pdf(b"<</S/GoToE/T<<>>>>"),
    "data of a file": made.pdf(b"<</S/ImportData/F(x)>>"),
    "flash": made.pdf(b"<</Subtype/RichMedia>>"),
}  # fmt: skip


@pytest.mark.parametrize("case", RUNS)
def test_pdf_that_runs_something_is_refused(case):
    assert verdict(RUNS[case]) == "active"


TEXTS = b"(/JavaScript)(a \\( /JS )(text/javascript)(see /Launch \\) (and /XFA) too)"
ACCEPTED = {
    "nothing special": made.PDF,
    "opens at a page": made.pdf(catalog=b"/OpenAction[3 0 R/Fit]"),
    "opens at a page by an action": made.pdf(catalog=b"/OpenAction<</S/GoTo/D[3 0 R/XYZ null null 0]>>"),
    "opens at a page, packed": packed(b"1 0 <</Type/Catalog/OpenAction<</S/GoTo/D[3 0 R/Fit]>>/AA<<>>>>"),
    "links": made.pdf(b"<</S/URI/URI(https://example.com/JavaScript/JS/guide)>>"),
    "texts about it": made.pdf(b"<</Title" + TEXTS[:13] + b"/T[" + TEXTS + b"]>>"),
    "texts about it, packed": packed(b"1 0 [" + TEXTS + b"]"),
    "hex text": made.pdf(b"<</T<2F4A617661536372697074>>>"),
    "comment about it": made.pdf(b"<<\n% /JS /Launch\n/A 1>>"),
    "page that shows such a text": made.pdf(made.pdf_stream(b"BT (/JavaScript /JS) Tj ET", b"")),
    "page, packed": made.pdf(made.pdf_stream(b"BT /JS (a) Tj ET", b"/Filter/FlateDecode")),
    "longer names": made.pdf(b"<</JSABCD+Arial 1/Launching 2/XFAB 3/AJavaScript 4>>"),
    "form that runs nothing": made.pdf(catalog=b"/AcroForm<</Fields[<</FT/Tx/T(a)/AA<<>>>>]/NeedAppearances true>>"),
    "link over the page": made.pdf(b"<</Type/Annot/Subtype/Link/A<</Type/Action/S/URI/URI(https://a.example)>>>>"),
    "link, packed": packed(b"1 0 <</S/URI/URI(https://example.com/GoToR)>>"),
    "link that writes a mail": made.pdf(b"<</S/URI/URI(mailto:ana@example.com)>>"),
    "table of contents": made.pdf(b"<</Type/Outlines/First 3 0 R/Last 3 0 R/Count 1>>"),
    "colour profile": made.pdf(made.pdf_stream(b"x" * 99, b"/N 3/Alternate/DeviceRGB/Filter/FlateDecode")),
    "picture as jpeg": made.pdf(made.pdf_stream(made.image("JPEG"), b"/Subtype/Image/Filter/DCTDecode")),
    "bytes that look like a name": made.pdf(made.pdf_stream(b"\xff\0/JS \x80/Launch ", b"/Filter/DCTDecode")),
    "protected but readable": made.pdf(b"<</Filter/Standard>>", trailer=b"/Encrypt 2 0 R"),
    "invoice inside": made.pdf(made.pdf_stream(b"<?xml version='1.0'?><a/>", b"/Type/EmbeddedFile/Filter/FlateDecode")),
}  # fmt: skip


@pytest.mark.parametrize("case", ACCEPTED)
def test_pdf_of_an_ordinary_program_is_accepted(case):
    assert verdict(ACCEPTED[case]) == "accepted"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (packed(PACKED.hex().encode(), b"/Type/ObjStm/N 1/First 4/Filter/ASCIIHexDecode"), "damaged"),
        (packed(entries=b"/Type/ObjStm/N 1/First 4/Filter[/FlateDecode/FlateDecode]"), "damaged"),
        (packed(entries=b"/Type/ObjStm/N 1/First 4/Filter[/LZWDecode/FlateDecode]"), "damaged"),
        (packed(zlib.compress(PACKED), b"/Type/ObjStm/N 1/First 4/Filter 9 0 R"), "damaged"),
        (packed(entries=b"/Type/ObjStm/Filter/FlateDecode/DecodeParms<</Predictor 12>>"), "damaged"),
        (packed().replace(b"stream\r\n", b"stream x\r\n"), "damaged"),
        (packed().replace(zlib.compress(PACKED), zlib.compress(PACKED)[:-12]), "damaged"),
        (packed().replace(b"\x78\x9c", b"\1\2").replace(b"/Root", b"/Encrypt 9 0 R/Root"), "encrypted"),
    ],
    ids=["hex", "twice", "lzw", "elsewhere", "predictor", "no line end", "truncated", "encrypted"],
)  # fmt: skip
def test_pdf_whose_packed_objects_cannot_be_read_is_refused(data, code):
    assert verdict(data) == code


@pytest.mark.parametrize(
    "inside", [made.PROGRAM, made.archive({"a.txt": b"x"}), made.PDF, b"Rar!\x1a\x07\1\0"]
)
@pytest.mark.parametrize("entries", [b"/Type/EmbeddedFile", b"/Type/Embedded#46ile/Filter/FlateDecode"])
def test_pdf_with_another_file_inside_is_refused(inside, entries):
    data = made.pdf(made.pdf_stream(inside + b"\0" * 5000, entries))

    assert verdict(data) == "polyglot"


def test_pdf_on_disk_is_read_where_it_is():
    with TemporaryUploadedFile("a.pdf", "application/pdf", 0, None) as upload:
        upload.write(packed())
        with pytest.raises(RefusedFile):
            inspect(upload, name="a.pdf", rules=RULES)
        upload.seek(0)
        assert upload.read() == packed()


HEAVY = [
    *(
        b"(",
        b"(\\",
        b"%\n",
        b"/N ",
        b"<",
        b"<<",
        b" obj",
        b" stream",
        b"/S ",
        b"/#4a#61",
        b"1 0 obj(",
        b">>stream\n",
    ),
    *(b"/N/First stream\n", b"/EmbeddedFile/Filter/Fl>>stream\n\x78\x9c", b"1 0 obj<</N 1/First 2>>stream\n"),
]


@pytest.fixture
def fewer_steps(monkeypatch):
    """Allow a tenth of the steps, so that the tests take a tenth of the time."""
    monkeypatch.setattr(pdf, "MAX_STEPS", pdf.MAX_STEPS // 10)


@pytest.mark.usefixtures("fewer_steps")
@pytest.mark.parametrize("part", HEAVY, ids=repr)
def test_checking_a_pdf_takes_bounded_time(part):
    def check(size: int) -> None:
        assert verdict(made.pdf(part * (size // len(part)))) in {"accepted", "bomb", "damaged"}

    assert_grows_linearly(check, short=100_000, floor=0.01)


@pytest.mark.usefixtures("fewer_steps")
@pytest.mark.parametrize(
    "make",
    [
        lambda: packed(b"\0" * 60_000_000),
        lambda: made.pdf(*[made.pdf_stream(b"\0" * 15_000_000)] * 10),
        lambda: packed(b"/N " * 1_000_000),
    ],
    ids=["one", "many", "names"],
)
def test_pdf_that_swells_is_refused(make):
    data = make()
    tracemalloc.start()
    try:
        assert verdict(data) == "bomb"
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 6 * pdf.MAX_OBJECTS_STREAM
