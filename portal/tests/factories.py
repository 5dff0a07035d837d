"""A small process for these tests, and helpers.

Guests may file it, a question depends on an answer to another, and the requester may close the ticket.
"""

import io
from datetime import timedelta
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from PIL import Image

from accounts.models import User
from accounts.tests.factories import make_department
from tickets.models import Process, Ticket
from tickets.workflow.perform import perform
from tickets.workflow.publishing import publish

GUEST_PROCESS = """
format = 1
key = "prueba-invitados"
name = { es = "Prueba con invitados", en = "Guest trial" }
login = "guest"
queue = "arrival"
department = "soporte-tecnico"

[intake]
phone = "optional"
submit_label = { es = "Enviar Reporte", en = "Send report" }
notify = [{ to = "requester", template = "received" }]

[closing]
survey = true

[files]
kinds = ["image", "document"]
max_files = 2
max_mb = 1

[targets.first_response]
critical = "1h"
high = "4h"
medium = "1d"
low = "2d"

[targets.resolution]
problem = "5d"
procedure = "30d"

[[categories]]
key = "pago"
label = { es = "Falla en el pago", en = "Payment failure" }
description = { es = "Cobros duplicados o rechazados.", en = "Double or refused charges." }
notice = { es = "Si tu banco ya descontó el dinero, no repitas el pago.", en = "Do not pay again." }
icon = "credit-card"
department = "soporte-tecnico"
severity = "critical"

[[categories]]
key = "tramite"
label = { es = "Factura o trámite", en = "Invoice or procedure" }
icon = "receipt"
department = "administracion"
case_kind = "procedure"
severity = "low"

[[fields]]
key = "reserva"
label = { es = "Código de la reserva", en = "Booking code" }
type = "text"
required = true
categories = ["pago"]
pattern = "RS-[0-9]{6}"
pattern_help = { es = "El código tiene 8 caracteres, como RS-441720.", en = "Like RS-441720." }

[[fields]]
key = "medio"
label = { es = "Medio de pago", en = "Paid with" }
type = "choice"
required = true
categories = ["pago"]
options = [
  { key = "tarjeta", label = { es = "Tarjeta", en = "Card" } },
  { key = "efectivo", label = { es = "Efectivo", en = "Cash" } },
]

[[fields]]
key = "ultimos"
label = { es = "Últimos 4 dígitos", en = "Last 4 digits" }
type = "text"
required = true
categories = ["pago"]
shown_when = { medio = "tarjeta" }

[[stages]]
key = "recibido"
label = { es = "Recibido", en = "Received" }
kind = "new"
owner = "staff"
progress = 10

[[stages]]
key = "trabajo"
label = { es = "En manos del equipo interno", en = "Worked on" }
public_label = { es = "En proceso", en = "In progress" }
kind = "work"
owner = "assignee"
progress = 50

[[stages]]
key = "cerrado"
label = { es = "Cerrado", en = "Closed" }
kind = "done"

[[stages]]
key = "rechazado"
label = { es = "Rechazado", en = "Rejected" }
kind = "rejected"

[[actions]]
key = "empezar"
label = { es = "Empezar", en = "Start" }
from = ["recibido"]
to = "trabajo"
by = ["staff"]

[[actions]]
key = "cerrar_mi_solicitud"
label = { es = "Cerrar mi solicitud", en = "Close my request" }
confirm = { es = "La solicitud queda cerrada.", en = "It will be closed." }
done = { es = "Cerramos tu solicitud.", en = "Closed." }
from = ["recibido", "trabajo"]
to = "cerrado"
by = ["requester"]
style = "danger"

[[actions]]
key = "descartar"
label = { es = "Descartar", en = "Discard" }
from = ["recibido", "trabajo"]
to = "rechazado"
by = ["staff"]
"""

SOLUTION = {"solution_done": "Actualizamos el programa de la cámara.", "solution_steps": "Reinicia la app."}
DETAILS = {
    "title": "Me cobraron dos veces la misma reserva",
    "description": "Pasos: abrí la app y pagué. Error: «No pudimos confirmar tu pago».",
    "answer_reserva": "RS-441720",
    "answer_medio": "tarjeta",
    "answer_ultimos": "1234",
}


def make_guest_process() -> Process:
    for department in ("soporte-tecnico", "administracion"):
        make_department(department)
    return publish(GUEST_PROCESS).process


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def png(name: str = "captura.png", size: tuple[int, int] = (8, 8)) -> SimpleUploadedFile:
    content = io.BytesIO()
    Image.new("RGB", size, "teal").save(content, "PNG")
    return SimpleUploadedFile(name, content.getvalue(), content_type="image/png")


def working(ticket: Ticket, *, agent: User, supervisor: User, **data: Any) -> Ticket:
    """Prepare a ticket of S2 with `agent` as assignee and return it."""
    answers = {
        "severity": "high",
        "department": ticket.department,
        "difficulty": 2,
        "assignee": agent,
        "due_at": timezone.now() + timedelta(days=3),
        "standing": "active",
        "contribution_open": True,
    }
    return perform(ticket, "preparar", actor=supervisor, data=answers | data)
