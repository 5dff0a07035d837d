# The newest release in CHANGELOG.md. Assigned before the import, during which helpdesk.settings may read it.
__version__ = "0.1.0"

from helpdesk.celery import app as celery_app

__all__ = ["__version__", "celery_app"]
