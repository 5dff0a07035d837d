"""Load what answers and proposals did: solutions that repeat themselves, the tickets that answers deflected, and the
proposals that the team took (S3.20)."""

from datetime import timedelta

from django.utils import timezone

from accounts.models import User
from demo.replay.clock import time_is
from knowledge import deflections, proposal_uses
from knowledge.models import Article, Deflection, SolutionPattern
from knowledge.suggestions import patterns
from knowledge.suggestions.offers import Suggestion
from tickets.models import Ticket

BY_ARTICLE = {"no-llega-el-codigo-de-verificacion": 6, "mi-reserva-no-aparece": 4, "me-cobraron-dos-veces": 2}
BY_PATTERN = 3
TAKEN = 6
NOT_ALIKE = "El simulador 2 pierde el audio de la torre"
"""The title of the ticket whose proposal somebody set aside."""


def load(users: dict[str, User]) -> None:
    """Find the solutions that repeat themselves, and tell what answers and proposals did, unless it has been told."""
    patterns.refresh()
    if Deflection.objects.exists():
        return
    articles = Article.objects.in_bulk(list(BY_ARTICLE), field_name="slug")
    helped = [
        Suggestion(slug, [], 1.0, article=articles[slug])
        for slug, count in BY_ARTICLE.items()
        for _number in range(count)
    ]
    if pattern := SolutionPattern.objects.first():
        helped += [Suggestion(pattern.title, [], 1.0, pattern=pattern)] * BY_PATTERN
    now = timezone.now()
    for number, suggestion in enumerate(helped):
        with time_is(now - timedelta(days=9 + 5 * number, hours=number)):
            deflections.record(suggestion, process="demo", category="", visitor=f"demo {number}")
    deflections.settle()
    closed = Ticket.objects.closed().filter(assignee=users["tecnico"]).order_by("-closed_at", "pk")
    for ticket in closed[:TAKEN]:
        proposal_uses.note_taken(ticket, actor=users["tecnico"])
    if other := Ticket.objects.open().filter(title=NOT_ALIKE).first():
        proposal_uses.set_aside(other, actor=users["supervisor"])
