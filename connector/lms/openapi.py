"""The OpenAPI 3.1 document as it is published: ninja's, with problem+json, headers and binary bodies in it."""

import json
from typing import Any

from django.conf import settings
from ninja import NinjaAPI

from connector.lms.problems import PROBLEM_JSON

Json = dict[str, Any]

TEXT = {"schema": {"type": "string"}}
HEADERS_OF_ERRORS = {
    "401": {"WWW-Authenticate": TEXT | {"description": "Bearer"}},
    "416": {"Content-Range": TEXT | {"description": "bytes */SIZE"}},
    "429": {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds to wait"}},
}
HEADERS_OF_FILES = {
    "ETag": TEXT | {"description": "The SHA-256 of the file, in quotes"},
    "Content-Length": {"schema": {"type": "integer"}},
}


def binary(kind: str) -> Json:
    """What ninja can't say of an operation: its body is a file, or a part of one."""
    whole: Json = {"content": {kind: {}}, "headers": dict(HEADERS_OF_FILES)}
    part = {
        "content": {kind: {}},
        "headers": HEADERS_OF_FILES | {"Content-Range": TEXT | {"description": "bytes FIRST-LAST/SIZE"}},
    }
    asked = [
        {"in": "header", "name": "Range", "required": False, "schema": {"type": "string"}, "example": "bytes=1048576-"},
        {"in": "header", "name": "If-Range", "required": False, "schema": {"type": "string"}},
    ]
    return {"responses": {200: whole, 206: part}, "parameters": asked}


def published(api: NinjaAPI) -> Json:
    """The document, with this installation's address as the server."""
    document: Json = json.loads(json.dumps(api.get_openapi_schema()))  # also turns status numbers into texts
    document["servers"] = [{"url": settings.BASE_URL}]
    for path in document["paths"].values():
        for operation in path.values():
            for status, response in operation["responses"].items():
                if status >= "400":
                    response["content"] = {PROBLEM_JSON: response["content"]["application/json"]}
                    response["headers"] = HEADERS_OF_ERRORS.get(status, {})
    return document
