"""The mail to a lab's owners when somebody else made a key to their cases."""

import logging
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.urls import reverse

from connector.lms.models import ApiKey
from labportal.labs.models import Lab
from labportal.labs.services import owner_addresses

log = logging.getLogger(__name__)


def tell_owners(key: ApiKey, lab: Lab) -> None:
    """To each owner. A mail server that is away stops nothing: the audit and the page of keys tell it, too."""
    context = {
        "lab": " ".join(lab.name.split()),
        "name": " ".join(key.name.split()),
        "prefix": key.prefix,
        "who": f"{key.created_by.display_name} ({key.created_by.email})" if key.created_by else "",
        "url": settings.BASE_URL + reverse("api_keys"),
    }
    body = render_to_string("lms/key_mail.txt", context)
    try:
        for owner in owner_addresses(lab.pk):
            EmailMessage("The portal's operator made an API key of your lab", body, None, [owner]).send()
    except (SMTPException, OSError) as error:
        log.warning("key_mail_not_sent %s %s", key.pk, type(error).__name__)
