"""What the page of the assistant shows: what was said, and what is asked now (S0.8)."""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from tickets import chats
from tickets.enums import CaseKind, ChatPath
from tickets.models import Attachment, Chat, ReportDraft, Ticket
from tickets.requesters import guests
from tickets.schedules.openness import opening, openness
from web.chat_lines import shown_lines
from web.files import waiting_file_row
from web.grants import granted
from web.opening_hours import in_zone, until_in_words
from web.wording import target_in_words

from .. import drafts
from ..chats import Place
from . import topics
from .contact import panel
from .filing import details_url
from .interview import FILES, Interview
from .suggestions import offers
from .tickets import awaiting_first, rows
from .topics import Topic

TICKETS = 3
ASKS_OVER = "empezar"
"""The parameter of the page that asks whether to throw the unsent report away."""
PATH_ICONS = {
    ChatPath.REPORT: "flag",
    ChatPath.FOLLOW: "ticket-detailed",
    ChatPath.ASK: "question-circle",
    ChatPath.PERSON: "headset",
}


def chat_page(
    place: Place,
    *,
    asked: str = "",
    interview: Interview | None = None,
    errors: Iterable[str] = (),
    typed: str = "",
    form: Any = None,
    is_start: bool = False,
    status: int = 200,
) -> HttpResponse:
    """Render the conversation. `asked` names the question to ask instead of the next one. After a refused answer
    `interview` has it, or `typed` what was typed, `form` the refused form, with the `errors`. `is_start`
    says that a frame has just opened: its script may go on with the conversation that the tab had.

    Nothing is shown to a person whose session has ended: they are asked to sign in."""
    if place.is_signed_out:
        return place.back()
    chat = place.chat
    if chat:
        chats.attach_filed(chat)
    hours = person_hours()
    context: dict[str, Any] = {
        "place": place,
        "chat": chat,
        "urls": _urls(place),
        "greeting": _greeting(place),
        "paths": _paths(),
        "lines": shown_lines(chat.lines) if chat else [],
        "hours": hours,
        "attends": "",
        "errors": list(errors),
        "typed": typed,
        "form": form,
        "is_start": is_start,
        "step": "menu",
        "asks_over": ASKS_OVER in place.request.GET and chat is not None and has_unsent_answers(place, chat),
    }
    if chat and chat.ticket:
        context |= {"step": "filed", **_filed(place, chat.ticket)}
    elif chat and chat.path in (ChatPath.REPORT, ChatPath.PERSON):
        context |= _report(place, chat, asked, interview)
        if chat.path == ChatPath.PERSON:
            context["attends"] = _who_attends(hours)
    elif chat and chat.path == ChatPath.ASK:
        kinds = [each.get("kind") for each in chat.lines]
        context |= {
            "step": "ask",
            "has_asked": chats.QUESTION in kinds,
            "answered": kinds[-1:] == [chats.ANSWER],
        }
    elif chat and chat.path == ChatPath.FOLLOW:
        context |= {"step": "follow", **_followed(place)}
    if not place.is_framed:
        context["contact"] = panel(place.request.user)
    template = "portal/assistant/frame.html" if place.is_framed else "portal/assistant/page.html"
    return render(place.request, template, context, status=status)


def _urls(place: Place) -> dict[str, str]:
    """Return where each form of the page is posted."""
    names = ("path", "topic", "answer", "send", "ask", "solved", "follow", "over")
    return {"here": place.url(), **{name: place.url(name) for name in names}}


def _greeting(place: Place) -> str:
    words = {"name": settings.DESK_ASSISTANT_NAME, "desk": settings.DESK_NAME}
    is_named = bool(settings.DESK_ASSISTANT_NAME)
    if place.user and place.user.name:
        words["person"] = place.user.name.split()[0]
        if is_named:
            return _("Hola, %(person)s. Soy %(name)s, el asistente de %(desk)s. ¿En qué te ayudo?") % words
        return _("Hola, %(person)s. Soy el asistente de %(desk)s. ¿En qué te ayudo?") % words
    if is_named:
        return _("Hola. Soy %(name)s, el asistente de %(desk)s. ¿En qué te ayudo?") % words
    return _("Hola. Soy el asistente de %(desk)s. ¿En qué te ayudo?") % words


def _paths() -> list[dict[str, str]]:
    return [{"key": path, "label": str(path.label), "icon_name": PATH_ICONS[path]} for path in ChatPath]


def person_hours() -> dict[str, Any]:
    """Return whether people attend now and until when, by the calendar of the phone: `open` (None without one) and
    `text` in words."""
    now = timezone.now()
    phone = openness(now).phone
    if phone is None:
        return {"open": None, "text": ""}
    found = opening(phone, now=now)
    zone = in_zone(phone.zone, now) if found.until else ""
    return {"open": found.is_open, "text": f"{until_in_words(found, phone.zone, now=now)}{zone}"}


def _who_attends(hours: dict[str, Any]) -> str:
    """Return whether people attend now. It is no line of the conversation, which may be read on another day."""
    if hours["open"] is None:
        return ""
    until = {"until": hours["text"]}
    if hours["open"]:
        return _("Ahora hay personas atendiendo, %(until)s.") % until
    return _("Ahora no hay nadie atendiendo: %(until)s.") % until


# --- A report ---------------------------------------------------------------------------------------------


def interview_of(place: Place, chat: Chat) -> Interview | None:
    """Return the questions and answers of the report that the conversation fills in; None before a topic that is still
    offered was chosen."""
    draft = chat.report
    topic = topics.find(draft.topic) if draft is not None and not draft.folio else None
    if draft is None or topic is None:
        return None
    interview = Interview(draft, topic, user=place.user, is_short=chat.path == ChatPath.PERSON)
    interview.draft_files = tuple(file.name for file in files_of(place, draft))
    return interview


def has_unsent_answers(place: Place, chat: Chat) -> bool:
    """Whether «Empezar de nuevo» would throw away something that the person answered."""
    draft = chat.report
    if draft is None or draft.folio or chat.ticket_id:
        return False
    given = [text for values in (draft.values, draft.contact) for texts in values.values() for text in texts]
    return any(text.strip() for text in given) or bool(files_of(place, draft))


def files_of(place: Place, draft: ReportDraft) -> list[Attachment]:
    found = Attachment.objects.drafts(draft.files_key)
    return list(found if place.user is None else drafts.files_of(place.request, draft))


def _report(place: Place, chat: Chat, asked: str, refused: Interview | None) -> dict[str, Any]:
    kept = interview_of(place, chat)
    if kept is None or asked == "tema":
        first, others = _offered()
        return {"step": "topic", "first_topics": first, "other_topics": others}
    interview = refused or kept
    topic = kept.topic
    if topic.needs_account and place.user is None:
        return {"step": "sign_in", "topic": topic}
    name = asked if asked in interview.names else kept.first_open
    context = {"topic": topic, "pairs": kept.answered(until=name), "before": kept.before(name)}
    if kept.draft.overwritten and not place.is_framed:
        context["other_version_url"] = details_url(kept.draft.code)
    if not name:
        return context | {
            "step": "review",
            "offered": offers(place.request, topic, kept.draft.values).items,
            "promise": target_in_words(topic.first_response) if topic.first_response else "",
            "is_mailed": place.user is None or place.user.notify_by_email,
            "email": place.user.email if place.user else kept.draft.contact.get("email", [""])[-1],
        }
    field = interview.bound(name, with_errors=refused is not None)
    field.field.widget.attrs["id"] = "respuesta"
    options = interview.options(name)
    context |= {
        "step": "question",
        "asked": name,
        "field": field,
        "label": kept.label(name),
        "help": str(field.field.help_text or ""),
        "options": options,
        "given": field.value() if options else "",
        "may_skip": kept.may_skip(name),
        "address_hint": getattr(interview.form_of(name), "address_hint", "") if name == "email" else "",
    }
    if name == FILES:
        waiting = files_of(place, kept.draft)
        context["files"] = [waiting_file_row(file, remove_url=place.url("answer")) for file in waiting]
    return context


def _offered() -> tuple[list[Topic], list[Topic]]:
    """Return the topics about problems, and those about anything else."""
    offered = topics.all_topics()
    problems = [each for each in offered if not each.category or each.category.case_kind == CaseKind.PROBLEM]
    first = topics.featured(problems, 12)
    keys = {topic.key for topic in first}
    return first, [topic for topic in offered if topic.key not in keys]


def _filed(place: Place, ticket: Ticket) -> dict[str, Any]:
    """Return what is said after the report was sent. A visitor does not get a link to the ticket: it is mailed, because
    their address is not confirmed yet."""
    is_theirs = place.user is not None and ticket.requester_id == place.user.pk
    due = ticket.first_response_due_at
    return {
        "ticket": ticket,
        "due": due if due and due > timezone.now() and not ticket.first_response_at else None,
        "is_theirs": is_theirs,
    }


# --- Following a ticket -----------------------------------------------------------------------------------


def _followed(place: Place) -> dict[str, Any]:
    """Return the open tickets of the signed-in person, or those whose mailed links this browser has opened. In a frame
    there are none: no cookie is read there."""
    if place.user is not None:
        mine = Ticket.objects.requested_by(place.user).open().select_related("category")
        return {"tickets": rows(awaiting_first(mine)[:TICKETS])}
    if place.is_framed:
        return {"tickets": []}
    return {"tickets": guest_rows(place.request)}


def guest_rows(request: HttpRequest) -> list[dict[str, Any]]:
    followed = guests.find_followed(granted(request))
    found = [token for token in followed if token.ticket.is_open][:TICKETS]
    shown = rows(token.ticket for token in found)
    for token, row in zip(found, shown, strict=True):
        row["href"] = reverse("portal:guest", args=[token.ticket.folio])
    return shown
