"""The web process's entry point."""

import os

from django.core.wsgi import get_wsgi_application

from labportal.running import watch
from labportal.shedding import PUSHES_AT_ONCE, AtMost
from labportal.startup import begin_serving

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "labportal.settings")
application = AtMost(get_wsgi_application(), prefix="/notify/", most=PUSHES_AT_ONCE)
begin_serving()
watch.start()
