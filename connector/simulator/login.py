"""The log-in and consent pages, up to the redirect with a code."""

import secrets
from urllib.parse import urlencode, urlsplit

from connector.simulator import oauth
from connector.simulator.cloud import Cloud
from connector.simulator.login_pages import consent_page, error_page, login_page
from connector.simulator.messages import Request, Response, html_response, redirect


def show(cloud: Cloud, request: Request) -> Response:
    """GET: the log-in page, or an error page for a request that must not be answered by a redirect."""
    return _wrong(cloud, request) or html_response(login_page())


def submit(cloud: Cloud, request: Request) -> Response:
    """POST: first user name and password, then Allow or Deny; the address holds the authorization request."""
    wrong = _wrong(cloud, request)
    if wrong is not None:
        return wrong
    form = request.form()
    if "ticket" in form:
        return _decide(cloud, request, form)
    user = cloud.world.users.get(form.get("username", "").strip().lower())
    if user is None or not secrets.compare_digest(user.password.encode(), form.get("password", "").encode()):
        return html_response(login_page("User name or password is not right."), 401)
    ticket = secrets.token_urlsafe(16)
    cloud.tickets[ticket] = user.username
    accounts = [cloud.world.accounts[number].name for number in user.accounts]
    return html_response(consent_page(user.username, accounts, cloud.options.client_id, ticket))


def _decide(cloud: Cloud, request: Request, form: dict[str, str]) -> Response:
    username = cloud.tickets.pop(form["ticket"], None)
    if username is None:
        return html_response(login_page("Please log in again."), 401)
    if form.get("decision") != "allow":
        return _back(request, {"error": "access_denied", "error_description": "The user did not allow access."})
    challenge = request.query.get("code_challenge") if cloud.dialect.pkce else None
    return _back(request, {"code": oauth.new_code(cloud, username, request.query["redirect_uri"], challenge)})


def _wrong(cloud: Cloud, request: Request) -> Response | None:
    query = request.query
    if query.get("client_id") != cloud.options.client_id:
        return html_response(error_page("This application is not registered with us."), 400)
    if query.get("redirect_uri") not in cloud.switches.redirect_uris:
        text = "The address to return to is not on the list that was registered for this application."
        return html_response(error_page(text), 400)
    if query.get("response_type") != "code":
        return _back(request, {"error": "unsupported_response_type", "error_description": "Only code is supported."})
    if cloud.dialect.pkce and (not query.get("code_challenge") or query.get("code_challenge_method") != "S256"):
        return _back(request, {"error": "invalid_request", "error_description": "PKCE with S256 is required."})
    return None


def _back(request: Request, answer: dict[str, str]) -> Response:
    target = request.query["redirect_uri"]
    if "state" in request.query:
        answer = answer | {"state": request.query["state"]}
    return redirect(f"{target}{'&' if urlsplit(target).query else '?'}{urlencode(answer)}")
