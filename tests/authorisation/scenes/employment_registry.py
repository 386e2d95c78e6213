"""People with registrations, filed in the officer's region."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

from employment_registry.life_events import planning
from employment_registry.life_events.planning import Told
from employment_registry.life_events.rules import Happening
from employment_registry.policy_changes import actions as policy_changes
from servicekit.columns import new_id
from servicekit.personal import DocumentNumber
from servicekit.teamwork import roster
from servicekit.teamwork.rules import KnownOfficer
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


def SETTINGS(folder: Path) -> dict[str, str]:
    """No register is asked: an application goes to review at once."""
    off = "population-register,social-security"
    return {"outside_off": off, "storage_url": f"file://{folder}/files"}


def arrange(desk: Any, path: str, number: str | None = None) -> dict[str, str]:
    """A draft for its owner, a filed one for officers, an approved one where records are asked."""
    know(desk, desk.people.person, number := number or _number(desk))
    if "exports" in path:
        return {"export_id": _export(desk, path)} if "{" in path else {}
    if "ending" in path and "unemployment" not in path:
        return _ending(desk, path, number)
    if "guide" in path:
        desk.home = "44"  # texts of the whole province
        return {"item": "unemployment"}
    if path.startswith("/policies"):
        return {"policy_id": _policy(desk)}
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
    made = {"application_id": draft["id"]}
    if "{opinion_id}" in path:
        made["opinion_id"] = _asked(desk, matter, draft["id"], path)
    if "{other}" in path:
        made["other"] = _alike(desk, matter, draft["id"])
    return made


def know(desk: Any, account: str, number: str) -> None:
    """As identity vouches for somebody; the name is the person's of the scene."""
    desk.issuer.know(
        account,
        name=f"林{desk.people.person[-12:]}",
        birthdate="1990-01-01",
        gender="male",
        document_type="resident-card",
        document_number=number,
        phone_number=f"138{desk.serial():08d}",
    )


def _number(desk: Any) -> str:
    return f"4401061990010{desk.serial() % 100_000:05d}"


def _ending(desk: Any, path: str, number: str) -> dict[str, str]:
    """A registration that is to end, and for officers an objection to it."""
    arrange(desk, "flexible-employment-records", number)
    told = Told(number, DocumentNumber(number), Happening.DIED, desk.clock.now().date())
    with desk.app.database.transaction() as db:
        (person,) = planning.hear(db, "a-register", [told], now=desk.clock.now())
        planning.plan(db, person, now=desk.clock.now())
    owner = as_owner(desk)
    made = done(owner.get("planned-endings"), 200)["items"][0]["id"]
    if "reviews" in path or path.endswith(("withdraw", "urge")):
        done(owner.post(f"planned-endings/{made}/object", {"explanation": "不属实"}), 200)
    found = {"application_id": made, "ending_id": made}
    if "{opinion_id}" in path:
        found["opinion_id"] = _asked(desk, "ending", made, path)
    return found


def _asked(desk: Any, matter: str, application_id: str, path: str) -> str:
    """A question of the officer's, or one they are asked."""
    business, colleague = f"employment-registry.{matter}", new_id()
    for officer_id in (desk.people.officer, colleague):
        words = {"businesses": frozenset({business}), "roles": frozenset({"reviewer"})}
        officer = KnownOfficer(officer_id=officer_id, region="440106", is_active=True, **words)
        with desk.app.database.transaction() as db:
            roster.keep(db, officer, now=desk.clock.now())
    asker, asked = desk.people.officer, colleague
    if path.endswith("answer"):
        asker, asked = asked, asker
    wish = {"kind": "advice", "officers": [asked], "question": "是否属实？"}
    address = f"{matter}-reviews/{application_id}/opinions"
    client = as_officer(desk, business, sub=asker)
    done(client.post(address, wish), 200)
    return str(done(client.get(address), 200)[0]["id"])


def _alike(desk: Any, matter: str, application_id: str) -> str:
    """Somebody of the same name and birthday filed too: what the officer calls them."""
    know(desk, twin := new_id(), _number(desk))
    client = as_owner(desk, twin)
    form = {"kind": "registration", "employment": EMPLOYMENT}
    draft = done(client.post("flexible-employment-registrations", form), 201)
    done(client.post(f"flexible-employment-registrations/{draft['id']}/submit", {}), 200)
    officer = as_officer(desk, f"employment-registry.{matter}")
    address = f"{matter}-reviews/{application_id}/possible-duplicates"
    return str(done(officer.get(address), 200)["items"][0]["other"])


def done(answer: Any, status: int) -> Any:
    """What was answered, as it should be."""
    assert answer.status_code == status, answer.text
    return answer.json


def as_owner(desk: Any, account: str | None = None) -> ApiClient:
    """The person whose things they are."""
    token = desk.issuer.token("person", sub=account or desk.people.person, level=2)
    return ApiClient(desk.app, token, PREFIX)


def as_officer(desk: Any, business: str, **more: str) -> ApiClient:
    """Of the whole province."""
    claims = {"roles": ["reviewer"], "businesses": [business], "region": "44", **more}
    return ApiClient(desk.app, desk.issuer.token("officer", **claims), PREFIX)


def _export(desk: Any, path: str) -> str:
    """One that the officer asked for."""
    queue = path.lstrip("/").partition("/")[0]
    business = f"employment-registry.{queue.removesuffix('-reviews')}"
    client = as_officer(desk, business, sub=desk.people.officer, region=desk.home)
    return str(done(client.post(f"{queue}/exports", {"purpose": "第三季度稽核"}), 202)["id"])


def _policy(desk: Any) -> str:
    """A policy that another admin of the province drafted and tried."""
    desk.home = "44"
    claims = {"roles": ["admin"], "businesses": [], "region": "44"}
    admin = ApiClient(desk.app, desk.issuer.token("officer", **claims), PREFIX)
    day = date(2031, 1, 1) + timedelta(days=desk.serial())
    wanted = {"kind": "service-place-pause", "value": {"days": 45}, "source": "测试文件"}
    made = done(admin.post("policies", wanted | {"in_force_from": day.isoformat()}), 201)
    done(admin.post(f"policies/{made['id']}/try"), 202)
    more = True
    while more:
        with desk.app.database.transaction() as db:
            more = policy_changes.go_on(db, now=desk.clock.now())
    return str(made["id"])


def _certificate(desk: Any, path: str) -> dict[str, str]:
    """A registered person has a certificate, and an application for its replacement."""
    arrange(desk, "flexible-employment-records")
    owner = as_owner(desk)
    wish = {"kind": "replacement", "certificate": {"cause": "lost", "service_place": "440106003"}}
    made = done(owner.post("certificate-applications", wish), 201)
    issued = done(owner.get("certificates/current"), 200)
    if "reviews" in path:
        done(owner.post(f"certificate-applications/{made['id']}/submit", {}), 200)
    values = {
        "application_id": made["id"],
        "code": issued["code"],
        "certificate_id": issued["id"],
    }
    if "{opinion_id}" in path:
        values["opinion_id"] = _asked(desk, "certificate", made["id"], path)
    if "{other}" in path:
        values["other"] = _alike(desk, "certificate", made["id"])
    return values
