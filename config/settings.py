"""Django settings: one file, every tunable from the environment.

docs/configuration.md lists each variable; docker-compose.yml may name no other.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from csp.constants import NONCE, NONE, SELF

from config.environment import BASE_DIR, SECRETS_DIR, VAR_DIR, env, secret

DEBUG = env.bool("COLOPHON_DEBUG", default=False)
DEMO = env.bool("COLOPHON_DEMO", default=False)
TESTING = "pytest" in sys.modules
SECRET_KEY = secret("COLOPHON_SECRET_KEY")
SITE_URL = env.str("COLOPHON_SITE_URL", default="http://127.0.0.1:8000").rstrip("/")
ALLOWED_HOSTS = env.list("COLOPHON_ALLOWED_HOSTS", default=["127.0.0.1", "localhost"])
CSRF_TRUSTED_ORIGINS = env.list("COLOPHON_TRUSTED_ORIGINS", default=[SITE_URL])
SECURE = env.bool("COLOPHON_SECURE", default=not (DEBUG or DEMO or TESTING))

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "csp",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "outbox",
    "log",
    "chain",
    "accounts",
    "provenance",
    "marketplace",
    "royalties",
    "config",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "config.headers.HeadersMiddleware",
    "accounts.request_id.RequestIdMiddleware",
    "accounts.problem_pages.ProblemMiddleware",
    "config.nul.NulMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "config.context.site",
            ],
        },
    },
]

# --- Data ---------------------------------------------------------------------------
VAR_DIR.mkdir(parents=True, exist_ok=True)
DATABASES: dict[str, Any] = {
    "default": env.db_url(
        "DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'colophon.sqlite3'}"
    )
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
    if TESTING:
        # a file: worker processes and threads of a test must see the same rows
        DATABASES["default"]["TEST"] = {"NAME": str(VAR_DIR / "test.sqlite3")}
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("REDIS_URL", default="redis://127.0.0.1:6379/0")
CACHES = {
    "default": (
        {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
        if TESTING or DEBUG
        else {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": env.str("CACHE_URL", default=REDIS_URL),
        }
    )
}

STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "location": str(VAR_DIR / "files"),
            "file_permissions_mode": 0o600,
            "directory_permissions_mode": 0o700,
        },
    },
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if DEBUG or DEMO or TESTING
            else "whitenoise.storage.CompressedManifestStaticFilesStorage"
        )
    },
}
STATIC_URL = "/static/"
STATIC_ROOT = env.str("COLOPHON_STATIC_ROOT", default=str(VAR_DIR / "static"))
Path(STATIC_ROOT).mkdir(parents=True, exist_ok=True)
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = DEBUG or DEMO
WHITENOISE_AUTOREFRESH = False

# --- Accounts -----------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = (
    ["django.contrib.auth.hashers.MD5PasswordHasher"]
    if TESTING
    else [
        "django.contrib.auth.hashers.Argon2PasswordHasher",
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    ]
)
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
    )
]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
# Only a verified address keeps sign-up from telling who has an account already.
ACCOUNT_EMAIL_VERIFICATION = "optional" if DEMO else "mandatory"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_SIGNUP_FORM_CLASS = "accounts.forms.SignupForm"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if SECURE else "http"
LOGIN_REDIRECT_URL = "/"
LOGIN_URL = "account_login"
EMAIL_HOST = env.str("COLOPHON_EMAIL_HOST", default="")
EMAIL_PORT = env.int("COLOPHON_EMAIL_PORT", default=587)
EMAIL_HOST_USER = env.str("COLOPHON_EMAIL_USER", default="")
EMAIL_HOST_PASSWORD = env.str("COLOPHON_EMAIL_PASSWORD", default="")
EMAIL_USE_TLS = env.bool("COLOPHON_EMAIL_TLS", default=True)
EMAIL_TIMEOUT = 10
EMAIL_BACKEND = (
    f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'filebased'}.EmailBackend"
)
EMAIL_FILE_PATH = str(VAR_DIR / "mail")
DEFAULT_FROM_EMAIL = env.str("COLOPHON_FROM_EMAIL", default="colophon@localhost")

# --- Web security -------------------------------------------------------------------
SESSION_COOKIE_NAME = "__Host-sid" if SECURE else "sid"
CSRF_COOKIE_NAME = "__Host-csrf" if SECURE else "csrf"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 7 * 24 * 3600
SECURE_SSL_REDIRECT = SECURE
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE
SECURE_REFERRER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https")
    if env.bool("COLOPHON_BEHIND_PROXY", default=False)
    else None
)
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "object-src": [NONE],
        "frame-ancestors": [NONE],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 8 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200
DATA_UPLOAD_MAX_NUMBER_FILES = 4
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
FILE_UPLOAD_TEMP_DIR = str(VAR_DIR / "incoming")
Path(FILE_UPLOAD_TEMP_DIR).mkdir(parents=True, exist_ok=True)

# --- API ----------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.ApiKeyAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PARSER_CLASSES": ["accounts.json_body.StrictJSONParser"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "accounts.problems.exception_handler",
    # a made-up X-Forwarded-For must not get around a throttle
    "NUM_PROXIES": 1 if env.bool("COLOPHON_BEHIND_PROXY", default=False) else 0,
    "DEFAULT_THROTTLE_RATES": {
        "dispute": "10/hour",
        "verify": "60/min",
        "wallet": "30/min",
        "write": "600/min",
    },
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Colophon API",
    "DESCRIPTION": "Record, publish, license, meter and verify digital media.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# --- Jobs ---------------------------------------------------------------------------
OUTBOX_TABLE = "config.jobs.TABLE"
OUTBOX_TIMETABLE = "config.jobs.TIMETABLE"
OUTBOX_CELERY_APP = "config.celery.app"
# Off in tests: no message of a test may reach a broker that somebody else uses.
OUTBOX_NUDGE = env.bool("COLOPHON_NUDGE", default=not TESTING)
OUTBOX_LEASE_SECONDS = env.int("COLOPHON_LEASE_SECONDS", default=30)
OUTBOX_MAX_ATTEMPTS = env.int("COLOPHON_MAX_ATTEMPTS", default=12)
OUTBOX_POLL_SECONDS = env.float("COLOPHON_POLL_SECONDS", default=0.5)

# --- Log ----------------------------------------------------------------------------
LOG_ORIGIN = env.str("COLOPHON_LOG_ORIGIN", default="colophon.example/log")
LOG_TILES_DIR = VAR_DIR / "tiles"
LOG_WITNESSES = env.list("COLOPHON_WITNESSES", default=[])
LOG_WITNESS_QUORUM = env.int("COLOPHON_WITNESS_QUORUM", default=0)
TSA_URL = env.str("COLOPHON_TSA_URL", default="")
TSA_ROOTS = env.str("COLOPHON_TSA_ROOTS", default="")
AUTHORITIES_DIR = Path(
    env.str("COLOPHON_AUTHORITIES", default=str(SECRETS_DIR / "authorities"))
)
KEYS_DIR = Path(env.str("COLOPHON_KEYS", default=str(SECRETS_DIR / "keys")))
CUSTODY_KEY = secret("COLOPHON_CUSTODY_KEY")

# --- Chain --------------------------------------------------------------------------
CHAIN_RPC_URLS = env.list("COLOPHON_RPC_URLS", default=[])
CHAIN_PUBLIC = env.bool("COLOPHON_CHAIN_PUBLIC", default=False)
CHAIN_NAME = env.str("COLOPHON_CHAIN_NAME", default="local test network")
CHAIN_CONFIRMATIONS = env.int("COLOPHON_CONFIRMATIONS", default=2)
CHAIN_FINALITY_TAG = env.str("COLOPHON_FINALITY_TAG", default="")
CHAIN_CONTRACTS_FILE = VAR_DIR / "contracts.json"
CHAIN_ARTIFACTS_DIR = Path(
    env.str("COLOPHON_ARTIFACTS", default=str(BASE_DIR / "contracts" / "artifacts"))
)
CHAIN_EVENTS = "config.jobs.EVENTS"
# role=address of keys that are kept elsewhere (guardian and admin, in production)
CHAIN_ROLE_ADDRESSES = env.dict("COLOPHON_ROLE_ADDRESSES", default={})
CHAIN_TOKEN_ADDRESS = env.str("COLOPHON_TOKEN_ADDRESS", default="")
CHAIN_TOKEN_BASE_URI = env.str(
    "COLOPHON_TOKEN_BASE_URI", default=f"{SITE_URL}/certificates/"
)
CHAIN_ROYALTY_BPS = env.int("COLOPHON_ROYALTY_BPS", default=500)
CHAIN_TIMEOUT_SECONDS = env.float("COLOPHON_RPC_TIMEOUT", default=10.0)
CHAIN_MAX_FEE_GWEI = env.float("COLOPHON_MAX_FEE_GWEI", default=500.0)
CHAIN_STUCK_SECONDS = env.float("COLOPHON_STUCK_SECONDS", default=60.0)
CHAIN_DROPPED_SECONDS = env.float("COLOPHON_DROPPED_SECONDS", default=5.0)
# 0: not watched (a chain that mines only when it has something to mine)
CHAIN_MAX_HEAD_AGE_SECONDS = env.float("COLOPHON_MAX_HEAD_AGE", default=600.0)
CHAIN_REFUSALS = env.int("COLOPHON_REFUSALS", default=3)
CHALLENGE_WINDOW_SECONDS = env.int("COLOPHON_CHALLENGE_WINDOW", default=86_400)
REFUND_DELAY_SECONDS = env.int("COLOPHON_REFUND_DELAY", default=604_800)

# --- Money --------------------------------------------------------------------------
PLATFORM_FEE_PPM = env.int("COLOPHON_FEE_PPM", default=50_000)
PAYOUT_THRESHOLD_UNITS = env.int("COLOPHON_PAYOUT_THRESHOLD", default=1_000_000)
SETTLE_SECONDS = env.int("COLOPHON_SETTLE_SECONDS", default=86_400)
CHECKPOINT_SECONDS = env.int("COLOPHON_CHECKPOINT_SECONDS", default=10)
MINT_LAZILY = env.bool("COLOPHON_MINT_LAZILY", default=False)

# --- Everything else ----------------------------------------------------------------
LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {
        "handlers": ["console"],
        "level": env.str("COLOPHON_LOG_LEVEL", default="INFO"),
    },
}
