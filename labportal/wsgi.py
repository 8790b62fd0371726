"""The web process's entry point."""

import os

from django.core.wsgi import get_wsgi_application

from labportal.running import watch
from labportal.startup import begin_serving

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "labportal.settings")
application = get_wsgi_application()
begin_serving()
watch.start()
