"""Format dates and messages for mails, in the active language and time zone."""

import re
from datetime import datetime

from django.utils import timezone
from django.utils.dateformat import format as format_date
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, ngettext

_STYLES = {
    "p": "margin:8px 0 0;",
    "ol": "margin:8px 0 0;padding-left:22px;",
    "ul": "margin:8px 0 0;padding-left:22px;",
    "pre": "margin:8px 0 0;white-space:pre-wrap;overflow-wrap:anywhere;",
    "blockquote": "margin:8px 0 0;padding-left:12px;border-left:3px solid #C9D3D6;",
    "table": "margin:8px 0 0;border-collapse:collapse;",
    "th": "padding:4px 8px;border:1px solid #C9D3D6;text-align:left;",
    "td": "padding:4px 8px;border:1px solid #C9D3D6;",
}


def day(value: datetime) -> str:
    """Return a date such as «viernes 20 de noviembre», with the year if it is not the current one."""
    local, now = timezone.localtime(value), timezone.localtime()
    spanish = (get_language() or "es").startswith("es")
    year = "" if local.year == now.year else (r" \d\e Y" if spanish else " Y")
    text = format_date(local, (r"l j \d\e F" if spanish else "l j F") + year)
    return text.lower() if spanish else text


def time(value: datetime) -> str:
    return format_date(timezone.localtime(value), "G:i")


def moment(value: datetime) -> str:
    """Return date and time, such as «viernes 20 de noviembre, 10:27»."""
    return f"{day(value)}, {time(value)}"


def before(value: datetime | None) -> str:
    """Return a due date such as «el viernes 20 de noviembre antes de la 1:27», never «hoy»: nobody knows when a mail is
    read. Empty if `value` has passed: a mail does not repeat a promise that can no longer be kept."""
    if value is None or value <= timezone.now():
        return ""
    hour = timezone.localtime(value).hour
    text = ngettext("el %(day)s antes de la %(time)s", "el %(day)s antes de las %(time)s", hour)
    return text % {"day": day(value), "time": time(value)}


def step(text: str, **values: str) -> tuple[str, SafeString]:
    """Return a list item as plain text and as HTML with its values in bold."""
    if not values:
        return text, conditional_escape(text)
    strong = {name: format_html("<strong>{}</strong>", value) for name, value in values.items()}
    return text % values, format_html(text.replace("{", "{{").replace("}", "}}") % _places(values), **strong)


def _places(values: dict[str, str]) -> dict[str, str]:
    return {name: "{" + name + "}" for name in values}


def for_mail(html: str) -> SafeString:
    """Return a message's safe HTML with inline styles, which mail programs need. Spaces and tabs stay, as on pages."""
    html = html.replace(">\n", ">")  # `pre-wrap` would show line breaks between tags
    for tag, style in _STYLES.items():
        html = re.sub(rf"<{tag}(?=[ >])", f'<{tag} style="{style}"', html)
    html = html.replace("<a ", '<a class="lk" style="color:#076C7D;" ')
    return mark_safe(f'<div style="white-space:pre-wrap;">{html}</div>')
