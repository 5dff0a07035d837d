"""Find what a process promises: the targets that the desk has edited or, until it does, those of the process file."""

from .definitions.definition import Targets
from .models import PolicyVersion, Process, ProcessVersion, Ticket

_POLICY = "_policy_in_force"


def policy_of(ticket: Ticket) -> tuple[Targets, int | None]:
    """Return the targets in force for a ticket, and the id of the policy version that they are from; None for those of
    the file, which are those of the ticket's own version. Takes one query for each instance of the ticket."""
    if not hasattr(ticket, _POLICY):
        process = ProcessVersion.objects.process_of(ticket.process_version_id)
        [policy] = Process.objects.filter(pk=process).values_list("policy", flat=True)
        setattr(ticket, _POLICY, policy)
    in_force: int | None = getattr(ticket, _POLICY)
    if in_force is None:
        return ticket.definition.targets, None
    return PolicyVersion.objects.targets(in_force), in_force


def targets_of(process: Process) -> Targets:
    """Return the targets that the process gives to new tickets."""
    if process.policy_id is None:
        return process.definition.targets
    return PolicyVersion.objects.targets(process.policy_id)
