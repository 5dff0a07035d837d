"""A test client that goes through the guide and files a report."""

import re
from html import unescape
from typing import Any

from django.test import Client
from django.urls import reverse

PAGO, PLATAFORMA = "prueba-invitados.pago", "soporte-con-aprobacion.plataforma"
S2 = {"title": "No puedo entrar", "description": "Me sale «Error 500» al entrar."}


class Guide:
    """One browser that goes through the steps of the guide. `fill` posts the `carry` of the details page."""

    def __init__(self, client: Client, topic: str) -> None:
        self.client, self.topic = client, topic
        page = client.get(reverse("portal:report"), {"tipo": topic})
        self.details = page["Location"].split("?")[0]
        self.id = self.details.split("/")[2]
        self.contact = f"/nuevo/{self.id}/contacto/"
        self.done = f"/nuevo/{self.id}/listo/"
        self.drawn = self.page(f"{self.details}?tipo={topic}")

    def page(self, url: str) -> str:
        return self.client.get(url).content.decode()

    def fill(self, values: dict[str, Any], **more: Any) -> Any:
        return self.client.post(
            self.details, {"tipo": self.topic, "carry": hidden(self.drawn, "carry")} | values | more
        )

    def send(self, **values: Any) -> Any:
        return self.client.post(self.contact, values)


def hidden(html: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', html)
    return unescape(found[1]) if found else ""
