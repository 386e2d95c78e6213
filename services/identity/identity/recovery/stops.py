"""Tell the old phone of a recovery, and let it stop or undo it."""

from __future__ import annotations

import secrets
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from identity.accounts.model import Account
from identity.messages import actions as messages
from identity.passwords import actions as passwords
from identity.recovery import queries, rules
from identity.recovery.model import PersonRecovery, RecoveryStop, UnitRecovery
from identity.recovery.rules import PERSON_WORKFLOW, UNIT_WORKFLOW, Side
from identity.sign_in import sessions
from identity.sign_in.rules import EndReason
from identity.units.model import Unit
from servicekit import reviewing
from servicekit.applications import advance, system_actor
from servicekit.personal import MobileNumber
from servicekit.vault import Vault


def new_code() -> str:
    """Ten characters nobody mistakes for others."""
    return "".join(secrets.choice(rules.CODE_ALPHABET) for _ in range(rules.CODE_LENGTH))


def hash_code(vault: Vault, plain: str) -> bytes:
    """How a query or stop code is kept."""
    return vault.index(plain, "recovery.code")


def warn(
    db: Session,
    account: Account,
    phones: list[MobileNumber],
    *,
    what: str,
    address: str,
    case_id: str | None = None,
    old_phone: MobileNumber | None = None,
    vault: Vault,
    now: datetime,
) -> None:
    """Tell who held the account so far, with a code that stops it.

    Args:
        phones: where they can be reached; each gets the same code, once.
        what: 用户名 or 密码.
        address: of the page that takes the code.
    """
    plain = new_code()
    db.add(
        RecoveryStop(
            account_id=account.id,
            case_id=case_id,
            code_hash=hash_code(vault, plain),
            old_phone=old_phone,
            expires_at=now + rules.STOP_LIFE,
        )
    )
    words = {
        "what": what,
        "hours": str(int(rules.STOP_LIFE.total_seconds() // 3600)),
        "address": address,
        "code": rules.shown_code(plain),
    }
    for phone in dict.fromkeys(phones):
        messages.send_sms(
            db,
            "recovery-warning",
            words,
            phone=phone,
            account_id=account.id,
            useless_at=None,
            now=now,
        )


def warn_old_phones(
    db: Session, *, stop_address: str, vault: Vault, now: datetime, most: int = 20
) -> int:
    """Tell whoever holds the accounts so far of the cases that were filed; a job's work.

    Returns: how many cases were looked at.
    """
    found: list[queries.Recovery] = []
    for table in (PersonRecovery, UnitRecovery):
        filed = (table.number.is_not(None), table.warned_at.is_(None))
        oldest = select(table).where(*filed).order_by(table.id).limit(most)
        found.extend(db.scalars(oldest.with_for_update(skip_locked=True)))
    for case in found:
        case.warned_at = now
        _warn(db, case, stop_address=stop_address, vault=vault, now=now)
    return len(found)


def stop(db: Session, typed: str, *, vault: Vault, now: datetime) -> None:
    """The holder of the old phone says no: a case ends, what was given is worth nothing alone.

    Raises:
        StopRefused: no such code, used, or too late.
    """
    found = queries.open_stop(db, hash_code(vault, rules.plain_code(typed)))
    if found is None or found.expires_at <= now:
        raise rules.StopRefused
    found.used_at = now
    case = queries.get_case(db, found.case_id) if found.case_id else None
    if case is not None and not rules.is_over(case.state):
        workflow = PERSON_WORKFLOW if case.matter.side is Side.PERSON else UNIT_WORKFLOW
        reviewing.close(case)
        advance(db, workflow, case, "stop", actor=system_actor("identity"), now=now)
        return
    account = db.get_one(Account, found.account_id)
    if found.old_phone is not None:
        account.phone = account.phone_index = found.old_phone
    sessions.end_all(db, account.id, EndReason.DISOWNED, now=now)
    passwords.distrust(db, account, now=now)
    messages.tell(db, account.id, "recovery-stopped", {}, subject=None, now=now)


def _warn(
    db: Session, case: queries.Recovery, *, stop_address: str, vault: Vault, now: datetime
) -> None:
    if case.account_id is None:
        return  # nobody's account: there is no old phone to tell
    account = db.get_one(Account, case.account_id)
    unit = db.get(Unit, case.account_id)
    phones = [account.phone] + ([unit.legal_phone] if unit is not None else [])
    messages.tell(
        db, account.id, "recovery-asked", {"what": case.goal.label}, subject=None, now=now
    )
    warn(
        db,
        account,
        phones,
        what=case.goal.label,
        address=stop_address,
        case_id=case.id,
        vault=vault,
        now=now,
    )
