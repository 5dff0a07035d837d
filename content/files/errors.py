"""The error that refuses a file."""

from typing import Any

from django.utils.text import format_lazy

from ..errors import DeskError


class RefusedFile(DeskError):
    """A file is refused. `message` tells the person why and what to do. It and the `values` filled into it may be lazy
    translations, which are translated when shown. `code` names the reason for code and tests."""

    def __init__(self, message: Any, *, code: str = "refused", **values: object) -> None:
        self.code = code
        super().__init__(format_lazy(message, **values) if values else message)
