"""Who the documents say may use an operation is who may: every operation of every service."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from servicekit.testing.client import ApiClient
from servicekit.testing.issuer import Issuer
from servicekit.web.openapi import document

OFFICER_ROLES = frozenset({"window", "reviewer", "approver", "admin"})


class OneKey:
    """The test issuer's key as a service's source of keys."""

    def __init__(self, issuer: Issuer) -> None:
        self._key = issuer.key

    def find(self, kid: str) -> Any:
        return self._key if kid == self._key.thumbprint() else None


class Operation:
    """One operation as documented, and a way to call it; no database is behind it."""

    def __init__(self, app: Any, issuer: Issuer, path: str, method: str, said: Any) -> None:
        self.name = f"{method.upper()} {path}"
        self.access = said.get("x-access")
        self._path = re.sub(r"\{[^}]+\}", "01890a5d-ac96-774b-bcce-b302099a8057", path)
        self._method = method.upper()
        self._client = ApiClient(app)
        self._issuer = issuer

    def code(self, kind: str | None = None, **claims: Any) -> tuple[int, str]:
        """Status and code of the answer to this caller."""
        token = None if kind is None else self._issuer.token(kind, **claims)  # type: ignore[arg-type]
        answer = self._client.as_(token).call(self._method, self._path)
        is_problem = answer.content_type == "application/problem+json"
        return answer.status_code, json.loads(answer.data)["code"] if is_problem else ""


@pytest.fixture(scope="module")
def operations(contracts: Any) -> Iterator[list[Operation]]:
    """Every operation of every service."""
    issuer, found, apps = Issuer(), [], contracts.build_all()
    for app in apps.values():
        app.verifier.keys, app.verifier.revoked = OneKey(issuer), lambda claims: False
        for path, methods in document(app)["paths"].items():
            for method, said in methods.items():
                if method != "parameters":
                    found.append(Operation(app, issuer, path, method, said))
    yield found
    for app in apps.values():
        app.database.close()


@pytest.mark.req("ID-42", "GW-02")
def test_without_a_token_only_public_operations_answer(operations: list[Operation]) -> None:
    secured = [one for one in operations if one.access is not None]
    assert len(secured) > 10
    assert {one.name: one.code() for one in secured} == {
        one.name: (401, "login-needed") for one in secured
    }
    for one in operations:
        assert one.access is not None or one.code()[0] != 401, one.name


@pytest.mark.req("PRT-02")
def test_personal_business_refuses_units(operations: list[Operation]) -> None:
    personal = [one for one in operations if one.access and "person" in one.access["kinds"]]
    for one in personal:
        if "unit" not in one.access["kinds"]:
            answer = one.code("unit", acting="somebody", level=3)
            assert answer == (403, "personal-session-required"), one.name
    assert personal


@pytest.mark.req("ID-42")
def test_a_level_that_is_asked_for_is_needed(operations: list[Operation]) -> None:
    levelled = [one for one in operations if one.access and one.access["level"] > 0]
    for one in levelled:
        low = one.access["level"] - 1
        assert one.code("person", level=low) == (401, "realname-level-too-low"), one.name
        assert one.code("person", level=low + 1)[0] not in (401, 403), one.name
    assert levelled


@pytest.mark.req("ID-45")
def test_officers_work_needs_the_role_the_business_and_the_second_factor(
    operations: list[Operation],
) -> None:
    official = [
        one for one in operations if one.access and OFFICER_ROLES & set(one.access["roles"])
    ]
    for one in official:
        good = {
            "roles": one.access["roles"],
            "businesses": [one.access["business"]] if one.access["business"] else [],
            "region": "44",  # some work is the province's alone
        }
        assert one.code("officer", **good)[0] not in (401, 403), one.name
        assert one.code("officer", **{**good, "acr": "urn:gdhrss:aal:1"})[0] == 401, one.name
        others = sorted(OFFICER_ROLES - set(one.access["roles"]))
        assert one.code("officer", **{**good, "roles": others}) == (403, "wrong-role"), one.name
        if one.access["business"]:
            assert one.code("officer", **{**good, "businesses": ["nobody.nothing"]}) == (
                403,
                "other-business",
            ), one.name
        if "person" not in one.access["kinds"]:
            assert one.code("person", level=3, roles=one.access["roles"])[0] == 403, one.name
    assert official
