"""The conversation with the assistant (S0.8): one view for each form of its page, all answered by a redirect back.

The views get a `Place` from `portal.chats`. They are the same on the desk's own pages and in the frame of another site.
"""

from collections.abc import Iterable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from content.errors import InvalidData
from knowledge import deflections
from knowledge.suggestions import Suggestion, find, suggest
from tickets import chats
from tickets.attachments import discard_draft, keep_drafts
from tickets.chats import line
from tickets.drafts import keep_answers, keep_contact, keepable
from tickets.enums import Channel, ChatPath
from tickets.models import Chat, ReportDraft
from tickets.requesters import guests
from web.ratelimit import by_ip, by_user, limited, too_many_requests
from web.refusals import Refusal

from .. import drafts
from ..chats import Place
from ..forms.ticket import ResendForm
from ..pages import topics
from ..pages.chat import ASKS_OVER, chat_page, has_unsent_answers, interview_of
from ..pages.interview import FILES, Interview, contact_data
from ..pages.suggestions import may_have_written
from .sending import RECEIPTS, file_draft, may_mail_receipt, strangers_network
from .suggestions import SOLVED

ANSWERS = 3
UNSOLVED = {"no": gettext_lazy("Sigo con el problema"), "reporta": gettext_lazy("Repórtalo por mí")}
"""What a person says whom the articles did not help: after an answer, and when none was found."""


@require_safe
def conversation(request: HttpRequest, place: Place) -> HttpResponse:
    return chat_page(place, asked=request.GET.get("cambiar", ""))


@require_safe
def start(request: HttpRequest, place: Place) -> HttpResponse:
    """Show a frame's first page, whose forms lead to the address of the conversation."""
    return chat_page(place, is_start=True)


@limited("chat-begin", rate="300/h", by=by_user)
@require_POST
def choose_path(request: HttpRequest, place: Place) -> HttpResponse:
    """Go one of the four ways, or back to the menu."""
    asked = request.POST.get("camino", "")
    if asked not in ChatPath.values:
        if place.chat:
            chats.go_on(place.chat, path="")
        return place.back()
    path = ChatPath(asked)
    if place.chat and place.chat.ticket_id:  # what was filed stays with its ticket
        chats.end(place.chat)
        place.chat = None
    said = [line(str(path.label), mine=True)]
    if path == ChatPath.PERSON:
        said.append(line(_("Escribe tu mensaje: queda como ticket y te responde una persona.")))
    chat = chats.go_on(place.begun(), *said, path=path, owner=place.user)
    if path == ChatPath.REPORT:
        _forget_title_of_person(chat)
    return place.back()


def _forget_title_of_person(chat: Chat) -> None:
    """Let the report be asked for its title, if it has only the one of a message to a person."""
    draft = chat.report
    if draft is not None and draft.values.get("title") == [_title_of_person()]:
        keep_answers(draft, topic=draft.topic, answers={"title": None}, page=chats.page_of(chat))


def _title_of_person() -> str:
    return _("Quiero hablar con una persona")


@limited("chat", rate="200/10m", by=by_user)
@require_POST
def choose_topic(request: HttpRequest, place: Place) -> HttpResponse:
    """Begin the report about a topic, or change its topic. What was answered stays."""
    topic = topics.find(request.POST.get("tipo", ""))
    chat = place.chat
    if chat is None or topic is None or chat.ticket_id:
        return place.back()
    draft = _report_of(place, chat)
    answers: dict[str, list[str] | None] = {}
    if chat.path == ChatPath.PERSON and not topic.definition.title_from and "title" not in draft.values:
        answers["title"] = [_title_of_person()]
    chats.write_report(chat, keep_answers(draft, topic=topic.key, answers=answers, page=chats.page_of(chat)))
    return place.back()


def _report_of(place: Place, chat: Chat) -> ReportDraft:
    """Return the unsent report of the conversation, or a new one that is not stored yet, for this person."""
    draft = chat.report
    if draft is None or draft.folio:
        draft = ReportDraft(code=drafts.new_code())
    draft.visitor = place.draft_visitor
    draft.owner = place.user or draft.owner or chat.owner
    return draft


@limited("chat", rate="200/10m", by=by_user)
@require_POST
def answer(request: HttpRequest, place: Place) -> HttpResponse:
    """Take the answer to one question. A refused answer is shown again with its errors and is not kept.

    What was typed after the session had ended is kept unchecked. It is checked when the person has signed in again.
    """
    chat = place.chat
    interview = interview_of(place, chat) if chat and not chat.ticket_id else None
    name = request.POST.get("pregunta", "")
    if chat is None or interview is None:
        return _not_asked(place, name)
    if place.is_signed_out:
        if name in interview.names and (typed := keepable({name: request.POST.getlist(name)})):
            _store(place, chat, interview, name, typed[name])
        return place.back()
    if _must_sign_in(place, interview):
        return _not_asked(place, name)
    if file := request.POST.get("quitar"):
        if place.user:
            drafts.adopt_files(interview.draft, place.user)
        discard_draft(interview.draft.files_key, file, actor=place.user)
        return place.back(cambiar=FILES)
    if name not in interview.names:
        return _not_asked(place, name)
    if name == FILES:
        return _take_files(request, place, chat, interview)
    given = [] if "omitir" in request.POST else request.POST.getlist(name)
    kept = keepable({name: given})
    tried = _tried(place, interview, name, kept.get(name, []), request.POST.get("address_ok", ""))
    errors = tried.errors(name)
    if given and not kept:
        errors = [_("El texto es demasiado largo.")]
    if "omitir" in request.POST and interview.may_skip(name):
        errors = []
    if errors:
        return chat_page(place, asked=name, interview=tried, errors=errors, status=422)
    _store(place, chat, interview, name, kept.get(name, []))
    return place.back()


def _not_asked(place: Place, name: str) -> HttpResponse:
    """Show the conversation as it is now, with what was typed for a question that it does not ask any more: another tab
    began a new one, or chose another topic."""
    typed = " ".join(keepable({name: place.request.POST.getlist(name)}).get(name, [])).strip()
    if not typed:
        return place.back()
    told = _("Esa pregunta ya no está en esta conversación. Escribiste: «%(text)s»") % {"text": typed}
    return chat_page(place, errors=[told], status=409)


def _tried(place: Place, interview: Interview, name: str, given: list[str], address_ok: str) -> Interview:
    """Return the interview as it would be with this answer, without storing it."""
    draft = interview.draft
    values, contact = dict(draft.values), dict(draft.contact)
    (values if name in interview.details.fields else contact)[name] = given
    copy = ReportDraft(code=draft.code, topic=draft.topic, values=values, contact=contact)
    tried = Interview(copy, interview.topic, user=place.user, is_short=interview.is_short)
    if name == "email":  # only an address that was accepted before counts as meant
        data = contact_data(copy, place.user)
        data["address_ok"] = address_ok
        tried.contact.data = data
    tried.draft_files = interview.draft_files
    return tried


def _store(place: Place, chat: Chat, interview: Interview, name: str, given: list[str]) -> None:
    draft = _report_of(place, chat)
    if name in interview.details.fields:
        draft = keep_answers(draft, topic=draft.topic, answers={name: given}, page=chats.page_of(chat))
    else:
        draft = keep_contact(draft, contact={**draft.contact, name: given})
    chats.write_report(chat, draft)


def _take_files(request: HttpRequest, place: Place, chat: Chat, interview: Interview) -> HttpResponse:
    problems = keep_drafts(
        request.FILES.getlist(FILES),
        draft_key=interview.draft.files_key,
        actor=place.user,
        limits=interview.topic.definition.files,
        visitor=by_ip(request),
    )
    if problems:
        return chat_page(place, asked=FILES, errors=problems, status=422)
    _store(place, chat, interview, FILES, [])
    return place.back()


def _must_sign_in(place: Place, interview: Interview) -> bool:
    return place.is_signed_out or (
        place.user is None and (interview.topic.needs_account or interview.draft.owner_id is not None)
    )


@limited("report", rate="60/10m", by=by_user)
@limited("report-mail-network", rate="60/h", by=strangers_network)
@require_POST
def send(request: HttpRequest, place: Place) -> HttpResponse:
    """File the report and attach the conversation to its ticket. Sent twice, it files once."""
    chat = place.chat
    interview = interview_of(place, chat) if chat and not chat.ticket_id else None
    if chat is None or interview is None or interview.first_open or _must_sign_in(place, interview):
        return place.back()  # what is missing is asked there
    details, contact = interview.details, interview.contact
    if not contact.is_valid() or not details.is_valid():
        return place.back()
    if not may_mail_receipt(request, contact):
        return too_many_requests(request, window=RECEIPTS.seconds)
    said = _said(interview)
    with Refusal() as refusal:
        ticket = file_draft(request, interview.draft, interview.topic, details, contact, channel=Channel.CHAT)
        chats.attach(chat, ticket, *said)
        return place.back()
    problem = refusal.problem
    errors = (
        [text for texts in problem.errors.values() for text in texts]
        if isinstance(problem, InvalidData)
        else [str(refusal)]
    )
    return chat_page(place, errors=errors, status=422)


def _said(interview: Interview) -> list[chats.Line]:
    """Return the questions and answers of the report as lines, which stay on the ticket."""
    said = [line(_("¿De qué se trata?")), line(interview.topic.name, mine=True)]
    for each in interview.answered():
        said += [line(each.label), line(each.text, mine=True)]
    return said


@limited("chat-ask", rate="60/10m", by=by_user)
@require_POST
def ask(request: HttpRequest, place: Place) -> HttpResponse:
    """Answer a question from the articles that the person may read."""
    typed = request.POST.get("texto", "")[: 2 * chats.LONGEST_QUESTION].replace("\0", "").strip()
    errors = []
    if not typed:
        errors = [_("Escribe tu pregunta.")]
    elif len(typed) > chats.LONGEST_QUESTION:
        errors = [
            _("Escribe tu pregunta en menos de %(most)d caracteres.") % {"most": chats.LONGEST_QUESTION}
        ]
    elif place.chat and len(place.chat.lines) >= chats.MOST_LINES - 2:
        errors = [_("Esta conversación ya es muy larga. Empieza otra para seguir preguntando.")]
    if errors:
        return chat_page(place, errors=errors, typed=typed, status=422)
    chat = place.begun()
    asked = line(typed, mine=True, kind=chats.QUESTION)
    chats.go_on(chat, asked, _answer_to(place, typed), path=ChatPath.ASK, owner=place.user)
    return place.back()


def _count_as_solved(place: Place, chat: Chat, suggestion: Suggestion) -> None:
    """Note the answer that made the report unnecessary. Not in a frame: there nobody can be told from anybody else, so
    that what they file later would not take it back."""
    interview = interview_of(place, chat)
    if interview is None or place.is_framed or not SOLVED.take(f"solved {by_ip(place.request)}"):
        return
    topic, draft = interview.topic, interview.draft
    deflections.record(
        suggestion,
        process=topic.process.key,
        category=topic.category.key if topic.category else "",
        user=place.user,
        visitor=draft.visitor,
        draft=draft.key,
    )


def _answer_to(place: Place, question: str) -> chats.Line:
    """Answer with what a provider wrote from articles, else with the best of what was found."""
    language = get_language() or ""
    may_write = may_have_written(place.request)
    found = suggest(question, reader=place.reader, language=language, limit=ANSWERS, answer=may_write)
    if not found:
        return line(
            _("No encontré un artículo que responda eso. Puedo reportarlo por ti o pasarte con una persona.")
        )
    if found.answer:
        return line(found.answer.text, kind=chats.ANSWER, articles=_named(found.answer.sources))
    best = found.items[0]
    text = best.plain_excerpt or _("Encontré esto, que puede ayudarte.")
    if best.pattern:
        text = _("Así se resolvieron casos parecidos: %(solution)s") % {"solution": f"{best.title}. {text}"}
    return line(text, kind=chats.ANSWER, articles=_named(found.items))


def _named(items: Iterable[Suggestion]) -> list[tuple[str, str]]:
    """Return title and address of each article; a solution has no page of its own."""
    return [(each.title, each.address) for each in items if each.address]


@limited("chat", rate="200/10m", by=by_user)
@require_POST
def solved(request: HttpRequest, place: Place) -> HttpResponse:
    """Thank the person whose question is answered; for anybody else begin a report with what they asked.

    Before a report is sent, `resuelto` names the suggestion that made it unnecessary, which counts (S3.20). The report
    is kept as a draft.
    """
    chat = place.chat
    if chat is None or chat.ticket_id:
        return place.back()
    given = request.POST.get("resuelto", "")
    suggestion = find(given, reader=place.reader)
    if suggestion is not None:
        _count_as_solved(place, chat, suggestion)
    if suggestion is not None or given == "si":
        thanks = _("Me alegra. ¿Te ayudo con algo más?")
        if has_unsent_answers(place, chat):
            thanks = _(
                "Me alegra. No envié tu reporte: lo guardo por si vuelve a pasar, y «%(report)s» lo retoma. "
                "¿Te ayudo con algo más?"
            ) % {"report": ChatPath.REPORT.label}
        chats.go_on(chat, line(_("Esto lo resolvió"), mine=True), line(thanks), path="")
        return place.back()
    if given not in UNSOLVED:  # an article that is gone meanwhile
        return place.back()
    asked = next((each["text"] for each in reversed(chat.lines) if each.get("kind") == chats.QUESTION), "")
    chats.go_on(
        chat,
        line(str(UNSOLVED[given]), mine=True),
        line(_("Entonces hagamos un reporte para que lo revise el equipo. Usaré lo que me contaste.")),
        path=ChatPath.REPORT,
    )
    draft = _report_of(place, chat)
    if asked and not draft.values.get("description"):
        answers: dict[str, list[str] | None] = {"description": [asked]}
        chats.write_report(
            chat, keep_answers(draft, topic=draft.topic, answers=answers, page=chats.page_of(chat))
        )
    return place.back()


@limited("resend", rate="10/h")
@require_POST
def follow(request: HttpRequest, place: Place) -> HttpResponse:
    """Mail a new link to a ticket, and answer the same whether or not the folio and the address belong together, as
    `resend_link` does (B15, B26). The address is not kept in the conversation."""
    form = ResendForm(request.POST)
    if not form.is_valid():
        return chat_page(place, form=form, status=422)
    guests.ask_again(folio=form.cleaned_data["folio"], email=form.cleaned_data["email"])
    told = _(
        "Si ese folio y ese correo van juntos, enviamos al correo un enlace para ver el ticket. Ábrelo para "
        "demostrar que el correo es tuyo: sin eso no puedo decir nada de ningún ticket."
    )
    said = line(form.cleaned_data["folio"], mine=True)
    chats.go_on(place.begun(), said, line(told), path=ChatPath.FOLLOW, owner=place.user)
    return place.back()


@limited("chat", rate="200/10m", by=by_user)
@require_POST
def start_over(request: HttpRequest, place: Place) -> HttpResponse:
    """End this conversation. Its unsent report is thrown away, which is asked once if something was answered; a sent
    one stays with its conversation."""
    if "seguro" not in request.POST and place.chat and has_unsent_answers(place, place.chat):
        return place.back(**{ASKS_OVER: "1"})
    if place.chat:
        chats.end(place.chat)
    return redirect(place.first_url())
