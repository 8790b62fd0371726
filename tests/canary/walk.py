"""The canary's way through the portal: taken in from Align, on every page by GET and POST, and into every failure."""

import re
import uuid
from contextlib import suppress
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from connector.itero.errors import IteroError
from connector.lms.services import make_key
from connector.orders import views
from connector.orders.case import case_page
from connector.orders.models import Order, Restoration, Revision, ScanFile
from connector.pairing.models import ConnectAttempt
from connector.returns.models import Return
from labportal.doorbell import ring
from labportal.labs.models import Membership
from labportal.labs.tenancy import in_lab
from labportal.people.models import Invitation
from tests.align import again
from tests.canary import failing
from tests.canary.places import addresses_in
from tests.cast import PASSWORD, Cast
from tests.faults.traces import CANARY
from tests.intake.desk import Desk, work
from tests.isolation.routes import ROUTES
from tests.mails import Mails

# They end what the others need.
LAST = ("connection_unpair", "patient_remove", "leave_lab", "account_logout")
FAILING = "tests.canary.failing"
# Fields that search; what a browser makes of them is tried in test_addresses.py.
TYPED = {
    "search": {"q": CANARY}, "find": {"q": CANARY}, "find_ask": {"q": CANARY}, "patient_data": {"q": CANARY},
    "audit": {"case": CANARY},
}  # fmt: skip


class Walk:
    """What was asked for and answered; `seen` are the places that it leaves behind."""

    def __init__(self, desk: Desk, cast: Cast, mails: Mails) -> None:
        self.desk, self.cast, self.mails = desk, cast, mails
        self.seen: dict[str, str] = {}
        self.statuses: dict[tuple[str, str], int] = {}
        self.needles: dict[str, str] = {"patient": CANARY}
        self.order_id = desk.arrives()
        desk.take_in()
        self.order = desk.order(self.order_id)
        self._fill()

    def _fill(self) -> None:
        """All words of a case, and the names of its files."""
        words = (
            "doctor", "doctor_license", "practice", "practice_address", "procedure", "case_type", "notes", "summary",
            "shade",
        )  # fmt: skip
        lab = self.cast.lab_a
        with in_lab(lab.pk):
            Order.objects.of(lab).update(**{word: f"{CANARY} {word}" for word in words})
            self.order = Order.objects.of(lab).get(pk=self.order.pk)
            self.revision = Revision.objects.of(lab).get(order=self.order)
            ScanFile.objects.of(lab).filter(role="other").update(name=f"{CANARY}.txt")
            Restoration.objects.of(lab).update(treatment=CANARY, material=CANARY)
            self.attempt = ConnectAttempt.objects.of(lab).get()
            self.theo = Membership.objects.of(lab).get(user=self.cast.theo)
            Return.objects.create(
                lab=lab, order=self.order, revision=self.revision, reason="bite", comment=CANARY, state="refused"
            )
        assert CANARY in self.order.patient_last
        assert CANARY in self.order.chart_number

    # --- secrets -----------------------------------------------------------------------------------------------------

    def remember_tokens(self) -> None:
        pairing = again(self.desk.pairing)
        number = len(self.needles)
        self.needles[f"access token {number}"] = pairing.tokens.access_token
        self.needles[f"refresh token {number}"] = pairing.tokens.refresh_token
        self.needles["notification secret"] = self.desk.secret

    def make_secrets(self, enrol: Any) -> None:
        """One of each kind that a person or a lab's own system holds."""
        self.remember_tokens()
        client, totp = enrol(self.cast.theo)
        self.key, text = make_key(lab=self.cast.lab_a, name="LMS", by=None)
        for path in ("/api/v1/orders", f"/api/v1/orders/{self.order.pk}"):
            answer = Client().get(path, headers={"Authorization": f"Bearer {text}"})
            self._keep(f"API {path}", answer, answer.content.decode(errors="replace"))
        self.desk.browser.post("/people/invite", {"email": "new@example.com", "role": "viewer"})
        link = re.search(r"http://[^/]+(/\S+)", self.mails.text())
        assert link
        token = link[1].rstrip("/").rpartition("/")[2]
        Client().get(link[1])
        sessions = {f"session {n}": one.session.session_key for n, one in enumerate((client, self.desk.browser))}
        self.needles |= {"API key": text, "TOTP secret": totp, "invitation token": token, "password": PASSWORD}
        self.needles |= sessions
        assert all(len(needle) >= 8 for needle in self.needles.values())

    # --- pages -------------------------------------------------------------------------------------------------------

    def ids(self) -> dict[str, str]:
        files = self.desk.files(self.order_id)
        with in_lab(self.cast.lab_a.pk):
            invitation = Invitation.objects.of(self.cast.lab_a).first()
        return {
            "order_id": str(self.order.pk), "file_id": str(files["upper"].pk), "number": "1",
            "picture_id": str(next(iter(files.values())).pk), "pairing_id": str(self.desk.pairing.pk),
            "attempt_id": str(self.attempt.pk), "membership_id": str(self.theo.pk),
            "invitation_id": str(invitation.pk if invitation else uuid.uuid4()), "provider_id": str(uuid.uuid4()),
            "api_key_id": str(self.key.pk),
            "secret": "x" * 43, "key": "x", "token": "x", "uidb36": "1", "pk": "0", "door": "no-such-lab",
        }  # fmt: skip

    def every_page(self) -> None:
        """As the lab's owner, first all that look, then all that change, at last what ends something."""
        names = sorted(ROUTES, key=lambda name: (name in LAST, LAST.index(name) if name in LAST else 0, name))
        ids = self.ids()
        for method in ("GET", "POST"):
            for name in names:
                self.ask(name, method, ids)

    def ask(self, name: str, method: str, ids: dict[str, str]) -> None:
        route = ROUTES[name]
        address = reverse(name, kwargs={key: ids[route.uses.get(key, key)] for key in route.takes})
        browser = self.desk.browser
        if method == "GET":
            answer: Any = browser.get(address)
        else:
            form = TYPED.get(name) or {key: value.format(**ids) for key, value in route.form.items()}
            answer = browser.post(address, form)
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        answer.close()
        self.statuses[name, method] = answer.status_code
        self._keep(f"{method} {name}", answer, body.decode(errors="replace"))

    def _keep(self, what: str, answer: Any, content: str) -> None:
        """Addresses of every answer; of one that refuses or fails also its words."""
        names = {"Content-Disposition"}  # a download is named for the person who asked for it
        self.seen[f"addresses of {what}"] = addresses_in(answer, content)
        self.seen[f"headers of {what}"] = str({k: v for k, v in answer.headers.items() if k not in names})
        if answer.status_code >= 400:
            self.seen[f"words of {what} {answer.status_code}"] = content

    # --- failures ----------------------------------------------------------------------------------------------------

    def failing_pages(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """404, 403, and 500 by a view that has the case in its hands."""
        case = f"/cases/{self.order.pk}"
        browser = self.desk.browser
        browser.raise_request_exception = False
        self._expect(404, browser, f"/cases/{uuid.uuid4()}")
        viewer = Client()
        viewer.force_login(self.cast.vera, backend="allauth.account.auth_backends.AuthenticationBackend")
        self._expect(403, viewer, f"{case}/return")
        for fail in (failing.raise_words, failing.raise_database_error):

            def broken(*args: Any, fail: Any = fail, **kwargs: Any) -> Any:
                page = case_page(*args, **kwargs)
                fail(self.order)
                return page

            with monkeypatch.context() as patched:
                patched.setattr(views, "case_page", broken)
                self._expect(500, browser, case, fail.__name__)
        assert browser.get(case).status_code == 200

    def _expect(self, status: int, client: Client, path: str, why: str = "") -> None:
        answer: Any = client.get(path)
        assert answer.status_code == status, (path, answer.status_code)
        self._keep(f"{path} {why}", answer, answer.content.decode())

    def removed(self, browser: Client) -> None:
        """410, of a case whose row still has its words."""
        with in_lab(self.cast.lab_a.pk):
            Order.with_erased.of(self.cast.lab_a).filter(pk=self.order.pk).update(
                erased_at=timezone.now(), erased_why="request", patient_last=CANARY, doctor=CANARY
            )
        self._expect(410, browser, f"/cases/{self.order.pk}")

    def failing_tasks(self) -> None:
        for name in ("words", "database"):
            ring(f"{FAILING}.{name}", self.cast.lab_a.pk, self.order.pk)
        failing.run_queue()

    def failing_align(self, settings: Any, bad_zip: str) -> None:
        """Unreadable answers, a zip that is refused, a return that is refused; and a mail server that is away."""
        align = self.desk.align
        for fault in ({"half_json": True}, {"html": True}, {"status": 500}, {"reset_at": 0.5}):
            align.fault(call="orders", **fault)
            with suppress(IteroError):
                self.desk.poll()
            align.clear_faults()
        self.desk.arrives(bad_zip)
        self.desk.take_in()
        align.fault(call="return", status=422)
        self.desk.browser.post(f"/cases/{self.order.pk}/return", {"reason": "bite", "comment": f"{CANARY} bite"})
        work(forgiving=True)
        align.clear_faults()
        backend, settings.EMAIL_BACKEND = settings.EMAIL_BACKEND, "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
        self.desk.browser.post("/people/invite", {"email": "other@example.com", "role": "viewer"})
        settings.EMAIL_BACKEND = backend
        self.remember_tokens()
