"""Template tags and filters: icons, small components, dates, form controls.

Presentation only: they take plain values and return markup or text. They use no models and run no queries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
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
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from accounts.enums import Theme
from content.dates import age_words, ago, long_date, short_date, short_day
from content.files.rules import filesize
from web.wording import (
    avatar_color,
    brief_duration,
    duration,
    hours_and_minutes,
    initials,
    percent,
    target_in_words,
    until_due,
)

register = template.Library()


for filter_ in (
    initials,
    avatar_color,
    filesize,
    duration,
    brief_duration,
    hours_and_minutes,
    target_in_words,
    until_due,
    percent,
    short_day,
    short_date,
    long_date,
    ago,
):
    register.filter(filter_)

# --- Cached markup ----------------------------------------------------------------------------------------

_caches: list[Any] = []


def kept_markup(function: Callable[..., SafeString]) -> Callable[..., SafeString]:
    """Cache markup by all arguments, which must be plain values of the reader's language, in each process."""
    # typed=True, because a SafeString equals its str although only one of the two is escaped.
    cached = lru_cache(maxsize=4096, typed=True)(function)
    _caches.append(cached)

    @wraps(function)
    def kept(*args: Any, **kwargs: Any) -> SafeString:
        # no cache under DEBUG, because a developer changes the templates
        return function(*args, **kwargs) if settings.DEBUG else cached(*args, **kwargs)

    return kept


def cached_markup(function: Callable[..., SafeString]) -> Callable[..., SafeString]:
    """Cache a tag's markup by its arguments: a queue draws two hundred pills of only six kinds."""
    kept = kept_markup(function)

    @wraps(function)
    def tag(*args: Any, **kwargs: Any) -> SafeString:
        plain = [_plain(value) for value in args]
        return kept(*plain, **{name: _plain(value) for name, value in kwargs.items()})

    return tag


def _plain(value: Any) -> Any:
    """Turn a lazy translation into text, so that the cache has one entry for each language."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return value if isinstance(value, SafeString) else str(value)


@receiver(setting_changed)
def _forget(**kwargs: Any) -> None:
    for cached in _caches:
        cached.cache_clear()


# --- Icons and small components ---------------------------------------------------------------------------


@register.simple_tag
@cached_markup
def icon(name: str, size: str = "", css: str = "", label: str = "") -> SafeString:
    """`{% icon "search" %}`: draw a symbol of static/icons.svg, by its Bootstrap name or `ma-…` for our own.

    `size` is sm, lg or xl. Without a `label` the icon is hidden from screen readers.
    """
    symbol = name if name.startswith("ma-") else f"bi-{name}"
    classes = " ".join(filter(None, ["icon", f"icon--{size}" if size else "", css]))
    meaning = format_html('role="img" aria-label="{}"', label) if label else mark_safe('aria-hidden="true"')
    href = f"{static('icons.svg')}#{symbol}"
    return format_html('<svg class="{}" {}><use href="{}"></use></svg>', classes, meaning, href)


@register.simple_tag
def brand_mark(ink: bool = False) -> SafeString:
    """Draw the brand's mark inside an <svg>. Pass `ink=True` on the dark rail and hero."""
    return format_html('<use href="{}#ma-brand{}"></use>', static("icons.svg"), "-ink" if ink else "")


def _component(template: str, /, **values: Any) -> SafeString:
    return mark_safe(render_to_string(f"components/_{template}.html", values).strip())


@register.simple_tag
@cached_markup
def pill(state: str, label: str, variant: str = "") -> SafeString:
    """`{% pill "waiting" "En espera" "quiet" %}`: draw components/_pill.html, cached."""
    return _component("pill", state=state, label=label, variant=variant)


@register.simple_tag
@cached_markup
def sev(level: str, label: str, variant: str = "") -> SafeString:
    """`{% sev "high" "Alta" "chip" %}`: draw components/_sev.html, cached."""
    return _component("sev", sev=level, label=label, variant=variant)


@register.simple_tag
@cached_markup
def sla(
    state: str, label: str, fraction: float | None = None, clock: str = "", variant: str = ""
) -> SafeString:
    """`{% sla "risk" "22 min" 9 %}`: draw components/_sla.html, cached. `fraction` is the time left, 0–100."""
    return _component("sla", sla=state, label=label, fraction=fraction, clock=clock, variant=variant)


@register.simple_tag
@cached_markup
def avatar(name: str, size: str = "", color: str | int = "", on: str = "") -> SafeString:
    """`{% avatar person.name "sm" %}`: draw components/_avatar.html, cached. An empty name draws an empty circle."""
    return _component("avatar", name=name, size=size, color=color, on=on)


# --- People and dates -------------------------------------------------------------------------------------


@register.simple_tag
def person_name(person: Any) -> str:
    """`{% person_name user as who %}`: return the name, else the email address, else "" (nobody is signed in)."""
    return getattr(person, "name", "") or getattr(person, "email", "")


@register.simple_tag
def when(value: datetime | None, relative: bool = False, css: str = "") -> SafeString:
    """`{% when message.created_at %}`: draw a <time> with a short date, and the whole date as its title.

    With `relative=True` the text is «hace 12 min», and a script updates it while the page is open.
    """
    if not value:  # None, or the "" that a template passes for an unknown name
        return SafeString("")
    if not relative:
        return _date(value, css, get_language(), timezone.get_current_timezone_name(), timezone.localdate())
    words = {unit: text % {"n": "{n}"} for unit, text in age_words().items()}
    behaviour = format_html_join("", ' data-{}="{}"', [("behaviour", "relative-time"), *words.items()])
    return _time(value, css, ago(value), behaviour)


@kept_markup
def _date(value: datetime, css: str, language: str | None, zone: str, today: date) -> SafeString:
    """Draw a <time> with a date: a list shows the same ones again on every page. The text depends on the language, the
    time zone and the day."""
    return _time(value, css, short_date(value))


def _time(value: datetime, css: str, text: str, behaviour: str = "") -> SafeString:
    return format_html(
        '<time{} datetime="{}" title="{}"{}>{}</time>',
        format_html(' class="{}"', css) if css else "",
        value.isoformat(timespec="seconds"),
        long_date(value),
        behaviour,
        text,
    )


# --- The page ---------------------------------------------------------------------------------------------


@register.simple_tag(takes_context=True)
def theme(context: Context) -> str:
    """Return auto, light or dark: the user's choice, else the cookie's, else auto (the system decides)."""
    request = context.get("request")
    user = getattr(request, "user", None)
    chosen = getattr(user, "theme", "") if getattr(user, "is_authenticated", False) else ""
    if not chosen and request is not None:
        chosen = request.COOKIES.get(settings.DESK_THEME_COOKIE_NAME, "")
    return chosen if chosen in Theme.values else "auto"


@register.simple_tag(takes_context=True)
def current(context: Context, *prefixes: str) -> SafeString:
    """`<a href="…" {% current "portal:ticket" %}>`: write aria-current if the page's URL name begins with a prefix."""
    match = getattr(context.get("request"), "resolver_match", None)
    name = match.view_name if match else ""
    return mark_safe('aria-current="page"') if name and name.startswith(prefixes) else SafeString("")


@register.filter
def control(field: BoundField, described: str = "") -> SafeString:
    """Draw only the control of a form field, with our classes; for pages that place label, help and error themselves.

    Pass `described` ("help") if the page has a text with id `<id>_helptext`. Placeholders are removed, because they
    repeat the labels.
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
    field.help_text = ""  # otherwise Django writes aria-describedby for a text that the page may not have
    return field.as_widget(attrs=attrs)


@register.filter
def time_input(field: BoundField) -> SafeString:
    """Draw the control of a time of the day, small enough to stand beside others."""
    widget = field.field.widget
    widget.attrs["class"] = "time-input"
    return control(field)


@register.filter
def marked(pieces: Iterable[tuple[str, bool]]) -> SafeString:
    """`{{ row.title|marked }}`: draw pieces of text, and mark those that were looked for."""
    return format_html_join("", "{}", ((_piece(text, is_found),) for text, is_found in pieces))


def _piece(text: str, is_found: bool) -> str:
    return format_html("<mark>{}</mark>", text) if is_found else text


@register.filter
def message_kind(tags: str) -> str:
    """Return error, info or ok: the `kind` that components/_snack.html takes, for a Django message with these tags."""
    words = (tags or "").split()
    return "error" if "error" in words else "info" if {"info", "warning", "debug"} & set(words) else "ok"


@register.filter
def times(count: int) -> range:
    return range(int(count or 0))


@register.filter
def item(mapping: Mapping[Any, Any], key: Any) -> Any:
    return mapping.get(key, "") if mapping else ""
