import json

from allauth.idp.oidc.models import Client
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt


@csrf_exempt
def register(request: HttpRequest) -> HttpResponse:
    """What the provider's administrator does: add the portal's return address."""
    client = Client.objects.get()
    client.redirect_uris = "\n".join({*client.redirect_uris.split(), json.loads(request.body)["redirect_uri"]})
    client.save()
    return HttpResponse("ok")


urlpatterns = [
    path("favicon.ico", lambda request: HttpResponse(status=204)),
    path("control/register", register),
    path("accounts/", include("allauth.account.urls")),
    path("", include("allauth.idp.urls")),
]
