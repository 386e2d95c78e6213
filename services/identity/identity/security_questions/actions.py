"""Set the three questions, and check three answers at the cost of three, whoever asks."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from identity.accounts.model import Account
from identity.hashing import Hasher
from identity.messages import actions as messages
from identity.security_questions import rules
from identity.security_questions.model import SecurityAnswer
from servicekit.vault import Vault


def set_all(
    db: Session,
    account: Account,
    answers: list[rules.Answer],
    *,
    switched_on: bool,
    hasher: Hasher,
    now: datetime,
) -> None:
    """Replace the three questions; the owner is told (ID-16).

    Raises:
        QuestionsClosed: not for this account.
        QuestionsRefused: with every wrong place.
    """
    rules.check_allowed(account.kind, switched_on=switched_on)
    rules.check_answers(answers)
    db.execute(delete(SecurityAnswer).where(SecurityAnswer.account_id == account.id))
    for position, each in enumerate(answers):
        db.add(
            SecurityAnswer(
                account_id=account.id,
                position=position,
                question=each.question,
                answer_hash=hasher.hash(rules.normalise(each.answer)),
                set_at=now,
            )
        )
    messages.tell(db, account.id, "security-questions-set", {}, subject=None, now=now)


def questions_of(db: Session, account_id: str) -> list[str]:
    """The codes of the questions an owner chose; none when there are none."""
    own = select(SecurityAnswer.question).where(SecurityAnswer.account_id == account_id)
    return list(db.scalars(own.order_by(SecurityAnswer.position).limit(rules.NEEDED)))


def plausible(vault: Vault, login_name: str) -> list[str]:
    """Three questions for a name that has none: always the same, like a real owner's."""
    codes = sorted(
        rules.QUESTIONS,
        key=lambda code: vault.index(f"{login_name.casefold()}:{code}", "security_answer.decoy"),
    )
    return codes[: rules.NEEDED]


def are_right(db: Session, account_id: str | None, answers: list[str], *, hasher: Hasher) -> bool:
    """Are all three right? Three hashes are computed for everybody, known or not."""
    kept: list[str | None] = []
    if account_id is not None:
        own = select(SecurityAnswer.answer_hash).where(SecurityAnswer.account_id == account_id)
        kept = list(db.scalars(own.order_by(SecurityAnswer.position).limit(rules.NEEDED)))
    kept += [None] * (rules.NEEDED - len(kept))
    said = [rules.normalise(a) for a in answers][: rules.NEEDED]
    said += [""] * (rules.NEEDED - len(said))
    right = [hasher.verify(k, s) for k, s in zip(kept, said, strict=True)]
    return all(right)
