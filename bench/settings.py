"""The product's settings without DEBUG, plus the bench's floor page and query counter.

`bench.database` sets DATABASE_URL and DESK_VAR_DIR of the bench in the environment before this is imported.
"""

from helpdesk.settings import *  # noqa: F403
from helpdesk.settings import CELERY_BROKER_TRANSPORT_OPTIONS, MIDDLEWARE, REDIS_URL, STORAGES

DEBUG = False
ROOT_URLCONF = "bench.urls"
MIDDLEWARE = ["bench.counting.count_queries", *MIDDLEWARE]
WHITENOISE_AUTOREFRESH = False
STORAGES = STORAGES | {
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"}
}
if REDIS_URL:  # a queue of the bench's own, which no worker reads
    CELERY_BROKER_TRANSPORT_OPTIONS = CELERY_BROKER_TRANSPORT_OPTIONS | {"global_keyprefix": "bench:"}
