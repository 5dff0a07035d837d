"""All settings, read from the environment. docs/operations.md has the table of variables.

Without any variable this is the embedded size: SQLite, with files and a file-based queue under var/, and only the
names of this machine in ALLOWED_HOSTS. DESK_DEMO=1 adds the demo. DESK_ENV=production (or DEBUG=0 outside the demo) is
the production size. `helpdesk.variables` refuses to start while a variable is wrong or a required one is missing.
"""

import logging
from email.utils import formataddr
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONE, SELF
from django.http.request import split_domain_port
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from environ import Env

from helpdesk import __version__, variables
from helpdesk.celery_schedule import BEAT_SCHEDULE
from helpdesk.logs import logging_config, report_without_secrets
from helpdesk.secret import local_secret_key


class DeskEnv(Env):
    """The environment, where an empty variable counts as missing: `DESK_MAX_UPLOAD_MB=` in .env is an empty text."""

    def get_value(
        self, var: str, cast: Any = None, default: Any = Env.NOTSET, parse_default: bool = False
    ) -> Any:
        if default is not Env.NOTSET and self.ENVIRON.get(var) == "":
            return default
        return super().get_value(var, cast=cast, default=default, parse_default=parse_default)


env = DeskEnv()
variables.refuse_wrong(env.ENVIRON)

# --- Which size -------------------------------------------------------------------------------------------

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(env.str("DESK_VAR_DIR", str(BASE_DIR / "var")))
DESK_DEMO = env.bool("DESK_DEMO", False)
DESK_ENV = env.str("DESK_ENV", "")
PRODUCTION = variables.is_production(env.ENVIRON)
# Off unless somebody asks for it, as `manage.py runserver` does: where DESK_ENV was forgotten it would show visitors
# code and settings.
DEBUG = env.bool("DEBUG", DESK_ENV == "development" and not DESK_DEMO)
if not PRODUCTION:
    (VAR_DIR / "static").mkdir(parents=True, exist_ok=True)

SECRET_KEY = env.str("SECRET_KEY", "") or ("" if PRODUCTION else local_secret_key(VAR_DIR))
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])

# --- The desk ---------------------------------------------------------------------------------------------

DESK_NAME = env.str("DESK_NAME", "Mesa de ayuda")
DESK_FOLIO_PREFIX = env.str("DESK_FOLIO_PREFIX", "MA")
DESK_FOLIO_START = env.int("DESK_FOLIO_START", 10000)
DESK_SUPPORT_EMAIL = env.str("DESK_SUPPORT_EMAIL", "soporte@mesadeayuda.test")
DESK_SUPPORT_PHONE = env.str("DESK_SUPPORT_PHONE", "")
DESK_SUPPORT_WHATSAPP = env.str("DESK_SUPPORT_WHATSAPP", "")
DESK_ASSISTANT_NAME = env.str("DESK_ASSISTANT_NAME", "")
DESK_ASSISTANT_FACE = env.str("DESK_ASSISTANT_FACE", "lighthouse")
# The sites that may show the assistant in a frame. Without any there is no widget.
DESK_WIDGET_ORIGINS = env.list("DESK_WIDGET_ORIGINS", default=[])
DESK_TERMS_URL = env.str("DESK_TERMS_URL", "")  # replaces {terminos} in a standard answer (S2.17)
DESK_BASE_URL = env.str(
    "DESK_BASE_URL", "" if PRODUCTION else f"http://127.0.0.1:{env.str('PORT', '8000')}"
).rstrip("/")
# The domain of the Reply-To addresses of our mails. If it is empty, no mail is received as an answer: our mails say
# where to answer.
DESK_REPLY_DOMAIN = env.str("DESK_REPLY_DOMAIN", "")
DESK_MAILBOXES = env.list("DESK_MAILBOXES", default=[])  # imaps://user:password@host/INBOX
DESK_MAIL_AUTH_SERVER = env.str("DESK_MAIL_AUTH_SERVER", "")  # whose Authentication-Results are true
DESK_TIME_ZONE = env.str("DESK_TIME_ZONE", "America/Caracas")
DESK_DEFAULT_LANGUAGE = env.str("DESK_DEFAULT_LANGUAGE", "es")
DESK_MAX_UPLOAD_MB = env.int("DESK_MAX_UPLOAD_MB", 25)  # one file
DESK_MAX_REQUEST_MB = env.int("DESK_MAX_REQUEST_MB", 120)  # one form with all its files
DESK_MAX_UNSENT_MB = env.int("DESK_MAX_UNSENT_MB", 250)  # all files that one person has uploaded but not sent
DESK_MAX_IMAGE_PIXELS = env.int("DESK_MAX_IMAGE_PIXELS", 40_000_000)
DESK_PICTURES_AT_ONCE = env.int("DESK_PICTURES_AT_ONCE", 2)  # uploads that are decoded at the same time
# clamd, as host:port or the path of its socket; if empty, no file is scanned.
DESK_CLAMAV = env.str("DESK_CLAMAV", "")
# Wake a worker after a commit instead of waiting for the next scheduled run. Tests switch this off.
DESK_NUDGE_WORKERS = True
# /readyz fails if a mail is overdue, or no heartbeat arrived, for longer than this.
DESK_LATE_MAIL_SECONDS = env.int("DESK_LATE_MAIL_SECONDS", 600)
DESK_LATE_HEARTBEAT_SECONDS = env.int("DESK_LATE_HEARTBEAT_SECONDS", 60)
# Who reads which check of /readyz failed, and the ages. Everybody else reads only whether the desk is ready.
DESK_READYZ_NETWORKS = env.list(
    "DESK_READYZ_NETWORKS", default=[] if PRODUCTION else ["127.0.0.0/8", "::1/128"]
)
DESK_READYZ_TOKEN = env.str("DESK_READYZ_TOKEN", "")

# --- Django -----------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "accounts",
    "tickets",
    "knowledge",
    "web",
    "portal",
    "agents",
    "notifications",
    "helpdesk",
    *([] if PRODUCTION else ["demo"]),  # invented data, and a table with every mail: not in production
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "crispy_forms",
    "crispy_bootstrap5",
    "csp",
    "django_htmx",
    "template_partials",
]

MIDDLEWARE = [
    "helpdesk.middleware.no_body_for_head",
    "helpdesk.middleware.trusted_proxies",
    "helpdesk.middleware.request_id",
    "helpdesk.health.probes",
    "helpdesk.watching.requests.measured",
    "helpdesk.middleware.known_host",
    "django.middleware.security.SecurityMiddleware",
    "helpdesk.middleware.browser_policies",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "web.cookies.renamed_cookies",
    "helpdesk.middleware.language_of_the_desk",
    "django.middleware.locale.LocaleMiddleware",
    "helpdesk.database_away.shed_while_away",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "helpdesk.middleware.private_pages",
    "helpdesk.middleware.reader_preferences",
    "helpdesk.middleware.request_size_limit",
    "helpdesk.middleware.no_nul_in_path",
    "helpdesk.middleware.page_above_form",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "web.second_factor.RequireSecondFactor",
]

# The domain apps do not know the pages: `article.get_absolute_url()` is the article's page in the help centre.
ABSOLUTE_URL_OVERRIDES = {"knowledge.article": lambda article: reverse("portal:article", args=[article.slug])}

# What is offered before a report is filed (docs/decisions/0049): the paths of what adds to `lexical`; "" for nothing.
PROVIDERS = {"lexical": "", "openai-compatible": "helpdesk.openai_compatible.add_answer"}
SUGGESTIONS_PROVIDER = PROVIDERS[env.str("DESK_SUGGESTIONS", "") or "lexical"]
ANSWERS_URL = env.str("DESK_ANSWERS_URL", "")
ANSWERS_KEY = env.str("DESK_ANSWERS_KEY", "")
ANSWERS_MODEL = env.str("DESK_ANSWERS_MODEL", "")
ANSWERS_SECONDS = env.int("DESK_ANSWERS_SECONDS", 6)
ANSWERS_DAILY_TOKENS = env.int("DESK_ANSWERS_DAILY_TOKENS", 200_000)

ROOT_URLCONF = "helpdesk.urls"
WSGI_APPLICATION = "helpdesk.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CSRF_FAILURE_VIEW = "helpdesk.views.csrf_failure"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "web.context_processors.desk",
                "helpdesk.context_processors.faces",
            ],
        },
    },
]
CRISPY_ALLOWED_TEMPLATE_PACKS = CRISPY_TEMPLATE_PACK = "bootstrap5"

# --- Languages and time -----------------------------------------------------------------------------------

# The language of the texts in the code, independent of DESK_DEFAULT_LANGUAGE. It must be "es": these texts are not in
# the catalogue locale/es, and for a text missing there Django uses the catalogue of LANGUAGE_CODE. With "en", people
# who chose Spanish would read English.
LANGUAGE_CODE = "es"
LANGUAGES = [("es", _("Español")), ("en", _("Inglés"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
USE_TZ = True
TIME_ZONE = DESK_TIME_ZONE

# --- Database ---------------------------------------------------------------------------------------------

DATABASES = {"default": env.db_url("DATABASE_URL", f"sqlite:///{VAR_DIR / 'db.sqlite3'}")}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        # Take the write lock when a transaction begins, so that a writer waits at the start instead of failing later.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    from helpdesk.database_connection import PatientConnection

    # The pool keeps connections open. With a CONN_MAX_AGE above 0, Django would not give them back to the pool.
    DATABASES["default"] |= {"CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": True}
    # A server that is away must be noticed in seconds, also if it only stopped answering (helpdesk/database_away.py),
    # and used again soon after it is back: by default the pool would pause for minutes between two attempts.
    # The query may name other values: postgres://…/name?connect_timeout=10.
    DATABASES["default"]["OPTIONS"] = {
        "connect_timeout": 3,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 15_000,  # milliseconds
        **DATABASES["default"].get("OPTIONS", {}),
        "pool": {
            "connection_class": PatientConnection,
            "min_size": 1,
            "max_size": env.int("DATABASE_POOL_SIZE", 10),
            "timeout": 3,
            "reconnect_timeout": 3,
        },
    }

SILENCED_SYSTEM_CHECKS = ["models.W040"]  # SQLite ignores `include` of an index; a laptop can do without

# --- Cache and queue --------------------------------------------------------------------------------------

REDIS_URL = env.str("REDIS_URL", "")
if REDIS_URL:
    CACHES = {
        "default": {
            "BACKEND": "helpdesk.cache.TolerantRedisCache",
            "LOCATION": REDIS_URL,
            "KEY_PREFIX": "desk-cache",
            "OPTIONS": {"socket_connect_timeout": 0.5, "socket_timeout": 0.5},
        }
    }
else:
    # All web processes must share the count of sign-in attempts. Files need no server, and do not use SQLite's only
    # write lock. docs/decisions/0006-the-cache-is-never-needed.md
    CACHES = {
        "default": {
            "BACKEND": "helpdesk.cache.TolerantFileCache",
            "LOCATION": VAR_DIR / "cache",
            "OPTIONS": {"MAX_ENTRIES": 5000},
        }
    }

# Drawn lists, kept for seconds (decision 42). They are large: in files they would push out the counts of attempts.
if REDIS_URL:
    CACHES["pages"] = CACHES["default"]
else:
    CACHES["pages"] = {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": "pages",
        "OPTIONS": {"MAX_ENTRIES": 100},
    }

# Parts of pages that are the same for many people ({% cache %}) stay in the memory of each web process, which is fresh
# with each release. While one develops, they are drawn anew.
CACHES["template_fragments"] = {
    "BACKEND": f"django.core.cache.backends.{'dummy.DummyCache' if DEBUG else 'locmem.LocMemCache'}",
    "LOCATION": "template-fragments",
    "OPTIONS": {"MAX_ENTRIES": 1000},
}

# Settings of Celery that do not depend on the environment are in celery.py.
CELERY_BROKER_URL = REDIS_URL or "filesystem://localhost/"
CELERY_BEAT_SCHEDULE = BEAT_SCHEDULE
CELERY_BEAT_SCHEDULER = "helpdesk.beat:SchedulerWithoutFile"
if REDIS_URL:
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "global_keyprefix": "desk:",
        "max_retries": 1,
        "socket_connect_timeout": 1,
        "socket_timeout": 2,
    }
else:
    CELERY_BROKER_TRANSPORT_OPTIONS = {"polling_interval": 0.2}
    for option, name in {
        "data_folder_in": "queue",
        "data_folder_out": "queue",
        "control_folder": "control",
        "processed_folder": "processed",
    }.items():
        folder = VAR_DIR / "broker" / name
        folder.mkdir(parents=True, exist_ok=True)
        CELERY_BROKER_TRANSPORT_OPTIONS[option] = str(folder)
    CELERY_WORKER_ENABLE_REMOTE_CONTROL = False  # each worker would leave its own control queue behind

# --- Mail -------------------------------------------------------------------------------------------------

DEFAULT_FROM_EMAIL = env.str("DESK_FROM_EMAIL", formataddr((DESK_NAME, DESK_SUPPORT_EMAIL)))
SERVER_EMAIL = DESK_SUPPORT_EMAIL
EMAIL_SUBJECT_PREFIX = ""
EMAIL_TIMEOUT = 15
# Name of an anymail backend: amazon_ses, brevo, mailgun, postmark …
MAIL_PROVIDER = env.str("DESK_MAIL_PROVIDER", "")
if DESK_DEMO:
    EMAIL_BACKEND = "demo.mailbox.backend.DemoMailbox"
elif MAIL_PROVIDER:
    INSTALLED_APPS += ["anymail"]
    EMAIL_BACKEND = f"anymail.backends.{MAIL_PROVIDER}.EmailBackend"
    ANYMAIL = {
        name.removeprefix("ANYMAIL_"): value
        for name, value in env.ENVIRON.items()
        if name.startswith("ANYMAIL_")
    }
elif EMAIL_URL := env.str("EMAIL_URL", "" if PRODUCTION else "consolemail://"):
    vars().update(
        {name: value for name, value in env.email_url_config(EMAIL_URL).items() if name != "OPTIONS"}
    )

# --- Files ------------------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("DESK_STATIC_ROOT", str(VAR_DIR / "static")))
STATICFILES_DIRS = [path for path in [BASE_DIR / "static"] if path.exists()]
WHITENOISE_USE_FINDERS = not PRODUCTION
WHITENOISE_AUTOREFRESH = DEBUG
MEDIA_ROOT = VAR_DIR / "media"
MEDIA_URL = ""  # no file has a public URL: every download goes through a view that checks access
# Internal nginx location of MEDIA_ROOT («/media-interna/»): nginx sends the file after the view has checked access.
DESK_ACCEL_PREFIX = env.str("DESK_ACCEL_PREFIX", "")
STORAGES: dict[str, Any] = {
    "default": {"BACKEND": "content.stores.local.LocalStore"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
# How to reach the S3-compatible store: for the bucket of the files, and for backups in another bucket.
S3_CONNECTION = {
    "endpoint_url": env.str("S3_ENDPOINT_URL", "") or None,
    "region_name": env.str("S3_REGION", "") or None,
    "access_key": env.str("S3_ACCESS_KEY_ID", "") or None,
    "secret_key": env.str("S3_SECRET_ACCESS_KEY", "") or None,
}
if S3_CONNECTION["access_key"] or env.str("S3_BUCKET", ""):
    # S3-compatible stores reject the checksums that boto3 sends by default (boto3 #4392). botocore reads these two.
    env.ENVIRON.setdefault("AWS_REQUEST_CHECKSUM_CALCULATION", "WHEN_REQUIRED")
    env.ENVIRON.setdefault("AWS_RESPONSE_CHECKSUM_VALIDATION", "WHEN_REQUIRED")
if S3_BUCKET := env.str("S3_BUCKET", ""):
    STORAGES["default"] = {
        "BACKEND": "content.stores.s3.S3Store",
        "OPTIONS": {
            "bucket_name": S3_BUCKET,
            **S3_CONNECTION,
            # Browsers are sent there. If it is empty, the desk streams the files.
            "public_endpoint_url": env.str("S3_PUBLIC_ENDPOINT_URL", ""),
            "default_acl": None,
        },
    }
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024  # larger uploads are written to disk
FILE_UPLOAD_HANDLERS = [
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "web.upload_handlers.TolerantUploadHandler",
]
FILE_UPLOAD_PERMISSIONS = 0o640
# Size of the posted fields without files. It is larger than the limits of our forms, so that a form can show its own
# error.
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FILES = 40

# --- Accounts ---------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "notifications.outgoing.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_SIGNUP_FORM_CLASS = "accounts.forms.SignupForm"
# A new account must verify its email address before it sees the tickets filed with that address.
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_PASSWORD_RESET_BY_CODE_ENABLED = True
# allauth's default of three minutes is too short for a code sent by mail. Pages and mails say «15 minutos».
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = ACCOUNT_PASSWORD_RESET_BY_CODE_TIMEOUT = 15 * 60
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_TIMEOUT = 15 * 60
ACCOUNT_LOGIN_BY_CODE_SUPPORTS_RESEND = ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = True  # the adapter sends nothing, and takes as long as for an account (B26)
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_REAUTHENTICATION_REQUIRED = True
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = DESK_NAME
MFA_TOTP_TOLERANCE = 1  # steps of 30 seconds: the clocks of phones are not exact
MFA_FORMS = {
    "authenticate": "web.second_factor.AuthenticateForm",
    "reauthenticate": "web.second_factor.ReauthenticateForm",
    "activate_totp": "web.second_factor.ActivateTOTPForm",
}
ACCOUNT_FORMS = {
    "signup": "web.account_forms.SignupForm",
    "add_email": "web.account_forms.AddEmailForm",
    "request_login_code": "web.account_forms.RequestLoginCodeForm",
    "reset_password": "web.account_forms.ResetPasswordForm",
}
# web.guessing and web.mail_limits limit these: by allauth's rates a stranger could lock a person out.
ACCOUNT_RATE_LIMITS = {"login_failed": None, "request_login_code": None, "reset_password": None}
# The lowest role that must have a second factor: agent, supervisor or administrator. Empty: nobody must.
DESK_SECOND_FACTOR_FROM = env.str("DESK_SECOND_FACTOR_FROM", "")

# --- Security ---------------------------------------------------------------------------------------------

HTTPS = DESK_BASE_URL.startswith("https://")
# In production the desk has one address, DESK_BASE_URL. People who come under another name of ALLOWED_HOSTS are sent
# there; every other name gets 400. Outside production all these names are answered, on every port (middleware.py).
DESK_ONE_HOST = PRODUCTION
BASE_HOST = split_domain_port(urlsplit(DESK_BASE_URL).netloc)[0]
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[] if PRODUCTION else ["127.0.0.1", "localhost", "[::1]"])
if BASE_HOST and BASE_HOST not in ALLOWED_HOSTS:
    ALLOWED_HOSTS = [BASE_HOST, *ALLOWED_HOSTS]
# Networks whose X-Forwarded-* headers and X-Request-ID are trusted; those of other senders are removed (middleware.py).
DESK_TRUSTED_PROXIES = env.list("DESK_TRUSTED_PROXIES", default=[])
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if DESK_TRUSTED_PROXIES else None
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[DESK_BASE_URL] if HTTPS else [])
SECURE_SSL_REDIRECT = PRODUCTION and HTTPS
SECURE_HSTS_SECONDS = env.int("DESK_HSTS_SECONDS", 365 * 24 * 3600) if PRODUCTION and HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = bool(SECURE_HSTS_SECONDS)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = HTTPS
# Browsers take a cookie with this prefix only over https and only from this very host: another site under the same
# domain cannot set it. Cookies that held another name before are still read (web/cookies.py).
COOKIE_PREFIX = "__Host-" if HTTPS else ""
SESSION_COOKIE_NAME = f"{COOKIE_PREFIX}desk_session"
CSRF_COOKIE_NAME = f"{COOKIE_PREFIX}desk_csrf"
LANGUAGE_COOKIE_NAME = f"{COOKIE_PREFIX}desk_language"
DESK_THEME_COOKIE_NAME = f"{COOKIE_PREFIX}desk_theme"
DESK_GUEST_COOKIE_NAME = f"{COOKIE_PREFIX}desk_guest"
DESK_VISITOR_COOKIE_NAME = f"{COOKIE_PREFIX}desk_visitor"
DESK_MESSAGES_COOKIE_NAME = f"{COOKIE_PREFIX}desk_messages"
MESSAGE_STORAGE = "web.notices.NewestNotices"
DESK_BROWSER_COOKIE_NAME = f"{COOKIE_PREFIX}desk_browser"
CSRF_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"  # guests' links have a token in the path, which no other site may see
# Nothing is allowed that is not named here. Browsers report what they refused to helpdesk/csp_reports.py.
CSP_REPORTS = "/informes/csp/"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [
            SELF,
            "data:",
        ],  # data: the code of the second factor, and icons in Bootstrap's style sheet
        "font-src": [SELF],
        "connect-src": [SELF],
        "media-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "report-uri": CSP_REPORTS,
        # Browsers that know report-to ignore report-uri, but send these reports over https only.
        **({"report-to": "csp"} if HTTPS else {}),
    }
}

# --- Logs -------------------------------------------------------------------------------------------------

LOGGING = logging_config(json_lines=PRODUCTION, level=env.str("LOG_LEVEL", "INFO").upper())
if PRODUCTION:
    logging.captureWarnings(True)  # else Python prints them, and a line of the log would be no JSON
if SENTRY_DSN := env.str("SENTRY_DSN", ""):
    import sentry_sdk

    sentry_sdk.init(
        dsn=SENTRY_DSN,
        environment=DESK_ENV or "embedded",
        release=f"mesa-de-ayuda@{__version__}",
        # Texts, links and codes of people must not reach another company's server.
        send_default_pii=False,
        max_request_body_size="never",
        include_local_variables=False,
        before_send=report_without_secrets,
    )
