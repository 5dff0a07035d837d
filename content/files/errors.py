"""The error that refuses a file."""

from typing import Any

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from ..errors import DeskError


class RefusedFile(DeskError):
    """A file is refused. `message` tells the person why and what to do. It and the `values` filled into it may be lazy
    translations, which are translated when shown. `code` names the reason for code and tests."""

    def __init__(self, message: Any, *, code: str = "refused", **values: object) -> None:
        self.code = code
        super().__init__(format_lazy(message, **values) if values else message)


class NotStored(RefusedFile):
    """The desk cannot keep files now: a disk is full or read-only, or the store does not answer. Nothing is wrong with
    the file, and the same one may be accepted later."""

    def __init__(self) -> None:
        super().__init__(
            _(
                "Ahora mismo no podemos guardar archivos. Lo demás que escribiste sigue aquí: inténtalo en unos "
                "minutos o envíalo sin el archivo."
            ),
            code="store",
        )
