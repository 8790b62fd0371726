"""How the parts are wired. Every value that differs between machines is read from the environment, typed."""

import json
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import django_stubs_ext
from csp.constants import NONE, SELF
from django.core.management.utils import get_random_secret_key

from labportal.env import BASE_DIR, DATA_DIR, database, env, read_instance

django_stubs_ext.monkeypatch()
_instance = read_instance()

# --- Where it is reached. An https address is production: secure cookies, HSTS, and no simulator. -------------------
BASE_URL: str = env.str("BASE_URL", "http://localhost:8000").rstrip("/")
_base = urlsplit(BASE_URL)
SECURE = _base.scheme == "https"
ALLOWED_HOSTS: list[str] = [_base.hostname or "localhost", *env.list("ALLOWED_HOSTS", [])]
CSRF_TRUSTED_ORIGINS = [BASE_URL]
# Hosts that are spoken to without TLS at an https address: the line to them is closed to everybody else.
PLAIN_HOSTS: list[str] = env.list("PLAIN_HOSTS", [])
DEBUG = False

# --- Secrets --------------------------------------------------------------------------------------------------------
# Without one (a bare checkout: makemigrations, type checks) a throw-away key serves; E001 refuses that in production.
SECRET_KEY_GIVEN: bool = bool(env.str("SECRET_KEY", _instance.get("SECRET_KEY", "")))
SECRET_KEY: str = env.str("SECRET_KEY", _instance.get("SECRET_KEY", "")) or get_random_secret_key()
# "id:key,id:key": the first one seals, all open (labportal/sealing.py).
TOKEN_KEYS: list[str] = [k for k in env.str("TOKEN_KEYS", _instance.get("TOKEN_KEYS", "")).split(",") if k]
# "id:key,id:key": the first one signs the audit's daily anchors, all verify; derived from SECRET_KEY when unset.
AUDIT_KEYS: list[str] = [k for k in env.str("AUDIT_KEYS", _instance.get("AUDIT_KEYS", "")).split(",") if k]
AUDIT_ANCHORS_DIR = Path(env.str("AUDIT_ANCHORS_DIR", str(DATA_DIR / "anchors")))
# The secret of the installation-wide notification address, for partners that register one URL at Align.
NOTIFICATION_SECRET: str = env.str("NOTIFICATION_SECRET", _instance.get("NOTIFICATION_SECRET", ""))

# Whoever knows it may ask GET /status; unset, there is no such address.
STATUS_TOKEN: str = env.str("STATUS_TOKEN", "")

# --- Align ----------------------------------------------------------------------------------------------------------
ITERO_PROFILE: str = env.str("ITERO_PROFILE", "")
ITERO_OAUTH_BASE: str = env.str("ITERO_OAUTH_BASE", "")
ITERO_BASE_URL: str = env.str("ITERO_BASE_URL", "")
ITERO_LOGIN_PAGE: str = env.str("ITERO_LOGIN_PAGE", "")
ITERO_CLIENT_ID: str = env.str("ITERO_CLIENT_ID", "")
ITERO_CLIENT_SECRET: str = env.str("ITERO_CLIENT_SECRET", "")
# Patience: for a connection, for the next byte, and the least progress in any so many seconds of waiting for bytes.
ITERO_CONNECT_SECONDS: float = env.float("ITERO_CONNECT_SECONDS", 10)
ITERO_READ_SECONDS: float = env.float("ITERO_READ_SECONDS", 30)
ITERO_PROGRESS_SECONDS: float = env.float("ITERO_PROGRESS_SECONDS", 60)
ITERO_PROGRESS_BYTES: int = env.int("ITERO_PROGRESS_BYTES", 64 * 1024)
# The stand-in for Align's cloud runs on this machine (demo and tests): loopback is allowed only then.
SIMULATOR: bool = env.bool("SIMULATOR", False)
# Named places at which a test lets the process die or fail (labportal/faults.py).
FAULTS_ALLOWED: bool = env.bool("FAULTS_ALLOWED", False)
FAULT: str = env.str("FAULT", "") if FAULTS_ALLOWED else ""

# --- Applications ---------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "labportal.running",
    "labportal.audit",
    "labportal.audit_pages",
    "labportal.labs",
    "labportal.signin",
    "connector.pairing",
    "connector.orders",
    "connector.intake",
    "connector.returns",
    "connector.lms",
    "connector.break_glass",
    "connector.retention",
    "labportal.people",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
    "django_q",
    "django_htmx",
    "csp",
]

MIDDLEWARE = [
    "labportal.browser_rules.BrowserRules",
    "csp.middleware.CSPMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "labportal.running.away.RolesMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "labportal.audit.middleware.AuditMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "labportal.signin.fresh_key.FreshKeyMiddleware",
    "labportal.signin.middleware.CompanySessionMiddleware",
    # Innermost: opens the transaction, names the lab in it, and renders inside it.
    "labportal.labs.middleware.LabMiddleware",
]

ROOT_URLCONF = "labportal.urls"
WSGI_APPLICATION = "labportal.wsgi.application"
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
                "connector.orders.navigation.navigation",
                "labportal.people.context.sign_up",
            ],
        },
    },
]

# --- Database: PostgreSQL, three ways in (docs/decisions/0003) --------------------------------------------------------
_unset = "postgresql:///labportal?host=/nonexistent-set-DATABASE_URL-or-run-make"
_app = env.str("DATABASE_URL", _instance.get("DATABASE_URL", _unset))
DATABASES = {
    "default": database(_app),
    "operator": database(env.str("DATABASE_OPERATOR_URL", _instance.get("DATABASE_OPERATOR_URL", _app))),
    "owner": database(env.str("DATABASE_OWNER_URL", _instance.get("DATABASE_OWNER_URL", _app))),
}
DATABASE_ROUTERS = ["labportal.labs.routers.RoleRouter"]
DATABASE_ROLE_PREFIX: str = env.str("DATABASE_ROLE_PREFIX", "portal")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# Shared by all processes: log-in rate limits count across them.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "labportal_cache",
        "OPTIONS": {"MAX_ENTRIES": 200_000},
    }
}

# --- Background tasks (docs/decisions/0004) ---------------------------------------------------------------------------
# retry >= timeout * (ceil((queue_limit + bulk) / workers) + 2), held by a system check: a task that waits longer than
# `retry` runs twice. Downloads have a cluster of their own: a big zip on a slow line takes hours, not minutes.
Q_CLUSTER: dict[str, Any] = {
    "name": "portal",
    "orm": "default",
    "workers": 2,
    "queue_limit": 2,
    "bulk": 1,
    "timeout": 300,
    "retry": 1500,
    "max_attempts": 5,
    "ack_failures": True,
    "catch_up": False,
    "save_limit": -1,
    "poll": 0.2,
    "label": "Task queue",
    "ALT_CLUSTERS": {
        "downloads": {"timeout": 4 * 3600, "retry": 20 * 3600, "workers": 2, "queue_limit": 2, "bulk": 1},
    },
}

# How many days of orders the daily comparison with Align asks about.
RECONCILE_DAYS: int = env.int("RECONCILE_DAYS", 14)
# How many days runs and dealt-with notifications are kept; 15 at least, since pages look back so far.
RUNS_KEPT_DAYS: int = env.int("RUNS_KEPT_DAYS", 30)
# Without a successful look at Align for so long (three looks and two minutes at least), a lab's owners get one mail.
SYNC_ALARM_MINUTES: int = env.int("SYNC_ALARM_MINUTES", 30)
# Each cluster is pinged end to end; one that does not answer for so long is killed and started again.
WORKER_PING_SECONDS: float = env.float("WORKER_PING_SECONDS", 3.0)
WORKER_STALE_SECONDS: float = env.float("WORKER_STALE_SECONDS", 20.0)

# --- Files ------------------------------------------------------------------------------------------------------------
# Every stored zip is hashed again by itself, after so many days at the latest.
SCANS_CHECKED_DAYS: int = env.int("SCANS_CHECKED_DAYS", 7)
# The vendor's zips and what is derived from them. Staging lies beside them: a rename must not cross a file system.
# A line for each removed scan, outside the database: after a restore they are removed again (manage.py erase_again).
ERASURES_FILE = Path(env.str("ERASURES_FILE", str(DATA_DIR / "erasures.jsonl")))
SCANS_DIR = Path(env.str("SCANS_DIR", str(DATA_DIR / "scans")))
STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", str(BASE_DIR / "staticfiles")))
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES: dict[str, Any] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": SCANS_DIR}},
    "scans": {
        "BACKEND": env.str("SCANS_STORAGE", "django.core.files.storage.FileSystemStorage"),
        "OPTIONS": json.loads(env.str("SCANS_STORAGE_OPTIONS", "{}")) or {"location": str(SCANS_DIR)},
    },
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# Without a collectstatic run (demo, tests) WhiteNoise serves from the source folders.
WHITENOISE_USE_FINDERS: bool = env.bool("STATIC_FROM_SOURCE", not STATIC_ROOT.exists())
if WHITENOISE_USE_FINDERS:
    warnings.filterwarnings("ignore", "No directory at", UserWarning)
WHITENOISE_AUTOREFRESH = False
WHITENOISE_ALLOW_ALL_ORIGINS = False

# --- People and log-in ------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "labs.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "labportal.signin.passwords.NotLeaked"},
    {"NAME": "labportal.signin.passwords.NotOurWords"},
]
PASSWORD_RESET_TIMEOUT = 3600
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "inbox"
ACCOUNT_ADAPTER = "labportal.labs.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGIN_ON_PASSWORD_RESET = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
USERSESSIONS_TRACK_ACTIVITY = False
ACCOUNT_CHANGE_EMAIL = True  # one address a person; a new one counts when it is confirmed
ACCOUNT_EMAIL_NOTIFICATIONS = True  # a mail tells the person when password, address or second step change
# Whoever changes a log-in, keys, people or connections has signed in or confirmed it in the last minutes.
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 600
# A code of the neighbouring half minutes is taken too, since clocks drift; no code twice (labportal/signin/mfa.py).
MFA_ADAPTER = "labportal.signin.mfa.MFAAdapter"
MFA_FORMS = {
    "authenticate": "labportal.signin.mfa.AuthenticateForm",
    "reauthenticate": "labportal.signin.mfa.ReauthenticateForm",
    "activate_totp": "labportal.signin.mfa.ActivateTOTPForm",
    "login_webauthn": "labportal.signin.mfa.LoginWebAuthnForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RATE_LIMITS = {"webauthn_login": "30/m/ip"}  # nothing to guess; a whole lab begins its day behind one address
MFA_TOTP_TOLERANCE = 1
MFA_TOTP_ISSUER = "Lab portal"
MFA_RECOVERY_CODES_SHOW_ONCE = True
# The rule that it turns off protects a stranger's address at open sign-up; here people come in by their lab's owner.
MFA_ALLOW_UNVERIFIED_EMAIL = True
# A lab's own provider (labportal/signin/provider.py). allauth's tables of accounts, apps and tokens stay empty.
SOCIALACCOUNT_ADAPTER = "labportal.signin.social.SocialAccountAdapter"
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {"provider_class": "labportal.signin.provider.LabProvider", "OAUTH_PKCE_ENABLED": True}
}
# A session that is not used, or is as old as this, ends; a lab may be stricter (labportal/labs/sessions.py).
SESSION_IDLE_MINUTES: int = env.int("SESSION_IDLE_MINUTES", 60)
SESSION_MAX_HOURS: int = env.int("SESSION_MAX_HOURS", 12)
# The operator's site opens to a second step only. The demo alone does without.
OPERATORS_NEED_MFA: bool = env.bool("OPERATORS_NEED_MFA", SECURE)
# So many cases and files may one person open within an hour; 0 is no bound.
OPENED_AN_HOUR: int = env.int("OPENED_AN_HOUR", 1000)
# Everybody needs a second step at sign-in, or only the people of labs that ask for one.
PEOPLE_NEED_MFA: bool = env.bool("PEOPLE_NEED_MFA", SECURE)
# Ours beside allauth's own (labportal/people/): mails that an owner sends, links tried, labs asked for.
ACCOUNT_RATE_LIMITS = {
    "company": "30/m/ip",  # a whole lab begins its day behind one address
    "invite": "60/h/user",
    "join": "20/m/ip",
    "open_lab": "10/h/ip,3/h/key",
}
# Whether anybody may open a lab of their own by a link in a mail. Off: there is no such page.
LAB_SIGN_UP: bool = env.bool("LAB_SIGN_UP", False)

# --- Mail -------------------------------------------------------------------------------------------------------------
EMAIL_BACKEND = env.str("EMAIL_BACKEND", "django.core.mail.backends.smtp.EmailBackend")
EMAIL_HOST = env.str("EMAIL_HOST", "localhost")
EMAIL_PORT = env.int("EMAIL_PORT", 25)
EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env.str("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = env.bool("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = env.bool("EMAIL_USE_SSL", False)
EMAIL_FILE_PATH = env.str("EMAIL_FILE_PATH", str(DATA_DIR / "mails"))
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", f"Lab portal <portal@{_base.hostname}>")

# --- Browser rules ----------------------------------------------------------------------------------------------------
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = SECURE
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
MESSAGE_STORAGE, MESSAGES_COOKIE_NAME = "labportal.message_cookie.Storage", "messages"
if SECURE:  # no other host of the domain can set or overwrite them
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
    MESSAGES_COOKIE_NAME = "__Host-messages"
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = SESSION_MAX_HOURS * 3600
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if env.bool("BEHIND_TLS_PROXY", False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    # Guesses are counted by the visitor's address, not by the proxy's, which all visitors share.
    ALLAUTH_TRUSTED_PROXY_COUNT = 1  # log-in limits count the visitor's address, not the proxy's
# A form that starts the log-in at Align ends there by a redirect, which browsers count as the form's target.
_login = urlsplit(ITERO_LOGIN_PAGE)
_align = [f"{_login.scheme}://{_login.netloc}"] if _login.netloc else []
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "object-src": [NONE],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF, *_align],
    }
}

# --- Words and times --------------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGES = [("en", "English")]

# --- Logs: one line a record, to standard error. Messages carry codes and ids, never names or tokens. -----------------
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"()": "labportal.logs.PlacesOnly", "format": "%(asctime)s %(levelname)s %(name)s %(message)s"}
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", "INFO")},
    "loggers": {
        "django.server": {"level": "WARNING"},
        # Its own handler would print a failed task's traceback; through ours it prints places only.
        "django-q": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
    },
}
