"""What every application of a natural person keeps about that person, and "only one" per person."""

from __future__ import annotations

from sqlalchemy import Index, String, TextClause, select, text
from sqlalchemy.orm import Mapped, Session, declared_attr, foreign, mapped_column, relationship

from employment_registry.checks.model import OutsideCheck
from employment_registry.checks.rules import OPEN
from employment_registry.conditions import OpenOne
from employment_registry.person import BirthDate, Person, likeness
from employment_registry.standing import theirs
from servicekit.db import NOT_PERSONAL, PERSONAL
from servicekit.personal import DocumentNumber, MobileNumber, PersonalText, PersonName
from servicekit.teamwork.reviews import TeamReviewed
from servicekit.vault import BlindIndex, Sealed


class PersonColumns:
    """个人基本信息, as identity vouched for it when the form was opened; sealed."""

    __tablename__: str

    person_key: Mapped[bytes] = mapped_column(BlindIndex("person.document_number"), info=PERSONAL)
    document_kind: Mapped[str] = mapped_column(String(32), info=NOT_PERSONAL)
    sex: Mapped[str] = mapped_column(String(8), info=PERSONAL)

    @declared_attr
    @classmethod
    def person_name(cls) -> Mapped[PersonName]:
        """Sealed for its own table, as every sealed value is."""
        return mapped_column(Sealed(PersonName, f"{cls.__tablename__}.person_name"), info=PERSONAL)

    @declared_attr
    @classmethod
    def document_number(cls) -> Mapped[DocumentNumber]:
        """As the document says it."""
        kind = Sealed(DocumentNumber, f"{cls.__tablename__}.document_number")
        return mapped_column(kind, info=PERSONAL)

    @declared_attr
    @classmethod
    def born_on(cls) -> Mapped[BirthDate]:
        """For the rules about age."""
        return mapped_column(Sealed(BirthDate, f"{cls.__tablename__}.born_on"), info=PERSONAL)


class PersonApplication(PersonColumns, TeamReviewed):
    """A natural person's application that officers decide on.

    ``guide_version`` is that of the service guide it was filed under (ER-10). The two indexes find
    possible duplicates (AL-12); they are filled in when it is filed.
    """

    guide_version: Mapped[int | None] = mapped_column(info=NOT_PERSONAL)
    likeness_index: Mapped[bytes | None] = mapped_column(
        BlindIndex("person.likeness"), info=PERSONAL
    )
    phone_index: Mapped[bytes | None] = mapped_column(
        BlindIndex("person.contact_phone"), info=PERSONAL
    )

    @declared_attr
    @classmethod
    def contact_phone(cls) -> Mapped[MobileNumber | None]:
        """For questions about the application."""
        kind = Sealed(MobileNumber, f"{cls.__tablename__}.contact_phone")
        return mapped_column(kind, info=PERSONAL)

    @declared_attr
    @classmethod
    def checks(cls) -> Mapped[list[OutsideCheck]]:
        """What registers were asked when it was filed."""
        return relationship(
            OutsideCheck,
            primaryjoin=lambda: foreign(OutsideCheck.application_id) == cls.id,
            order_by=OutsideCheck.system,
            viewonly=True,
        )


def columns_of(person: Person) -> dict[str, object]:
    """The values of those columns."""
    return {
        "person_key": person.key,
        "person_name": person.name,
        "document_kind": person.document_kind,
        "document_number": person.document_number,
        "born_on": person.born_on,
        "sex": person.sex,
    }


def same_person(columns: PersonColumns) -> dict[str, object]:
    """The same values, for another row about the same person."""
    return {
        "person_key": columns.person_key,
        "person_name": columns.person_name,
        "document_kind": columns.document_kind,
        "document_number": columns.document_number,
        "born_on": columns.born_on,
        "sex": columns.sex,
    }


def indexes_of(application: PersonApplication) -> dict[str, PersonalText | MobileNumber | None]:
    """What possible duplicates are found by."""
    name, born = application.person_name.expose(), application.born_on.day
    return {
        "likeness_index": PersonalText(likeness(name, born, application.sex)),
        "phone_index": application.contact_phone,
    }


def find_open(
    db: Session,
    model: type[PersonApplication],
    person_key: DocumentNumber,
    applicant_id: str,
) -> OpenOne | None:
    """The application that keeps a person from opening another one, under whichever account."""
    whose = theirs(model, person_key, applicant_id)
    rows = db.execute(select(model.id, model.applicant_id).where(whose, model.state.in_(OPEN)))
    found = {row.applicant_id: row.id for row in rows}
    return OpenOne(found.get(applicant_id)) if found else None


def alike_indexes(table: str) -> tuple[Index, ...]:
    """What possible duplicates are found by, and what of the filed ones has no index yet."""
    filed = text("submitted_at IS NOT NULL")
    unindexed = text("likeness_index IS NULL AND submitted_at IS NOT NULL")
    known = {name: text(f"{name}_index IS NOT NULL") for name in ("likeness", "phone")}
    return (
        *(
            Index(f"{table}_{name}", f"{name}_index", postgresql_where=where)
            for name, where in known.items()
        ),
        Index(f"{table}_person", "person_key", postgresql_where=filed),
        Index(f"{table}_unindexed", "id", postgresql_where=unindexed),
    )


def while_open() -> TextClause:
    """Where an index holds applications that are not decided yet."""
    return text("state IN ({})".format(", ".join(f"'{state.value}'" for state in OPEN)))


def only_one(name: str, where: TextClause) -> tuple[Index, Index]:
    """One per account and one per person: who has two accounts is still one person."""
    return (
        Index(f"{name}_per_account", "applicant_id", unique=True, postgresql_where=where),
        Index(f"{name}_per_person", "person_key", unique=True, postgresql_where=where),
    )
