"""Functions that make the steps of a story. A step says how long after the previous one it happens, who acts and which
verb is called."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from accounts.enums import Standing
from accounts.models import Department
from demo.replay.scene import Scene
from demo.replay.story import REQUESTER, Step, span
from tickets import clocks
from tickets.actors import Actor
from tickets.closing import nonconformities, surveys
from tickets.closing.checklist import tick_checklist
from tickets.closing.contact_log import log_contact
from tickets.definitions.responses import fill_in
from tickets.enums import ContactKind, ContactOutcome, MessageKind
from tickets.requesters import standing as standings
from tickets.workflow import conversation, properties, side_tasks
from tickets.workflow.perform import perform

# --- Values computed when a step happens ------------------------------------------------------------------


def from_now(words: str) -> Callable[[Scene], datetime]:
    """Return a function, called by `Scene.answers`, that adds `words` («1d 2h») to the time when the demo is loaded.
    For due dates that must be in the future."""
    return lambda scene: scene.now + span(words)


def folio_of(title: str) -> Callable[[Scene], str]:
    """Return a function that returns the folio of another story's ticket, found by the beginning of its title."""
    return lambda scene: scene.other(title).folio


# --- Steps ------------------------------------------------------------------------------------------------


def act(by: str, action: str, after: str, **data: Any) -> Step:
    """Perform an action of the process with the answers in `data`."""

    def do(scene: Scene, actor: Actor) -> None:
        perform(scene.ticket, action, actor=actor, data=scene.answers(data))

    return Step(after, by, do)


def prepare(after: str, *, to: str, by: str = "supervisor", **data: Any) -> Step:
    """Perform «Preparar» with `to` as the assignee. Answers that are not given: the values of the ticket
    and its requester, difficulty 2, and the proposed due date, else five days after the step."""

    def do(scene: Scene, actor: Actor) -> None:
        ticket = scene.ticket
        answers = {
            "assignee": to,
            "severity": ticket.severity,
            "case_kind": ticket.case_kind,
            "department": ticket.department,
            "difficulty": 2,
            "standing": Standing(ticket.requester.standing) if ticket.requester else Standing.ACTIVE,
            **data,
        }
        answers.setdefault(
            "due_at",
            lambda scene: (
                clocks.proposed_due(
                    ticket, severity=answers["severity"], case_kind=answers["case_kind"], now=scene.at
                )
                or scene.at + timedelta(days=5)
            ),
        )
        perform(ticket, "preparar", actor=actor, data=scene.answers(answers))

    return Step(after, by, do)


def follow_up(by: str, text: str, after: str, files: tuple[str, ...] = ()) -> Step:
    def do(scene: Scene, actor: Actor) -> None:
        conversation.send_follow_up(
            scene.ticket, actor=actor, body=text, draft_key=scene.upload(files, actor)
        )

    return Step(after, by, do, files)


def respond(by: str, response: str, after: str) -> Step:
    """Send one of the process's standard answers as a follow-up. Raises LookupError if the process has none with this
    key."""

    def do(scene: Scene, actor: Actor) -> None:
        ticket = scene.ticket
        found = ticket.definition.response(response)
        if found is None:
            raise LookupError(response)
        conversation.send_follow_up(ticket, actor=actor, body=fill_in(str(found.body), ticket, now=scene.at))

    return Step(after, by, do)


def reply(text: str, after: str, files: tuple[str, ...] = ()) -> Step:
    def do(scene: Scene, actor: Actor) -> None:
        conversation.reply(scene.ticket, actor=actor, body=text, draft_key=scene.upload(files, actor))

    return Step(after, REQUESTER, do, files)


def solve(by: str, done: str, after: str, steps: str = "", files: tuple[str, ...] = ()) -> Step:
    def do(scene: Scene, actor: Actor) -> None:
        conversation.send_solution(
            scene.ticket, actor=actor, done=done, steps=steps, draft_key=scene.upload(files, actor)
        )

    return Step(after, by, do, files)


def note(by: str, text: str, after: str, files: tuple[str, ...] = ()) -> Step:
    def do(scene: Scene, actor: Actor) -> None:
        conversation.add_internal_note(
            scene.ticket, actor=actor, body=text, draft_key=scene.upload(files, actor)
        )

    return Step(after, by, do, files)


def ask_task(by: str, department: str, title: str, after: str, details: str = "") -> Step:
    """Ask the department with this key for a side task."""

    def do(scene: Scene, actor: Actor) -> None:
        team = Department.objects.get(key=department)
        side_tasks.ask(scene.ticket, actor=scene.user(by), department=team, title=title, details=details)

    return Step(after, by, do)


def draft(by: str, text: str, after: str, mode: MessageKind = MessageKind.FOLLOW_UP) -> Step:
    def do(scene: Scene, actor: Actor) -> None:
        conversation.save_draft(scene.ticket, actor=scene.user(by), mode=mode, body=text)

    return Step(after, by, do)


def assign(by: str, to: str, after: str) -> Step:
    return Step(
        after, by, lambda scene, actor: properties.assign(scene.ticket, actor=actor, assignee=scene.user(to))
    )


def change(by: str, after: str, **values: Any) -> Step:
    def do(scene: Scene, actor: Actor) -> None:
        properties.change_properties(scene.ticket, actor=actor, **scene.answers(values))

    return Step(after, by, do)


def contribution(by: str, after: str, *, is_open: bool) -> Step:
    def do(scene: Scene, actor: Actor) -> None:
        properties.set_contribution(scene.ticket, actor=actor, is_open=is_open)

    return Step(after, by, do)


def check_standing(by: str, after: str, standing: Standing = Standing.ACTIVE) -> Step:
    return Step(
        after, by, lambda scene, actor: standings.check_standing(scene.ticket, actor=actor, standing=standing)
    )


def call(by: str, after: str, outcome: ContactOutcome = ContactOutcome.SUCCESSFUL, text: str = "") -> Step:
    def do(scene: Scene, actor: Actor) -> None:
        log_contact(scene.ticket, actor=scene.user(by), kind=ContactKind.CALL, outcome=outcome, note=text)

    return Step(after, by, do)


def whatsapp(by: str, url: str, after: str, text: str = "") -> Step:
    def do(scene: Scene, actor: Actor) -> None:
        log_contact(
            scene.ticket,
            actor=scene.user(by),
            kind=ContactKind.WHATSAPP,
            outcome=ContactOutcome.SUCCESSFUL,
            url=url,
            note=text,
        )

    return Step(after, by, do)


def tick(by: str, item: str, after: str) -> Step:
    return Step(after, by, lambda scene, actor: tick_checklist(scene.ticket, actor=scene.user(by), item=item))


def closing_review(by: str, after: str, text: str, *, reached: bool = True) -> tuple[Step, ...]:
    """Complete the closing checklist of S2 and close, with R10 if the requester was `reached` by phone (S2.44–S2.46).
    `text` says what the call was about."""
    return (
        tick(by, "respuesta", after),
        call(by, "10m", ContactOutcome.SUCCESSFUL if reached else ContactOutcome.FAILED, text),
        tick(by, "llamada", "2m"),
        whatsapp(by, "https://wa.me/c/584165550188", "15m"),
        note(by, "Captura de la conversación.", "3m", files=("whatsapp-cierre.jpg",)),
        tick(by, "whatsapp", "2m"),
        act(by, "cerrar" if reached else "cerrar_sin_hablar", "5m"),
    )


def rate(score: int, after: str, comment: str = "") -> Step:
    return Step(
        after,
        REQUESTER,
        lambda scene, actor: surveys.rate(scene.ticket, actor=actor, score=score, comment=comment),
    )


def review(by: str, conclusion: str, after: str) -> Step:
    def do(scene: Scene, actor: Actor) -> None:
        report = scene.ticket.nonconformities.latest("opened_at")
        nonconformities.review(report, actor=scene.user(by), conclusion=conclusion)

    return Step(after, by, do)
