"""What supervisors keep of the knowledge: what nobody found, synonyms and sections (S2.47)."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from knowledge import deflections, misses, proposal_uses, sections, synonyms
from knowledge.models import SearchMiss, Section, SolutionPattern, SynonymGroup
from knowledge.suggestions import patterns
from web.paging import read_page
from web.refusals import Refusal

from ..access import DeskRequest, supervisor_view
from ..forms.knowledge import SectionForm, SynonymsForm

GET_POST = ["GET", "HEAD", "POST"]
PAGE = 50


@require_safe
@supervisor_view
def missed(request: DeskRequest) -> HttpResponse:
    """List what most people looked for and did not find."""
    return render(request, "agents/knowledge/missed.html", {"misses": misses.most_missed(PAGE)})


@require_POST
@supervisor_view
def dismiss(request: DeskRequest, pk: int) -> HttpResponse:
    """Delete a search from the report. Twice is once."""
    if found := SearchMiss.objects.filter(pk=pk).first():
        misses.dismiss(found)
        messages.success(request, _("Quitamos «%(query)s» del informe.") % {"query": found.query})
    return redirect("agents:missed")


@require_safe
@supervisor_view
def show_deflections(request: DeskRequest) -> HttpResponse:
    """Show how many tickets the answers deflected, by which articles and solutions, and how often the team took what
    solved tickets propose (S3.20)."""
    by_pattern = deflections.by_pattern()
    context = {
        "total": deflections.counted().count(),
        "days": deflections.REPORTED_DAYS,
        "week": deflections.DAYS,
        "articles": [
            {"article": article, "text": article.published_text(), "count": count}
            for article, count in deflections.most_helpful()
        ],
        "patterns": [
            {"pattern": pattern, "count": by_pattern.get(pattern.pk, 0)}
            for pattern in SolutionPattern.objects.order_by("-cases", "pk")[: patterns.MOST]
        ],
        "proposals": proposal_uses.share(),
        "customers": patterns.CUSTOMERS,
    }
    return render(request, "agents/knowledge/deflections.html", context)


@require_POST
@supervisor_view
def hide_pattern(request: DeskRequest, pk: int) -> HttpResponse:
    """Offer a solution to nobody, or again. Twice is once."""
    pattern = get_object_or_404(SolutionPattern, pk=pk)
    hidden = "mostrar" not in request.POST
    patterns.hide(pattern, actor=request.user, hidden=hidden)
    messages.success(
        request, _("Ya no ofrecemos esa solución.") if hidden else _("Ofrecemos esa solución otra vez.")
    )
    return redirect("agents:deflections")


@require_http_methods(GET_POST)
@supervisor_view
def synonym_groups(request: DeskRequest) -> HttpResponse:
    """List the groups of synonyms, and add one."""
    form = SynonymsForm(request.POST or None, initial={"words": request.GET.get("palabras", "")[:300]})
    if request.method == "POST" and _saved(request, form):
        return redirect("agents:synonyms")
    rows = SynonymGroup.objects.select_related("edited_by")
    cursor = request.GET.get("desde", "")
    page, problem = read_page(rows, order=("words", "id"), size=PAGE, cursor=cursor)
    context = {
        "form": form,
        "groups": page.rows,
        "page_newer": f"?desde={page.newer}" if page.newer else "",
        "page_older": f"?desde={page.older}" if page.older else "",
        "problem": problem,
    }
    return render(request, "agents/knowledge/synonyms.html", context, status=_status(form))


@require_http_methods(GET_POST)
@supervisor_view
def synonym_group(request: DeskRequest, pk: int) -> HttpResponse:
    """Change or delete a group of synonyms."""
    group = get_object_or_404(SynonymGroup, pk=pk)
    if request.POST.get("do") == "delete":
        synonyms.delete(group, actor=request.user)
        messages.success(request, _("Borramos los sinónimos."))
        return redirect("agents:synonyms")
    form = SynonymsForm(request.POST or None, initial={"words": group.words})
    if request.method == "POST" and _saved(request, form, group):
        return redirect("agents:synonyms")
    context = {"form": form, "group": group}
    return render(request, "agents/knowledge/synonym.html", context, status=_status(form))


@require_safe
@supervisor_view
def section_list(request: DeskRequest) -> HttpResponse:
    rows = Section.objects.all()[: sections.MOST_SECTIONS]
    return render(request, "agents/knowledge/sections.html", {"sections": rows})


@require_http_methods(GET_POST)
@supervisor_view
def section(request: DeskRequest, pk: int | None = None) -> HttpResponse:
    """Make, change or delete a section."""
    found = get_object_or_404(Section, pk=pk) if pk else None
    form = SectionForm(request.POST or None, section=found)
    if request.method == "POST":
        if found and request.POST.get("do") == "delete":
            form = SectionForm(section=found)
            with Refusal() as refusal:
                sections.delete(found, actor=request.user)
                messages.success(request, _("Borramos la sección."))
                return redirect("agents:knowledge_sections")
            context: dict[str, Any] = {"form": form, "section": found, "problem": _first(refusal)}
            return render(request, "agents/knowledge/section.html", context, status=422)
        if form.is_valid():
            with Refusal(form):
                sections.save(actor=request.user, section=found, **form.cleaned_data)
                messages.success(request, _("Guardamos la sección."))
                return redirect("agents:knowledge_sections")
    context = {"form": form, "section": found}
    return render(request, "agents/knowledge/section.html", context, status=_status(form))


def _first(refusal: Refusal) -> str:
    errors = getattr(refusal.problem, "errors", {})
    return next((messages[0] for messages in errors.values()), str(refusal))


def _saved(request: DeskRequest, form: SynonymsForm, group: SynonymGroup | None = None) -> bool:
    """Whether the group was saved. If not, the form says why."""
    if form.is_valid():
        with Refusal(form):
            synonyms.save(form.cleaned_data["words"], actor=request.user, group=group)
            messages.success(request, _("Guardamos los sinónimos. La búsqueda ya los usa."))
            return True
    return False


def _status(form: Any) -> int:
    return 422 if form.is_bound else 200
