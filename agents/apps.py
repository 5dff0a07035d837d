from django.apps import AppConfig


class AgentsConfig(AppConfig):
    name = "agents"

    def ready(self) -> None:
        from . import receivers, sheets  # noqa: F401  # connects the receivers
