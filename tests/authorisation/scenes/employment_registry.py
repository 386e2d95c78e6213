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
    matter = "unemployment" if "unemployment" in path else "flexible-employment"
    own = f"{matter}-registrations"
    today = desk.clock.now().date().isoformat()
    forms = {
        "unemployment": {"unemployment": UNEMPLOYMENT | {"unemployed_on": today}},
        "flexible-employment": {"kind": "registration", "employment": EMPLOYMENT},
    }
    token = desk.issuer.token("person", sub=desk.people.person, level=2)
    owner = ApiClient(desk.app, token, PREFIX)
    draft = done(owner.post(own, forms[matter]), 201)
    if "reviews" in path or "records" in path:
        done(owner.post(f"{own}/{draft['id']}/submit", {}), 200)
    if "records" in path:
        business = f"employment-registry.{matter}"
        claims = {"roles": ["reviewer"], "businesses": [business], "region": "44"}
        officer = ApiClient(desk.app, desk.issuer.token("officer", **claims), PREFIX)
        done(officer.post(f"{matter}-reviews/{draft['id']}/approve", {}), 200)
    return {"application_id": draft["id"]}


def done(answer: Any, status: int) -> Any:
    """What was answered, as it should be."""
    assert answer.status_code == status, answer.text
    return answer.json
