"""What the registry's forms take and show, as pydantic has it."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from employment_registry.flexible_employment.rules import EmploymentType
from servicekit.identifiers import check_mobile_number

Text = Annotated[str, Field(min_length=1, pattern=r"\S")]


class Employment(BaseModel):
    """The form; any field may be missing."""

    model_config = ConfigDict(extra="forbid")
    employment_type: EmploymentType | None = None
    started_on: date | None = None
    work_place: Annotated[str, Field(pattern=r"^44(\d{2}|\d{4}|\d{7})$")] | None = None
    address: Annotated[Text, Field(max_length=200)] | None = None
    occupation: Annotated[Text, Field(max_length=60)] | None = None
    monthly_income: Annotated[Decimal, Field(ge=0, le=9_999_999, decimal_places=2)] | None = None
    contact_phone: Annotated[str, AfterValidator(check_mobile_number)] | None = None


class Saving(BaseModel):
    model_config = ConfigDict(extra="forbid")
    employment: Employment


class Note(BaseModel):
    model_config = ConfigDict(extra="forbid")
    note: Annotated[str, Field(max_length=500)] | None = None


class Person(BaseModel):
    name: str
    document_kind: str
    document_number: str
    born_on: str
    sex: str


class EmploymentShown(BaseModel):
    employment_type: str | None
    started_on: date | None
    work_place: str | None
    address: str | None
    occupation: str | None
    monthly_income: str | None
    contact_phone: str | None


class Shown(BaseModel):
    """One's own application in full."""

    id: str
    number: str | None
    kind: Literal["registration", "change"]
    state: str
    state_label: str
    region: str | None
    person: Person
    submitted_at: datetime | None
    decided_at: datetime | None
    due_on: date | None
    open_moves: list[str]
    version: int
    created_at: datetime
    updated_at: datetime
    record_id: str | None
    employment: EmploymentShown
    decision_reason: str | None
    fields_to_correct: list[str]
