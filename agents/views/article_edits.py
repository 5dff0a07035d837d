"""Writing articles: a new one, the editor with its preview and files, and what is done with an article (S2.47).

Every button of the editor sends the whole form. All but «Vista previa» and those of files first save what is typed, so
that no button loses it.
"""

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from content.article_markdown import MAX_ARTICLE
from content.files import RefusedFile
from knowledge import articles, files, from_tickets, personal_data, policies, reviews
from knowledge.enums import ArticleState
from knowledge.exceptions import NotReviewable, StaleArticle
from knowledge.models import Article, ArticleFile, Section
from knowledge.models.article import TITLE
from tickets.models import Ticket
from web.files import refused_file_row
from web.refusals import Refusal

from ..access import DeskRequest, desk_view, find_ticket
from ..forms.articles import CardForm, TextForm
from ..kept import KeptForm
from ..pages.article_editor import LANGUAGES, Editor, file_row, preview_of
from .articles import find_article, moved_to

GET_POST = ["GET", "HEAD", "POST"]


@require_http_methods(GET_POST)
@desk_view
def new(request: DeskRequest) -> HttpResponse:
    """Write a new article. What was typed is kept until it is saved or discarded, for each title given apart."""
    ticket = _solved(request)
    title = request.GET.get("titulo", "")[:TITLE].replace("\0", "")
    about = slugify(ticket.folio if ticket else title)[:60]
    kept = KeptForm(request, "-".join(filter(None, ["articulo-nuevo", about])))
    if kept.was_discarded:
        return redirect(request.get_full_path())
    language = request.POST.get("idioma") or request.GET.get("idioma") or "es"
    language = language if language in LANGUAGES else "es"
    posted = request.POST if request.method == "POST" else None
    begun = {"title": title}
    card = CardForm(posted, user=request.user, initial={"owner": request.user.pk})
    if ticket:
        drafted = from_tickets.draft_of(ticket)
        begun = {"title": drafted.title, "body": drafted.body}
        category = f".{ticket.category.key}" if ticket.category else ""
        card.initial["topic-0"] = f"{ticket.definition.key}{category}"
    text = TextForm(posted, initial=begun)
    status = 200
    if request.method == "POST":
        status = 422
        if text.is_valid() & card.is_valid():
            with Refusal(text):
                made = articles.create(
                    actor=request.user,
                    language=language,
                    source=ticket.folio if ticket else "",
                    **_text(text),
                    **card.card(),
                )
                kept.forget()
                messages.success(request, _("Guardamos el borrador."))
                return redirect(f"{reverse('agents:article_edit', args=[made.slug])}?idioma={language}")
        kept.keep()
    else:
        kept.fill(text)
        kept.fill(card)
    context = {
        "form": text,
        "card": card,
        "kept": kept,
        "language": language,
        "languages": LANGUAGES.items(),
        "ticket": ticket,
        "marks": personal_data.marks_in(f"{text['title'].value()}\n{text['body'].value()}"),
        "has_sections": Section.objects.exists(),
    }
    return render(request, "agents/knowledge/new.html", context, status=status)


@require_safe
@desk_view
def candidates(request: DeskRequest) -> HttpResponse:
    """List the solutions that were approved most often and of which there is no article."""
    context = {"candidates": from_tickets.candidates(request.user)}
    return render(request, "agents/knowledge/candidates.html", context)


@require_http_methods(GET_POST)
@desk_view
def edit(request: DeskRequest, slug: str) -> HttpResponse:
    """Show the editor, or do what its pressed button says."""
    editor = _editor(request, slug)
    if isinstance(editor, HttpResponse):
        return editor
    if editor.kept.was_discarded:
        return redirect(editor.url)
    if request.method != "POST":
        return _page(editor)
    asked = request.POST.get("do", "save")
    if asked == "preview":
        return _unsaved(editor)
    if asked in editor.turns:
        if editor.has_changed:
            editor.kept.keep()
        return redirect(editor.turns[asked])
    if asked == "upload" or "quitar" in request.POST:
        return _changed_files(editor)
    return _saved(editor, asked)


@require_POST
@desk_view
def preview(request: DeskRequest, slug: str) -> HttpResponse:
    """Return the typed text as HTML, which the page asks for after each pause in typing."""
    found = _find(request, slug)
    body = request.POST.get("body", "")[:MAX_ARTICLE].replace("\0", "").replace("\r\n", "\n")
    return render(request, "agents/knowledge/_preview.html", {"preview": preview_of(request, found, body)})


@require_POST
@desk_view
def upload(request: DeskRequest, slug: str) -> HttpResponse:
    """Keep a file and return its row, or a row that says why not (js/behaviours/upload.js)."""
    found = _find(request, slug)
    file = request.FILES.get("file")
    if file is None:
        return HttpResponse(status=400)
    try:
        kept = files.keep(file, name=file.name or "", article=found, actor=request.user)
    except RefusedFile as problem:
        return render(request, "components/_file.html", refused_file_row(file, problem), status=422)
    return render(request, "agents/knowledge/_file.html", {"row": file_row(kept)})


@require_POST
@desk_view
def remove_file(request: DeskRequest, slug: str, file: uuid.UUID) -> HttpResponse:
    files.discard(get_object_or_404(ArticleFile, uuid=file, article=_find(request, slug)), actor=request.user)
    return HttpResponse(status=204)


def _solved(request: DeskRequest) -> Ticket | None:
    """Return the ticket in the address from whose solution the article is written. 404 if there is none to see."""
    folio = request.GET.get("ticket", "")
    if not folio:
        return None
    ticket = find_ticket(request.user, folio.replace("\0", "")[:40])
    if not ticket.solution_done:
        raise Http404
    return ticket


def _saved(editor: Editor, asked: str) -> HttpResponse:
    """Save what is typed, then do what is asked. What is refused comes back with the reason and all that was typed."""
    request, article, text, card = editor.request, editor.article, editor.text, editor.card
    is_valid = text.is_valid()
    if editor.may_edit_card:
        is_valid = card.is_valid() and is_valid
    refusal = Refusal(text)
    if is_valid:
        with refusal:
            version = articles.save_version(
                article,
                actor=request.user,
                language=editor.language,
                note=text.cleaned_data["note"],
                expected=editor.expected,
                **_text(text),
            )
            editor.expected = version.number
            if editor.may_edit_card and card.changed_data:
                articles.edit_card(article, actor=request.user, **_changes(editor))
            done, present = _perform(asked, article, editor)
            editor.kept.forget()
            messages.success(request, done)
            return redirect(f"{reverse('agents:article_edit', args=[present.slug])}?idioma={editor.language}")
    if isinstance(refusal.problem, StaleArticle):
        editor.conflict = editor.latest
        editor.expected = editor.latest.number if editor.latest else 0
    editor.kept.keep()
    return _page(editor, status=409 if editor.conflict else 422)


def _perform(asked: str, article: Article, editor: Editor) -> tuple[str, Article]:
    """Call the verb of the pressed button. Returns the sentence to show, and the article."""
    actor = editor.user
    match asked:
        case "publish":
            return _("Publicado."), articles.publish(article, actor=actor)
        case "archive":
            return _("Archivado: ya no se lee en la ayuda."), articles.archive(article, actor=actor)
        case "restore":
            return _("Vuelve a ser un borrador."), articles.restore(article, actor=actor)
        case "reviewed":
            return _("Anotamos la revisión."), articles.mark_reviewed(article, actor=actor)
        case "rename":
            wanted = editor.request.POST.get("slug", "")[:200]
            done = _("Cambiamos la dirección. La anterior lleva a la nueva.")
            return done, articles.rename(article, wanted, actor=actor)
        case "ask-review":
            return _ask_review(editor), article
        case "answer-review":
            reviews.answer(article, actor=actor, said=editor.review_form.given("review_answer") or "")
            return _("Listo: le avisamos a quien pidió la revisión."), article
    if article.state == ArticleState.PUBLISHED:
        return _("Guardamos la versión. Quienes leen siguen viendo la publicada."), article
    return _("Guardamos el borrador."), article


def _ask_review(editor: Editor) -> str:
    """Ask the chosen colleague. Raises `NotReviewable` if there is none. Returns the sentence to show."""
    reviewer = editor.review_form.given("reviewer")
    if reviewer is None:
        raise NotReviewable(_("Elige a otra persona del equipo para que lo revise."))
    note = editor.review_form.given("review_note") or ""
    reviews.ask(editor.article, actor=editor.user, reviewer=reviewer, note=note)
    return _("Guardado. Le pedimos a %(name)s que lo revise.") % {"name": reviewer}


def _changes(editor: Editor) -> dict[str, Any]:
    """Return what of the card is to change. Scopes that are as they were are left out, so that no record is made."""
    values = editor.card.card()
    if not any(name.partition("-")[0] in editor.card.places.choices for name in editor.card.changed_data):
        del values["scopes"]
    return values


def _changed_files(editor: Editor) -> HttpResponse:
    """Keep or remove files without a script. Nothing of the text is saved; it is shown again as it was typed, with the
    marks of new pictures at its end."""
    request = editor.request
    if wanted := request.POST.get("quitar", ""):
        try:
            file = editor.article.files.filter(uuid=uuid.UUID(wanted)).first()
        except ValueError:
            raise Http404 from None
        if file:
            files.discard(file, actor=request.user)
    data = request.POST.copy()
    for given in request.FILES.getlist("files"):
        try:
            kept = files.keep(given, name=given.name or "", article=editor.article, actor=request.user)
        except RefusedFile as problem:
            editor.problem = f"{given.name}: {problem}"
        else:
            if mark := file_row(kept)["mark"]:
                data["body"] = f"{data.get('body', '').rstrip()}\n\n{mark}\n"
    editor.text.data = data
    return _unsaved(editor, status=422 if editor.problem else 200)


def _unsaved(editor: Editor, *, status: int = 200) -> HttpResponse:
    """Show the form as it was typed, without errors, because nobody has sent it yet."""
    editor.text.errors.clear()
    editor.card.errors.clear()
    editor.kept.keep()
    return _page(editor, status=status)


def _page(editor: Editor, *, status: int = 200) -> HttpResponse:
    context = {"editor": editor, "article": editor.article, "form": editor.text, "card": editor.card}
    return render(editor.request, "agents/knowledge/edit.html", context, status=status)


def _editor(request: DeskRequest, slug: str) -> Editor | HttpResponse:
    found = find_article(request, slug)
    if found is None:
        return redirect("agents:article_edit", moved_to(slug))
    if not policies.can_write(request.user):
        raise Http404
    return Editor(request, found)


def _find(request: DeskRequest, slug: str) -> Article:
    found: Article = get_object_or_404(Article.objects.visible_to(request.user), slug=slug)
    if not policies.can_write(request.user):
        raise Http404
    return found


def _text(form: TextForm) -> dict[str, Any]:
    return {name: form.cleaned_data[name] for name in ("title", "summary", "body")}
