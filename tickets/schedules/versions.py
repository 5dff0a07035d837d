"""The versions of calendars and policies: which is in force, and how the next one is saved."""

from typing import Any

from accounts.models import User

from ..definitions.targets import as_json
from ..models import Calendar, CalendarVersion, PolicyVersion, Process, ScheduleChange

Subject = Calendar | Process
"""What a change is about: the hours of a calendar, or the targets of a process."""


def current_version(calendar: Calendar) -> CalendarVersion:
    if calendar.current is None:
        raise TypeError(f"calendar {calendar.key} has no version")
    return calendar.current


def locked_subject(change: ScheduleChange) -> Subject:
    """Read what the change is about and lock its row until the transaction ends."""
    if change.calendar_id:
        return locked_calendar(change.calendar_id)
    return locked_process(change.process_id or 0)


def locked_calendar(pk: int) -> Calendar:
    return Calendar.objects.select_for_update(of=("self",)).select_related("current").get(pk=pk)


def locked_process(pk: int) -> Process:
    return Process.objects.select_for_update(of=("self",)).select_related("current", "policy").get(pk=pk)


def is_stale(change: ScheduleChange, subject: Subject) -> bool:
    """Whether another version is in force than the one that the draft changed."""
    if isinstance(subject, Calendar):
        return subject.current_id != change.base_id
    return subject.policy_id != change.base_policy_id


def save_calendar_version(calendar: Calendar, rules: dict[str, Any], *, author: User) -> CalendarVersion:
    """Save the calendar's next version and put it in force."""
    number = max(calendar.versions.values_list("number", flat=True)) + 1
    calendar.current = CalendarVersion.objects.create(
        calendar=calendar, number=number, rules=rules, created_by=author
    )
    calendar.save(update_fields=["current"])
    return calendar.current


def save_policy_version(process: Process, targets: dict[str, Any], *, author: User) -> PolicyVersion:
    """Save the process's next policy and put it in force. The first time the file's targets are saved before it, so
    that the desk can go back to them."""
    numbers = list(process.policies.values_list("number", flat=True))
    if not numbers:
        PolicyVersion.objects.create(
            process=process, number=1, targets=as_json(process.definition.targets), created_by=None
        )
        numbers = [1]
    process.policy = PolicyVersion.objects.create(
        process=process, number=max(numbers) + 1, targets=targets, created_by=author
    )
    process.save(update_fields=["policy"])
    return process.policy
