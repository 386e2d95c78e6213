"""Find accounts by what somebody says of them: exactly, through the blind indexes."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Select, false, func, or_, select
from sqlalchemy.orm import Session

from identity.accounts.model import Account, LoginName, Person
from identity.accounts.rules import document_key, login_key
from identity.administration import rules
from identity.officers.model import Officer
from identity.units.model import Unit
from servicekit.identifiers import DocumentKind, unit_number
from servicekit.personal import DocumentNumber, MobileNumber


@dataclass(frozen=True, slots=True)
class Sought:
    """One thing that is known of an account."""

    login_name: str | None = field(default=None, repr=False)
    document_number: str | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)
    certificate_number: str | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """An account with whoever is behind it."""

    account: Account
    person: Person | None
    unit: Unit | None
    officer: Officer | None

    @property
    def shown_name(self) -> str:
        """A unit's name is public; a person's and an officer's is masked."""
        if self.unit is not None:
            return self.unit.name
        somebody = self.officer or self.person
        return "" if somebody is None else str(somebody.name)

    @property
    def region(self) -> str:
        """Where it belongs; persons belong to the whole province."""
        if self.officer is not None:
            return self.officer.region
        return rules.PROVINCE if self.unit is None else self.unit.region


def search(db: Session, sought: Sought, *, region: str | None) -> list[Shown]:
    """The accounts this is said of, as far as they are in the admin's region or below.

    A document number is looked for under every kind of document: people do not know which.

    Raises:
        SearchRefused: not exactly one thing is given.
    """
    wanted = _covered_by(region)
    if [sought.login_name, sought.document_number, sought.phone, sought.certificate_number].count(
        None
    ) != len(Sought.__dataclass_fields__) - 1:
        raise rules.SearchRefused
    if sought.login_name is not None:
        name = LoginName(login_key(sought.login_name))
        wanted = wanted.where(Account.login_name_index == name)
    elif sought.phone is not None:
        wanted = wanted.where(Account.phone_index == MobileNumber(sought.phone))
    elif sought.document_number is not None:
        wanted = _by_document(wanted, sought.document_number)
    else:
        number = unit_number(sought.certificate_number or "")
        wanted = wanted.where(Unit.certificate_number == number)
    found = db.scalars(wanted.order_by(Account.created_at).limit(rules.MOST_FOUND)).unique()
    return [show(db, account) for account in found]


def show(db: Session, account: Account) -> Shown:
    """The account with person, unit or officer."""
    return Shown(account, account.person, db.get(Unit, account.id), db.get(Officer, account.id))


def _covered_by(region: str | None) -> Select[Account]:
    """Accounts of a region and below it; of no region, none."""
    place = func.coalesce(Officer.region, Unit.region, rules.PROVINCE)
    wanted = (
        select(Account)
        .outerjoin(Officer, Officer.account_id == Account.id)
        .outerjoin(Unit, Unit.account_id == Account.id)
    )
    return wanted.where(place.startswith(region, autoescape=True) if region else false())


def _by_document(wanted: Select[Account], number: str) -> Select[Account]:
    text = DocumentNumber(number).expose()
    keys = {DocumentNumber(document_key(kind, text)) for kind in DocumentKind}
    same = or_(*(Person.document_index == key for key in keys))
    return wanted.join(Person, Person.account_id == Account.id).where(same)
