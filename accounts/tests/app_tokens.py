"""Apps of an organisation, and the tokens that they sign."""

import base64
import hmac
import json
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from accounts.connected_apps import make_secret
from accounts.models import ConnectedApp

from .factories import make_user


@dataclass
class App:
    """A connected app with a working secret. `token` signs what it says of Marcela, with `claims` instead."""

    row: ConnectedApp
    secret: str
    header: dict[str, Any] = field(default_factory=lambda: {"alg": "HS256", "typ": "JWT"})

    def token(self, *, secret: str | None = None, header: dict[str, Any] | None = None, **claims: Any) -> str:
        now = int(time.time())
        said = {
            "iss": self.row.key,
            "sub": "u-77",
            "email": "marcela@example.com",
            "name": "Marcela Duque",
            "locale": "es-CO",
            "app_version": "5.2.1",
            "iat": now,
            "exp": now + 120,
            "jti": uuid.uuid4().hex,
        } | claims
        parts = (
            self.header if header is None else header,
            {name: value for name, value in said.items() if value is not None},
        )
        signed = ".".join(encoded(json.dumps(part).encode()) for part in parts)
        key = self.secret if secret is None else secret
        return f"{signed}.{encoded(hmac.digest(key.encode(), signed.encode(), 'sha256'))}"


def make_app(key: str = "parkiapp", name: str = "Parkiapp", **values: Any) -> App:
    row = ConnectedApp.objects.create(key=key, name=name, **values)
    _secret, raw = make_secret(row, by=make_user(role="administrator"))
    return App(row, raw)


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
