"""The help centre: sections, articles and what readers say of them (S2.47)."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from knowledge import feedback
from knowledge.models import Article, ArticleFeedback, ArticleRedirect, ArticleText, Section
from web.expired import has_text, not_found_form, session_ended
from web.paging import read_page
from web.ratelimit import by_user, limited
from web.refusals import Refusal
from web.visitors import recognised, visitor_of

from ..forms.articles import VoteForm
from ..pages import articles as pages
from ..pages.contact import panel

PAGE = 30


@require_safe
def help_centre(request: HttpRequest) -> HttpResponse:
    context = {
        "sections": pages.sections(request.user),
        "crumbs": pages.crumbs(),
        "contact": panel(request.user),
    }
    return render(request, "portal/help/centre.html", context)


@require_safe
def section(request: HttpRequest, slug: str) -> HttpResponse:
    """List the articles of a section. One without an article for this person does not exist for them."""
    found = get_object_or_404(Section, slug=slug)
    readable = Article.objects.in_portal(request.user).filter(section=found).with_published_texts()
    cursor = request.GET.get("desde", "")
    page, problem = read_page(readable, order=("position", "slug"), size=PAGE, cursor=cursor)
    if not page.rows:
        raise Http404
    if problem:
        messages.info(request, problem)
    context = {
        "section": found,
        "crumbs": pages.crumbs(found),
        "rows": [pages.row(article) for article in page.rows],
        "newer": f"?desde={page.newer}" if page.newer else "",
        "older": f"?desde={page.older}" if page.older else "",
        "contact": panel(request.user),
    }
    return render(request, "portal/help/section.html", context)


@require_safe
def article(request: HttpRequest, slug: str, language: str = "") -> HttpResponse:
    """Show the article in `language`, or in that of the reader. An earlier address leads to the present one."""
    found = _find(request, slug)
    if found is None:
        return _moved(request, slug, language)
    text = _text_of(found, language)
    if text is None:
        return redirect(pages.address_of(found))
    return _page(request, found, text)


@require_POST
@limited("vote", rate="40/h", by=by_user)
def vote(request: HttpRequest, slug: str) -> HttpResponse:
    """Record whether the article helped, and then what was missing. Each person or browser has one answer about each
    version."""
    found = _find(request, slug)
    if found is None:
        return _vote_of_nothing(request)
    text = _text_of(found, request.POST.get("idioma", "")) or found.published_text()
    if text is None or text.published is None:
        raise Http404
    form = VoteForm(request.POST)
    if not form.is_valid():
        return _page(request, found, text, form=form, status=422)
    with Refusal(form) as refusal:
        given = feedback.give(
            text.published,
            voter=feedback.voter_of(_who(request)),
            is_useful=form.cleaned_data["sirvio"] == "si",
            missing=form.cleaned_data["falto"],
            comment=form.cleaned_data["frase"],
        )
    if refusal:
        return _page(request, found, text, form=form, status=409)
    is_complete = given.is_useful or form.asked_why
    if getattr(request, "htmx", False):
        found.refresh_from_db(fields=["yes_count", "no_count"])
        context = {"vote": pages.vote(found, text, given, is_complete=is_complete)}
        return render(request, "portal/help/_vote.html", context)
    if is_complete:
        messages.success(request, _("Gracias por tu opinión."))
    return redirect(f"{_address_shown(found, text)}#opinion")


def _vote_of_nothing(request: HttpRequest) -> HttpResponse:
    """Answer a vote about an article that this person does not read, with what they wrote: their session may have
    ended, or the article may have been archived meanwhile."""
    if getattr(request, "htmx", False) or not has_text(request):
        raise Http404
    return not_found_form(request) if request.user.is_authenticated else session_ended(request)


def _page(
    request: HttpRequest,
    found: Article,
    text: ArticleText,
    *,
    form: VoteForm | None = None,
    status: int = 200,
) -> HttpResponse:
    context: dict[str, Any] = pages.page(request, found, text)
    context["vote"] = pages.vote(found, text, _given(request, text)) | {"form": form}
    context["language_next"] = pages.address_of(found)  # an address with a language would keep the text in it
    return render(request, "portal/help/article.html", context, status=status)


def _address_shown(found: Article, text: ArticleText) -> str:
    """Return the address at which this reader sees `text`: without a language where that text is shown anyway."""
    is_own = found.published_text() == text
    return pages.address_of(found) if is_own else pages.address_of(found, text.language)


def _find(request: HttpRequest, slug: str) -> Article | None:
    """Return the published article with this address, if this person reads it in the portal."""
    readable = Article.objects.in_portal(request.user).filter(slug=slug)
    related = readable.select_related("section").prefetch_related("texts__published", "scopes", "files")
    return related.first()


def _text_of(found: Article, language: str) -> ArticleText | None:
    """Return the published text in `language`, None if there is none; without a language, the one to show."""
    if not language:
        return found.published_text()
    return next((text for text in found.texts.all() if text.language == language and text.published_id), None)


def _moved(request: HttpRequest, slug: str, language: str) -> HttpResponse:
    """Redirect for ever from an earlier address to the article, if this person may read it; else answer 404."""
    moved = ArticleRedirect.objects.filter(slug=slug).select_related("article").first()
    if moved is None or not Article.objects.in_portal(request.user).filter(pk=moved.article_id).exists():
        raise Http404
    return redirect(pages.address_of(moved.article, language), permanent=True)


def _who(request: HttpRequest) -> str:
    """Return who answers: the person with an account, or the browser, which gets a cookie."""
    return f"user {request.user.pk}" if isinstance(request.user, User) else f"browser {recognised(request)}"


def _given(request: HttpRequest, text: ArticleText) -> ArticleFeedback | None:
    """Return this person's answer about the version that is shown."""
    if isinstance(request.user, User):
        who = f"user {request.user.pk}"
    elif known := visitor_of(request):
        who = f"browser {known}"
    else:
        return None
    return ArticleFeedback.objects.filter(version=text.published_id, voter=feedback.voter_of(who)).first()
