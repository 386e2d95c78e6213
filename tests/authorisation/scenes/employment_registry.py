"""People with registrations, filed in the officer's region."""

from __future__ import annotations

from typing import Any

from servicekit.testing.client import ApiClient

PREFIX = "/api/employment-registry/v1/"
EMPLOYMENT = {
    "employment_type": "platform",
    "started_on": "2025-09-01",
    "work_place": "440106003",
    "address": "五山路1号",
    "occupation": "网约配送员",
    "monthly_income": "4500.00",
}
UNEMPLOYMENT = {
    "cause": "graduated",
    "service_place": "440106003",
    "address": "五山路1号",
    "wishes": ["job"],
}


def arrange(desk: Any, path: str) -> dict[str, str]:
    """A draft for its owner, a filed one for officers, an approved one where records are asked."""
    desk.issuer.know(
        desk.people.person,
        name="林小满",
        birthdate="1990-01-01",
        gender="male",
        document_type="resident-card",
        document_number=f"4401061990010{desk.serial() % 100_000:05d}",
        phone_number="13800000000",
    )
    if "guide" in path:
        desk.home = "44"  # texts of the whole province
        return {"item": "unemployment"}
    if "certificate" in path:
        return _certificate(desk, path)
    matter = "unemployment" if "unemployment" in path else "flexible-employment"
    own = f"{matter}-registrations"
    today = desk.clock.now().date().isoformat()
    forms = {
        "unemployment": {"unemployment": UNEMPLOYMENT | {"unemployed_on": today}},
        "flexible-employment": {"kind": "registration", "employment": EMPLOYMENT},
    }
    owner = as_owner(desk)
    draft = done(owner.post(own, forms[matter]), 201)
    if "reviews" in path or "records" in path:
        done(owner.post(f"{own}/{draft['id']}/submit", {}), 200)
    if "records" in path:
        officer = as_officer(desk, f"employment-registry.{matter}")
        done(officer.post(f"{matter}-reviews/{draft['id']}/approve", {}), 200)
    return {"application_id": draft["id"]}


def done(answer: Any, status: int) -> Any:
    """What was answered, as it should be."""
    assert answer.status_code == status, answer.text
    return answer.json


def as_owner(desk: Any) -> ApiClient:
    """The person whose things they are."""
    token = desk.issuer.token("person", sub=desk.people.person, level=2)
    return ApiClient(desk.app, token, PREFIX)


def as_officer(desk: Any, business: str) -> ApiClient:
    """Of the whole province."""
    claims = {"roles": ["reviewer"], "businesses": [business], "region": "44"}
    return ApiClient(desk.app, desk.issuer.token("officer", **claims), PREFIX)


def _certificate(desk: Any, path: str) -> dict[str, str]:
    """A registered person has a certificate, and an application for its replacement."""
    arrange(desk, "flexible-employment-records")
    owner = as_owner(desk)
    wish = {"kind": "replacement", "certificate": {"cause": "lost", "service_place": "440106003"}}
    made = done(owner.post("certificate-applications", wish), 201)
    code = done(owner.get("certificates/current"), 200)["code"]
    if "reviews" in path:
        done(owner.post(f"certificate-applications/{made['id']}/submit", {}), 200)
    return {"application_id": made["id"], "code": code}
