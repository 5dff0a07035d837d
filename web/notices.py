"""Where Django keeps the notices («Guardamos tus cambios.») until the next page shows them."""

from typing import Any

from django.http import HttpResponse

from .cookies import MessageStorage

KEPT = 10


class NewestNotices(MessageStorage):
    """Keeps the newest `KEPT`. Requests that never open a page, as a script sends them, would fill the session."""

    def _store(self, messages: list[Any], response: HttpResponse, *args: Any, **kwargs: Any) -> list[Any]:
        return super()._store(list(messages)[-KEPT:], response, *args, **kwargs)  # type: ignore[misc]
