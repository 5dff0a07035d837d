# ruff: noqa: E501  (mails have lines as long as they have)
"""Any bytes are read as a mail, within bounded time and memory; what wraps a mail is opened."""

import base64
import struct
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from time import process_time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from notifications.incoming import automatic, containers, mime, reports, words
from notifications.tests.mails import make_raw, picture


def said(raw: bytes) -> str:
    return words.words_of(containers.read(raw)).visible


@given(st.binary(max_size=600))
def test_any_bytes_are_read(raw):
    mail = containers.read(raw)

    automatic.origin_of(mail)
    words.words_of(mail)
    reports.report_of(mail)
    assert mail.recipients is not None


HEADERS = (
    *(
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "Content-Type",
        "Content-Disposition",
        "Content-Transfer-Encoding",
    ),
    *("References", "Reply-To", "Received", "MIME-Version"),
)


@given(
    st.lists(st.tuples(st.sampled_from(HEADERS), st.text(max_size=60)), max_size=12), st.text(max_size=200)
)
def test_any_headers_are_read(headers, body):
    raw = "".join(f"{name}: {value}\n" for name, value in headers) + "\n" + body

    mail = containers.read(raw.encode("utf-8", "replace"))

    assert isinstance(mail.subject + mail.sender.email + mail.message_id + words.words_of(mail).visible, str)


def nested(depth: int) -> bytes:
    head = b"From: a@b.test\nSubject: x\n"
    for level in range(depth):
        head += b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (level, level)
    return head + b"Content-Type: text/plain\n\nhola\n"


HOSTILE = {
    "nested": lambda size: nested(size),
    "recipients": lambda size: b"From: a@b.test\nTo: " + b"x@y.test, " * (size * 100) + b"\n\nhola",
    "header": lambda size: b"From: a@b.test\nSubject: " + b"=?utf-8?q?=C3?= " * (size * 100) + b"\n\nhola",
    "headers": lambda size: b"From: a@b.test\n" + b"X-A: b\n" * (size * 100) + b"\nhola",
    "parts": lambda size: (
        b'From: a@b.test\nContent-Type: multipart/mixed; boundary="b"\n\n' + b"--b\n\nx\n" * (size * 20)
    ),
    "tags": lambda size: b"From: a@b.test\nContent-Type: text/html\n\n" + b"<div>" * (size * 100) + b"hola",
    "unclosed": lambda size: b"From: a@b.test\nContent-Type: text/html\n\nhola" + b"<a href='" * (size * 100),
    "links": lambda size: (
        b"From: a@b.test\nContent-Type: text/html\n\n" + b"<a href='http://x.test/'>" * (size * 50)
    ),
    "quotes": lambda size: b"From: a@b.test\n\n" + b">" * (size * 200) + b"\nhola",
    "lines": lambda size: b"From: a@b.test\n\n" + b"El 20/11/2026 a las 10:21 x@y.test:\n" * (size * 20),
    "spaces": lambda size: b"From: a@b.test\n\n" + b" " * (size * 1000) + b"x escribi\xc3\xb3",
    "references": lambda size: b"From: a@b.test\nReferences: " + b"<a@b> " * (size * 100) + b"\n\nhola",
    "encoded": lambda size: (
        b"From: a@b.test\nContent-Transfer-Encoding: base64\n\n" + b"aG9sYQ" * (size * 200)
    ),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_reading_takes_no_more_than_in_proportion(kind):
    """Four times as much takes no more than about four times as long: nothing is quadratic in what a stranger sends."""

    def seconds(size: int) -> float:
        raw = HOSTILE[kind](size)
        best = 9.0
        for _try in range(2):
            began = process_time()
            mail = containers.read(raw)
            automatic.origin_of(mail)
            words.words_of(mail)
            best = min(best, process_time() - began)
        return best

    seconds(20)
    small, large = seconds(100), seconds(400)
    assert large < 8 * small + 0.25, (small, large)


def test_mail_that_is_too_large_has_its_headers_alone(monkeypatch):
    monkeypatch.setattr(mime, "MAX_BYTES", 1000)

    mail = containers.read(make_raw("x" * 5000, subject="Enorme"))

    assert (mail.subject, mail.text, mail.problems) == ("Enorme", "", [mime.TOO_LARGE])


@pytest.mark.parametrize(
    ("charset", "text"),
    [
        *[
            ("iso-8859-1", "contraseña «ya»"),
            ("windows-1252", "€ y «ñ»"),
            ("utf-8", "ñandú 🎉"),
            ("utf-7", "año"),
        ],
        *[
            ("x-desconocido", "ñandú"),
            ("", "ñandú"),
            ("us-ascii", "ñandú"),
            ('"utf-8"', "ñandú"),
            ("base64", "ñandú"),
        ],
    ],
)
def test_text_is_decoded_whatever_it_declares(charset, text):
    is_true = charset in ("iso-8859-1", "windows-1252", "utf-7")
    body = text.encode(charset) if is_true else text.encode()
    raw = f"From: a@b.test\nContent-Type: text/plain; charset={charset}\n\n".encode() + body

    assert said(raw) == text


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("=?utf-8?q?Contrase=C3=B1a?=", "Contraseña"),
        ("=?utf-8?q?Contrase=C3?= =?utf-8?q?=B1a?=", "Contraseña"),
        ("=?iso-8859-1?b?Q29udHJhc2XxYQ==?=", "Contraseña"),
        ("=?x-nada?q?hola?=", "hola"),
        ("=?utf-8?b?%%%?=", "=?utf-8?b?%%%?="),
        ("Contraseña", "Contraseña"),
        ("uno\n dos", "uno dos"),
    ],
)
def test_subject_is_decoded(subject, expected):
    assert containers.read(f"From: a@b.test\nSubject: {subject}\n\nx".encode()).subject == expected


def test_line_break_in_a_subject_adds_no_header():
    mail = containers.read(b"From: a@b.test\nSubject: =?utf-8?q?hola=0D=0ABcc=3A_x=40y.test?=\n\nx")

    assert mail.subject == "hola Bcc: x@y.test"


@pytest.mark.parametrize(
    ("value", "email", "name"),
    [
        ("Ana Pérez <ANA@Cliente.test>", "ana@cliente.test", "Ana Pérez"),
        ('"Pérez, Ana" <ana@cliente.test>', "ana@cliente.test", "Pérez, Ana"),
        ("=?utf-8?q?Ana_P=C3=A9rez?= <ana@cliente.test>", "ana@cliente.test", "Ana Pérez"),
        ("ana@cliente.test", "ana@cliente.test", ""),
        ("<ana@cliente.test>", "ana@cliente.test", ""),
        ("Ana Pérez ana@cliente.test", "ana@cliente.test", ""),
        ("soporte@mesa.test <ana@cliente.test>", "ana@cliente.test", "soporte@mesa.test"),
    ],
)
def test_sender_is_read(value, email, name):
    sender = containers.read(f"From: {value}\n\nx".encode()).sender

    assert (sender.email, sender.name) == (email, name)


# --- What wraps a mail ------------------------------------------------------------------------------------


def tnef(*files: tuple[str, bytes]) -> bytes:
    """Return a winmail.dat with these files, as Outlook writes it."""

    def attribute(level: int, name: int, kind: int, data: bytes) -> bytes:
        head = struct.pack("<BHHI", level, name, kind, len(data))
        return head + data + struct.pack("<H", sum(data) & 0xFFFF)

    out = struct.pack("<IH", 0x223E9F78, 1)
    for name, content in files:
        out += attribute(2, 0x9002, 6, bytes(14)) + attribute(2, 0x8010, 1, name.encode() + b"\0")
        out += attribute(2, 0x800F, 6, content)
    return out


def test_files_of_winmail_are_those_of_the_mail():
    raw = make_raw(
        files=[("winmail.dat", "application/ms-tnef", tnef(("RUT.txt", b"uno"), ("foto.png", picture())))]
    )

    mail = containers.read(raw)

    assert [(file.name, len(file.content)) for file in mail.files] == [
        ("RUT.txt", 3),
        ("foto.png", len(picture())),
    ]
    assert mail.protections == {"winmail"}


def test_damaged_winmail_stays_a_file():
    raw = make_raw(files=[("winmail.dat", "application/ms-tnef", b"\x78\x9f\x3e\x22" + bytes(40))])

    assert containers.read(raw).text.strip() == "No puedo entrar."


def smime(content: bytes) -> bytes:
    """Return `content` as one signed block."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Ana")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    signer = pkcs7.PKCS7SignatureBuilder().set_data(content)
    signer = signer.add_signer(builder.sign(key, hashes.SHA256()), key, hashes.SHA256())
    return signer.sign(serialization.Encoding.DER, [pkcs7.PKCS7Options.Binary])


def in_block(block: bytes, kind: str) -> bytes:
    head = f"From: ana@x.test\nSubject: Firmado\nContent-Type: application/pkcs7-mime; smime-type={kind}; name=smime.p7m\n"
    return (head + "Content-Transfer-Encoding: base64\n\n").encode() + base64.encodebytes(block)


def test_signed_block_is_opened():
    inner = EmailMessage()
    inner.set_content("Texto firmado.")
    inner.add_attachment(b"uno", maintype="text", subtype="plain", filename="nota.txt")

    mail = containers.read(in_block(smime(inner.as_bytes()), "signed-data"))

    assert words.words_of(mail).visible == "Texto firmado."
    assert [file.name for file in mail.files] == ["nota.txt"]
    assert mail.protections == {"signed"}


def test_encrypted_mail_is_said_to_be():
    mail = containers.read(in_block(b"0\x80garbage", "enveloped-data"))

    assert mail.protections == {"encrypted"}
    assert [file.name for file in mail.files] == ["smime.p7m"]


# --- Programs ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ({}, "person"),
        ({"Auto_Submitted": "no"}, "person"),
        ({"Auto_Submitted": "auto-replied"}, "auto_reply"),
        ({"Auto_Submitted": "auto-generated"}, "auto_generated"),
        ({"X_Autoreply": "yes"}, "auto_reply"),
        ({"Precedence": "auto_reply"}, "auto_reply"),
        ({"Precedence": "bulk"}, "bulk"),
        ({"Precedence": "list"}, "list"),
        ({"List_Id": "<noticias.otra.test>"}, "list"),
        ({"List_Unsubscribe": "<https://x.test>"}, "list"),
        ({"Return_Path": "<>"}, "bounce"),
        ({"X_Failed_Recipients": "x@y.test"}, "bounce"),
        ({"X_Desk_Id": "<1.2.reply.abc@mesa.test>"}, "own"),
        ({"sender": "MAILER-DAEMON@mx.test"}, "bounce"),
        ({"sender": "no-reply@tienda.test"}, "auto_generated"),
        ({"subject": "Respuesta automática: No puedo entrar"}, "auto_reply"),
        ({"subject": "Fuera de la oficina"}, "auto_reply"),
        ({"subject": "No me llega la respuesta automática"}, "person"),
        ({"subject": "Problema con la entrega fallida de mi pedido"}, "person"),
    ],
)
def test_programs_are_told_from_people(headers, kind):
    assert automatic.origin_of(containers.read(make_raw(**headers))).kind == kind
