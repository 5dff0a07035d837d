"""«Conocimiento»: the list of articles and procedures, and one of them to read (S2.36–S2.38, S2.47)."""

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from accounts.models import User
from knowledge import deflections, policies, reviews
from knowledge.models import Article, ArticleRedirect
from knowledge.rendering import rendered
from web.paging import read_page

from ..access import DeskRequest, desk_view
from ..forms.articles import ArticleFilter
from ..pages import articles as pages


@require_safe
@desk_view
def articles(request: DeskRequest) -> HttpResponse:
    """List the articles of a view, page by page, or those that have something of the words."""
    view = request.GET.get("vista", "")
    view = view if view in pages.VIEWS else "publicados"
    filters = ArticleFilter(request.GET)
    chosen = filters.chosen()
    context = {"filters": filters, "view": view, "views": _views(request.user, filters, view)}
    if chosen.get("q"):
        rows = pages.found(request.user, view, chosen)
    else:
        order = pages.VIEWS[view][2]
        page, context["problem"] = read_page(
            pages.listed(request.user, view, chosen),
            order=order,
            size=pages.PAGE,
            cursor=request.GET.get("desde", ""),
        )
        rows = page.rows
        for name in ("newer", "older"):
            if cursor := getattr(page, name):
                context[f"page_{name}"] = f"?{filters.query(vista=view, desde=cursor)}"
    context["rows"] = [pages.row(article, to_review=view == pages.ASKED_OF_ME) for article in rows]
    context["is_filtered"] = bool(chosen)
    part = "#results" if request.htmx.target == "results" else ""
    return render(request, f"agents/knowledge/list.html{part}", context)


@require_safe
@desk_view
def article(request: DeskRequest, slug: str) -> HttpResponse:
    """Show an article as its readers see it; one without a published text as it was written last. A part of it, for
    htmx, opens beside a ticket."""
    found = find_article(request, slug)
    if found is None:
        return redirect("agents:article", moved_to(slug))
    text = found.published_text() or found.latest_text()
    version = (text.published or text.latest) if text else None
    if text is None or version is None:
        raise Http404
    context = {
        "article": found,
        "shown": text,
        "version": version,
        "body": rendered(
            found,
            version.body,
            readable=Article.objects.visible_to(request.user),
            file_address=pages.file_address,
            article_address=pages.article_address,
        ),
        "row": pages.row(found),
        "files": [file for file in found.files.all() if file.file and not file.is_image],
        "deflected": deflections.counted(articles=[found]).count(),
        "days": deflections.REPORTED_DAYS,
        "may_write": policies.can_write(request.user),
    }
    part = "#body" if request.htmx else ""
    return render(request, f"agents/knowledge/article.html{part}", context)


def _views(user: User, filters: ArticleFilter, view: str) -> list[dict[str, object]]:
    asked = reviews.asked_of(user).count()
    return [
        {
            "key": key,
            "label": name,
            "href": f"?{filters.query(vista=key)}",
            "is_current": key == view,
            "count": asked if key == pages.ASKED_OF_ME else 0,
        }
        for key, (_state, name, _order) in pages.VIEWS.items()
    ]


def find_article(request: DeskRequest, slug: str) -> Article | None:
    """Return the article with this address and what its pages show of it."""
    visible = Article.objects.visible_to(request.user).filter(slug=slug)
    related = visible.select_related("section", "owner")
    return related.prefetch_related("texts__latest", "texts__published", "files").first()


def moved_to(slug: str) -> str:
    """Return the present address of the article that had this one, or raise 404."""
    moved = ArticleRedirect.objects.filter(slug=slug).values_list("article__slug", flat=True).first()
    if moved is None:
        raise Http404
    return str(moved)
