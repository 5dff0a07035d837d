"""One way of answering a verb that refuses."""

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

    With a form, the messages of `InvalidData` go beside its fields and those of any other error above them. A stale
    page is no mistake of the person's: it leaves the form alone, for the page shows `changes` instead.
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
        """Return the sentence to show, empty where nothing was refused."""
        return str(self.problem or "")

    @property
    def is_stale(self) -> bool:
        """Whether the ticket moved on since the page was drawn."""
        return isinstance(self.problem, StaleTicket)

    @property
    def is_about_fields(self) -> bool:
        """Whether values are missing or wrong, as opposed to the act itself being refused."""
        return isinstance(self.problem, InvalidData)

    @property
    def changes(self) -> Sequence[TicketEvent]:
        """The events that a stale page had not shown."""
        return self.problem.changes if isinstance(self.problem, StaleTicket) else ()

    @property
    def status(self) -> int:
        """HTTP status of the page that answers: 409 for a stale page, 422 for anything else that was refused."""
        return 409 if self.is_stale else 422
