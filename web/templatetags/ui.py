"""What templates need to draw: icons, dates for people, small components that repeat by the hundred.

Presentation only: plain values in, markup or text out. No models, no queries.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache, wraps
from typing import Any

from django import template
from django.conf import settings
from django.core.signals import setting_changed
from django.dispatch import receiver
from django.forms import BoundField
from django.template.context import Context
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import ngettext

from content.files.rules import filesize
from web.wording import (
    ago,
    avatar_color,
    brief_duration,
    duration,
    initials,
    long_date,
    percent,
    short_date,
    short_day,
)

register = template.Library()

THEMES = ("auto", "light", "dark")
THEME_COOKIE = "desk_theme"

for filter_ in (
    initials,
    avatar_color,
    filesize,
    duration,
    brief_duration,
    percent,
    short_day,
    short_date,
    long_date,
    ago,
):
    register.filter(filter_)

# --- Remembered markup ------------------------------------------------------------------------------------

_caches: list[Any] = []


def remembered(function: Callable[..., SafeString]) -> Callable[..., SafeString]:
    """Same arguments, same markup: drawn once per process. A queue draws two hundred pills, of six kinds."""
    # typed: a SafeString equals its str, and one of them must be escaped.
    cached = lru_cache(maxsize=4096, typed=True)(function)
    _caches.append(cached)

    @wraps(function)
    def tag(*args: Any, **kwargs: Any) -> SafeString:
        if settings.DEBUG:  # templates change under a developer's hands
            return function(*args, **kwargs)
        plain = [_plain(value) for value in args]
        return cached(*plain, **{name: _plain(value) for name, value in kwargs.items()})

    return tag


def _plain(value: Any) -> Any:
    """Lazy translations become text now, so that the language is part of what is remembered."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return value if isinstance(value, SafeString) else str(value)


@receiver(setting_changed)
def _forget(**kwargs: Any) -> None:
    for cached in _caches:
        cached.cache_clear()


# --- Icons and small components ---------------------------------------------------------------------------


@register.simple_tag
@remembered
def icon(name: str, size: str = "", css: str = "", label: str = "") -> SafeString:
    """`{% icon "search" %}`: a symbol of static/icons.svg, by its Bootstrap name or `ma-…` for our own.

    size is sm, lg or xl. Decorative unless a label is given.
    """
    symbol = name if name.startswith("ma-") else f"bi-{name}"
    classes = " ".join(filter(None, ["icon", f"icon--{size}" if size else "", css]))
    meaning = format_html('role="img" aria-label="{}"', label) if label else mark_safe('aria-hidden="true"')
    href = f"{static('icons.svg')}#{symbol}"
    return format_html('<svg class="{}" {}><use href="{}"></use></svg>', classes, meaning, href)


@register.simple_tag
def brand_mark(ink: bool = False) -> SafeString:
    """The mark, for inside an <svg>; `ink=True` on the dark rail and hero."""
    return format_html('<use href="{}#ma-marca{}"></use>', static("icons.svg"), "-ink" if ink else "")


def _component(template: str, /, **values: Any) -> SafeString:
    return mark_safe(render_to_string(f"components/_{template}.html", values).strip())


@register.simple_tag
@remembered
def pill(estado: str, label: str, variant: str = "") -> SafeString:
    """`{% pill estado label "quiet" %}`: components/_pill.html, remembered."""
    return _component("pill", estado=estado, label=label, variant=variant)


@register.simple_tag
@remembered
def sev(level: str, label: str, variant: str = "") -> SafeString:
    """`{% sev "alta" "Alta" "chip" %}`: components/_sev.html, remembered."""
    return _component("sev", sev=level, label=label, variant=variant)


@register.simple_tag
@remembered
def sla(
    state: str, label: str, fraction: float | None = None, clock: str = "", variant: str = ""
) -> SafeString:
    """`{% sla "riesgo" "22 min" 9 %}`: components/_sla.html, remembered. fraction is what remains, 0–100."""
    return _component("sla", sla=state, label=label, fraction=fraction, clock=clock, variant=variant)


@register.simple_tag
@remembered
def avatar(name: str, size: str = "", color: str | int = "", on: str = "") -> SafeString:
    """`{% avatar person.name "sm" %}`: components/_avatar.html, remembered. No name draws the «nobody» circle."""
    return _component("avatar", name=name, size=size, color=color, on=on)


# --- People -----------------------------------------------------------------------------------------------


@register.simple_tag
def person_name(person: Any) -> str:
    """`{% person_name user as who %}`: the name, else the address, else nothing (nobody signed in)."""
    return getattr(person, "name", "") or getattr(person, "email", "")


@register.simple_tag
def when(value: datetime | None, relative: bool = False, css: str = "") -> SafeString:
    """`{% when message.created_at %}`: a <time> in the reader's words, with the whole date as its title.

    With relative=True the text reads «hace 12 min» and stays true while the page is open.
    """
    if not value:  # also what a template makes of a name that is not there
        return SafeString("")
    behaviour = mark_safe(' data-behaviour="relative-time"') if relative else ""
    attributes = format_html(' class="{}"', css) if css else ""
    return format_html(
        '<time{} datetime="{}" title="{}"{}>{}</time>',
        attributes, value.isoformat(timespec="seconds"), long_date(value), behaviour,
        ago(value) if relative else short_date(value),
    )  # fmt: skip


# --- The page ---------------------------------------------------------------------------------------------


@register.simple_tag(takes_context=True)
def theme(context: Context) -> str:
    """auto, light or dark: the person's own choice, else the browser's cookie, else the system's."""
    request = context.get("request")
    user = getattr(request, "user", None)
    chosen = getattr(user, "theme", "") if getattr(user, "is_authenticated", False) else ""
    if not chosen and request is not None:
        chosen = request.COOKIES.get(THEME_COOKIE, "")
    return chosen if chosen in THEMES else "auto"


@register.simple_tag(takes_context=True)
def current(context: Context, *prefixes: str) -> SafeString:
    """`<a href="…" {% current "portal:ticket" %}>`: aria-current when the page's URL name begins so."""
    match = getattr(context.get("request"), "resolver_match", None)
    name = match.view_name if match else ""
    return mark_safe('aria-current="page"') if name and name.startswith(prefixes) else SafeString("")


@register.filter
def control(field: BoundField, described: str = "") -> SafeString:
    """The bare control of a form field, dressed; for pages that place label, help and error themselves.

    `described` is "help" when a text with id `<id>_helptext` stands beside it. Placeholders go: they repeat labels.
    """
    widget = field.field.widget
    widget.attrs.pop("placeholder", None)
    kind = getattr(widget, "input_type", "")
    css = {"checkbox": "form-check-input", "radio": "form-check-input", "select": "form-select"}.get(
        kind, "form-control"
    )
    ids = [f"{field.auto_id}_error"] * bool(field.errors) + [f"{field.auto_id}_helptext"] * bool(described)
    attrs: dict[str, str | bool] = {
        "class": f"{widget.attrs.get('class', '')} {css}{' is-invalid' if field.errors else ''}".strip()
    }
    if ids:
        attrs["aria-describedby"] = " ".join(ids)
    field.help_text = ""  # else Django would point at a text that is not there
    return field.as_widget(attrs=attrs)


@register.filter
def message_kind(tags: str) -> str:
    """The snack's kind for a Django message's tags."""
    words = (tags or "").split()
    return "error" if "error" in words else "info" if {"info", "warning", "debug"} & set(words) else "ok"


@register.filter
def times(count: int) -> range:
    return range(int(count or 0))


@register.filter
def item(mapping: Mapping[Any, Any], key: Any) -> Any:
    return mapping.get(key, "") if mapping else ""


@register.simple_tag
def files_left(used: int, limit: int) -> str:
    """«2 de 3 usados»: how many of the allowed files are taken."""
    return ngettext("%(used)d de %(limit)d usado", "%(used)d de %(limit)d usados", used) % {
        "used": used,
        "limit": limit,
    }
