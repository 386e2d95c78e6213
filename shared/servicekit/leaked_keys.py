"""A signing key that has leaked is withdrawn by one command: at once, on record, told to everybody.

A service that signs names its ring in its ``Service`` and the fact in its ``events.py``::

    FACTS.fact("signing-key.withdrawn", v=1, example=EXAMPLE)(SigningKeyWithdrawn)

``python -m servicekit.launch withdraw-key <service> <kid> --reason …`` does the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from marshmallow import Schema, fields

from servicekit.access_records import ReasonMissing
from servicekit.applications import record, system_actor
from servicekit.errors import NotFound
from servicekit.key_rings import KeyPhase, KeyRing
from servicekit.outbox import announce

if TYPE_CHECKING:
    from servicekit.web.app import ServiceApp

RECORD: Final = "signing-keys"  # under which the history keeps what was withdrawn
EXAMPLE: Final = {"kid": "R2tLc1pUa0lMQ0pPbmZxZ0xYd2VhVGp0d1VqR2VrT0g"}


class SigningKeyWithdrawn(Schema):
    """A signing key has leaked: what names it is worth nothing from now on."""

    kid = fields.Str(required=True)


class SignsNothing(NotFound):
    """The service has no signing keys."""

    code = "signs-nothing"
    default_message = "该服务没有签名密钥。"


def ring_of(app: ServiceApp) -> KeyRing:
    """The keys of a service.

    Raises:
        SignsNothing
    """
    if app.service.keys is None:
        raise SignsNothing
    return app.service.keys(app.database)


def listed(app: ServiceApp) -> Iterator[str]:
    """A line for each key: kid, algorithm, phase, since when it signs, when it stopped or leaked.

    Raises:
        SignsNothing
    """
    ring = ring_of(app)
    with app.database.reading() as db:
        for key in ring.list_keys(db):
            times = (at.isoformat() if at else "-" for at in (key.activated_at, key.retired_at))
            yield " ".join((key.kid, key.algorithm, key.phase.value, *times))


def withdraw(app: ServiceApp, kid: str, *, reason: str) -> KeyPhase:
    """Withdraw a key, write it into the history and announce it, in one transaction.

    Args:
        reason: who decided it and why, for the history.

    Returns: the phase it was in.

    Raises:
        SignsNothing, NoSuchKey
        ReasonMissing: there is nothing but blanks.
    """
    if not reason.strip():
        raise ReasonMissing("请用 --reason 写明停用该密钥的原因，如案件编号；不要写姓名。")
    ring, name, now = ring_of(app), app.service.name, app.clock.now()
    with app.database.transaction() as db:
        before = ring.withdraw(db, kid, now=now)
        record(
            db,
            f"{name}.{RECORD}",
            RECORD,
            "withdraw",
            before=before,
            after=KeyPhase.WITHDRAWN,
            actor=system_actor(name),
            now=now,
            note=f"{kid} {reason.strip()}",
        )
        facts = app.service.facts
        announce(db, facts.of(SigningKeyWithdrawn, subject=kid, now=now, kid=kid))
    return before
