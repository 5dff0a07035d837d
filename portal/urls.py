"""URLs of the portal. A ticket's pages exist twice: for its signed-in requester, and for a guest with a link."""

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, path, re_path

from .chats import framed_view, own_view
from .views import (
    app_entry,
    articles,
    assistant,
    crawlers,
    filing,
    guests,
    home,
    one_page,
    profile,
    search,
    sending,
    suggestions,
    ticket,
    tickets,
    widget,
)

app_name = "portal"

TICKET_PAGES: list[tuple[str, Callable[..., Any], str]] = [
    ("", ticket.ticket, ""),
    ("novedades/", ticket.updates, "updates"),
    ("responder/", ticket.ticket_reply, "reply"),
    ("archivos/", ticket.ticket_upload, "upload"),
    ("archivos/<uuid:file>/quitar/", ticket.ticket_discard, "discard"),
    ("acciones/<slug:action>/", ticket.ticket_action, "action"),
    ("encuesta/", ticket.survey, "survey"),
    ("fecha/", ticket.due, "due"),
    ("avisos/", ticket.ticket_notifications, "notifications"),
    ("correo/<int:pk>/", ticket.ticket_mail, "mail"),
]


def ticket_pages(prefix: str, name: str, **extra: Any) -> list[URLPattern]:
    return [
        path(f"{prefix}/<str:folio>/{rest}", view, extra, name="_".join(filter(None, [name, suffix])))
        for rest, view, suffix in TICKET_PAGES
    ]


CHAT_PAGES: list[tuple[str, Callable[..., Any], str]] = [
    ("", assistant.conversation, ""),
    ("camino/", assistant.choose_path, "path"),
    ("tema/", assistant.choose_topic, "topic"),
    ("respuesta/", assistant.answer, "answer"),
    ("enviar/", assistant.send, "send"),
    ("pregunta/", assistant.ask, "ask"),
    ("resuelto/", assistant.solved, "solved"),
    ("seguir/", assistant.follow, "follow"),
    ("de-nuevo/", assistant.start_over, "over"),
]


def chat_pages(prefix: str, name: str, decorate: Callable[..., Any]) -> list[URLPattern]:
    return [
        path(f"{prefix}/{rest}", decorate(view), name="_".join(filter(None, [name, suffix])))
        for rest, view, suffix in CHAT_PAGES
    ]


urlpatterns = [
    path("", home.home, name="home"),
    path("buscar/", search.search, name="search"),
    path("buscar/falta/", search.miss, name="search_miss"),
    path("ayuda/", articles.help_centre, name="help"),
    path("ayuda/seccion/<slug:slug>/", articles.section, name="help_section"),
    path("ayuda/<slug:slug>/", articles.article, name="article"),
    path("ayuda/<slug:slug>/opinion/", articles.vote, name="article_vote"),
    re_path(r"^ayuda/(?P<slug>[\w-]+)/(?P<language>es|en)/$", articles.article, name="article_in"),
    path("robots.txt", crawlers.robots, name="robots"),
    path("sitemap.xml", crawlers.sitemap, name="sitemap"),
    path("sitemap-<slug:slug>.xml", crawlers.sitemap_section, name="sitemap_section"),
    path("nuevo/", filing.report, name="report"),
    path("nuevo/sugerencias/", suggestions.suggestions, name="suggestions"),
    path("nuevo/<slug:draft_id>/", filing.report_type, name="report_type"),
    path("nuevo/<slug:draft_id>/detalles/", filing.report_details, name="report_details"),
    path("nuevo/<slug:draft_id>/formulario/", one_page.report_form, name="report_form"),
    path("nuevo/<slug:draft_id>/borrador/", filing.report_draft, name="report_draft"),
    path("nuevo/<slug:draft_id>/archivos/", filing.report_upload, name="report_upload"),
    path("nuevo/<slug:draft_id>/archivos/<uuid:file>/quitar/", filing.report_discard, name="report_discard"),
    path("nuevo/<slug:draft_id>/descartar/", filing.report_drop, name="report_drop"),
    path("nuevo/<slug:draft_id>/recuperar/", filing.report_restore, name="report_restore"),
    path("nuevo/<slug:draft_id>/antes/", suggestions.report_before, name="report_before"),
    path("nuevo/<slug:draft_id>/resuelto/", suggestions.report_solved, name="report_solved"),
    path("nuevo/<slug:draft_id>/contacto/", sending.report_contact, name="report_contact"),
    path("nuevo/<slug:draft_id>/listo/", sending.report_done, name="report_done"),
    path("tickets/", tickets.ticket_list, name="ticket_list"),
    *ticket_pages("tickets", "ticket"),
    *ticket_pages("invitado", "guest", guest=True),
    path("invitado/<str:folio>/cierre/", ticket.approval, {"guest": True}, name="guest_approval"),
    path("enlace/nuevo/", guests.resend_link, name="resend_link"),
    path("enlace/nuevo/listo/", guests.resend_done, name="resend_done"),
    path("enlace/otro/<slug:folio>/", guests.renew_link, name="renew_link"),
    path("enlace/<str:token>/", guests.guest_link, name="guest_link"),
    path("enlace/<str:token>/encuesta/", guests.guest_link, {"page": "survey"}, name="guest_link_survey"),
    path("enlace/<str:token>/fecha/", guests.guest_link, {"page": "due"}, name="guest_link_due"),
    path("desde/app/", app_entry.app_entry, name="app_entry"),
    path("desde/app/<str:token>/", app_entry.app_link, name="app_link"),
    *chat_pages("asistente", "assistant", own_view),
    path("widget.js", widget.widget_script, name="widget"),
    path("asistente/marco/", framed_view(assistant.start), name="frame_start"),
    *chat_pages("asistente/marco/<str:secret>", "frame", framed_view),
    path("perfil/", profile.profile, name="profile"),
]
