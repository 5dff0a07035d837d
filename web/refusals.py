"""Turn the error of a refused verb into messages on the page."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from types import TracebackType

from django.forms import BaseForm

from content.errors import DeskError, InvalidData
from tickets.models import TicketEvent
from tickets.record.freshness import StaleTicket


class Refusal(AbstractContextManager["Refusal"]):
    """Catch the `DeskError` that a verb raises in the block, so that the view goes on after it with the page to show.

        with Refusal(form) as refusal:
            perform(ticket, action, …)
            return redirect(…)
        return page(form, changes=refusal.changes, status=refusal.status)

    With a form, the messages of `InvalidData` go beside its fields, and the message of any other error goes above
    them. `StaleTicket` adds no error to the form: the person made no mistake, and the page shows `changes` instead.
    """

    def __init__(self, form: BaseForm | None = None) -> None:
        self.form = form
        self.problem: DeskError | None = None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        if not isinstance(error, DeskError):
            return False
        self.problem = error
        if self.form is not None and not self.is_stale:
            self._tell(self.form, error)
        return True

    @staticmethod
    def _tell(form: BaseForm, error: DeskError) -> None:
        if not isinstance(error, InvalidData):
            form.add_error(None, str(error))
        elif hasattr(form, "show"):
            form.show(error)
        else:
            for name, messages in error.errors.items():
                form.add_error(name if name in form.fields else None, messages)

    def __bool__(self) -> bool:
        """Whether the verb refused."""
        return self.problem is not None

    def __str__(self) -> str:
        """Return the message to show; empty if nothing was refused."""
        return str(self.problem or "")

    @property
    def is_stale(self) -> bool:
        """Whether the ticket changed after the page was drawn."""
        return isinstance(self.problem, StaleTicket)

    @property
    def is_about_fields(self) -> bool:
        """Whether values are missing or wrong. False if the action itself was refused."""
        return isinstance(self.problem, InvalidData)

    @property
    def changes(self) -> Sequence[TicketEvent]:
        """Return the events that happened after the page was drawn; empty unless the page is stale."""
        return self.problem.changes if isinstance(self.problem, StaleTicket) else ()

    @property
    def status(self) -> int:
        """Return the HTTP status of the response: 409 for a stale page, 422 for any other refusal."""
        return 409 if self.is_stale else 422
