from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from demo.replay import history
from demo.simulation.checking import findings
from demo.simulation.running import Simulation
from tickets.models import Ticket

SHOWN = 20


class Command(BaseCommand):
    help = (
        "Lets invented people work at an empty desk for some weeks, at a clock that is moved: all processes, "
        "random acts and faults. Then compares every clock, mail, stage, stay and daily count with what must be "
        "true. Ends with «N passed, N failed»."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, default=60)
        parser.add_argument("--tickets", type=int, default=2000)
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument(
            "--record", type=Path, help="write the ended tickets into this file: the demo's history"
        )

    def handle(self, *args: Any, days: int, tickets: int, seed: int, verbosity: int, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("Invented people have no place in production.")
        if Ticket.objects.exists():
            raise CommandError(
                "This desk has tickets. Simulate with an empty database: DATABASE_URL=sqlite:///…"
            )
        if days < 1 or tickets < 1:
            raise CommandError("Give at least one day and one ticket.")
        say = self.stdout.write if verbosity > 1 else _nothing
        plain = options["record"] is not None
        simulation = Simulation(days=days, tickets=tickets, seed=seed, say=say, plain=plain)
        simulation.run()
        counts = ", ".join(f"{count} {name}" for name, count in simulation.people.counts.items())
        self.stdout.write(f"seed {seed}: {len(simulation.acts)} tickets in {days} days; {counts}")
        closed, back = simulation.closures, simulation.taken_back
        self.stdout.write(f"the office closed {closed} times without notice; {back} were taken back")
        passed = failed = 0
        for finding in findings():
            passed += finding.is_right
            failed += not finding.is_right
            if not finding.is_right and failed <= SHOWN:
                self.stdout.write(f"wrong: {finding.what}")
        self.stdout.write(f"{passed} passed, {failed} failed")
        if options["record"]:
            count = history.record(options["record"], until=simulation.until)
            self.stdout.write(f"{count} ended tickets recorded")
        if failed:
            raise CommandError("What is stored is not what must be true.", returncode=1)


def _nothing(_line: str) -> None:
    return
