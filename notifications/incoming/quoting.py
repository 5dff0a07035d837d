"""How mail programs mark what they quote, in Spanish, English, Portuguese, French, German and Italian.

`begins_at` finds the place. Each rule needs more than one sign, such as a date and «escribió», because a person may
write «El jefe escribió:» too.
"""

import re
from collections.abc import Sequence

from content.markdown import LITERAL

from .markup import CUT, FORWARD

MOST_WRAPPED = 5
"""Lines over which a program may have wrapped «El lunes … escribió:»."""
LONGEST_INTRODUCTION = 400

_STRIPPED = re.compile(rf"[{LITERAL}*]|\u200b|\u00a0")
_MARK = re.compile(r"^\s*(?:>\s?)+|^\s*\|\s(?=\S)")
_DATE = (
    r"(?:\d{1,4}[./-]\d{1,2}[./-]\d{1,4}|\d{1,2}:\d{2}|\b(?:19|20)\d{2}\b"
    r"|\d{1,2}[.\s]+(?:de\s+)?[a-zäéûôç]{3,12}\.?)"
)
_WROTE = (
    r"escribi[oó]|escribe|escribieron|wrote|writes|escreveu|a\s+écrit|écrit|schrieb|geschrieben|ha\s+scritto|scrive|"
    r"ha\s+escrito|skrev|schreef|va\s+escriure|escrigué"
)
_WROTE_WORD = re.compile(rf"\b(?:{_WROTE})\b", re.IGNORECASE)
_ENDS_WITH_WROTE = re.compile(rf"\b(?:{_WROTE})$", re.IGNORECASE)
_HAS_DATE = re.compile(_DATE, re.IGNORECASE)
_HAS_ADDRESS = re.compile(r"\S+@\S+\.\S+")
_HAS_MOMENT = re.compile(r"\b\d{1,2}:\d{2}\b")
_IN_BRACKETS = re.compile(r"[<\[(](?:mailto:)?\S+@\S+\.\S+[>\])]")
_OPENER = re.compile(
    r"^(?:el|en|on|le|am|il|em|a|al|con|vom|den|d[eé]|op|at|in|de)\b.*|^\d{1,4}[./-]\d.*|.*<\S+@\S+>.*|.*\S+@\S+.*",
    re.IGNORECASE,
)
_SEPARATOR = re.compile(
    r"^[-_=\s]{2,}\s*(?:(?:original|mensaje|correo|message|mail|e-?mail|nachricht|messaggio|mensagem|courriel)[\w\s'’-]{0,40}"
    r"|[\w\s'’-]{0,40}(?:original\w*|ursprüngliche\s+nachricht|message\s+d['’]origine|messaggio\s+originale|"
    r"mensagem\s+original|reply\s+message|mensaje\s+original)[\w\s'’]{0,30})\s*[-_=\s]{2,}$",
    re.IGNORECASE,
)
_FORWARDED = re.compile(
    r"^[-_=\s>]*(?:begin\s+)?(?:forwarded|reenviado|mensaje\s+reenviado|forwarded\s+message|weitergeleitete\s+nachricht|"
    r"message\s+transféré|message\s+transmis|messaggio\s+inoltrato|mensagem\s+encaminhada|inicio\s+del\s+mensaje\s+reenviado|"
    r"fwd?|rv|reenv|wg|tr|i|enc)\b[\w\s'’]{0,30}:?[-_=\s]*$",
    re.IGNORECASE,
)
_RULE = re.compile(r"^[_\-=]{10,}$")
_FROM = re.compile(
    r"^(?:from|de|von|da|desde|remitente|van|expéditeur|absender|mittente|d[eé])\s*:\s*\S", re.IGNORECASE
)
_HEADER = re.compile(
    r"^(?:from|sent|date|to|cc|bcc|subject|reply-to|importance|de|desde|enviado(?:\s+el)?|enviada(?:\s+em)?|fecha|para|"
    r"asunto|cc|cco|responder\s+a|von|gesendet|datum|an|betreff|antwort\s+an|da|inviato|data|a|oggetto|envoyé(?:\s+le)?|"
    r"date|à|objet|assunto|em|remitente|destinatario|destinatarios|verzonden|aan|onderwerp|répondre\s+à)\s*:(?!//)",
    re.IGNORECASE,
)
_REPLY_LINE = re.compile(
    r"escribe tu respuesta encima de esta línea|write your reply above this line|"
    r"(?:escrib[ea]|responda?|conteste)\s.{0,30}(?:encima|arriba)\s+de\s+esta\s+l[ií]nea|"
    r"(?:please\s+)?(?:type|write|reply)\s.{0,30}above\s+(?:this|the)\s+line",
    re.IGNORECASE,
)
_PHONE_SIGNATURE = re.compile(
    r"^(?:enviado\s+(?:desde|a\s+partir\s+de)\b.{0,80}|sent\s+(?:from|via)\s+.{0,80}|(?:get|obt[eé]n|obtener|descarg\w+)\s+(?:outlook|bluemail|yahoo)\s.{0,120}|"
    r"enviado\s+d[oae]\s+.{0,60}|envoyé\s+d[e']\s*.{0,60}|envoyé\s+à\s+partir\s.{0,60}|(?:von|gesendet)\s+(?:meinem|von|mit)\s.{0,60}(?:gesendet)?|"
    r"inviato\s+d[a'].{0,60}|télécharge[rz]\s+outlook.{0,80}|scarica\s+outlook.{0,80}|obter\s+o?\s*outlook.{0,80}|"
    r"outlook\s+für\s.{0,60}herunterladen|holen\s+sie\s+sich\s+outlook.{0,80}|enviado\s+mediante\s.{0,60}|"
    r"enviado\s+con\s.{0,60}|mandado\s+desde\s.{0,60})[.]?\s*(?:<?https?://\S+>?)?$",
    re.IGNORECASE,
)
_MAY_END = re.compile(rf"(?::|[-=_]{{2}}|\b(?:{_WROTE}))\s*$", re.IGNORECASE)
_QUOTING = re.compile(
    r"^(?:citando(?:\s+a)?|quoting|zitat\s+von|citation\s+de|quoto)\s.{2,120}:$", re.IGNORECASE
)
_AROUND = re.compile(r"^[-=_\s]{2,}|[-=_\s]{2,}$")
_ADDED_BELOW = re.compile(
    r"^(?:aviso\s+(?:legal|de\s+(?:confidencialidad|privacidad))\b|confidentiality\s+notice\b|disclaimer\b\s*:?"
    r"|(?:este|el\s+presente)\s+(?:mensaje|correo|e-?mail)\b.{0,120}\bconfidencial|la\s+informaci[oó]n\s+contenida\s+en\s+este"
    r"|this\s+(?:message|e-?mail)\b.{0,120}\bconfidential|antes\s+de\s+imprimir\s+este|libre\s+de\s+virus\b|virus-?free\b"
    r"|este\s+(?:mensaje|correo)\b.{0,40}\b(?:antivirus|avast|avg)\b)",
    re.IGNORECASE,
)
"""How the paragraphs begin that companies and virus scanners add below every mail."""
_DASHES = re.compile(r"^\s*(?:--|—|––)\s*$")


def bare(line: str) -> str:
    """Return a line without marks of quotes and of Markdown, to be compared with rules and with what we sent."""
    return _STRIPPED.sub(" ", _MARK.sub("", line)).strip() if line not in (CUT, FORWARD) else ""


def plain(line: str) -> str:
    """Return a line without marks of Markdown; those of quotes stay."""
    return " ".join(_STRIPPED.sub(" ", line).split()) if line not in (CUT, FORWARD) else line


def is_marked(line: str) -> bool:
    """Whether a mail program marked the line as quoted."""
    return line.lstrip().startswith(">")


def begins_at(lines: Sequence[str]) -> tuple[int, bool] | None:
    """Return the line where the quoted mail begins, with the lines that introduce it, and whether what follows is
    marked with «>»: then more of the answer may stand below. None if no rule finds one."""
    texts = [plain(line) for line in lines]
    for place, text in enumerate(texts):
        if not text:
            continue
        if text == CUT or _REPLY_LINE.search(text):
            return introduced_at(lines, place), False
        if is_marked(text):
            if _introduced_inside(texts, place):
                return introduced_at(lines, place), True
            continue
        if _SEPARATOR.match(text):
            return place, _next_is_marked(lines, place + 1)
        if _headers_begin(texts, place):
            above = place - 1
            while above >= 0 and not texts[above]:
                above -= 1
            return (above if above >= 0 and _RULE.match(texts[above]) else place), False
        if (end := _introduction_end(texts, place)) is not None:
            follows = _next_is_marked(lines, end)
            # Without marks, «El lunes 12 mi jefe escribió:» may be words of the answer. An address is none.
            if follows or _IN_BRACKETS.search(" ".join(texts[place:end])):
                return place, follows
    return None


def introduced_at(lines: Sequence[str], place: int) -> int:
    """Return the first of the lines that introduce what is quoted from `place` on: «El lunes … escribió:», a rule, or
    a line with our address."""
    at = place
    while at and not plain(lines[at - 1]):
        at -= 1
    best = place
    for first in range(max(0, at - MOST_WRAPPED), at):
        text = " ".join(filter(None, (plain(line).lstrip("> ") for line in lines[first:at])))
        if all(plain(line) for line in lines[first:at]) and _is_introduction(text):
            return first
    if at and (
        _RULE.match(plain(lines[at - 1])) or _SEPARATOR.match(plain(lines[at - 1])) or lines[at - 1] == CUT
    ):
        best = at - 1
    return best


def _introduced_inside(texts: Sequence[str], place: int) -> bool:
    """Whether a marked line follows its introduction."""
    at = place
    while at and not texts[at - 1]:
        at -= 1
    return at > 0 and any(
        _is_introduction(" ".join(texts[first:at]))
        for first in range(max(0, at - MOST_WRAPPED), at)
        if all(texts[first:at])
    )


def _is_introduction(text: str) -> bool:
    """Whether a text says who wrote what follows, and when or from which address."""
    text = _AROUND.sub("", text.strip())
    if len(text) > LONGEST_INTRODUCTION or not text:
        return False
    if _QUOTING.match(text):
        return True
    has_date, has_address = bool(_HAS_DATE.search(text)), bool(_HAS_ADDRESS.search(text))
    if _WROTE_WORD.search(text) and (has_date or has_address):
        ends = text.endswith(":") or (has_date and _ENDS_WITH_WROTE.search(text) is not None)
        return ends and _OPENER.match(text) is not None
    # «2026-11-20 9:12 GMT-05:00 Ana <ana@ejemplo.com>:», and the words of other languages in their place
    return (
        text.endswith(":")
        and len(text) < 200
        and bool(_HAS_MOMENT.search(text) and _IN_BRACKETS.search(text))
    )


def _introduction_end(texts: Sequence[str], place: int) -> int | None:
    """Return the line behind an introduction that begins at `place`; None if none begins there."""
    joined = ""
    for end in range(place, min(place + MOST_WRAPPED, len(texts))):
        if not texts[end] or is_marked(texts[end]):
            return None
        joined = f"{joined} {texts[end]}".strip()
        if _MAY_END.search(texts[end]) and _is_introduction(joined):
            if end > place and _is_introduction(texts[end]) and _HAS_DATE.search(texts[end]):
                return None  # the lines before it are words of the answer
            return end + 1
    return None


def _next_is_marked(lines: Sequence[str], place: int) -> bool:
    for line in lines[place:]:
        if line.strip() and line != CUT:
            return is_marked(line)
    return False


def _headers_begin(texts: Sequence[str], place: int) -> bool:
    """Whether the headers of a quoted mail begin here: three lines of them, of which one says who wrote it."""
    if not _HEADER.match(texts[place]):
        return False
    block = [text for text in texts[place : place + 9] if text][:6]
    headers = [text for text in block if _HEADER.match(text)]
    together = all(_HEADER.match(text) for text in block[:2])
    return together and len(headers) >= 3 and any(map(_FROM.match, headers))


def is_header(line: str) -> bool:
    """Whether the line looks like one of the headers that mail programs write above a mail that they quote."""
    return bool(_HEADER.match(plain(line).lstrip("> ")))


def marks_forward(line: str) -> bool:
    """Whether the line is what mail programs write above the headers of a forwarded mail."""
    text = plain(line).lstrip("> ")
    named = _FORWARDED.match(text) and len(text) > 6
    return bool(named or _SEPARATOR.match(text) or _RULE.match(text))


def is_forward(lines: Sequence[str], subject: str) -> bool:
    """Whether the mail forwards another: that one is then what it says."""
    named = re.match(r"^\s*(?:fwd?|fw|rv|reenv|wg|tr|i|enc)\s*:", subject, re.IGNORECASE) is not None
    texts = [plain(line).lstrip("> ") for line in lines if line.strip()]
    marked = any(_FORWARDED.match(text) and len(text) > 6 for text in texts[:60])
    return marked or named


def signature_at(lines: Sequence[str]) -> int | None:
    """Return the line where the signature begins: «-- », or what a telephone, a company or a virus scanner adds below;
    None if there is none."""
    for place, line in enumerate(lines):
        if _DASHES.match(_STRIPPED.sub("", line)) and len(lines) - place <= 25:
            return place
    added = next(
        (place for place, line in enumerate(lines) if place and _ADDED_BELOW.match(plain(line))), None
    )
    last = (len(lines) if added is None else added) - 1
    found = added
    while last >= 0:
        text = plain(lines[last])
        if text and not _PHONE_SIGNATURE.match(text):
            break
        if text:
            found = last
        last -= 1
    return found
