"""The home page."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from ..pages import topics
from ..pages.home import begun_or_new, form_page, home_context, opened_form


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show the topics, below the form of a process that puts its own there (S1.6)."""
    offered = topics.all_topics()
    topic = topics.on_home(offered, signed_in=request.user.is_authenticated)
    if topic is None:
        return render(request, "portal/home.html", home_context(request, offered))
    draft = begun_or_new(request, topic)
    return form_page(request, draft, topic, opened_form(request, draft, topic), offered=offered)
