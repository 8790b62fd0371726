import json

from allauth.account.models import EmailAddress
from allauth.idp.oidc.models import Client
from django.contrib.auth.models import User
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


@csrf_exempt
def rename(request: HttpRequest) -> HttpResponse:
    """The administrator gives a person another address. Their id stays, as the provider makes it of the person."""
    asked = json.loads(request.body)
    user = User.objects.get(email=asked["email"])
    user.email = asked["new"]
    user.save()
    EmailAddress.objects.filter(user=user).update(email=asked["new"])
    return HttpResponse("ok")


urlpatterns = [
    path("favicon.ico", lambda request: HttpResponse(status=204)),
    path("control/register", register),
    path("control/rename", rename),
    path("accounts/", include("allauth.account.urls")),
    path("", include("allauth.idp.urls")),
]
