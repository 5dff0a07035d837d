"""The app that the invented organisation has connected, so that its signed links can be tried (demo/example_app.py)."""

from accounts.connected_apps import make_secret
from accounts.models import ConnectedApp, User

KEY = "parkiapp"


def load(administrator: User) -> None:
    """Connect the app, with one secret, unless it is connected."""
    app, is_new = ConnectedApp.objects.get_or_create(
        key=KEY, defaults={"name": "Parkiapp", "address": "https://parkiapp.demo.test/ayuda"}
    )
    if is_new:
        make_secret(app, by=administrator)
