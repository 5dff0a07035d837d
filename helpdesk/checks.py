"""System checks, which `manage.py check`, `prepare_production` and a worker's start run."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import get_connection


@register
def mail_provider_has_its_keys(**kwargs: Any) -> list[CheckMessage]:
    """Complain of a missing ANYMAIL_… variable. Its name depends on the provider, and only its backend knows it."""
    if not settings.MAIL_PROVIDER:
        return []
    try:
        get_connection()
    except (ImproperlyConfigured, ImportError) as error:
        hint = f"DESK_MAIL_PROVIDER is {settings.MAIL_PROVIDER}: each of its settings is a variable ANYMAIL_…"
        return [Error(" ".join(str(error).split()), hint=hint, id="helpdesk.E001")]
    return []
