"""What search engines read: which pages there are, and which to leave alone."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from knowledge.models import Article, ArticleText, Section

from ..pages.articles import address_of, readable_sections

MOST = 5000
"""The articles of one section that a sitemap names. The protocol allows ten times as many."""
CLOSED = (
    "/admin/",
    "/agentes/",
    "/cuenta/",
    "/buscar/",
    "/nuevo/",
    "/tickets/",
    "/invitado/",
    "/enlace/",
    "/perfil/",
)


@require_safe
@cache_control(public=True, max_age=3600)
def robots(request: HttpRequest) -> HttpResponse:
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in CLOSED)]
    lines.append(f"Sitemap: {request.build_absolute_uri(reverse('portal:sitemap'))}")
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


@require_safe
@cache_control(public=True, max_age=3600)
def sitemap(request: HttpRequest) -> HttpResponse:
    """Name the sitemap of each section that has public articles."""
    addresses = [
        request.build_absolute_uri(reverse("portal:sitemap_section", args=[section.slug]))
        for section in readable_sections(None)
    ]
    return render(
        request, "portal/help/sitemap_index.xml", {"addresses": addresses}, content_type="application/xml"
    )


@require_safe
@cache_control(public=True, max_age=3600)
def sitemap_section(request: HttpRequest, slug: str) -> HttpResponse:
    """Name the public articles of the section in each of their languages. Whoever asks, what only customers read is not
    among them."""
    section = get_object_or_404(Section, slug=slug)
    public = Article.objects.in_portal(None).filter(section=section)
    texts = ArticleText.objects.filter(article__in=public, published__isnull=False).select_related("article")
    shown = texts.only("language", "article__slug", "article__updated_at").order_by(
        "article_id", "-language"
    )[:MOST]
    rows = [
        {
            "address": request.build_absolute_uri(address_of(text.article, text.language)),
            "changed": text.article.updated_at,
        }
        for text in shown
    ]
    if not rows:
        raise Http404
    return render(request, "portal/help/sitemap.xml", {"rows": rows}, content_type="application/xml")
