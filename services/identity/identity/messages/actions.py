"""Tell a person something: in the application, by SMS, once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import or_, select, text, update
from sqlalchemy.orm import Session

from identity.accounts.model import Account
from identity.accounts.rules import Standing
from identity.messages import queries, rules
from identity.messages.model import Delivery, Message, Notice, Wording
from identity.messages.rules import DeliveryState, To
from servicekit.db import new_id
from servicekit.personal import MobileNumber

CHANNEL = "identity_sms"


@dataclass(frozen=True, slots=True)
class Task:
    """One SMS to hand to the gateway now."""

    reference: str
    phone: MobileNumber
    text: Wording
    attempts: int


@dataclass(frozen=True, slots=True)
class Wish:
    """What another service wants told; its words may hold a secret code."""

    account_id: str
    to: To
    template: str
    words: Mapping[str, str] = field(repr=False)
    sms: bool


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

    A unit's account is told like a person's: whoever acts for the unit reads it. Nobody is told
    who has no account here or has given it up.
    """
    account = db.get(Account, account_id)
    if account is None or account.standing is Standing.CANCELLED:
        return
    form = rules.template(template)
    if form.message is not None:
        body = form.message.format_map(words)
        db.add(_message(account.id, form, body=body, subject=subject, now=now))
    if form.sms is not None:
        send_sms(
            db,
            template,
            words,
            phone=account.phone,
            account_id=account.id,
            useless_at=None,
            now=now,
        )


def send_notice(
    db: Session, wish: Wish, *, client_id: str, scopes: Collection[str], now: datetime
) -> Notice:
    """Tell somebody what another service says; its words are kept sealed (ID-48).

    A rehearsal (test template or test key) is answered alike and leaves nothing but its row.

    Raises:
        NoticeRefused: template, words or SMS are not as the template asks.
        NoRecipient: nobody is there to be told.
    """
    form = rules.check_notice(wish.template, wish.words, sms=wish.sms)
    account, phone = queries.find_recipient(db, wish.account_id, wish.to)
    test = rules.is_rehearsal(form, scopes)
    delivery = None
    if not test:
        if wish.to is To.OWNER and form.message is not None:
            sealed = Wording(form.message.format_map(wish.words))
            db.add(_message(account.id, form, sealed=sealed, now=now))
        if wish.sms:
            delivery = send_sms(
                db,
                form.name,
                wish.words,
                phone=phone,
                account_id=account.id,
                useless_at=None,
                now=now,
            )
    notice = Notice(
        id=new_id(),
        client_id=client_id,
        account_id=account.id,
        recipient=wish.to,
        template=form.name,
        template_version=form.version,
        test=test,
        delivery=delivery,
        created_at=now,
    )
    db.add(notice)
    return notice


def send_sms(
    db: Session,
    template: str,
    words: Mapping[str, str],
    *,
    phone: MobileNumber,
    account_id: str | None,
    useless_at: datetime | None,
    now: datetime,
) -> Delivery:
    """Queue an SMS; the worker is woken when this transaction commits."""
    form = rules.template(template)
    delivery = Delivery(
        id=new_id(),
        account_id=account_id,
        template=form.name,
        template_version=form.version,
        phone=phone,
        text=Wording((form.sms or "").format_map(words)),
        state=DeliveryState.CREATED,
        created_at=now,
        next_attempt_at=now,
        useless_at=useless_at,
    )
    db.add(delivery)
    db.execute(text("SELECT pg_notify(:channel, '')"), {"channel": CHANNEL})
    return delivery


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


def mark_all_read(db: Session, *, account_id: str, now: datetime) -> None:
    """Nothing is unread any more."""
    unread = (Message.account_id == account_id, Message.read_at.is_(None))
    db.execute(update(Message).where(*unread).values(read_at=now))


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


def _message(
    account_id: str,
    form: rules.Template,
    *,
    body: str = "",
    sealed: Wording | None = None,
    subject: str | None = None,
    now: datetime,
) -> Message:
    return Message(
        account_id=account_id,
        template=form.name,
        template_version=form.version,
        title=form.title,
        body=body,
        sealed_body=sealed,
        subject=subject,
        created_at=now,
    )
