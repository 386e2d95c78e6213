"""What employer-auth does when identity speaks: keeps the word, and lets bindings follow."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from marshmallow import Schema, fields
from sqlalchemy.orm import Session

from employer_auth.accounts import actions as accounts
from employer_auth.accounts.queries import level_of
from employer_auth.accounts.rules import Kind, Standing
from employer_auth.bindings import moves
from employer_auth.catalogue import actions as catalogue
from employer_auth.deeds import actions as deeds
from employer_auth.deeds.rules import is_deed
from employer_auth.employers import actions as employers
from employer_auth.entrustments import actions as entrustments
from employer_auth.objections import actions as objections
from employer_auth.objections.rules import Cause
from servicekit.catching_up import Snapshots
from servicekit.facts import ApplicationMovedSchema
from servicekit.inbox import Envelope, Subscriptions

SUBSCRIPTIONS = Subscriptions("employer-auth")
# Every service that offers a business to units; a subscription names one service's facts.
PUBLISHERS: Final = (
    "employer-auth",
    "employment-registry",
    "recruitment",
    "stability-refund",
    "talent-card",
)


class AccountRead(Schema):
    """Whose account it is about."""

    account_id = fields.Str(required=True)


class RegisteredRead(AccountRead):
    """A new account."""

    kind = fields.Enum(Kind, by_value=True, required=True)


class LevelRead(AccountRead):
    """The level that holds from now on."""

    level = fields.Int(required=True)


class ScaledLevelRead(LevelRead):
    """The same, of a person or a unit."""

    kind = fields.Enum(Kind, by_value=True, required=True)


class AccountStateRead(ScaledLevelRead):
    """An account as it is now."""

    standing = fields.Enum(Standing, by_value=True, required=True)


class UnitRegisteredRead(Schema):
    """A new unit's public data."""

    unit_id = fields.Str(required=True)
    certificate_type = fields.Str(required=True)
    certificate_number = fields.Str(required=True)
    name = fields.Str(required=True)
    region = fields.Str(required=True)
    level = fields.Int(required=True)


class UnitRecoveredRead(Schema):
    """A unit's account was recovered with papers."""

    unit_id = fields.Str(required=True)


class UnitChangedRead(Schema):
    """A unit's public data that changed."""

    unit_id = fields.Str(required=True)
    name = fields.Str(required=True)
    region = fields.Str(required=True)


class BusinessRead(Schema):
    """A business as its service offers it."""

    code = fields.Str(required=True)
    title = fields.Str(required=True)
    actions = fields.List(fields.Str(), required=True)
    person_level = fields.Int(required=True)
    unit_level = fields.Int(required=True)
    unit_account = fields.Bool(required=True)
    retired = fields.Bool(required=True)


@SUBSCRIPTIONS.on("identity.account.registered.v1", reads=RegisteredRead)
def keep_account(db: Session, said: dict[str, Any], envelope: Envelope) -> None:
    """Its kind; level and standing begin at the lowest and active."""
    accounts.remember(db, said["account_id"], kind=said["kind"], now=envelope.time)


@SUBSCRIPTIONS.on("identity.account.verified.v1", reads=LevelRead)
def keep_verification(db: Session, said: dict[str, Any], envelope: Envelope) -> None:
    """A person's level rose; events of one account come in order."""
    _keep_level(db, said["account_id"], None, said["level"], envelope.time)


@SUBSCRIPTIONS.on("identity.account.level-changed.v1", reads=ScaledLevelRead)
def keep_level(db: Session, said: dict[str, Any], envelope: Envelope) -> None:
    """It rose or fell; a binding of a person below 二级 rests."""
    _keep_level(db, said["account_id"], said["kind"], said["level"], envelope.time)


@SUBSCRIPTIONS.on("identity.account.locked.v1", reads=AccountRead)
def keep_lock(db: Session, said: dict[str, Any], envelope: Envelope) -> None:
    """Every binding of the account rests."""
    _keep_standing(db, said["account_id"], Standing.LOCKED, envelope.time)


@SUBSCRIPTIONS.on("identity.account.unlocked.v1", reads=AccountRead)
def keep_unlock(db: Session, said: dict[str, Any], envelope: Envelope) -> None:
    """Bindings that rested for the lock alone work again."""
    _keep_standing(db, said["account_id"], Standing.ACTIVE, envelope.time)


@SUBSCRIPTIONS.on("identity.account.cancelled.v1", reads=AccountRead)
def keep_cancellation(db: Session, said: dict[str, Any], envelope: Envelope) -> None:
    """Every entrustment and every binding of the account ends."""
    _keep_standing(db, said["account_id"], Standing.CANCELLED, envelope.time)


@SUBSCRIPTIONS.on("identity.unit.registered.v1", reads=UnitRegisteredRead)
def keep_unit(db: Session, said: dict[str, Any], envelope: Envelope) -> None:
    """From now on the unit may invite persons."""
    _admit(db, said, envelope.time)
    objections.ask_for_code(db, said["unit_id"], Cause.REGISTERED, now=envelope.time)


@SUBSCRIPTIONS.on("identity.unit.changed.v1", reads=UnitChangedRead)
def keep_unit_change(db: Session, said: dict[str, Any], envelope: Envelope) -> None:
    """Its name and region, as identity has verified them."""
    accounts.change_unit(db, said["unit_id"], said["name"], said["region"], now=envelope.time)
    employers.follow_identity(db, said["unit_id"], now=envelope.time)


@SUBSCRIPTIONS.on_application("*", reads=ApplicationMovedSchema)
def keep_deed(db: Session, moved: dict[str, Any], envelope: Envelope) -> None:
    """Who acted for a unit, when, in what (EA-11)."""
    if not is_deed(moved.get("acted_by")):
        return  # people act for themselves, and officers for nobody's unit
    deeds.keep_deed(db, moved, envelope)


@SUBSCRIPTIONS.on("identity.unit.recovered.v1", reads=UnitRecoveredRead)
def hear_recovery(db: Session, said: dict[str, Any], envelope: Envelope) -> None:
    """The legal representative is told, and may object (EA-12)."""
    objections.ask_for_code(db, said["unit_id"], Cause.RECOVERED, now=envelope.time)


def keep_business(db: Session, said: dict[str, Any], envelope: Envelope) -> None:
    """The catalogue of what can be granted; a retired business grants nothing any more."""
    catalogue.keep_business(db, said, now=envelope.time)


for _service in PUBLISHERS:
    SUBSCRIPTIONS.on(f"{_service}.business.published.v1", reads=BusinessRead)(keep_business)


# What identity had told before this service began to hear it (decision 0016).
SNAPSHOTS = Snapshots(SUBSCRIPTIONS)


@SNAPSHOTS.of(
    "identity.account", path="/api/identity/v1/snapshots/accounts", reads=AccountStateRead
)
def keep_account_state(db: Session, said: dict[str, Any], now: datetime) -> None:
    """Level and standing as every event until now would have left them."""
    account_id, level, standing = said["account_id"], said["level"], said["standing"]
    before = level_of(db, account_id)
    _part_if_gone(db, account_id, standing, now)
    accounts.remember(db, account_id, kind=said["kind"], level=level, standing=standing, now=now)
    _settle(db, account_id, before, level, now)


@SNAPSHOTS.of("identity.unit", path="/api/identity/v1/snapshots/units", reads=UnitRegisteredRead)
def keep_unit_state(db: Session, said: dict[str, Any], now: datetime) -> None:
    """The unit may invite persons; a registration of long ago is nothing to object to (EA-12)."""
    _admit(db, said, now)


def _admit(db: Session, said: dict[str, Any], now: datetime) -> None:
    accounts.register_unit(db, accounts.UnitData(**said), now=now)
    employers.admit(db, said["unit_id"], now=now)
    moves.settle_account(db, said["unit_id"], now=now)


def _keep_level(db: Session, account_id: str, kind: Kind | None, level: int, now: datetime) -> None:
    before = level_of(db, account_id)
    accounts.remember(db, account_id, kind=kind, level=level, now=now)
    _settle(db, account_id, before, level, now)


def _settle(db: Session, account_id: str, before: int, level: int, now: datetime) -> None:
    if before == level:  # identity tells a verification and the level it gave
        moves.settle_account(db, account_id, now=now)
    else:
        moves.settle_level(db, account_id, least=min(before, level), now=now)


def _keep_standing(db: Session, account_id: str, standing: Standing, now: datetime) -> None:
    _part_if_gone(db, account_id, standing, now)
    accounts.remember(db, account_id, standing=standing, now=now)
    moves.settle_account(db, account_id, now=now)


def _part_if_gone(db: Session, account_id: str, standing: Standing, now: datetime) -> None:
    if standing is Standing.CANCELLED:
        entrustments.part(db, account_id, actor=moves.ITSELF, now=now)
