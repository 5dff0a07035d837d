"""Read any bytes as a mail. Nothing here raises: what cannot be read is left out and named in `ReadMail.problems`.

The standard library's parser reads every mail, but its modern policy raises for some broken headers and takes quadratic
time for long ones, so `TolerantPolicy` cuts headers and falls back to their raw text. Mails that would take seconds to
parse are read up to the end of their headers: `too_large` or `too_complex` is then among the problems.
"""

import binascii
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import errors as email_errors
from email import header as email_header
from email.message import EmailMessage
from email.parser import BytesFeedParser
from email.policy import EmailPolicy
from email.utils import parsedate_to_datetime
from functools import cached_property, lru_cache
from typing import Any, cast

from . import charsets

MAX_BYTES = 35_000_000
"""Larger than what the big providers take. Of a larger mail only the headers are read."""
MAX_HEADER_BYTES, MAX_HEADER = 400_000, 8_000
MAX_PARTS, MAX_DEPTH = 200, 20
MAX_MEMORY = 150_000_000
CHUNK = 64_000
MAX_TEXT_BYTES = 2_000_000
MOST_LINES_TIMES_MULTIPARTS, MOST_BOUNDARIES = 10_000_000, 4_000
MAX_ADDRESSES, MAX_IDS = 100, 60
TOO_LARGE, TOO_COMPLEX, UNREADABLE, NO_MAIL = "too_large", "too_complex", "unreadable", "no_mail"

CUT_HEADER = "X-Desk-Cut"
"""Stands before the headers of a mail that a mailbox did not give whole, with one of the problems above. A mail that
comes with it is only read less."""

_MULTIPART = re.compile(rb"^content-type:\s*multipart/", re.IGNORECASE | re.MULTILINE)
_BOUNDARY = re.compile(rb"boundary\s*=\s*\"?([^\s\";]{1,100})", re.IGNORECASE)
_HEADERS_END = re.compile(rb"\r?\n[ \t]*\r?\n|\r\r")
_ID = re.compile(r"<([^<>\s]{1,400})>")
_ENCODED_WORD = re.compile(r"=\?[^?\s]{1,60}\?[bq]\?", re.IGNORECASE)
_ADDRESS = re.compile(r"[^\s<>@,;:\"()\[\]]{1,128}@[^\s<>@,;:\"()]{1,253}")
_BRACKETED = re.compile(r"<\s*([^<>\s]{1,128}@[^<>\s]{1,253})\s*>")
_HEADER_LINE = re.compile(rb"^[!-9;-~]{1,80}[ \t]*:", re.MULTILINE)


class TolerantPolicy(EmailPolicy):
    """The standard library's modern policy, for mails of strangers: headers are cut at `MAX_HEADER` characters, and one
    that cannot be parsed is returned as decoded text."""

    def header_fetch_parse(self, name: str, value: str) -> Any:
        return _parsed_header(name.lower(), value[:MAX_HEADER])

    def handle_defect(self, obj: Any, defect: Any) -> None:
        """Never raise: defects of strangers' mails are no errors of ours."""


POLICY = TolerantPolicy(utf8=True)


@lru_cache(maxsize=256)
def _parsed_header(name: str, value: str) -> Any:
    """Return the parsed header. Kept, because the library asks for the content type of a part again and again."""
    try:
        return EmailPolicy.header_fetch_parse(POLICY, name, value)
    except Exception:  # noqa: BLE001  (the parser raises errors of many kinds for broken headers)
        return decoded(value)


@dataclass(frozen=True)
class Address:
    """An address of a mail; `email` is in lower case."""

    email: str = ""
    name: str = ""

    @property
    def domain(self) -> str:
        return self.email.rpartition("@")[2]


@dataclass(frozen=True)
class MailFile:
    """A file of a mail. `content_id` is what its HTML calls the file, if it has a place there."""

    name: str
    content_type: str
    content: bytes
    content_id: str = ""
    is_inline: bool = False

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


@dataclass
class ReadMail:
    """A mail as read. `headers` are pairs of name and decoded text in their order; `parts` counts the MIME parts."""

    raw: bytes
    message: EmailMessage
    text: str = ""
    html: str = ""
    files: list[MailFile] = field(default_factory=list)
    reports: list[tuple[str, str]] = field(default_factory=list)
    """Parts for programs, as pairs of content type and text: delivery reports, and the headers that they return."""
    problems: list[str] = field(default_factory=list)
    is_flowed: bool = False
    protections: set[str] = field(default_factory=set)
    """What the mail was wrapped in: `signed`, `encrypted`, `winmail`."""

    @cached_property
    def headers(self) -> list[tuple[str, str]]:
        return [(name, decoded(str(value)[:MAX_HEADER])) for name, value in self.message.raw_items()][:500]

    @cached_property
    def _first(self) -> dict[str, str]:
        first: dict[str, str] = {}
        for name, value in self.headers:
            first.setdefault(name.lower(), value)
        return first

    def header(self, name: str) -> str:
        """Return the first header of this name as one line of decoded text; empty if there is none."""
        return self._first.get(name.lower(), "")

    def all(self, name: str) -> list[str]:
        """Return all headers of this name."""
        return [value for given, value in self.headers if given.lower() == name.lower()]

    @cached_property
    def subject(self) -> str:
        return self.header("subject")[:1000]

    @cached_property
    def sender(self) -> Address:
        """The author: the first address in From, else in Sender, Reply-To or Return-Path."""
        for name in ("from", "sender", "reply-to", "return-path", "x-sender"):
            if found := self.addresses(name):
                return found[0]
        return Address()

    @cached_property
    def message_id(self) -> str:
        """The Message-ID without angle brackets; empty if the mail has none."""
        value = self.header("message-id") or self.header("message-i-d")
        found = _ID.search(value)
        bare = value.strip("<> \t")
        return found[1] if found else bare if bare and " " not in bare and len(bare) <= 400 else ""

    @cached_property
    def references(self) -> list[str]:
        """The ids of the mails that this one answers: those of In-Reply-To, then those of References, newest first."""
        ids = _ID.findall(" ".join(self.all("in-reply-to")))
        ids += reversed(_ID.findall(" ".join(self.all("references"))))
        return list(dict.fromkeys(ids))[:MAX_IDS]

    @cached_property
    def recipients(self) -> list[str]:
        """The addresses that the mail went to, in lower case: those that servers noted, then To, Cc."""
        names = (
            *("delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-rcpt-to", "apparently-to"),
            *("to", "cc", "resent-to", "x-forwarded-to"),
        )
        found = [one.email for name in names for one in self.addresses(name)]
        return list(dict.fromkeys(found))[:MAX_ADDRESSES]

    @cached_property
    def copies(self) -> list[Address]:
        """The other people whom the mail was addressed to: To and Cc."""
        return [*self.addresses("to"), *self.addresses("cc")][:MAX_ADDRESSES]

    @cached_property
    def date(self) -> datetime | None:
        """When the sender says that it was sent."""
        try:
            found = parsedate_to_datetime(self.header("date"))
            return found if found.tzinfo else found.replace(tzinfo=UTC)
        except (ValueError, TypeError, IndexError, OverflowError):
            return None

    def addresses(self, name: str) -> list[Address]:
        """Return the addresses in all headers of this name."""
        found = []
        for given, value in self.message.raw_items():
            if given.lower() == name:
                found += addresses_in(str(value))
        return found[:MAX_ADDRESSES]


def read(raw: bytes) -> ReadMail:
    """Return `raw` as a mail. It may be anything."""
    raw = raw.lstrip(b"\r\n \t\xef\xbb\xbf")
    shown = _shown(raw)
    problem = _too_much(shown)
    message = _parsed(_headers_of(raw) if problem else shown)
    mail = ReadMail(raw, message if message is not None else EmailMessage(POLICY))
    if message is None:
        problem = problem or TOO_COMPLEX
        mail.message = _parsed(_headers_of(raw)) or EmailMessage(POLICY)
    if problem:
        mail.problems.append(problem)
        return mail
    if not _HEADER_LINE.search(raw[:4000]):
        mail.problems.append(NO_MAIL)
    try:
        for part, in_alternative in _leaves(mail.message):
            _take(mail, part, in_alternative=in_alternative)
    except Exception:  # noqa: BLE001  (the parser's own errors: what was read until here stays)
        mail.problems.append(UNREADABLE)
    return mail


def heading(raw: bytes) -> ReadMail:
    """Return a mail of which only the headers are read: what is needed to know whether it came before."""
    raw = raw.lstrip(b"\r\n \t\xef\xbb\xbf")
    return ReadMail(raw, _parsed(_headers_of(raw)) or EmailMessage(POLICY))


def decoded(value: str) -> str:
    """Return a raw header as one line of text. Encoded words in unknown or wrong character sets are decoded as well as
    can be."""
    text = charsets.mended(value) if charsets.has_surrogates(value) else value
    if _ENCODED_WORD.search(text):
        # Words that were split in the middle of a character belong together.
        text = re.sub(r"(\?=)\s+(=\?)", r"\1 \2", text)
        try:
            text = _joined(email_header.decode_header(text)) or text
        except Exception:  # noqa: BLE001  (binascii.Error, HeaderParseError, …)
            text = str(text)
    return " ".join(text.replace("\x00", "").split())


def _joined(pieces: Any) -> str:
    """Join the pieces of `decode_header`; neighbours in one character set are decoded together."""
    out: list[str] = []
    waiting, waiting_in = b"", ""
    for piece, charset in pieces:
        if isinstance(piece, str):
            out.append(charsets.decode(waiting, waiting_in) + piece)
            waiting = b""
            continue
        if waiting and (charset or "") != waiting_in:
            out.append(charsets.decode(waiting, waiting_in))
            waiting = b""
        waiting, waiting_in = waiting + piece, charset or ""
    out.append(charsets.decode(waiting, waiting_in))
    return "".join(out)


def addresses_in(value: str) -> list[Address]:
    """Return the addresses in a raw header. What stands in angle brackets is the address, whatever the name before it
    looks like. A name may be an encoded word, so addresses are found before decoding."""
    short = " ".join(charsets.mended(value[:MAX_HEADER]).split())
    found: list[Address] = []
    end = 0
    for bracketed in _BRACKETED.finditer(short):
        others, name = _before(short[end : bracketed.start()])
        found += [*others, _address(name, bracketed[1])]
        end = bracketed.end()
    found += [_address("", email) for email in _ADDRESS.findall(short[end:] if found else decoded(short))]
    return [one for one in found if _ADDRESS.fullmatch(one.email)][:MAX_ADDRESSES]


def _before(text: str) -> tuple[list[Address], str]:
    """Return the addresses without brackets in the text before a bracketed one, and the name of that one."""
    text = text.strip()
    quote = text.rfind('"', 0, -1) if text.endswith('"') else -1
    place = quote if quote >= 0 else text.rfind(",") + 1
    others = [_address("", email) for email in _ADDRESS.findall(text[:place])]
    return others, text[place:].strip(' ",;')


def _address(name: str, email: str) -> Address:
    clean = "".join(c for c in email if c.isprintable() and not c.isspace()).strip("'\".,;").lower()
    return Address(clean[:254], decoded(name).strip("'\" ")[:200])


# --- What is too much -------------------------------------------------------------------------------------


def _too_much(raw: bytes) -> str:
    if len(raw) > MAX_BYTES:
        return TOO_LARGE
    if raw.startswith(CUT_HEADER.encode()):
        return TOO_LARGE if TOO_LARGE.encode() in raw[:60] else UNREADABLE
    end = _HEADERS_END.search(raw)
    if (end.start() if end else len(raw)) > MAX_HEADER_BYTES:
        return TOO_COMPLEX
    multiparts = sum(1 for _found in _MULTIPART.finditer(raw))
    too_many_lines = multiparts * raw.count(b"\n") > MOST_LINES_TIMES_MULTIPARTS
    if too_many_lines or _memory(raw) > MAX_MEMORY:
        return TOO_COMPLEX
    boundaries = set(_BOUNDARY.findall(raw)[:MAX_PARTS]) if multiparts else ()
    parts = sum(raw.count(b"\n--" + boundary) for boundary in boundaries)
    return TOO_COMPLEX if parts > MOST_BOUNDARIES else ""


def _memory(raw: bytes) -> int:
    """Return about how many bytes the parser needs: it keeps each line as a string of its own, and then joins them."""
    width = 1 if raw.isascii() else 2
    return raw.count(b"\n") * 75 + 2 * width * len(raw)


def _shown(raw: bytes) -> bytes:
    """Return the mail without what is never shown of a very long text that is all of it."""
    if len(raw) < 2 * MAX_TEXT_BYTES:
        return raw
    heading = _parsed(_headers_of(raw))
    is_text = heading is not None and heading.get_content_maintype() == "text"
    is_file = heading is not None and heading.get_content_disposition() == "attachment"
    return raw[: MAX_HEADER_BYTES + 2 * MAX_TEXT_BYTES] if is_text and not is_file else raw


def _headers_of(raw: bytes) -> bytes:
    end = _HEADERS_END.search(raw[:MAX_HEADER_BYTES])
    return raw[: end.start() if end else MAX_HEADER_BYTES] + b"\n\n"


def _parsed(raw: bytes) -> EmailMessage | None:
    """Return the parsed mail, or None if it is nested too deeply for the parser."""
    try:
        parser = BytesFeedParser(EmailMessage, policy=POLICY)
        for place in range(0, len(raw), CHUNK):  # whole, it would be copied several times
            parser.feed(raw[place : place + CHUNK])
        return cast("EmailMessage", parser.close())
    except (RecursionError, email_errors.MessageError, ValueError, LookupError, AssertionError, TypeError):
        return None


# --- The parts --------------------------------------------------------------------------------------------


def _leaves(message: EmailMessage) -> Iterator[tuple[EmailMessage, bool]]:
    """Yield the parts that hold something, each with whether it is one of several forms of the same text."""
    waiting: list[tuple[EmailMessage, int, bool]] = [(message, 0, False)]
    seen = 0
    while waiting and seen < MAX_PARTS:
        part, depth, in_alternative = waiting.pop()
        seen += 1
        kind = part.get_content_type()
        payload = part.get_payload()
        if isinstance(payload, list) and part.get_content_maintype() == "multipart" and depth < MAX_DEPTH:
            alternative = in_alternative or kind == "multipart/alternative"
            waiting += [
                (child, depth + 1, alternative) for child in cast("list[EmailMessage]", payload[::-1])
            ]
        else:
            yield part, in_alternative


_REPORTS = frozenset({
    *("message/delivery-status", "message/feedback-report", "message/global-delivery-status"),
    *("text/rfc822-headers", "message/disposition-notification", "message/global-headers"),
})  # fmt: skip
_SIGNATURES = frozenset({
    *("application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature"),
})  # fmt: skip


def _take(mail: ReadMail, part: EmailMessage, *, in_alternative: bool) -> None:
    kind = part.get_content_type()
    disposition = (part.get_content_disposition() or "").lower()
    if kind in _REPORTS:
        mail.reports.append((kind, _report_text(part)))
    elif kind in _SIGNATURES:
        mail.protections.add("signed")
    elif kind == "application/pgp-encrypted":
        mail.protections.add("encrypted")
    elif kind == "message/rfc822":
        _take_mail(mail, part)
    elif part.get_content_maintype() == "multipart":  # its boundary is missing
        mail.text = mail.text or charsets.decode(_payload(part)[:MAX_TEXT_BYTES], "")
    elif part.get_content_maintype() == "text" and disposition != "attachment" and _is_body(mail, part, kind):
        text = charsets.decode(_payload(part)[:MAX_TEXT_BYTES], _charset(part))
        if kind == "text/html":
            mail.html = f"{mail.html}<br>{text}" if mail.html else text
        else:
            mail.is_flowed = str(part.get_param("format") or "").lower() == "flowed"
            mail.text = f"{mail.text}\n\n{text}" if mail.text else text
    elif (file := _file(part, disposition)) is not None:
        mail.files.append(file)


def _is_body(mail: ReadMail, part: EmailMessage, kind: str) -> bool:
    """Whether a text part is text of the mail, not a file: it has no name. Other forms of the text, such as an
    invitation, are files."""
    if kind not in ("text/plain", "text/html", "text/enriched", "text/richtext", "text/markdown"):
        return False
    return not _name(part) or not (mail.text or mail.html or part.get_content_disposition())


def _take_mail(mail: ReadMail, part: EmailMessage) -> None:
    """Keep an attached mail: as a file, and its headers as part of a report, which may tell whose mail bounced."""
    payload = part.get_payload()
    inner = payload[0] if isinstance(payload, list) and payload else None
    if inner is None:
        return
    try:
        content = inner.as_bytes(policy=POLICY.clone(cte_type="8bit"))  # type: ignore[union-attr]
    except Exception:  # noqa: BLE001  (its own headers may be broken)
        content = str(inner.get_payload()).encode("utf-8", "replace")  # type: ignore[union-attr]
    head = _headers_of(content).decode("utf-8", "replace")
    mail.reports.append(("message/rfc822", head[:MAX_HEADER_BYTES]))
    name = decoded(str(inner.get("subject") or ""))[:80] or "mensaje"  # type: ignore[union-attr]
    mail.files.append(MailFile(f"{name}.eml", "message/rfc822", content))


def _report_text(part: EmailMessage) -> str:
    """Return the text of a part for programs. The parser takes the fields of a delivery report for mails."""
    payload = part.get_payload()
    if isinstance(payload, list):
        blocks = []
        for block in cast("list[EmailMessage]", payload[:100]):
            rows = "\n".join(
                f"{name}: {decoded(str(value)[:MAX_HEADER])}" for name, value in block.raw_items()
            )
            rest = block.get_payload()
            blocks.append(rows + (f"\n\n{rest}" if isinstance(rest, str) and rest.strip() else ""))
        return "\n\n".join(blocks)[:MAX_HEADER_BYTES]
    return charsets.decode(_payload(part)[:MAX_HEADER_BYTES], _charset(part))


def _file(part: EmailMessage, disposition: str) -> MailFile | None:
    content = _payload(part)
    content_id = str(part.get("content-id") or "").strip().strip("<>")[:400]
    name = _name(part)
    if not content and not name:
        return None
    kind = part.get_content_type()
    return MailFile(
        name or _named_after(kind), kind, content, content_id, disposition == "inline" or bool(content_id)
    )


def _named_after(kind: str) -> str:
    """Return a name for a file that has none."""
    main, _slash, sub = kind.partition("/")
    extensions = {"jpeg": "jpg", "plain": "txt", "svg+xml": "svg", "calendar": "ics", "ms-tnef": "dat"}
    extension = extensions.get(sub, sub if re.fullmatch(r"[a-z0-9]{2,5}", sub) else "bin")
    return f"{'imagen' if main == 'image' else 'archivo'}.{extension}"


def _payload(part: EmailMessage) -> bytes:
    """Return the decoded content of a part; what cannot be decoded is left as it is."""
    encoded = part.get_payload()
    if (
        isinstance(encoded, str)
        and str(part.get("content-transfer-encoding") or "").strip().lower() == "base64"
    ):
        try:  # the library would split a file into its lines first
            return binascii.a2b_base64(encoded.encode("ascii", "surrogateescape"))
        except ValueError:
            pass
    try:
        content = part.get_payload(decode=True)
    except Exception:  # noqa: BLE001
        content = None
    if isinstance(content, bytes):
        return content
    raw = part.get_payload()
    return raw.encode("utf-8", "surrogateescape") if isinstance(raw, str) else b""


def _charset(part: EmailMessage) -> str:
    try:
        return str(part.get_content_charset() or "")
    except Exception:  # noqa: BLE001
        return ""


def _name(part: EmailMessage) -> str:
    """Return the file name of a part as decoded text; empty if it has none."""
    try:
        name = part.get_filename() or ""
    except Exception:  # noqa: BLE001
        name = ""
    return decoded(str(name))[:200]
