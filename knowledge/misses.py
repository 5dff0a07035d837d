"""Remember what people looked for and did not find, as a report for those who write articles."""

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from content.search import words_of
from content.text import fold

from .models import SearchMiss

MOST_ROWS = 1000
MOST_WORDS = 5
SHORTEST, LONGEST = 3, 60


def report(query: str) -> SearchMiss | None:
    """Count that nobody found anything with these words. Returns None for what is not kept: long texts, and whatever
    could be personal, such as an address, a number or a folio.

    The table has no more than `MOST_ROWS` rows: a new query takes the place of the one that fewest people missed.
    """
    kept = normalised(query)
    if not kept:
        return None
    with transaction.atomic():
        if SearchMiss.objects.filter(query=kept).update(count=F("count") + 1, last_at=timezone.now()):
            return SearchMiss.objects.get(query=kept)
        if SearchMiss.objects.count() >= MOST_ROWS:
            oldest = SearchMiss.objects.order_by("count", "last_at", "pk").values("pk")[:1]
            SearchMiss.objects.filter(pk__in=list(oldest.values_list("pk", flat=True))).delete()
        return SearchMiss.objects.get_or_create(query=kept)[0]


def normalised(query: str) -> str:
    """Return the telling words of the query, folded; "" if it is not to be kept."""
    plain = " ".join(fold(query).split())
    if not SHORTEST <= len(plain) <= LONGEST or "@" in plain or any(char.isdigit() for char in plain):
        return ""
    words = words_of(plain)
    if not 0 < len(words) <= MOST_WORDS or not all(word.isalpha() for word in words):
        return ""
    return " ".join(words)


def most_missed(limit: int = 50) -> list[SearchMiss]:
    """Return what most people did not find."""
    return list(SearchMiss.objects.order_by("-count", "-last_at")[:limit])


def dismiss(miss: SearchMiss) -> None:
    """Delete the row, because there is an article or a synonym now."""
    SearchMiss.objects.filter(pk=miss.pk).delete()
