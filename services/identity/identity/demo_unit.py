"""A verified unit with its verified agent, so that a suite that has just started can be shown."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from identity.accounts import actions as accounts
from identity.accounts import agreements
from identity.accounts import rules as account_rules
from identity.accounts.model import Account
from identity.hashing import Hasher
from identity.officers.actions import make_password
from identity.units import registering
from identity.units.form_rules import UnitForm
from identity.units.rules import CertificateKind
from identity.verification import levels
from identity.verification.rules import Channel
from servicekit.clock import shanghai_date
from servicekit.identifiers import DocumentKind, check_document, parse_resident_number
from servicekit.personal import DocumentNumber

# Obviously made up and belonging to nobody; the phones are none the SMS simulator plays tricks on.
AGENT: Final = ("示例经办人", "demo_agent", "13800000014", "440106198505058016")
UNIT: Final = ("示例（广州）科技有限公司", "demo_unit", "914401069999900109")
_LEGAL: Final = ("示例法人", "440106197006068012", "13800000015")
_REFERENCE: Final = "demo"


def make(db: Session, *, hasher: Hasher, now: datetime) -> dict[str, dict[str, Any]]:
    """Open both accounts and prove them, as an officer at a window would have.

    Returns: what the demo file says of them, by section.

    Raises:
        Conflict: they are there already.
    """
    agent, agent_password = _agent(db, hasher=hasher, now=now)
    unit_password = make_password()
    form = _form(unit_password)
    unit = registering.open_unit(
        db,
        form,
        form.certificate_number,
        agent,
        password_hash=hasher.hash(unit_password),
        now=now,
    )
    _prove(db, unit.account, now=now)
    return {
        "persons": {
            "agent": {
                "id": agent.id,
                "login_name": AGENT[1],
                "password": agent_password,
                "name": AGENT[0],
                "document_number": AGENT[3],
                "phone": AGENT[2],
                "level": agent.level,
            }
        },
        "units": {
            "unit": {
                "id": unit.account_id,
                "login_name": UNIT[1],
                "password": unit_password,
                "name": unit.name,
                "certificate_number": unit.certificate_number,
                "region": unit.region,
                "level": unit.account.level,
                "agent": AGENT[1],
            }
        },
    }


def _agent(db: Session, *, hasher: Hasher, now: datetime) -> tuple[Account, str]:
    name, login_name, phone, number = AGENT
    kind = DocumentKind.RESIDENT_CARD
    facts = parse_resident_number(check_document(kind, number, shanghai_date(now)))
    password = make_password()
    agent = accounts.open_account(
        db,
        kind=account_rules.Kind.PERSON,
        login_name=login_name,
        password_hash=hasher.hash(password),
        phone=phone,
        now=now,
    )
    sex = account_rules.Sex(facts.sex)
    identity = account_rules.Identity(kind, number, facts.born, sex)
    key = DocumentNumber(account_rules.document_key(kind, number))
    agent.person = accounts.open_person(db, agent, name, identity, key)
    accounts.accept(db, agent, now=now)
    _prove(db, agent, now=now)
    return agent, password


def _prove(db: Session, account: Account, *, now: datetime) -> None:
    seen = levels.Found(
        Channel.ON_SITE, "demo", _REFERENCE, hashlib.sha256(_REFERENCE.encode()).digest()
    )
    levels.add_evidence(db, account, seen, now=now)


def _form(password: str) -> UnitForm:
    name, login_name, number = UNIT
    legal_name, legal_number, legal_phone = _LEGAL
    return UnitForm(
        certificate_type=CertificateKind.USCC,
        certificate_number=number,
        name=name,
        region="440106",
        address="天河区示例路 1 号",
        legal_name=legal_name,
        legal_document_type=DocumentKind.RESIDENT_CARD,
        legal_document_number=legal_number,
        legal_phone=legal_phone,
        login_name=login_name,
        password=password,
        password_again=password,
        sms_code="",
        agreements=agreements.in_force(),
    )
