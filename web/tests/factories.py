"""Make a ticket whose process has fields that are shown depending on other answers."""

from pathlib import Path
from typing import Any

from tickets.models import Ticket
from tickets.tests import factories
from tickets.workflow.publishing import publish

QUESTIONS = """
[[fields]]
key = "sirve"
label = { es = "¿Sirve?", en = "Does it work?" }
type = "yes_no"

[[fields]]
key = "detalle"
label = { es = "Detalle", en = "Detail" }
type = "text"
shown_when = { sirve = "True" }

[[fields]]
key = "motivo"
label = { es = "Motivo", en = "Reason" }
type = "text"
shown_when = { tamano = "grande" }

[[actions]]
key = "contar"
label = { es = "Contar", en = "Tell" }
from = ["pedido"]
by = ["requester"]
asks = ["sirve", "detalle", { field = "motivo", required = false }]
"""


def make_questioned_ticket(**filing: Any) -> Ticket:
    """Make a ticket of the sixth process with the action «contar». It shows `detalle` depending on its own field
    `sirve`, and `motivo` depending on the ticket's stored `tamano`."""
    source = Path(factories.__file__).with_name("sixth_process.toml").read_text("utf-8")
    process = publish(f"{source}\n{QUESTIONS}").process
    fields = {"proyecto": "ABC-12", "tamano": "chico", "cantidad": "1", "desde": "2026-12-01"}
    return factories.make_ticket(
        process, category="evento", fields=fields, phone="+58 212 771 9011", **filing
    )
