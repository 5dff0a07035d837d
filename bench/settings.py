"""The desk's settings as they are, answering without DEBUG, plus one page that only the bench has.

`bench.database` has put the bench's own DATABASE_URL and DESK_VAR_DIR into the environment before this is read.
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
if REDIS_URL:  # nobody works on the bench's own queue
    CELERY_BROKER_TRANSPORT_OPTIONS = CELERY_BROKER_TRANSPORT_OPTIONS | {"global_keyprefix": "bench:"}
