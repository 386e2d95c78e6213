"""Tell a person something: in the application, by SMS, once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select, text, update
from sqlalchemy.orm import Session

from identity.accounts.model import Account
from identity.accounts.rules import Standing
from identity.messages import rules
from identity.messages.model import Delivery, Message
from identity.messages.rules import DeliveryState
from servicekit.personal import MobileNumber, PersonalText

CHANNEL = "identity_sms"


@dataclass(frozen=True, slots=True)
class Task:
    """One SMS to hand to the gateway now."""

    reference: str
    phone: MobileNumber
    text: PersonalText
    attempts: int


def tell(
    db: Session,
    account_id: str,
    template: str,
    words: Mapping[str, str],
    *,
    subject: str | None,
    now: datetime,
) -> None:
    """Write the in-app message and queue the SMS, in the transaction of what is told (ID-48).

    Nobody is told who has no account here or has given it up.
    """
    account = db.get(Account, account_id)
    if account is None or account.standing is Standing.CANCELLED:
        return
    form = rules.template(template)
    if form.message is not None:
        db.add(
            Message(
                account_id=account.id,
                template=form.name,
                template_version=form.version,
                title=form.title,
                body=form.message.format_map(words),
                subject=subject,
                created_at=now,
            )
        )
    send_sms(
        db, template, words, phone=account.phone, account_id=account.id, useless_at=None, now=now
    )


def send_sms(
    db: Session,
    template: str,
    words: Mapping[str, str],
    *,
    phone: MobileNumber,
    account_id: str | None,
    useless_at: datetime | None,
    now: datetime,
) -> None:
    """Queue an SMS; the worker is woken when this transaction commits."""
    form = rules.template(template)
    db.add(
        Delivery(
            account_id=account_id,
            template=form.name,
            template_version=form.version,
            phone=phone,
            text=PersonalText(form.sms.format_map(words)),
            state=DeliveryState.CREATED,
            created_at=now,
            next_attempt_at=now,
            useless_at=useless_at,
        )
    )
    db.execute(text("SELECT pg_notify(:channel, '')"), {"channel": CHANNEL})


def mark_read(db: Session, message_id: str, *, account_id: str, now: datetime) -> Message:
    """Mark the person's own message as read; a second time changes nothing.

    Raises:
        NoMessage: not there, or another person's.
    """
    message = db.get(Message, message_id)
    if message is None or message.account_id != account_id:
        raise rules.NoMessage
    if message.read_at is None:
        message.read_at = now
    return message


def claim(db: Session, *, now: datetime, most: int = 50) -> list[Task]:
    """Take waiting SMS for sending; two workers never take the same one.

    One that was being sent when its worker died is taken again after the lease; the gateway
    knows the reference and sends it once.
    """
    waiting = (
        select(Delivery)
        .where(Delivery.state.in_(rules.OPEN), Delivery.next_attempt_at <= now)
        .where(or_(Delivery.useless_at.is_(None), Delivery.useless_at > now))
        .order_by(Delivery.next_attempt_at)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    tasks = []
    for delivery in db.scalars(waiting):
        delivery.state = DeliveryState.SENDING
        delivery.attempts += 1
        delivery.next_attempt_at = now + rules.LEASE
        if delivery.text is not None:
            tasks.append(Task(delivery.id, delivery.phone, delivery.text, delivery.attempts))
    return tasks


def finish(db: Session, task: Task, outcome: DeliveryState, *, now: datetime) -> None:
    """Write down what became of an SMS; a temporary failure is tried again, five times."""
    values: dict[str, object] = {"state": outcome}
    again = rules.next_attempt(task.attempts, now)
    if outcome is DeliveryState.TEMPORARY_FAILURE and again is not None:
        values["next_attempt_at"] = again
    else:
        gave_up = outcome is DeliveryState.TEMPORARY_FAILURE
        values["state"] = DeliveryState.TECHNICAL_FAILURE if gave_up else outcome
        values |= {"finished_at": now, "text": None}
    db.execute(update(Delivery).where(Delivery.id == task.reference).values(values))


def drop_useless(db: Session, *, now: datetime) -> None:
    """Give up what nobody can use any more: a code that has expired."""
    late = (Delivery.state.in_(rules.OPEN), Delivery.useless_at <= now)
    values = {"state": DeliveryState.TECHNICAL_FAILURE, "finished_at": now, "text": None}
    db.execute(update(Delivery).where(*late).values(values))
