"""Accounts of everybody, and what belongs to them: logins, messages, evidence, cases, consents."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path
from typing import Any

from stdnum.cn import uscc

from identity import demo_unit
from identity.accounts import actions as accounts
from identity.accounts import agreements, rules
from identity.accounts.model import Account
from identity.duplicates.model import Resolution
from identity.duplicates.rules import Outcome as Ending
from identity.duplicates.rules import Way as Merging
from identity.login_history.model import LoginEvent
from identity.login_history.rules import Outcome, Way
from identity.messages import actions as messages
from identity.officers import actions as officers
from identity.officers.rules import Appointment
from identity.parts import KEY
from identity.recovery.model import PersonRecovery, UnitRecovery
from identity.recovery.rules import Goal
from identity.sign_in import sessions
from identity.sign_in.client_model import Consent
from identity.units import registering
from identity.verification import levels
from identity.verification.rules import Channel
from servicekit.columns import new_id
from servicekit.identifiers import DocumentKind, parse_resident_number
from servicekit.personal import DocumentNumber, MobileNumber, PersonalText, PersonName
from servicekit.testing.client import ApiClient
from servicekit.workflow import State

PREFIX = "/api/identity/v1/"
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
PASSWORD = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA"
SEEN = levels.Found(Channel.ON_SITE, "window", "scene", hashlib.sha256(b"scene").digest())


def SETTINGS(folder: Path) -> dict[str, str]:
    """Cheap passwords, and where files are kept."""
    return {
        "storage_url": f"file://{folder}/uploads",
        "password_memory_kib": "8",
        "password_time_cost": "1",
    }


def close(app: Any) -> None:
    """The counters have connections of their own."""
    app.extensions[KEY].counts.database.close()


def arrange(desk: Any, path: str) -> dict[str, str]:
    """Everybody has an account; the path's thing is the person's, or the officer's to see."""
    scene, who = Scene(desk), desk.people
    with desk.app.database.transaction() as db:
        person, other, agent = (scene.person(db) for _ in range(3))
        unit, other_unit = (scene.unit(db, agent) for _ in range(2))
        who.person, who.other_person, who.agent = person.id, other.id, agent.id
        who.unit, who.other_unit = unit.id, other_unit.id
        values = {"account_id": person.id, "name": next(iter(agreements.in_force()))}
        values |= scene.belongings(db, person, other)
    if path.startswith("/clients"):
        desk.home = PROVINCE
    if "on-site" in path or path.startswith("/me"):
        who.officer, who.officer_elsewhere = scene.officer(HOME), scene.officer(ELSEWHERE)
    if "officers" in path:
        values["officer_id"] = scene.officer(HOME)
    if "client" in path or "consents" in path:
        values["client_id"] = scene.client(consenting="consents" in path)
    if "recovery-reviews" in path:
        values |= scene.case(path, person.id, unit.id)
    if "notices/" in path:
        values["notice_id"] = scene.notice()
    return values


PROVINCE, HOME, ELSEWHERE = "44", "440106", "440305"


class Scene:
    """Makes accounts and what belongs to them."""

    def __init__(self, desk: Any) -> None:
        self.desk, self.now = desk, desk.clock.now()
        self.parts = desk.app.extensions[KEY]

    def person(self, db: Any) -> Account:
        """A verified person."""
        serial = self.desk.serial()
        number = resident_number(serial)
        kind = DocumentKind.RESIDENT_CARD
        facts = parse_resident_number(number)
        account = accounts.open_account(
            db,
            kind=rules.Kind.PERSON,
            login_name=f"scene_{serial}",
            password_hash=PASSWORD,
            phone=f"139{serial:08d}",
            now=self.now,
        )
        said = rules.Identity(kind, number, facts.born, rules.Sex(facts.sex))
        key = DocumentNumber(rules.document_key(kind, number))
        account.person = accounts.open_person(db, account, "林小满", said, key)
        accounts.accept(db, account, now=self.now)
        levels.add_evidence(db, account, SEEN, now=self.now)
        return account

    def unit(self, db: Any, agent: Account) -> Account:
        """A verified unit, registered by its agent."""
        serial = self.desk.serial()
        body = f"91440106MA{serial:07d}"
        form = demo_unit._form("")
        values = {name: getattr(form, name) for name in form.__dataclass_fields__}
        number = body + uscc.calc_check_digit(body)
        values |= {"certificate_number": number, "login_name": f"unit_{serial}"}
        made = registering.open_unit(
            db, type(form)(**values), number, agent, password_hash=PASSWORD, now=self.now
        )
        levels.add_evidence(db, made.account, SEEN, now=self.now)
        account: Account = made.account
        return account

    def belongings(self, db: Any, person: Account, other: Account) -> dict[str, str]:
        """A session, a login, a message, evidence, a proposal about duplicates."""
        device = sessions.Device("浏览器", "192.0.2.1")
        session, _ = sessions.begin(db, person, amr=["pwd"], device=device, now=self.now)
        login = LoginEvent(
            account_id=person.id,
            session_id=session.id,
            at=self.now,
            way=Way.PASSWORD,
            outcome=Outcome.SIGNED_IN,
            device=PersonalText("浏览器"),
            address=PersonalText("192.0.2.1"),
            place_index=PersonalText("192.0.2.0"),
            known_device=True,
            elsewhere=False,
        )
        resolution = Resolution(
            way=Merging.CANCEL,
            outcome=Ending.PROPOSED,
            kept_id=other.id,
            given_up_id=person.id,
            reason="同一人",
            proposed_by=new_id(),
            proposed_at=self.now,
        )
        db.add_all([login, resolution])
        words = {"matter": "灵活就业登记", "number": "440106-01-20260929-000001-2"}
        template = "application-submitted"
        messages.tell(db, person.id, template, words, subject=new_id(), now=self.now)
        evidence = levels.add_evidence(db, person, SEEN, now=self.now)
        db.flush()
        found = db.connection().exec_driver_sql(
            "SELECT id FROM message WHERE account_id = %s", (person.id,)
        )
        return {
            "session_id": session.id,
            "login_id": login.id,
            "resolution_id": resolution.id,
            "evidence_id": evidence.id,
            "message_id": found.scalars().first(),
            "parked_id": self.parked(person.id, db),
        }

    def parked(self, account_id: str, db: Any) -> str:
        """A request that waits for a higher level."""
        from identity.verification.model import ParkedRequest

        parked = ParkedRequest(
            account_id=account_id,
            page="/portal/form",
            content=PersonalText("{}"),
            created_at=self.now,
            expires_at=self.now + timedelta(minutes=30),
        )
        db.add(parked)
        db.flush()
        return parked.id

    def officer(self, region: str) -> str:
        """An officer of the region."""
        serial = self.desk.serial()
        duties = Appointment(
            "示例审核",
            f"officer_{serial}",
            f"137{serial:08d}",
            region,
            ("identity.verification",),
            ("window",),
        )
        with self.desk.app.database.transaction() as db:
            made, _ = officers.appoint(db, duties, by=None, hasher=self.parts.hasher, now=self.now)
            return str(made.account_id)

    def client(self, *, consenting: bool) -> str:
        """Another system's client, and the person's consent to it."""
        claims = {"roles": ["admin"], "businesses": [], "region": "44"}
        admin = ApiClient(self.desk.app, self.desk.issuer.token("officer", **claims), PREFIX)
        described = next(
            one for one in self.desk.operations if one.name == f"POST {PREFIX}clients"
        ).described
        content = described["requestBody"]["content"]["application/json"]
        body = content.get("example") or next(iter(content["examples"].values()))["value"]
        made = admin.post("clients", body)
        assert made.status_code == 201, made.text
        client_id = str(made.json["client"]["client_id"])
        if consenting:
            given = Consent(
                account_id=self.desk.people.person,
                client_id=client_id,
                scopes=["openid"],
                given_at=self.now,
            )
            with self.desk.app.database.transaction() as db:
                db.add(given)
        return client_id

    def case(self, path: str, person: str, unit: str) -> dict[str, str]:
        """A recovery that officers of the region review."""
        common = {
            "applicant_id": new_id(),
            "state": State.SUBMITTED,
            "region": HOME,
            "created_at": self.now,
            "updated_at": self.now,
            "submitted_at": self.now,
            "goal": Goal.PASSWORD,
            "code_hash": bytes(16),
            "contact_name": PersonName("林小满"),
            "contact_phone": MobileNumber("13900000000"),
        }
        made: PersonRecovery | UnitRecovery
        if "unit" in path:
            made = UnitRecovery(
                **common, account_id=unit, certificate_number="914403001922038216", unit_name="示例"
            )
        else:
            made = PersonRecovery(
                **common,
                account_id=person,
                document_type="resident-card",
                document_number=DocumentNumber("440106199001010012"),
            )
        with self.desk.app.database.transaction() as db:
            db.add(made)
        return {"application_id": made.id, "upload_id": new_id()}

    def notice(self) -> str:
        """What another service asked us to tell."""
        token = self.desk.issuer.token("system", sub="system-1", scope="notices")
        described = next(
            one for one in self.desk.operations if one.name == f"POST {PREFIX}notices"
        ).described
        body = dict(described["requestBody"]["content"]["application/json"]["example"])
        body["account_id"] = self.desk.people.person
        made = ApiClient(self.desk.app, token, PREFIX).post("notices", body)
        assert made.status_code == 202, made.text
        return str(made.json["id"])


def resident_number(serial: int) -> str:
    """A valid number nobody has."""
    body = f"440106{1980 + serial // 250_000:04d}{1 + serial // 25_000 % 9:02d}"
    body += f"{10 + serial // 1_000 % 18:02d}{serial % 1_000:03d}"
    total = sum(int(digit) * weight for digit, weight in zip(body, WEIGHTS, strict=True))
    return body + "10X98765432"[total % 11]
