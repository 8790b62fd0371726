"""Nothing of this is the operator's to see: seeds and keys of second steps, and tables that stay empty."""

from allauth.mfa import admin as _mfa  # noqa: F401 - registers what is unregistered below
from allauth.mfa.models import Authenticator
from allauth.socialaccount import admin as _social  # noqa: F401 - registers what is unregistered below
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib import admin

for _model in (Authenticator, SocialAccount, SocialApp, SocialToken):
    admin.site.unregister(_model)
