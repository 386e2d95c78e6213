"""A person with several documents and accounts, as accounts that were put together leave them.

Who has filed under a document and an account is known by both, and by every other document that
was filed under that account (ID-05).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, or_, select, union
from sqlalchemy.orm import Session

from employment_registry.certificate.model import CertificateApplication
from employment_registry.flexible_employment.model import FlexibleEmploymentApplication
from employment_registry.person_columns import PersonApplication
from employment_registry.standing import PersonKey
from employment_registry.unemployment.model import UnemploymentApplication

MATTERS: Final[Mapping[str, type[PersonApplication]]] = {
    "flexible-employment": FlexibleEmploymentApplication,
    "unemployment": UnemploymentApplication,
    "certificate": CertificateApplication,
}


@dataclass(frozen=True, slots=True)
class Known:
    """Every document and account of one person."""

    keys: frozenset[PersonKey]
    accounts: frozenset[str]

    def own(self, model: Any) -> ColumnElement[bool]:
        """What is theirs under any of them."""
        return or_(model.person_key.in_(self.keys), model.applicant_id.in_(self.accounts))


def known_by(db: Session, person_key: PersonKey) -> Known:
    """All that the person of a document is known by; the document itself in any case."""
    accounts = union(
        *(
            select(each.applicant_id).where(each.person_key == person_key, _is_filed(each))
            for each in MATTERS.values()
        )
    )
    filed = union(
        *(
            select(each.person_key, each.applicant_id).where(
                each.applicant_id.in_(accounts), _is_filed(each)
            )
            for each in MATTERS.values()
        )
    )
    rows = db.execute(filed).all()
    return Known(
        frozenset([person_key, *(row.person_key for row in rows)]),
        frozenset(row.applicant_id for row in rows),
    )


def documents_of(db: Session, applicant_id: str) -> Sequence[bytes]:
    """Every document that was filed under an account."""
    own = (
        select(each.person_key).where(each.applicant_id == applicant_id, _is_filed(each))
        for each in MATTERS.values()
    )
    return db.scalars(union(*own)).all()


def _is_filed(model: type[PersonApplication]) -> ColumnElement[bool]:
    return model.submitted_at.is_not(None)
