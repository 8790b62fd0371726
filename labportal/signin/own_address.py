"""allauth's page of one's own address. A new address counts when the link in the mail to it was opened, and not before.

allauth holds that only for people whose present address is proven. Of somebody else, as the operator made them, it
takes the present address for the one that is being changed to, and drops it: then nothing, or an address that is a
stranger's, opens this log-in.
"""

from typing import Any

from allauth.account import views
from allauth.account.models import EmailAddress
from django.http import HttpRequest, HttpResponse

from labportal.labs.models import User


class _Change(views.EmailView):  # type: ignore[misc]  # allauth publishes no types
    def form_valid(self, form: Any) -> HttpResponse:
        """The row of the present address, if not proven, goes before allauth finds it; the next page makes it anew."""
        user = _person(self.request)
        EmailAddress.objects.filter(user=user, email__iexact=user.email, verified=False).delete()
        answer: HttpResponse = super().form_valid(form)
        return answer

    def _action_primary(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        """No form of ours sends it: opening the link is what makes an address count."""

    def _action_remove(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """A change that waits, never the present address."""
        own = request.POST["email"].lower() == _person(request).email.lower()
        return None if own else super()._action_remove(request, *args, **kwargs)


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


change = _Change.as_view()
