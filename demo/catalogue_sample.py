"""Sample data of the catalogue: realistic support work, none of it stored."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.safestring import mark_safe

from tickets.models import IncomingEmail

STATES = [
    ("waiting", "En espera"),
    ("in-progress", "En curso"),
    ("approve", "Espera tu aprobación"),
    ("completed", "Completado"),
    ("rejected", "Rechazado"),
]
SEVERITIES = [("critical", "Crítica"), ("high", "Alta"), ("medium", "Media"), ("low", "Baja")]
CLOCKS = [
    ("ok", "5 h 30 min", 62),
    ("risk", "22 min", 9),
    ("breached", "Hace 18 min", 0),
    ("paused", "4 h 20 min", 40),
    ("met", "Respuesta en 41 min", 100),
]
PEOPLE = ["Diego Salazar", "Ana Beltrán", "Mateo Ríos", "Tomás Herrera", "Iván Lozano", "Lucía Fernández"]
SUBJECTS = [
    "La app se cierra al abrir el mapa en Android 15",
    "Cobro duplicado al confirmar la reserva",
    "No se genera el código QR de salida",
    "El GPS ubica el estacionamiento a 400 metros",
    "Inicio de sesión en bucle con Google",
    "No llega el código de verificación",
    "La reserva confirmada no aparece en el historial",
    "Talanquera 2 no abre con la app",
]
DAY = timedelta(days=1)


def portal_messages(now: datetime) -> list[dict[str, Any]]:
    photo = {"name": "Entrada-19h.jpg", "size": 1_200_000, "href": "#", "icon_name": "file-earmark-image"}
    question = (
        "<p>Desde el sábado la cámara de la entrada no lee las placas después de las 6 de la tarde.</p>"
    )
    answer = (
        "<p>Listo, Lucía. Esto fue lo que hicimos:</p>"
        "<ol><li>Bajamos la exposición nocturna.</li><li>Actualizamos el programa.</li></ol>"
    )
    return [
        {
            "kind": "requester",
            "author": "Lucía Fernández",
            "mine": True,
            "at": now - 3 * DAY,
            "files": [photo],
            "body": mark_safe(question),
        },
        {
            "kind": "agent",
            "author": "Diego Salazar",
            "team": "Soporte técnico",
            "at": now - 2 * DAY,
            "body": mark_safe(answer),
        },
    ]


def team_messages(now: datetime) -> list[dict[str, Any]]:
    note = '<p><span class="mention">@Diego</span> no hay doble cobro real. Referencia 8841-22.</p>'
    return [
        {
            "kind": "requester",
            "author": "Mateo Ríos",
            "via": "Cliente · por correo",
            "at": now - DAY,
            "body": mark_safe("<p>Sí, dice «pendiente». ¿Cuándo vuelve el dinero?</p>"),
        },
        {
            "kind": "agent",
            "author": "Diego Salazar",
            "via": "Respuesta pública",
            "at": now - DAY / 2,
            "sent": [
                {"look": "sent", "icon": "check2", "text": "mateo.rios@correo.example: entregado"},
                {"look": "waits", "icon": "clock", "text": "ana@correo.example: en cola"},
            ],
            "body": mark_safe("<p>Ya ubicamos los dos intentos: el primero no lo cobramos.</p>"),
        },
        {
            "kind": "note",
            "author": "Tomás Herrera",
            "at": now - DAY / 3,
            "sent": [
                {"look": "bad", "icon": "exclamation-circle-fill", "text": "Rebotó: el servidor lo devolvió"}
            ],
            "body": mark_safe(note),
        },
    ]


def progress() -> dict[str, Any]:
    return {
        "steps": [
            {"label": "Recibido", "state": "done", "note": "mar 17, 19:48"},
            {"label": "Preparado", "state": "done", "note": "mar 17, 20:10"},
            {"label": "En proceso", "state": "current", "note": "mié 18, 8:30"},
            {"label": "Tu aprobación", "state": "todo"},
            {"label": "Completado", "state": "todo"},
        ],
        "wizard": [
            {"label": "Tipo", "state": "done", "href": "#"},
            {"label": "Detalles", "state": "current"},
            {"label": "Contacto y confirmación", "state": "todo"},
        ],
        "crumbs": [{"label": "Mis tickets", "href": "#"}, {"label": "MA-10482"}],
        "review": [
            {"label": "Tipo", "value": "Falla en el pago"},
            {"label": "Título", "value": "Me cobraron dos veces la misma reserva", "strong": True},
            {"label": "Qué pasó", "value": "Reservé un cupo.\nLa app mostró «No pudimos confirmar tu pago»."},
        ],
    }


def contact() -> dict[str, Any]:
    ways = [
        ("telephone", "601 555 0142", "tel:+576015550142", "Teléfono", True, "hasta hoy, 18:00"),
        ("whatsapp", "300 555 0142", "https://wa.me/573005550142", "WhatsApp", True, "hasta hoy, 18:00"),
        ("envelope", "soporte@anden.example", "mailto:soporte@anden.example", "Correo", None, ""),
    ]
    names = ("icon_name", "value", "href", "note", "open", "until")
    rows = [dict(zip(names, way, strict=True)) for way in ways]
    return {
        "hours_rows": rows,
        "hours_closed": [{**rows[0], "open": False, "until": "abre mañana, 8:00"}],
        "hours_table": [
            {"days": "Lunes a viernes", "hours": "8:00 – 18:00", "today": True},
            {"days": "Sábado", "hours": "9:00 – 13:00"},
            {"days": "Domingo y festivos", "hours": "Cerrado"},
        ],
    }


def desk() -> dict[str, Any]:
    modes = [
        ("follow_up", "Seguimiento", "reply", "public", "Escribe a Mateo…", "Enviar seguimiento"),
        ("solution", "Solución", "check2-circle", "solution", "Explica qué se hizo", "Enviar solución"),
        ("note", "Nota interna", "lock", "note", "Nota visible solo para el equipo", "Guardar nota"),
    ]
    names = ("value", "label", "icon_name", "look", "hint", "submit")
    return {
        "modes": [
            dict(zip(names, mode, strict=True)) | {"checked": mode[0] == "follow_up"} for mode in modes
        ],
        "bulk": [
            {"label": "Asignar", "icon_name": "person-plus", "name": "action", "value": "assign", "key": "A"},
            {
                "label": "Severidad",
                "icon_name": "bar-chart-fill",
                "name": "action",
                "value": "sev",
                "key": "S",
            },
        ],
        "keybar": [
            {"keys": ["J", "K"], "label": "mover"},
            {"keys": ["X"], "label": "seleccionar"},
            {"keys": ["↵"], "label": "abrir"},
            {"keys": ["R"], "label": "responder"},
            {"keys": ["A"], "label": "asignar"},
        ],
        "rows": [
            {
                "folio": f"MA-{10471 + 3 * n}",
                "subject": subject,
                "sev": SEVERITIES[n % 4],
                "state": STATES[n % 2],
                "clock": CLOCKS[n % 4],
                "requester": PEOPLE[(n + 2) % 6],
                "assignee": PEOPLE[n % 6] if n % 3 else "",
                "unread": n < 3,
            }
            for n, subject in enumerate(SUBJECTS)
        ],
    }


def everything() -> dict[str, Any]:
    now = timezone.now()
    past = (timedelta(), timedelta(minutes=12), timedelta(hours=3), DAY, 3 * DAY, 400 * DAY)
    return {
        "states": STATES,
        "severities": SEVERITIES,
        "clocks": CLOCKS,
        "people": PEOPLE,
        "now": now,
        "moments": [now - span for span in past],
        "sizes": [0, 940, 482_000, 1_240_000, 24_000_000, 3_400_000_000],
        "spans": [30, 22 * 60, 2 * 3600 + 300, 26 * 3600, 12 * 86400],
        "messages_shown": portal_messages(now),
        "thread": team_messages(now),
        "mail": IncomingEmail(
            pk=1,
            quoted="El vie, 20 nov 2026 a las 10:21, Mesa de ayuda escribió:\n¿Qué dice la pantalla?",
            details={"remote": ["https://img.pardo.example/a.png", "https://img.pardo.example/b.png"]},
        ),
        "chat_lines": [
            {"mine": True, "text": "La talanquera no lee mi placa", "at": timezone.now()},
            {
                "mine": False,
                "text": "Muestra el código QR de tu reserva al lector de la izquierda.",
                "at": timezone.now(),
                "articles": [{"title": "La talanquera no me deja entrar", "href": "/catalogo/"}],
            },
        ],
        "event_text": mark_safe("<b>Carolina Núñez</b> preparó el ticket: severidad <b>Crítica</b>"),
        **progress(),
        **contact(),
        **desk(),
    }
