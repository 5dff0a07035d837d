"""The verbs of synonyms, and how a search finds them."""

from collections.abc import Iterable, Sequence
from itertools import product

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from content.errors import InvalidData
from content.search import stems_of, words_of
from content.text import clean_line

from . import policies
from .exceptions import NotAllowed
from .models import SynonymGroup, SynonymKey

MOST_WORDS = 12
LONGEST_PHRASE = 3
"""Words of a phrase that count, such as «iniciar sesión»."""
MOST_GROUPS = 500


@transaction.atomic
def save(words: str, *, actor: User | None, group: SynonymGroup | None = None) -> SynonymGroup:
    """Save words that mean the same, separated by commas, as a new group or in place of those of `group`.

    Raises `NotAllowed`; `InvalidData` if there are fewer than two, or one has more than `LONGEST_PHRASE` words. `actor`
    is None for the words that the demo brings.
    """
    if actor is not None and not policies.can_edit_search(actor):
        raise NotAllowed
    phrases = list(
        dict.fromkeys(filter(None, (each.strip() for each in clean_line(words, max_length=300).split(","))))
    )
    problem = ""
    if not 2 <= len(phrases) <= MOST_WORDS:
        problem = _("Escribe de 2 a %(most)d palabras o frases, separadas por comas.") % {"most": MOST_WORDS}
    elif any(not words_of(each) or len(words_of(each)) > LONGEST_PHRASE for each in phrases):
        problem = _("Cada sinónimo puede tener de 1 a %(most)d palabras.") % {"most": LONGEST_PHRASE}
    elif group is None and SynonymGroup.objects.count() >= MOST_GROUPS:
        problem = _("Hay %(most)d grupos, y no caben más. Borra alguno.") % {"most": MOST_GROUPS}
    if problem:
        raise InvalidData({"words": [problem]})
    group = group or SynonymGroup()
    group.words, group.edited_by, group.edited_at = ", ".join(phrases), actor, timezone.now()
    group.save()
    group.keys.all().delete()
    keys = {key for phrase in phrases for key in keys_of(words_of(phrase))}
    SynonymKey.objects.bulk_create(SynonymKey(group=group, key=key) for key in sorted(keys))
    return group


def delete(group: SynonymGroup, *, actor: User) -> None:
    """Delete the group. Raises `NotAllowed`."""
    if not policies.can_edit_search(actor):
        raise NotAllowed
    SynonymGroup.objects.filter(pk=group.pk).delete()


def keys_of(words: Sequence[str]) -> set[str]:
    """Return the keys of a phrase: its stems in order, in every combination of those in Spanish and in English."""
    return {" ".join(stems)[:130] for stems in product(*(sorted(stems_of(word)) for word in words))}


def groups_for(keys: Iterable[str]) -> dict[str, list[SynonymGroup]]:
    """Return the groups that have a word or phrase with one of the keys, by key. One query."""
    found: dict[str, list[SynonymGroup]] = {}
    for row in SynonymKey.objects.filter(key__in=set(keys)).select_related("group").order_by("group_id"):
        found.setdefault(row.key, []).append(row.group)
    return found
