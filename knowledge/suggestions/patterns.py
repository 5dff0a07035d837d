"""Find how cases were solved again and again, in words that are nobody's (S3.20, decision 49).

Only closings that their requesters approved count. A pattern needs `CUSTOMERS` different customers, its sentences stand
in the solutions of as many, and no word of it in fewer: so it tells nothing about any one ticket. A sentence with an
address, a long number, a plate, a folio or the name of anybody in these tickets is left out.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.models import User
from content.search import dice, every_word, stems_in
from content.text import sentences, without_list_mark
from tickets.models import Category, Ticket

from .. import from_tickets, policies
from ..exceptions import NotAllowed
from ..from_tickets import ALIKE
from ..models import SolutionPattern
from ..models.article import TITLE
from ..models.suggestion import PATTERN_TEXT
from ..personal_data import is_about_one, looks_personal

CUSTOMERS = 5
"""The different customers that a pattern needs. Statistics offices publish no smaller groups: with four, one of them
knows three and guesses the fourth."""
LOOKED_AT = 1000
DAYS = 365
"""The newest approved closings that are compared, none older than this."""
MOST = 200
SHARED = 0.6
"""The share of a sentence's words from which another solution counts as saying the same."""
LEAST_SHARE = 0.2
_SITE = re.compile(r"://|\w\.[a-z]{2}", re.IGNORECASE)
SENTENCES = 4
READ_SENTENCES = 30
"""The first sentences of a solution that are compared with the others, so that long texts take bounded time."""
WORDS = 80


@dataclass
class _Case:
    """An approved closing, with the words of its solution and those that its customer used."""

    customer: str
    ticket: Ticket
    solution: frozenset[str]
    words: frozenset[str]
    asked: frozenset[str]
    names: frozenset[str]


@dataclass
class _Cluster:
    """Closings of one category whose solutions are alike."""

    first: _Case
    cases: list[_Case] = field(default_factory=list)

    @property
    def customers(self) -> int:
        return len({case.customer for case in self.cases})


def refresh() -> int:
    """Write the patterns anew, and delete those that no longer are one. Returns how many there are. Closings of retired
    processes and categories are not read.

    Reads `LOOKED_AT` closings at most, whatever the number of tickets. What is like a hidden pattern is hidden, too;
    hidden patterns are forgotten a year after they were last found.
    """
    now = timezone.now()
    same = Category.objects.filter(
        process=OuterRef("process_version__process"), key=OuterRef("category__key"), is_active=True
    )
    rows: QuerySet[Ticket] = Ticket.objects.filter(
        Q(category=None) | Exists(same),
        closed_at__gte=now - timedelta(days=DAYS),
        process_version__process__is_active=True,
    )
    rows = rows.select_related("assignee", "process_version__process__current")
    cases = map(_case, from_tickets.approved(rows, limit=LOOKED_AT))
    found = [pattern for cluster in _clusters(cases) if (pattern := _pattern(cluster)) is not None]
    found.sort(key=lambda pattern: -pattern.cases)
    kept = {pattern.digest: pattern for pattern in reversed(found[:MOST])}
    with transaction.atomic():
        hidden = list(SolutionPattern.objects.filter(is_hidden=True))
        for pattern in kept.values():
            pattern.refreshed_at = now
            pattern.is_hidden = any(_says_the_same(pattern, each) for each in hidden)
        SolutionPattern.objects.bulk_create(
            kept.values(),
            update_conflicts=True,
            unique_fields=["digest"],
            update_fields=["needs_account", "title", "stems", "cases", "customers", "refreshed_at"],
        )
        gone = SolutionPattern.objects.exclude(digest__in=kept)
        gone.filter(Q(is_hidden=False) | Q(refreshed_at__lt=now - timedelta(days=DAYS))).delete()
    return len(kept)


def _says_the_same(pattern: SolutionPattern, hidden: SolutionPattern) -> bool:
    """Whether a supervisor has hidden this pattern, perhaps when its text was a little different."""
    if (pattern.process, pattern.category) != (hidden.process, hidden.category):
        return False
    return dice(_stems(pattern.text), _stems(hidden.text)) >= ALIKE


def hide(pattern: SolutionPattern, *, actor: User, hidden: bool = True) -> None:
    """Offer the pattern to nobody, or again. It stays so when patterns are written anew. Raises `NotAllowed` unless the
    actor is a supervisor."""
    if not policies.can_edit_search(actor):
        raise NotAllowed
    SolutionPattern.objects.filter(pk=pattern.pk).update(is_hidden=hidden)


def _case(ticket: Ticket) -> _Case:
    solution = f"{ticket.solution_done}\n{ticket.solution_steps}"
    people = f"{ticket.requester_name} {ticket.assignee.name if ticket.assignee else ''}"
    return _Case(
        customer=customer_of(ticket),
        ticket=ticket,
        solution=_stems(solution),
        words=frozenset(every_word(solution)),
        asked=_stems(f"{ticket.title}\n{ticket.excerpt}"),
        names=frozenset(word for word in every_word(people) if len(word) > 2),
    )


def customer_of(ticket: Ticket) -> str:
    """Return who filed the ticket, by the mailbox: the same for an account and for a guest with its address."""
    address = re.sub(r"\+[^@]*", "", ticket.requester_email.strip().casefold())
    return address or f"user {ticket.requester_id}"


def _clusters(cases: Iterable[_Case]) -> list[_Cluster]:
    found: dict[tuple[int, int | None], list[_Cluster]] = {}
    for case in cases:
        ticket = case.ticket
        same = found.setdefault((ticket.process_version.process_id, ticket.category_id), [])
        like = next((each for each in same if dice(each.first.solution, case.solution) >= ALIKE), None)
        if like is None:
            like = _Cluster(case)
            same.append(like)
        like.cases.append(case)
    return [each for clusters in found.values() for each in clusters if each.customers >= CUSTOMERS]


def _pattern(cluster: _Cluster) -> SolutionPattern | None:
    """Return the pattern of the cluster; None if its solutions share no sentence."""
    cases, ticket = cluster.cases, cluster.first.ticket
    names = frozenset().union(*(case.names for case in cases))
    common = _of_many((case.customer, case.words) for case in cases)
    texts = [_anonymous(case, cases, common, names) for case in cases]
    text = max(texts, key=len)
    if not text:
        return None
    process = ticket.process_version.process
    category = ticket.category.key if ticket.category else ""
    customers: dict[str, set[str]] = {}
    for case in cases:
        customers.setdefault(case.customer, set()).update(case.asked)
    asked = Counter(stem for stems in customers.values() for stem in stems)
    least = max(CUSTOMERS, LEAST_SHARE * len(customers))
    digest = hashlib.sha256("\n".join((process.key, category, text)).encode()).hexdigest()
    return SolutionPattern(
        digest=digest,
        process=process.key,
        category=category,
        needs_account=process.definition.login_for(category) == "required",
        title=_title(cases, names)
        or (ticket.category.name if ticket.category else str(process.definition.name))[:TITLE],
        text=text,
        stems={stem: round(n / len(customers), 3) for stem, n in sorted(asked.items()) if n >= least},
        cases=len(cases),
        customers=len(customers),
    )


def _anonymous(case: _Case, cases: Sequence[_Case], common: set[str], names: frozenset[str]) -> str:
    """Return the sentences of a solution that as many customers were told."""
    ticket = case.ticket
    kept: list[str] = []
    for sentence in _sentences(f"{ticket.solution_done}\n{ticket.solution_steps}")[:READ_SENTENCES]:
        words, stems = every_word(sentence), _stems(sentence)
        if not stems or not set(words) <= common or names & set(words):
            continue
        if looks_personal(sentence) or is_about_one(sentence):
            continue
        told = {each.customer for each in cases if len(stems & each.solution) >= SHARED * len(stems)}
        if len(told) >= CUSTOMERS and len(" ".join([*kept, sentence])) <= PATTERN_TEXT:
            kept.append(sentence)
    return " ".join(kept[:SENTENCES])


def _title(cases: Sequence[_Case], names: frozenset[str]) -> str:
    """Return the longest title of which no word was used by fewer than `CUSTOMERS` customers; "" if there is none.

    Customers write titles, and one person may have several accounts: a title that names a site is never offered.
    """
    common = _of_many((case.customer, every_word(case.ticket.title)) for case in cases)
    titles = [
        title
        for case in cases
        if (title := " ".join(case.ticket.title.split()))
        and (words := set(every_word(title))) <= common
        and len(words) > 1
        and not names & words
        and not looks_personal(title)
        and not is_about_one(title)
        and not _SITE.search(title)
    ]
    return max(titles, key=lambda title: (len(title), title), default="")[:TITLE]


def _of_many(said: Iterable[tuple[str, Iterable[str]]]) -> set[str]:
    """Return the words that `CUSTOMERS` different customers have."""
    customers: dict[str, set[str]] = {}
    for customer, words in said:
        for word in words:
            customers.setdefault(word, set()).add(customer)
    return {word for word, those in customers.items() if len(those) >= CUSTOMERS}


def _sentences(text: str) -> list[str]:
    """Return the sentences, without the marks of a list, each with a mark at its end."""
    pieces = sentences("\n".join(map(without_list_mark, text.splitlines())))
    return [piece if piece[-1] in ".!?…" else f"{piece}." for piece in pieces]


def _stems(text: str) -> frozenset[str]:
    return stems_in(text, WORDS)
