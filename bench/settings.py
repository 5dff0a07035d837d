"""The product's settings without DEBUG, plus the bench's floor page and query counter.

`bench.database` sets the environment, in which this is production if there are PostgreSQL and Redis.
"""

from helpdesk.settings import *  # noqa: F403
from helpdesk.settings import (
    CACHES,
    CELERY_BROKER_TRANSPORT_OPTIONS,
    DATABASES,
    MIDDLEWARE,
    PRODUCTION,
    REDIS_URL,
    STORAGES,
)

DEBUG = False
ROOT_URLCONF = "bench.urls"
MIDDLEWARE = ["bench.counting.count_queries", *MIDDLEWARE]
if not PRODUCTION:
    WHITENOISE_AUTOREFRESH = False
    STORAGES = STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"}
    }
if REDIS_URL:  # a queue of the bench's own, which no worker reads
    CELERY_BROKER_TRANSPORT_OPTIONS = CELERY_BROKER_TRANSPORT_OPTIONS | {"global_keyprefix": "bench:"}
    # Each size keeps its own pages: they have the same addresses and the same people.
    CACHES["default"]["KEY_PREFIX"] = f"bench-{DATABASES['default']['NAME']}"
