from django.urls import path

from .views import (
    accounts,
    actions,
    bulk,
    closing,
    conversation,
    customers,
    intake,
    nonconformities,
    palette,
    prepare,
    properties,
    queues,
    tickets,
)

app_name = "agents"
TICKET = "tickets/<str:folio>"

urlpatterns = [
    path("", queues.queue, name="queue"),
    path("colas/<slug:key>/", queues.queue, name="queue_of"),
    path("colas/<slug:key>/filtros/", queues.queue_filters, name="queue_filters"),
    path("colas/<slug:key>/lista/", queues.queue_items, name="queue_items"),
    path("buscar/", palette.palette, name="palette"),
    path("preparar/", prepare.prepare, name="prepare"),
    path("preparar/<str:folio>/", prepare.prepare_ticket, name="prepare_ticket"),
    path("preparar/<str:folio>/propuesta/", prepare.prepare_proposal, name="prepare_proposal"),
    path("tickets/nuevo/", intake.new_ticket, name="new_ticket"),
    path("tickets/asignar/", bulk.assign, name="assign"),
    path(f"{TICKET}/", tickets.ticket, name="ticket"),
    path(f"{TICKET}/pulso/", tickets.pulse, name="ticket_pulse"),
    path(f"{TICKET}/mensajes/", conversation.send, name="ticket_send"),
    path(f"{TICKET}/borrador/", conversation.draft, name="ticket_draft"),
    path(f"{TICKET}/archivos/", conversation.upload, name="ticket_files"),
    path(f"{TICKET}/archivos/<uuid:file>/quitar/", conversation.remove_file, name="ticket_file_remove"),
    path(f"{TICKET}/menciones/", conversation.mentions, name="ticket_mentions"),
    path(f"{TICKET}/acciones/<slug:action>/", actions.action, name="ticket_action"),
    path(f"{TICKET}/datos/<slug:name>/", properties.property_, name="ticket_property"),
    path(f"{TICKET}/fecha/", properties.due, name="ticket_due"),
    path(f"{TICKET}/aporte/", properties.contribution, name="ticket_contribution"),
    path(f"{TICKET}/estatus/", closing.standing, name="ticket_standing"),
    path(f"{TICKET}/contactos/", closing.contact, name="ticket_contact"),
    path(f"{TICKET}/lista/<slug:item>/", closing.checklist, name="ticket_checklist"),
    path(f"{TICKET}/correos/<int:pk>/reenviar/", closing.retry_delivery, name="ticket_retry"),
    path(f"{TICKET}/respuesta-tardia/", closing.late_reply, name="ticket_late_reply"),
    path(f"{TICKET}/cuenta/", accounts.account, name="ticket_account"),
    path("clientes/<int:pk>/", customers.customer, name="customer"),
    path("inconformidades/", nonconformities.nonconformities, name="nonconformities"),
    path("inconformidades/<int:pk>/", nonconformities.nonconformity, name="nonconformity"),
]
