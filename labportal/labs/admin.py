"""The operator's admin site: its door, what is taken off it, and the task queue. People and labs: labportal/people/."""

from typing import Any

from allauth.usersessions import admin as _sessions  # noqa: F401 - registers what is unregistered below
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.auth import admin as _auth  # noqa: F401 - registers what is unregistered below
from django.contrib.auth.models import Group
from django_q import admin as _queue  # noqa: F401 - registers what is unregistered below
from django_q.models import Failure, OrmQ, Schedule, Success

from labportal.labs.operators import may_operate, operators_door, to_own_password
from labportal.labs.read_only import ReadOnlyAdmin

admin.site.site_title = admin.site.site_header = "Lab portal"
admin.site.index_title = "Portal operator"
admin.site.enable_nav_sidebar = False  # it would leave the lists of connections and runs half the width they need
admin.site.site_url = None  # "View site" would lead an operator, who has no lab, back here
# The portal's own door, with its rate limits and second step; nobody sees a second form.
admin.site.login = operators_door  # type: ignore[method-assign]  # Django's documented way is a site of one's own
# Its pages for the operator's own password: no mail, no trace. The portal's own page has both.
admin.site.password_change = to_own_password  # type: ignore[method-assign,assignment]  # as above
admin.site.password_change_done = to_own_password  # type: ignore[method-assign,assignment]  # as above
admin.site.has_permission = may_operate  # type: ignore[method-assign]  # as above

# Groups give nothing here; a session's key would let an operator act as that person; the one schedule is the tick,
# and one unreadable schedule row stops all of them; successes are not kept.
for _model in (Group, UserSession, Schedule, Success, Failure, OrmQ):
    admin.site.unregister(_model)


@admin.register(Failure)
class FailedTaskAdmin(ReadOnlyAdmin[Any]):
    """A task that raised. What is due is found again by itself, so there is nothing to send once more."""

    list_display = ("func", "cluster", "started", "stopped", "attempt_count")
    list_filter = ("cluster",)
    search_fields = ("func",)
    fields = ("name", "func", "args", "cluster", "started", "stopped", "attempt_count", "result")


@admin.register(OrmQ)
class QueuedTaskAdmin(ReadOnlyAdmin[Any]):
    list_display = ("task_id", "func", "key", "lock")
    list_filter = ("key",)
    fields = ("task_id", "func", "args", "key", "lock")
