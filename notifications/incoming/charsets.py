"""Decode bytes of any declared character set. Mails declare sets that do not exist, or others than they use."""

import codecs

ALIASES = {
    "iso-8859-8-i": "iso-8859-8",
    "iso-8859-8-e": "iso-8859-8",
    "iso-8859-1": "cp1252",  # what programs call Latin 1 is nearly always Windows's
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "us-ascii": "utf-8",
    "ascii": "utf-8",
    "ansi_x3.4-1968": "utf-8",
    "x-unknown": "utf-8",
    "unknown-8bit": "utf-8",
    "8bit": "utf-8",
    "7bit": "utf-8",
    "default": "utf-8",
    "default_charset": "utf-8",
    "utf8mb4": "utf-8",
    "unicode-1-1-utf-7": "utf-7",
    "unicode-1-1-utf-8": "utf-8",
    "ks_c_5601-1987": "cp949",
    "ks_c_5601": "cp949",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "x-sjis": "cp932",
    "shift_jis": "cp932",
    "cp-850": "cp850",
    "windows-874": "cp874",
    "tis-620": "cp874",
    "macintosh": "mac_roman",
    "x-mac-roman": "mac_roman",
}
GUESSES = ("utf-8", "cp1252", "latin-1")
NOT_FOR_TEXT = frozenset(
    {"base64", "bz2", "hex", "quopri", "rot13", "uu", "zip", "unicode_escape", "raw_unicode_escape"}
)


def decode(data: bytes, charset: str) -> str:
    """Return the text: decoded as declared if that works, else as the first of `GUESSES` that does."""
    if not data:
        return ""
    declared = _known(charset)
    for name in [declared, *GUESSES] if declared else GUESSES:
        try:
            return data.decode(name)
        except (UnicodeError, LookupError, ValueError):
            continue
    return data.decode("latin-1")


def _known(charset: str) -> str:
    """Return the codec of a declared character set; empty if there is none for text."""
    name = charset.strip().strip("'\"").lower().replace("http-equiv", "").partition(";")[0].strip()
    name = ALIASES.get(name, name)
    try:
        found = codecs.lookup(name).name
    except (LookupError, ValueError, UnicodeError):
        return ""
    return "" if found.replace("-", "_") in NOT_FOR_TEXT else found


def has_surrogates(text: str) -> bool:
    """Whether the text has bytes that the parser could not decode."""
    return any("\ud800" <= c <= "\udfff" for c in text)


def mended(text: str) -> str:
    """Return `text` with its undecoded bytes decoded: raw headers may have them."""
    if not has_surrogates(text):
        return text
    return decode(text.encode("utf-8", "surrogateescape"), "utf-8")
