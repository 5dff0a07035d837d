"""Describe a page to search engines in the vocabulary of schema.org."""

import json
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

_ESCAPES = {ord("<"): "\\u003C", ord(">"): "\\u003E", ord("&"): "\\u0026"}


def structured_data(data: dict[str, Any]) -> SafeString:
    """Return `data` as JSON-LD. It is a block of data, not a script: no browser runs it, and the content security
    policy does not concern it. No value can end the element, because `<` is written as an escape."""
    plain = json.dumps(data, ensure_ascii=False).translate(_ESCAPES)
    return format_html('<script type="application/ld+json">{}</script>', mark_safe(plain))
