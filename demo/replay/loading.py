"""Load the demo's data, all in one transaction."""

from datetime import date

from django.db import transaction
from django.utils import timezone

from accounts.models import Department
from demo.replay import apps, articles, deflections, history, hours, letters, people
from demo.replay.replaying import replay
from demo.replay.scene import World
from demo.stories import STORIES
from tickets.definitions.loading import library
from tickets.models import Process, Ticket
from tickets.workflow.publishing import publish


def load_desk(*, holidays_from: date | None = None) -> dict[str, "people.User"]:
    """Load departments, processes, people and opening hours, but no tickets. Existing rows are not changed. Returns the
    people by key. The hours have the holidays of the year that begins with `holidays_from`, by default today."""
    users = people.load()
    apps.load(users["admin"])
    for source in library().values():
        publish(source)
    hours.load(users["supervisor"], holidays_from=holidays_from or timezone.localdate())
    return users


@transaction.atomic
def load(*, with_history: bool = False) -> int:
    """Load all data, and tickets only if there are none yet; `with_history` a quarter of ended ones before the stories.
    Returns how many tickets there are then."""
    users = load_desk()
    if Ticket.objects.exists():
        return 0
    if with_history:
        history.load(timezone.now())
    world = World(
        now=timezone.now(),
        users=users,
        processes={process.key: process for process in Process.objects.select_related("current")},
        departments={department.key: department for department in Department.objects.all()},
    )
    letters.set_up_addresses(world.processes)
    replay(STORIES, world, letters=letters.LETTERS)
    articles.load(users)
    deflections.load(users)
    return Ticket.objects.count()
