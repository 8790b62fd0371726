"""The address that Align pushes to."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from connector.intake.notifications import UnknownAddress, accept
from connector.itero.errors import BadNotification
from labportal.audit.context import VENDOR, Actor, act_as
from labportal.labs.middleware import commits_itself


@commits_itself
@csrf_exempt
@require_POST
def notify(request: HttpRequest, secret: str) -> HttpResponse:
    """202 only after the row is committed; 404 for a secret that is nobody's; 400 for what is no notification."""
    act_as(Actor(VENDOR, code="notification"))
    try:
        accept(secret, request.body)
    except UnknownAddress:
        return JsonResponse({"error": "not_found"}, status=404)
    except BadNotification as error:
        return JsonResponse({"error": error.code}, status=400)
    return HttpResponse(status=202)
