"""`python -m tests.identity PORT FOLDER`: make the provider, its people and the portal's client, then serve."""

import os
import sys
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

CLIENT_ID, SECRET, PASSWORD = "portal", "the portal's secret", "company pass"
PEOPLE = {"anna": True, "theo": True, "bruno": True, "olga": True, "nina": True, "stranger": True, "vera": False}


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


def make(domain: str) -> None:
    from allauth.account.models import EmailAddress
    from allauth.idp.oidc.models import Client
    from django.contrib.auth.hashers import make_password
    from django.contrib.auth.models import User
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    people = {f"{name}@example.com": ok for name, ok in PEOPLE.items()}
    if domain:
        people = {f"{name}@{domain}": True for name in ("owner", "technician", "viewer")}
    for number, (email, confirmed) in enumerate(people.items()):
        user = User.objects.create_user(f"user{number}", email, PASSWORD)
        EmailAddress.objects.create(user=user, email=email, primary=True, verified=confirmed)
    Client.objects.create(
        id=CLIENT_ID, name="Portal", secret=make_password(SECRET), scopes="openid\nprofile\nemail",
        skip_consent=True, redirect_uris="",
    )  # fmt: skip


def main() -> None:
    port, folder, domain = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else ""
    write_key(folder)
    os.environ.update(DJANGO_SETTINGS_MODULE="tests.identity.settings", IDENTITY_FOLDER=str(folder))
    import django
    from django.core.wsgi import get_wsgi_application

    django.setup()
    make(domain)
    server = make_server("localhost", port, get_wsgi_application(), server_class=Server, handler_class=Quiet)
    print(f"IDENTITY READY http://localhost:{server.server_port}", flush=True)  # noqa: T201 - what the tests wait for
    server.serve_forever()


def write_key(folder: Path) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(pem)


if __name__ == "__main__":
    main()
