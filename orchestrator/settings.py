"""Decides Django's settings; everything an operator may choose comes from ``orchestrator.config``."""

import secrets
from pathlib import Path
from typing import Any

from orchestrator.config import conf
from orchestrator.config.database_url import parse_database_url
from orchestrator.static_digest import digest_of, is_immutable

conf.validate()

BASE_DIR = Path(__file__).resolve().parent.parent
AIRFLOW_HOME = conf.home

# Without a key in the configuration sessions end with the process; the first migrate writes one into airflow.cfg.
SECRET_KEY = conf.get("api", "secret_key").split(",")[0] or secrets.token_urlsafe(48)
SECRET_KEY_FALLBACKS = conf.get("api", "secret_key").split(",")[1:]
DEBUG = False
ALLOWED_HOSTS = [host.strip() for host in conf.get("api", "allowed_hosts").split(",")]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular_sidecar",
    "orchestrator",
    "orchestrator.processes",
    "accounts",
    "vault",
    "dags_app",
    "runs",
    "executionapi",
]
if "Celery" in conf.get("core", "executor"):
    # Importing it costs 20 MB, so only those who use Celery pay.
    INSTALLED_APPS.append("django_celery_beat")

MIDDLEWARE = [
    "accounts.middleware.RequestFactsMiddleware",
    "orchestrator.cors.CorsMiddleware",
    "orchestrator.compression.CompressionMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "orchestrator.static_files.StaticFilesMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "orchestrator.security_headers.SecurityHeadersMiddleware",
    "orchestrator.ui.middleware.NulMiddleware",
    "orchestrator.ui.middleware.SidebarMiddleware",
    "orchestrator.ui.middleware.TimeZoneMiddleware",
    "orchestrator.ui.middleware.DialogMiddleware",
]

ROOT_URLCONF = "orchestrator.urls"
WSGI_APPLICATION = "orchestrator.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "orchestrator.ui.layout.shell",
            ],
        },
    },
]

DATABASES = {
    "default": parse_database_url(
        conf.get("database", "sql_alchemy_conn"),
        conf.home,
        conf.get("database", "connect_timeout_seconds"),
        conf.get("database", "busy_timeout_seconds"),
        conf.get("database", "sql_alchemy_schema"),
    ),
}
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.ThrottledBackend"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [{"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"}]

TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False
LANGUAGE_CODE = "en-us"
FORMAT_MODULE_PATH = ["orchestrator.formats"]

URL_PREFIX = (
    "/" + conf.get("api", "base_url").split("://", 1)[-1].partition("/")[2].strip("/") if conf.get("api", "base_url") else "/"
)
FORCE_SCRIPT_NAME = None if URL_PREFIX == "/" else URL_PREFIX
LOGIN_URL = "/auth/login/"
LOGIN_REDIRECT_URL = "/"
STATIC_ROOT = conf.home / "staticfiles"
STATICFILES_DIRS = [path for path in [BASE_DIR / "static"] if path.is_dir()]
_IS_COLLECTED = (STATIC_ROOT / "staticfiles.json").is_file()
# The address of every static file has the digest of all of them in it, so that browsers keep them for ever.
STATIC_URL = f"static/{digest_of(STATICFILES_DIRS)}/"
WHITENOISE_USE_FINDERS = not _IS_COLLECTED
WHITENOISE_IMMUTABLE_FILE_TEST = is_immutable
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if _IS_COLLECTED
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

SESSION_COOKIE_AGE = conf.get("api", "session_lifetime_minutes") * 60
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
_IS_HTTPS = bool(conf.get("api", "ssl_cert")) or (conf.get("api", "base_url") or "").startswith("https://")
SESSION_COOKIE_SECURE = _IS_HTTPS
CSRF_COOKIE_SECURE = _IS_HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if _IS_HTTPS else 0
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_TRUSTED_ORIGINS = ["/".join(conf.get("api", "base_url").split("/")[:3])] if conf.get("api", "base_url") else []
# Also set by `api_server --proxy-headers`, after this file was read.
PROXY_SETTINGS = {"SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https"), "USE_X_FORWARDED_HOST": True}
if conf.get("api", "proxy_headers"):
    globals().update(PROXY_SETTINGS)
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024 * 1024

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
}

EMAIL_HOST = conf.get("smtp", "smtp_host")
EMAIL_PORT = conf.get("smtp", "smtp_port")
EMAIL_HOST_USER = conf.get("smtp", "smtp_user") or ""
EMAIL_HOST_PASSWORD = conf.get("smtp", "smtp_password") or ""
EMAIL_USE_SSL = conf.get("smtp", "smtp_ssl")
EMAIL_USE_TLS = conf.get("smtp", "smtp_starttls") and not EMAIL_USE_SSL
EMAIL_TIMEOUT = conf.get("smtp", "smtp_timeout")
DEFAULT_FROM_EMAIL = conf.get("email", "from_email") or conf.get("smtp", "smtp_mail_from")

_LEVEL = conf.get("logging", "logging_level")
_NAMESPACES = (pair.partition("=") for pair in (conf.get("logging", "namespace_levels") or "").replace(",", " ").split())
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"()": "orchestrator.log_line.LineFormatter"},
        "json": {"()": "orchestrator.log_line.JsonFormatter"},
    },
    "handlers": {
        "stdout": {
            "class": "logging.StreamHandler",
            "stream": "ext://sys.stdout",
            "formatter": "json" if conf.get("logging", "json_logs") else "line",
        }
    },
    "root": {"handlers": ["stdout"], "level": _LEVEL},
    "loggers": {
        # A request that is answered with 4xx is the caller's business, not an event of this server.
        "django.request": {"level": "ERROR"},
        "django.server": {"level": "WARNING"},
        "gunicorn.error": {"level": "WARNING"},
        "celery": {"level": conf.get("logging", "celery_logging_level") or _LEVEL},
        **{name: {"level": level.upper()} for name, _, level in _NAMESPACES},
    },
}
