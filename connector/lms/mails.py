"""The mail to a lab's owners when somebody else made a key to their cases."""

from django.conf import settings
from django.urls import reverse

from connector.lms.models import ApiKey
from labportal.labs.mails import mail_owners
from labportal.labs.models import Lab


def tell_owners(key: ApiKey, lab: Lab) -> None:
    context = {
        "lab": lab.name,
        "name": key.name,
        "prefix": key.prefix,
        "who": f"{key.created_by.display_name} ({key.created_by.email})" if key.created_by else "",
        "link": settings.BASE_URL + reverse("api_keys"),
    }
    mail_owners("lms/key_mail", lab.pk, "The portal's operator made an API key of your lab", context)
