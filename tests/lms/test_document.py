"""The OpenAPI document that a lab's programmer reads."""

import json

import pytest
from django.test import Client
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from connector.lms.api import api

pytestmark = pytest.mark.django_db


@pytest.fixture
def document():
    answer = Client().get("/api/v1/openapi.json")
    assert answer.status_code == 200
    return json.loads(answer.content)


def test_the_document_is_valid_openapi_3_1_and_open_to_everybody(document):
    assert document["openapi"].startswith("3.1")
    validate(document, cls=OpenAPIV31SpecValidator)


def test_every_operation_needs_a_key(document):
    ((name, scheme),) = document["components"]["securitySchemes"].items()
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert len(operations) == 4
    assert all(operation["security"] == [{name: []}] for operation in operations)


def test_every_error_is_said_as_problem_json(document):
    for path in document["paths"].values():
        for operation in path.values():
            errors = {status: said for status, said in operation["responses"].items() if status >= "400"}
            assert {"401", "403", "429"} <= set(errors)
            assert all(list(said["content"]) == ["application/problem+json"] for said in errors.values())


def test_the_zip_is_said_to_be_a_zip_that_can_be_had_in_parts(document):
    responses = document["paths"]["/api/v1/orders/{order_id}/revisions/{number}/zip"]["get"]["responses"]
    assert list(responses["206"]["content"]) == ["application/zip"]
    assert {"200", "404", "416"} <= set(responses)


def test_every_address_of_the_export_is_in_the_document(document):
    routes = {f"/api/v1/{pattern.pattern}" for pattern in api.urls[0]}
    bare = {route.replace("<", "{").replace(">", "}") for route in routes}
    assert bare - set(document["paths"]) == {"/api/v1/openapi.json", "/api/v1/"}
    assert len(bare) == len(document["paths"]) + 2


def test_there_is_no_page_that_would_load_scripts_from_elsewhere():
    assert Client().get("/api/v1/docs").status_code == 404


def test_nothing_can_be_written(lms_a):
    assert Client().post("/api/v1/orders").status_code == 405
