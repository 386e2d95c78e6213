"""What identity tells when employer-auth speaks: both sides of a binding hear of every change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from marshmallow import Schema, fields
from sqlalchemy.orm import Session

from identity.accounts.model import Account
from identity.messages import actions
from servicekit.inbox import Envelope, Subscriptions

Handler = Callable[[Session, dict[str, Any], Envelope], None]

_SUB_ACCOUNT: Final = (
    "invited",
    "declined",
    "cancelled",
    "expired",
    "bound",
    "unbound",
    "suspended",
    "resumed",
)
_BY: Final = {
    "unit": "单位",
    "agent": "经办人本人",
    "agency": "代理机构",
    "officer": "经办机构",
    "system": "系统",
}


class BindingReadSchema(Schema):
    """Whom a fact about a binding concerns."""

    unit_id = fields.Str(required=True)
    unit_name = fields.Str(required=True)
    person_id = fields.Str(required=True)
    via = fields.Str(required=True, allow_none=True)


class SubAccountReadSchema(BindingReadSchema):
    """The same, and who decided."""

    by = fields.Str(required=True, allow_none=True)


class PermissionReadSchema(BindingReadSchema):
    """The same, and the business it is about."""

    title = fields.Str(required=True)


class UnmanagedReadSchema(Schema):
    """A unit without anybody who manages."""

    unit_id = fields.Str(required=True)
    unit_name = fields.Str(required=True)
    days = fields.Int(required=True)


class EntrustmentReadSchema(Schema):
    """Between whom, and how it stands."""

    unit_id = fields.Str(required=True)
    unit_name = fields.Str(required=True)
    agency_id = fields.Str(required=True)
    agency_name = fields.Str(required=True)
    state_label = fields.Str(required=True)


def subscribe(subscriptions: Subscriptions) -> None:
    """Hear what employer-auth announces; the inbox lets an event in once, so nobody hears twice."""
    for fact in _SUB_ACCOUNT:
        kind = f"employer-auth.sub-account.{fact}.v1"
        subscriptions.on(kind, reads=SubAccountReadSchema)(_both_sides(f"agent-{fact}"))
    for fact in ("granted", "withdrawn"):
        kind = f"employer-auth.permission.{fact}.v1"
        subscriptions.on(kind, reads=PermissionReadSchema)(_both_sides(f"permission-{fact}"))
    for fact in ("unmanaged", "restricted"):
        kind = f"employer-auth.unit.{fact}.v1"
        subscriptions.on(kind, reads=UnmanagedReadSchema)(_unit_alone(f"unit-{fact}"))
    kind = "employer-auth.entrustment.changed.v1"
    subscriptions.on(kind, reads=EntrustmentReadSchema)(_both_units)


def _both_units(db: Session, said: dict[str, Any], envelope: Envelope) -> None:
    """The client and its agency, of every change of what is entrusted."""
    words = {
        "unit": said["unit_name"],
        "agency": said["agency_name"],
        "state": said["state_label"],
    }
    for unit_id in (said["unit_id"], said["agency_id"]):
        name, now = "entrustment-changed", envelope.time
        actions.tell(db, unit_id, name, words, subject=envelope.subject, now=now)


def _both_sides(template: str) -> Handler:
    def tell(db: Session, said: dict[str, Any], envelope: Envelope) -> None:
        words = {
            "unit": said["unit_name"],
            "person": _masked_name(db, said["person_id"]),
            "by": _BY.get(said.get("by") or "", "系统"),
            "business": said.get("title", ""),
        }
        units = [said["unit_id"], *([said["via"]] if said["via"] else [])]
        told = [(said["person_id"], "person"), *((unit, "unit") for unit in units)]
        for account_id, side in told:
            name = f"{template}-{side}"
            actions.tell(db, account_id, name, words, subject=envelope.subject, now=envelope.time)

    return tell


def _unit_alone(template: str) -> Handler:
    def tell(db: Session, said: dict[str, Any], envelope: Envelope) -> None:
        words = {"unit": said["unit_name"], "days": str(said["days"])}
        actions.tell(
            db, said["unit_id"], template, words, subject=envelope.subject, now=envelope.time
        )

    return tell


def _masked_name(db: Session, account_id: str) -> str:
    """Enough for the unit to know which of its agents, and no more."""
    account = db.get(Account, account_id)
    return "经办人" if account is None or account.person is None else account.person.name.mask()
