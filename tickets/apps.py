from django.apps import AppConfig


class TicketsConfig(AppConfig):
    name = "tickets"

    def ready(self) -> None:
        from .facts import receivers  # noqa: F401  (connects its receivers)
        from .lists import figures  # noqa: F401  (connects its receiver)
