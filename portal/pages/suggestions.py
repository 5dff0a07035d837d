"""Answers that are offered before a report is filed (S3.20)."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_language

from knowledge.suggestions import LONGEST, Suggestions, suggest
from web.ratelimit import Limit, by_user

from .topics import Topic

FIELDS = ("title", "description")
"""The fields of the form whose text is read."""
WRITTEN = Limit(20, 3600)
"""The answers that one person, or one network of strangers, may have written by a provider: nobody uses up the tokens
that everybody has for a day."""


def may_have_written(request: HttpRequest) -> bool:
    """Count an answer that a provider is about to write, if there is one. Returns whether it may."""
    return bool(settings.SUGGESTIONS_PROVIDER) and WRITTEN.take(f"written-answer {by_user(request)}")


def offers(
    request: HttpRequest, topic: Topic, values: Mapping[str, list[str]], *, answer: bool = False
) -> Suggestions:
    """Return what fits the typed title and description."""
    typed = [(values.get(name) or [""])[-1][:LONGEST] for name in FIELDS]
    return suggest(
        "\n".join(typed),
        reader=request.user,
        language=get_language() or "",
        process=topic.process,
        category=topic.category,
        answer=answer,
    )


def panel_context(found: Suggestions) -> dict[str, Any]:
    """Return what portal/filing/_suggest.html draws."""
    return {"offered": found, "writes_answers": bool(settings.SUGGESTIONS_PROVIDER)}
