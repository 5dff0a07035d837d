"""Topics, the things that a customer can ask for: the categories of every process in use, with their targets.

The customer picks a topic, and the topic decides the process (S0.2). A process without categories is itself a topic.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext as _

from content.search import compounds_of, score, words_of
from content.text import fold
from tickets.calendars import Target
from tickets.definitions.definition import Definition
from tickets.enums import CaseKind, ClockKind, Severity
from tickets.facts import experience
from tickets.models import Category, Process
from tickets.promises import targets_of
from web.wording import target_in_words, usual_time

KEY = re.compile(r"[\w-]+(\.[\w-]+)?", re.ASCII)
"""A topic's key in an address. Others are nobody's, and some no database takes."""


@dataclass(frozen=True)
class Topic:
    """A category of a process; with `category` None, the whole process."""

    process: Process
    category: Category | None

    @property
    def key(self) -> str:
        """The topic's name in forms and addresses. It is made of keys, because these stay the same when a label
        changes."""
        return f"{self.process.key}.{self.category.key}" if self.category else self.process.key

    @cached_property
    def definition(self) -> Definition:
        return self.process.definition

    @property
    def name(self) -> str:
        return str(self.category or self.definition.name)

    @property
    def text(self) -> str:
        return self.category.localised_description if self.category else str(self.definition.description)

    @property
    def notice(self) -> str:
        return self.category.localised_notice if self.category else ""

    @property
    def icon(self) -> str:
        return self.category.icon if self.category else "question-circle"

    @property
    def needs_account(self) -> bool:
        return self.definition.login_for(self.category.key if self.category else "") == "required"

    @property
    def searched(self) -> list[tuple[int, str]]:
        """The texts that a search looks in, each with its weight."""
        texts = [(3, self.name), (1, self.text)]
        if self.category:
            declared = self.definition.category(self.category.key)
            texts += [(3, self.category.synonyms), (3, " ".join(declared.synonyms if declared else ()))]
        return texts

    def is_named(self, word: str) -> bool:
        """Whether the name or a synonym has the word, in any of its forms."""
        return score([word], ((weight, text) for weight, text in self.searched if weight > 1)) > 0

    @property
    def submit_label(self) -> str:
        return str(self.definition.submit_label) or _("Enviar reporte")

    @property
    def first_response(self) -> Target | None:
        severity, case_kind = self._case
        return targets_of(self.process).find(
            ClockKind.FIRST_RESPONSE, severity=severity, case_kind=case_kind, category=self._category
        )

    @property
    def resolution(self) -> Target | None:
        severity, case_kind = self._case
        return targets_of(self.process).find(
            ClockKind.RESOLUTION, severity=severity, case_kind=case_kind, category=self._category
        )

    @property
    def promise(self) -> str:
        """The target shown beside the topic: for a procedure its resolution, else the first response.

        Without a first-response target it is also the resolution. Empty if there is no target.
        """
        _severity, case_kind = self._case
        if self.resolution and (case_kind == CaseKind.PROCEDURE or not self.first_response):
            text = (
                _("Hasta %(time)s, por orden de llegada")
                if self.definition.queue == "arrival"
                else _("Hasta %(time)s")
            )
            return text % {"time": target_in_words(self.resolution)}
        if self.first_response:
            return _("Primera respuesta: %(time)s") % {"time": target_in_words(self.first_response)}
        return ""

    @property
    def usual(self) -> str:
        """How long comparable tickets took, apart from what is promised; empty if there are too few."""
        category = self.category.pk if self.category else None
        return usual_time(experience.of_category(category, process=self.process.pk))

    @property
    def _category(self) -> str:
        return self.category.key if self.category else ""

    @property
    def _case(self) -> tuple[str, str]:
        if self.category:
            return self.category.severity, self.category.case_kind
        return Severity.MEDIUM, CaseKind.PROBLEM


def all_topics() -> list[Topic]:
    """Return every topic of every process in use, in their configured order. Takes two queries."""
    return [topic for process in _offering(Category.objects.all()) for topic in _topics_of(process)]


def find(key: str) -> Topic | None:
    """Return the topic with this key, or None if it is not offered. Takes two queries, for one process."""
    if not KEY.fullmatch(key):
        return None
    process_key, _dot, category_key = key.partition(".")
    process = _offering(Category.objects.filter(key=category_key)).filter(key=process_key).first()
    return next((topic for topic in _topics_of(process) if topic.key == key), None) if process else None


def featured(topics: list[Topic], limit: int) -> list[Topic]:
    """Return at most `limit` topics: the first of each process, then the second of each, and so on.

    So a process with many topics does not push out the others. The topics keep their order.
    """
    seen: Counter[str] = Counter()
    ranked = []
    for order, topic in enumerate(topics):
        ranked.append((seen[topic.process.key], order, topic))
        seen[topic.process.key] += 1
    chosen = sorted(ranked, key=lambda item: item[:2])[:limit]
    return [topic for _rank, _order, topic in sorted(chosen, key=lambda item: item[1])]


def on_home(topics: list[Topic], *, signed_in: bool) -> Topic | None:
    """Return the topic whose form the home page carries (S1.6): the first one of the first process that says so. None
    if no process does, or if it needs an account and the visitor has not signed in."""
    found = next((topic for topic in topics if topic.definition.on_home), None)
    return found if found and (signed_in or not found.needs_account) else None


def search(topics: list[Topic], query: str, *, synonyms: Iterable[str] = ()) -> list[Topic]:
    """Return the topics that have any word of `query`, in any of its forms, or one of the `synonyms`, best first. Their
    names and synonyms count more than their descriptions; the words of the query count twice."""
    words, others = words_of(query) + compounds_of(query), list(synonyms)
    scored = [
        (2 * score(words, topic.searched) + score(others, topic.searched), position)
        for position, topic in enumerate(topics)
    ]
    best_first = sorted((-points, position) for points, position in scored if points)
    return [topics[position] for _points, position in best_first]


def vocabulary(topics: Iterable[Topic]) -> set[str]:
    """Return the words of the topics, folded, so that a search does not correct them."""
    texts = (text for topic in topics for _weight, text in topic.searched)
    return {word for text in texts for word in re.findall(r"\w+", fold(text)) if word.isalpha()}


def _offering(categories: "QuerySet[Category]") -> "QuerySet[Process]":
    """Return the processes in use, each with those of its active categories that are among `categories`."""
    active = Prefetch("categories", categories.filter(is_active=True), to_attr="offered")
    in_use = Process.objects.filter(is_active=True, current__isnull=False)
    return in_use.prefetch_related(active)


def _topics_of(process: Process) -> list[Topic]:
    if not process.definition.categories:
        return [Topic(process, None)]
    return [Topic(process, category) for category in process.offered]  # type: ignore[attr-defined]  # set by the prefetch
