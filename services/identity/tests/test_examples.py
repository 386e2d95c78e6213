"""Every example in the API documentation is valid by its own schema, and every body has one."""

import jsonschema
import pytest

from identity.app import create_app
from identity.settings import Settings
from servicekit.testing.settings import sample_settings
from servicekit.web.openapi import document

DOCUMENT = document(create_app(sample_settings(Settings, "IDENTITY")))


def bodies():
    """Every JSON body of a request or of an answer that is no problem."""
    for path, operations in DOCUMENT["paths"].items():
        for method, operation in operations.items():
            if method == "parameters" or not path.startswith("/api/"):
                continue
            asked = operation.get("requestBody", {}).get("content", {})
            if "application/json" in asked:
                yield f"{method} {path} asks", asked["application/json"]
            for status, answer in operation["responses"].items():
                content = answer.get("content", {}).get("application/json")
                if status.startswith("2") and content:
                    yield f"{method} {path} answers {status}", content


BODIES = dict(bodies())


@pytest.mark.parametrize("name", sorted(BODIES))
def test_every_body_has_a_valid_example(name):
    body = BODIES[name]
    schema = {**body["schema"], "components": DOCUMENT["components"]}
    jsonschema.Draft202012Validator(schema).validate(body["example"])


def test_there_is_something_to_check():
    assert len(BODIES) > 15
