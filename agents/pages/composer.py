"""The data of the composer: its modes, the draft of each mode, standard answers and files not sent yet."""

import uuid
from typing import Any

from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from accounts.names import first_name
from knowledge.proposals import answer_from
from tickets import policies
from tickets.enums import MessageKind
from web.files import waiting_file_row

from ..access import DeskRequest
from ..forms.composer import ComposerForm
from ..origin import with_origin
from .proposal import Answer, answer_insertion, answer_of
from .ticket import TicketPage


class Composer:
    """The composer of a ticket's page. `form` is a posted form, whose text and errors are shown again."""

    def __init__(self, request: DeskRequest, page: TicketPage, form: ComposerForm | None = None) -> None:
        self.request = request
        self.page = page
        self.posted = form
        self.form = form or ComposerForm(ticket=page.ticket)

    def url(self, name: str, *args: Any) -> str:
        return with_origin(
            self.request, reverse(f"agents:ticket_{name}", args=[self.page.ticket.folio, *args])
        )

    @property
    def send_url(self) -> str:
        return self.url("send")

    @property
    def draft_url(self) -> str:
        return self.url("draft")

    @property
    def draft_key(self) -> str:
        """The key under which the browser stores the text while the server cannot be reached."""
        return f"agents-{self.page.ticket.folio}"

    @property
    def hidden(self) -> SafeString:
        return format_html('<input type="hidden" name="key" value="{}">', uuid.uuid4())

    @cached_property
    def modes(self) -> list[dict[str, Any]]:
        modes = [_follow_up(self.page), *self._solution(), _note()]
        for mode in modes:
            draft = self.page.drafts.get(mode["value"])
            mode["body"], mode["steps"] = (draft.body, draft.steps) if draft else ("", "")
        chosen = self._chosen([mode["value"] for mode in modes])
        for mode in modes:
            mode["checked"] = mode["value"] == chosen
        return modes

    def _solution(self) -> list[dict[str, Any]]:
        """Return the mode of a solution, if one can be sent now or is being written.

        A written one that cannot be sent stays, so that its text is not lost, and says so in `blocked`.
        """
        may_solve = policies.can_send_solution(self.page.user, self.page.ticket)
        posted = self.posted is not None and self.posted.data.get("mode") == MessageKind.SOLUTION
        if may_solve:
            return [_solution()]
        if posted or MessageKind.SOLUTION in self.page.drafts:
            return [_solution() | {"blocked": self.blocked_text}]
        return []

    @property
    def blocked_text(self) -> str:
        return _("El ticket ya no está en una etapa que admita una solución. Tu texto sigue guardado aquí.")

    @property
    def to(self) -> str:
        ticket = self.page.ticket
        return _("Para: %(email)s") % {"email": ticket.requester_email or ticket.requester_name}

    def _chosen(self, values: list[str]) -> str:
        """Return the mode to open.

        It is the mode of the refused form, else of the inserted standard answer, else the one in the address, else
        that of the latest draft, else the first of `values`.
        """
        wanted = self.posted.data.get("mode") if self.posted else self.request.GET.get("modo")
        if self.response and not self.posted:
            wanted = self.response["mode"] or wanted
        latest = [mode for mode in self.page.drafts if mode in values]
        return wanted if wanted in values else (latest or values)[-1 if latest else 0]

    @property
    def mode(self) -> dict[str, Any]:
        return next(mode for mode in self.modes if mode["checked"])

    @cached_property
    def response(self) -> dict[str, Any] | None:
        """The standard answer that the address names in `respuesta`, the article in `articulo`, the answer proposed
        from the ticket or the article in `propuesta`, or None. Without JavaScript, choosing one reloads the page with
        this parameter."""
        key = self.request.GET.get("respuesta", "")
        if folio := self.request.GET.get("propuesta", ""):
            part = answer_from(self.page.ticket, folio, by=self.page.user)
            answer = answer_of(self.page.ticket, part, self.page.knowledge.cited)
            return answer_insertion(answer) if answer and answer.origin == folio else None
        if slug := self.request.GET.get("articulo", ""):
            return self.page.knowledge.insertion(slug)
        return next((answer for answer in self.page.responses if answer["key"] == key), None) if key else None

    @property
    def body(self) -> str:
        if self.posted:
            return str(self.posted.data.get("body", ""))
        text = self.mode["body"]
        if self.response is None or (self.answer and self.response["text"] in text):
            return str(text)
        return f"{text}\n\n{self.response['text']}".strip()

    @property
    def answer(self) -> Answer | None:
        """The proposed answer, if it was inserted: it says what it comes from."""
        return self.response.get("answer") if self.response and not self.posted else None

    @property
    def asks(self) -> bool:
        """Whether the follow-up asks the requester for an answer: as posted, else as the inserted standard answer does,
        else yes, because somebody has opened the contribution."""
        if self.posted:
            return self.posted.asks
        return self.response["asks"] if self.response and "asks" in self.response else True

    @property
    def steps(self) -> str:
        return str(self.posted.data.get("steps", "")) if self.posted else str(self.mode["steps"])

    @property
    def error(self) -> str:
        return str(next(iter(self.posted.errors.get("body", [])), "")) if self.posted else ""

    @property
    def errors(self) -> list[str]:
        if not self.posted:
            return []
        fields = self.posted.errors
        return [*self.posted.non_field_errors(), *fields.get("steps", []), *fields.get("files", [])]

    @property
    def draft_text(self) -> str:
        return _("Recuperamos tu borrador") if not self.posted and self.mode["body"] else ""

    @property
    def files(self) -> Any:
        """The bound field for fields/dropzone.html, with its upload address and the files not sent yet."""
        field: Any = self.form.fields["files"]
        field.upload_url = self.url("files")
        field.uploaded = [
            waiting_file_row(waiting, remove_url=self.url("file_remove", waiting.uuid))
            for waiting in self.page.timeline.waiting_files
        ]
        return self.form["files"]


def _follow_up(page: TicketPage) -> dict[str, Any]:
    name = first_name(page.ticket.requester_name)
    hint = _("Escribe a %(name)s…")
    if page.responses or page.knowledge.insertions:
        hint = _("Escribe a %(name)s… Usa / para insertar una respuesta estándar o un artículo")
    return {
        "value": MessageKind.FOLLOW_UP.value,
        "label": _("Seguimiento"),
        "icon_name": "reply",
        "look": "public",
        "hint": hint % {"name": name},
        "submit": page.follow_up_label,
        "key": "r",
    }


def _solution() -> dict[str, Any]:
    return {
        "value": MessageKind.SOLUTION.value,
        "label": _("Solución"),
        "icon_name": "check2-circle",
        "look": "solution",
        "hint": _("Qué se hizo para resolver el caso"),
        "submit": _("Enviar solución"),
    }


def _note() -> dict[str, Any]:
    return {
        "value": MessageKind.NOTE.value,
        "label": _("Nota interna"),
        "icon_name": "lock",
        "look": "note",
        "hint": _("Nota visible solo para el equipo. Usa @ para mencionar"),
        "submit": _("Guardar nota"),
        "key": "n",
    }
