"""Looking accounts up by what people know of them."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from identity.accounts.model import Account, LoginName
from identity.accounts.rules import login_key


def find_by_login_name(db: Session, login_name: str) -> Account | None:
    """The account with this login name, in any case of letters."""
    name = LoginName(login_key(login_name))
    return db.scalar(select(Account).where(Account.login_name_index == name))
