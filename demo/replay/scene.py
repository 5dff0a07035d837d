"""State while stories are performed: one `Scene` for each story, and the `World` that they share."""

import io
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from accounts.models import Department, User
from demo.replay.files import make_file
from demo.replay.story import REQUESTER, Step, Story
from tickets.actors import Actor, Guest
from tickets.attachments import draw_thumbnail, keep_draft
from tickets.enums import Purpose
from tickets.models import Category, Process, Ticket
from tickets.workflow.intake import Requester, file_ticket


@dataclass
class World:
    """The people, processes, departments and other stories that a story names by key or title."""

    now: datetime
    users: Mapping[str, User]
    processes: Mapping[str, Process]
    departments: Mapping[str, Department]
    scenes: list["Scene"] = field(default_factory=list)


@dataclass
class Scene:
    """One story being performed: its ticket, and the time of the current step."""

    story: Story
    world: World
    at: datetime
    _ticket: Ticket | None = None

    @property
    def now(self) -> datetime:
        return self.world.now

    @property
    def ticket(self) -> Ticket:
        """Return the ticket as it was filed (verbs read the row again). Raises LookupError if it is not filed yet."""
        if self._ticket is None:
            raise LookupError(f"«{self.story.title}» is not filed yet")
        return self._ticket

    def user(self, key: str) -> User:
        return self.world.users[key]

    def other(self, title: str) -> Ticket:
        """Return the ticket of the story whose title begins with `title`."""
        return next(scene.ticket for scene in self.world.scenes if scene.story.title.startswith(title))

    def actor(self, by: str) -> Actor:
        """Return the user with key `by`, or the ticket's requester (a user or a guest) for `REQUESTER`."""
        if by != REQUESTER:
            return self.user(by)
        ticket = self.ticket
        if ticket.requester is not None:
            return ticket.requester
        return Guest(ticket.pk, ticket.requester_email, ticket.requester_name, Purpose.FOLLOW)

    def answers(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Return `data` with functions replaced by their results, and the keys of the assignee and the department by
        their rows."""
        resolved = {name: value(self) if callable(value) else value for name, value in data.items()}
        if isinstance(person := resolved.get("assignee"), str):
            resolved["assignee"] = self.user(person)
        if isinstance(department := resolved.get("department"), str):
            resolved["department"] = self.world.departments[department]
        return resolved

    def upload(self, names: Iterable[str], actor: Actor | None) -> str:
        """Make the named files and upload them as drafts. Returns the draft key, or "" without files."""
        if not names:
            return ""
        limits = self.world.processes[self.story.process].definition.files
        key = uuid.uuid4().hex
        for name in names:
            content = make_file(name)
            kept = keep_draft(io.BytesIO(content), name=name, draft_key=key, actor=actor, limits=limits)
            draw_thumbnail(kept)
        return key

    def file(self) -> None:
        """File the story's ticket."""
        story = self.story
        process = self.world.processes[story.process]
        category = Category.objects.get(process=process, key=story.category) if story.category else None
        is_guest = "@" in story.by
        customer = None if is_guest else self.user(story.by)
        actor: User | None = self.user(story.taken_by) if story.taken_by else customer
        requester = Requester(email=story.by if is_guest else "", name=story.name, user=customer)
        self._ticket = file_ticket(
            process,
            actor=actor,
            requester=requester if is_guest or story.taken_by else None,
            category=category,
            title=story.title,
            description=story.text,
            phone=story.phone or (customer.phone if customer else ""),
            fields=story.fields,
            draft_key=self.upload(story.files, actor),
            channel=story.channel,
        )

    def carry_out(self, step: Step | None, *, at: datetime) -> None:
        """Perform one step, or file the ticket if `step` is None. Adds the story's title to any error."""
        self.at = at
        try:
            if step is None:
                self.file()
            else:
                step.do(self, self.actor(step.by))
        except Exception as error:
            error.add_note(f"in «{self.story.title}», {step.by if step else 'filing'}, {at:%F %R}")
            raise
