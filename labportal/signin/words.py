"""What a failed company sign-in means, in words."""

from django.utils.translation import gettext_lazy as _

_AT_THE_DOOR = {
    "cancelled": _("The sign-in was cancelled at your company. Try again, or sign in with your password or passkey."),
    "no_member": _(
        "Your company signed you in, but this lab knows nobody with the address that it confirmed. Ask the owner of "
        "your lab to add you with exactly that address."
    ),
    "another_id": _(
        "Your company confirms this address for somebody else than before, so nobody was signed in. Tell the owner of "
        "your lab: if the address is yours now, or your company's system was renewed, they remove the person and "
        "invite you anew."
    ),
    "bad_token": _("Your company's answer could not be trusted, so nobody was signed in. Please begin again."),
    "provider": _(
        "Your company's sign-in did not answer as it should. Try again; if it stays like this, tell the owner of your "
        "lab."
    ),
}
_AT_THE_SETTINGS = {
    "unreadable": _("This is no web address."),
    "not_https": _("The address must begin with https://."),
    "port": _("The address must be at the usual https port, without a number behind the name."),
    "private": _("This name leads to a private network, which the portal never calls."),
    "not_found": _("This name was not found. Is it spelt right?"),
    "unreachable": _("Nobody answers at this address."),
    "too_slow": _("What answers there takes too long. Try again; if it stays like this, tell who runs the provider."),
    "busy": _("The portal waits for answers of other companies just now. Try again in a minute."),
    "redirect": _("The address leads on to another one. Give the one where it ends."),
    "too_large": _("What answers there is no OpenID provider."),
    "no_document": _("What answers there is no OpenID provider: it shows no /.well-known/openid-configuration."),
    "other_issuer": _("The provider calls itself by another address. Give exactly the “issuer” that it names."),
}


def sign_on_words(code: str) -> str:
    return str(_AT_THE_DOOR.get(code) or _AT_THE_SETTINGS.get(code) or _AT_THE_SETTINGS["no_document"])
