"""A unit with a bound person, its agency, an authorisation code and an objection."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from stdnum.cn import uscc

from employer_auth.authorisation_codes import rules as code_rules
from employer_auth.authorisation_codes.model import (
    Authorisation,
    AuthorisationApplication,
    AuthorisationCase,
)
from employer_auth.authorisation_codes.rules import Channel
from employer_auth.bindings import actions as bindings
from employer_auth.bindings.actions import Invitation
from employer_auth.bindings.model import LoginName
from employer_auth.catalogue.model import Business
from employer_auth.handlers import SUBSCRIPTIONS
from employer_auth.objections.model import Objection, ObjectionCode
from employer_auth.objections.rules import Cause, ObjectionState
from servicekit.applications import Actor
from servicekit.clock import shanghai_date
from servicekit.columns import new_id
from servicekit.inbox import Envelope
from servicekit.personal import PersonName
from servicekit.testing import files
from servicekit.testing.client import ApiClient
from servicekit.workflow import Role, State

PREFIX = "/api/employer-auth/v1/"
JOBS = "recruitment.jobs"
BUSINESSES = (
    JOBS,
    "recruitment.fairs",
    "employment-registry.staff-registration",
    "stability-refund.confirmation",
)
MANAGE = "employer-auth.unit:manage"
TERMS = {"actions": ["view"]}


def SETTINGS(folder: Path) -> dict[str, str]:
    """Where files are kept."""
    return {"storage_url": f"file://{folder}/uploads"}


class Scene:
    """Makes the things of one question."""

    def __init__(self, desk: Any) -> None:
        self.desk = desk
        self.now = desk.clock.now()
        self.until = (shanghai_date(self.now) + timedelta(days=30)).isoformat()
        self.known: dict[str, str] = {}

    def hears(self, event: str, subject: str, **data: Any) -> None:
        """An event of another service; each subject is told of once."""
        source, _, _, _ = event.split(".")
        envelope = Envelope(
            id=new_id(),
            type=event,
            source=source,
            stream="fact",
            subject=subject,
            time=self.now,
            sequence=1,
            data=data,
        )
        with self.desk.app.database.transaction() as db:
            SUBSCRIPTIONS.deliver(db, envelope, self.now)

    def unit(self, unit_id: str) -> None:
        """identity tells of a unit; the way it is told, its legal representative gets a code."""
        body = f"91440106MA{self.desk.serial():07d}"
        number = body + uscc.calc_check_digit(body)
        self.hears(
            "identity.unit.registered.v1",
            unit_id,
            unit_id=unit_id,
            person_id=new_id(),
            certificate_type="uscc",
            certificate_number=number,
            name="广州示例科技有限公司",
            region="440106",
            level=5,
        )
        self.known[f"uscc of {unit_id}"] = number

    def bind(self, unit_id: str, person_id: str, *, accept: bool = True) -> str:
        """A person of level two is bound to a unit."""
        unit = Actor(unit_id, Role.APPLICANT, "unit")
        person = Actor(person_id, Role.APPLICANT, "person", person_id=person_id)
        asked = Invitation(person_id, 2, PersonName("林小满"), LoginName("linxiaoman"))
        with self.desk.app.database.transaction() as db:
            made = bindings.invite(db, asked, actor=unit, now=self.now, days=30)
        if accept:
            with self.desk.app.database.transaction() as db:
                bindings.accept(db, made.id, actor=person, now=self.now)
        return made.id

    def as_unit(self, unit_id: str) -> ApiClient:
        """The unit's own account."""
        return ApiClient(
            self.desk.app, self.desk.issuer.token("unit", sub=unit_id, level=5), PREFIX
        )

    def as_person(self, person_id: str) -> ApiClient:
        """A person."""
        return ApiClient(self.desk.app, self.desk.issuer.token(sub=person_id, level=2), PREFIX)

    def as_officer(self, business: str, *roles: str) -> ApiClient:
        """The officer whose things are asked for, or another one in another role."""
        claims = {"roles": roles, "businesses": [business], "region": "440106"}
        sub = self.desk.people.officer if "window" in roles else new_id()
        token = self.desk.issuer.token("officer", sub=sub, **claims)
        return ApiClient(self.desk.app, token, PREFIX)


def arrange(desk: Any, path: str) -> dict[str, str]:
    """Who is bound to whom, and what the path names."""
    scene, who = Scene(desk), desk.people
    for account in (who.person, who.agent, who.other_person):
        scene.hears("identity.account.registered.v1", account, account_id=account, kind="person")
    for unit in (who.unit, who.other_unit):
        scene.unit(unit)
    publish(scene)
    invited = path.startswith("/parent-accounts") and path.endswith(("/accept", "/decline"))
    binding = scene.bind(who.unit, who.person, accept=not invited)
    scene.bind(who.unit, who.agent)
    values = {"binding_id": binding, "unit_id": who.unit, "business": JOBS, "role": "personnel"}
    if "/grants" in path:
        wish = TERMS | {"valid_until": scene.until}
        done(scene.as_unit(who.unit).put(f"sub-accounts/{binding}/grants/{JOBS}", wish), 200)
    if "entrustment" in path:
        values |= entrusted(scene, received="received" in path)
    if "upload" in path or "authorisation" in path:
        values |= with_code(scene, path, binding)
    if "objection" in path:
        values["objection_id"] = objected(scene)
    return values


def publish(scene: Scene) -> None:
    """The businesses that units grant, told once per service."""
    for code in BUSINESSES:
        with scene.desk.app.database.reading() as db:
            if db.get(Business, code) is not None:
                continue
        service = code.partition(".")[0]
        scene.hears(
            f"{service}.business.published.v1",
            code,
            code=code,
            title=code,
            actions=["view", "draft", "submit", "withdraw", "sign"],
            person_level=2,
            unit_level=2,
            unit_account=False,
            retired=False,
        )


def entrusted(scene: Scene, *, received: bool) -> dict[str, str]:
    """A third unit is the agency of our unit; or our unit is the agency of the third."""
    who, third = scene.desk.people, new_id()
    scene.unit(third)
    client, agency = (third, who.unit) if received else (who.unit, third)
    offered = [TERMS | {"business": JOBS, "valid_until": scene.until}]
    wish = {"agency_uscc": scene.known[f"uscc of {agency}"], "businesses": offered}
    made = done(scene.as_unit(client).post("entrustments", wish), 201)["id"]
    return {"entrustment_id": made}


def with_code(scene: Scene, path: str, binding: str) -> dict[str, str]:
    """The person's application for our unit's code, filed where officers are to see it."""
    if "uploads" in path:
        if "counter" in path:
            window = scene.as_officer(code_rules.WORKFLOW.name, "window")
            return {"upload_id": sent(window, "counter-uploads", "unit-licence")}
        person = scene.as_person(scene.desk.people.person)
        return {"upload_id": sent(person, "uploads", "unit-licence")}
    who, drafted = scene.desk.people, path.startswith("/authorisation-code-applications")
    filing = {"created_at": scene.now, "updated_at": scene.now, "filed_by": who.person}
    application = AuthorisationApplication(
        applicant_id=who.person, channel=Channel.ONLINE, **filing
    )
    case = AuthorisationCase(
        applicant_id=who.person,
        position=1,
        unit_id=who.unit,
        binding_id=binding,
        region="440106",
        state=State.DRAFT if drafted else State.SUBMITTED,
        submitted_at=None if drafted else scene.now,
        **filing,
    )
    application.cases = [case]
    with scene.desk.app.database.transaction() as db:
        db.add(application)
    values = {"application_id": application.id, "case_id": case.id, "upload_id": new_id()}
    if path.startswith("/unit-authorisations"):
        values["authorisation_id"] = authorised(scene, case.id, binding)
    return values


def authorised(scene: Scene, case_id: str, binding: str) -> str:
    """What a redeemed code leaves."""
    made = Authorisation(
        binding_id=binding,
        unit_id=scene.desk.people.unit,
        person_id=scene.desk.people.person,
        case_id=case_id,
        channel=Channel.ONLINE,
        authorised_at=scene.now,
    )
    with scene.desk.app.database.transaction() as db:
        db.add(made)
    return made.id


def objected(scene: Scene) -> str:
    """The legal representative objected; the unit rests."""
    with scene.desk.app.database.transaction() as db:
        code = ObjectionCode(
            unit_id=scene.desk.people.unit, cause=Cause.REGISTERED, asked_at=scene.now
        )
        db.add(code)
        db.flush()
        made = Objection(
            unit_id=scene.desk.people.unit,
            code_id=code.id,
            cause=Cause.REGISTERED,
            state=ObjectionState.WAITING,
            filed_at=scene.now,
            due_on=shanghai_date(scene.now),
        )
        db.add(made)
        db.flush()
        return made.id


def sent(caller: ApiClient, where: str, kind: str) -> str:
    """A picture, handed in."""
    answer = caller.call("POST", f"{where}?kind={kind}", key=None, data=files.png(40, 30))
    return str(done(answer, 201)["id"])


def done(answer: Any, status: int) -> Any:
    """What was answered, as it should be."""
    assert answer.status_code == status, answer.text
    return answer.json
