from typing import Any

from django.utils.text import format_lazy

from ..errors import DeskError


class RefusedFile(DeskError):
    """A file may not come in. `message` tells the person why and what to do (lazy, like its `values`);
    `code` names the reason.
    """

    def __init__(self, message: Any, *, code: str = "refused", **values: object) -> None:
        self.code = code
        super().__init__(format_lazy(message, **values) if values else message)
