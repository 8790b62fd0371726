"""Errors as application/problem+json (RFC 9457), in words, with a stable `code`."""

from collections.abc import Mapping

import orjson
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, AuthorizationError, Throttled, ValidationError

from connector.lms.authentication import WrongNetwork
from connector.orders.guard import FileDamaged, FileMissing, FileUnreadable
from connector.orders.ranges import RangeOutside

AGAIN = "300"  # seconds
PROBLEM_JSON = "application/problem+json"


class ProblemError(Exception):
    """A request that can't be answered; carries the answer's status, code and words."""

    def __init__(self, status: int, code: str, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(code)
        self.status, self.code, self.detail, self.headers = status, code, detail, dict(headers or {})


TITLES = {
    400: "Bad request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not found",
    416: "Range not satisfiable",
    422: "Bad parameter",
    429: "Too many requests",
    503: "Not available now",
}


def problem(refused: ProblemError) -> HttpResponse:
    """The answer. It never repeats an id, so that another lab's order answers like a missing one, byte for byte."""
    body = {
        "type": "about:blank",
        "title": TITLES[refused.status],
        "status": refused.status,
        "code": refused.code,
        "detail": refused.detail,
    }
    headers = {"Cache-Control": "no-store"} | refused.headers
    return HttpResponse(orjson.dumps(body), status=refused.status, content_type=PROBLEM_JSON, headers=headers)


def not_found() -> ProblemError:
    return ProblemError(404, "not_found", "There is no such order or file here.")


def answer_in_problems(api: NinjaAPI) -> None:
    """Let every error of `api` be answered by `problem`."""

    @api.exception_handler(ProblemError)
    def refused(request: HttpRequest, error: ProblemError) -> HttpResponse:
        return problem(error)

    @api.exception_handler(AuthenticationError)
    def no_key(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
        words = "Send a valid API key of your lab in the header: Authorization: Bearer KEY."
        return problem(ProblemError(401, "unauthorized", words, {"WWW-Authenticate": "Bearer"}))

    @api.exception_handler(AuthorizationError)
    def no_scope(request: HttpRequest, error: AuthorizationError) -> HttpResponse:
        return problem(ProblemError(403, "scope", "This API key does not allow that."))

    @api.exception_handler(WrongNetwork)
    def wrong_network(request: HttpRequest, error: WrongNetwork) -> HttpResponse:
        words = "This API key may not be used from this address. The lab's owner says from where, on the page API keys."
        return problem(ProblemError(403, "network", words))

    @api.exception_handler(Throttled)
    def throttled(request: HttpRequest, error: Throttled) -> HttpResponse:
        wait = str(error.wait or 1)
        words = f"This API key was used too often. Try again in {wait} s."
        return problem(ProblemError(429, "too_many_requests", words, {"Retry-After": wait}))

    @api.exception_handler(Http404)
    def missing(request: HttpRequest, error: Http404) -> HttpResponse:
        return problem(not_found())

    @api.exception_handler(RangeOutside)
    def outside(request: HttpRequest, error: RangeOutside) -> HttpResponse:
        words = f"The file has {error.size} bytes; that range lies outside."
        return problem(ProblemError(416, "range", words, error.headers))

    @api.exception_handler(FileMissing)
    def file_missing(request: HttpRequest, error: FileMissing) -> HttpResponse:
        words = "The portal knows this file but can't find it in its store. Tell the portal's operator."
        return problem(ProblemError(503, "file_missing", words))

    @api.exception_handler(FileUnreadable)
    def file_unreadable(request: HttpRequest, error: FileUnreadable) -> HttpResponse:
        words = "The portal's store does not give the file out just now. Ask again in some minutes."
        return problem(ProblemError(503, "file_unreadable", words, {"Retry-After": AGAIN}))

    @api.exception_handler(FileDamaged)
    def file_damaged(request: HttpRequest, error: FileDamaged) -> HttpResponse:
        if error.again:
            words = "The stored file was damaged. It is fetched from Align again; ask for the order in some minutes."
            return problem(ProblemError(503, "file_damaged", words, {"Retry-After": AGAIN}))
        words = "The stored file of this older scan was damaged and is held back. Tell the portal's operator."
        return problem(ProblemError(503, "file_damaged", words))

    @api.exception_handler(ValidationError)
    def bad_parameter(request: HttpRequest, error: ValidationError) -> HttpResponse:
        places = [(str(item["loc"][0]), str(item["loc"][-1]), str(item["msg"])) for item in error.errors]
        if any(where == "path" for where, _, _ in places):
            return problem(not_found())  # what is no id names nothing
        return problem(ProblemError(422, "bad_parameter", " ".join(f"{name}: {said}." for _, name, said in places)))
