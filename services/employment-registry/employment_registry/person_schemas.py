"""The JSON that every matter about a natural person shares."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from marshmallow import Schema, fields

from employment_registry.guide_texts import find_entry
from employment_registry.places import PROVINCE
from servicekit.claims import Reason, ready_reason
from servicekit.web.filing import Part
from servicekit.web.parsing import Whole
from servicekit.web.reviewing import ReasonSchema
from servicekit.web.session import reading, today
from servicekit.workflow import State

REGION: Final = rf"{PROVINCE}([0-9]{{2}}|[0-9]{{4}}|[0-9]{{7}})"
REGION_OR_PROVINCE: Final = rf"{PROVINCE}|{REGION}"
EXAMPLE_PERSON: Final = {
    "name": "林**",
    "document_kind": "resident-card",
    "document_number": "440***********0012",
    "born_on": "1990-**-**",
    "sex": "male",
}
# Of what FiledSchema and OwnFiledSchema show, all but the id and the number.
EXAMPLE_FILED: Final[dict[str, Any]] = {
    "state": "submitted",
    "state_label": "待审核",
    "region": "440106003",
    "person": EXAMPLE_PERSON,
    "submitted_at": "2026-09-29T02:00:00+00:00",
    "decided_at": None,
    "due_on": "2026-10-12",
    "guide_version": 1,
    "version": 3,
}
EXAMPLE_OWN_FILED: Final = {
    "created_at": "2026-09-29T01:50:00+00:00",
    "updated_at": "2026-09-29T02:00:00+00:00",
}


def region_field() -> fields.Str:
    """A region of Guangdong by its code; null empties it."""
    wrong = "请选择广东省内的行政区划"
    return fields.Str(allow_none=True, validate=Whole(REGION, error=wrong))


class PersonSchema(Schema):
    """个人基本信息 from identity, masked."""

    name = fields.Str(attribute="person_name", required=True)
    document_kind = fields.Str(required=True)
    document_number = fields.Str(required=True)
    born_on = fields.Str(required=True)
    sex = fields.Str(required=True)


class FiledSchema(Schema):
    """What every list and every view of a person's application shows."""

    id = fields.Str(required=True)
    number = fields.Str(allow_none=True, required=True)
    state = fields.Enum(State, by_value=True, required=True)
    state_label = fields.Str(attribute="state.label", required=True)
    region = fields.Str(allow_none=True, required=True)
    person = Part(PersonSchema, required=True)
    submitted_at = fields.AwareDateTime(allow_none=True, required=True)
    decided_at = fields.AwareDateTime(allow_none=True, required=True)
    due_on = fields.Date(allow_none=True, required=True)
    guide_version = fields.Int(allow_none=True, required=True)
    version = fields.Int(required=True)


class OwnFiledSchema(FiledSchema):
    """The same for its owner."""

    created_at = fields.AwareDateTime(required=True)
    updated_at = fields.AwareDateTime(required=True)


class GuideEntrySchema(Schema):
    """One condition or material of a service guide, and where it is read."""

    guide = fields.Str(required=True)
    section = fields.Str(required=True)
    section_label = fields.Str(required=True)
    code = fields.Str(required=True)
    text = fields.Str(required=True)
    link = fields.Str(required=True)


class DecisionRestsOn(fields.Nested):
    """What in the guide the ready reason of a decision is about; null for the officer's own words.

    Args:
        reasons: the matter's library.
        guide_of: the guide of an application.
    """

    def __init__(self, reasons: Sequence[Reason], guide_of: Callable[[Any], str]) -> None:
        super().__init__(GuideEntrySchema, allow_none=True, required=True)
        self._reasons, self._guide_of = reasons, guide_of

    def get_value(self, obj: Any, attr: str, accessor: Any = None, default: Any = None) -> Any:
        """In the version the application was filed under, where it keeps one."""
        reason = ready_reason(self._reasons, obj.decision_reason)
        if reason is None or reason.rests_on is None:
            return None
        item, version = self._guide_of(obj), getattr(obj, "guide_version", None)
        with reading() as db:
            return find_entry(db, item, reason.rests_on, day=today(), version=version)


class _ReasonRestsOn(fields.Nested):
    def __init__(self, items: Sequence[str]) -> None:
        super().__init__(GuideEntrySchema, allow_none=True, required=True)
        self._items = items

    def get_value(self, obj: Any, attr: str, accessor: Any = None, default: Any = None) -> Any:
        if obj.rests_on is None:
            return None
        with reading() as db:
            found = (find_entry(db, item, obj.rests_on, day=today()) for item in self._items)
            return next(filter(None, found), None)


def ready_reason_schema(matter: str, items: Sequence[str]) -> type[Schema]:
    """A ready reason of a matter, with what it rests on in the first of its guides that says it.

    Args:
        matter: the front of the schema's name.
    """
    own = {"__doc__": "A ready reason, and what in the guide it is about.", "__module__": __name__}
    own_field = {"rests_on": _ReasonRestsOn(items)}
    return type(f"{matter}ReasonSchema", (ReasonSchema,), own | own_field)


class LabelSchema(Schema):
    """One value to choose from, and its Chinese name."""

    code = fields.Str(required=True)
    label = fields.Str(required=True)


class FilingSchema(Schema):
    """One application of a possible duplicate."""

    matter = fields.Str(required=True)
    id = fields.Str(attribute="row.id", required=True)
    number = fields.Str(attribute="row.number", required=True)
    state = fields.Enum(State, by_value=True, attribute="row.state", required=True)
    state_label = fields.Str(attribute="row.state.label", required=True)
    region = fields.Str(attribute="row.region", required=True)
    submitted_at = fields.AwareDateTime(attribute="row.submitted_at", required=True)
    decided_at = fields.AwareDateTime(attribute="row.decided_at", allow_none=True, required=True)


class HeldCertificateSchema(Schema):
    """A certificate of a possible duplicate, without its number."""

    validity = fields.Str(required=True)
    validity_label = fields.Str(attribute="validity.label", required=True)
    region = fields.Str(required=True)
    issued_at = fields.AwareDateTime(required=True)


class PartyPersonSchema(PersonSchema):
    """Who it is, masked, as the newest application says."""

    contact_phone = fields.Str(allow_none=True, required=True)


class PartySchema(Schema):
    """A person beside others; null and empty where the officer's region holds nothing."""

    person = fields.Nested(PartyPersonSchema, allow_none=True, required=True)
    applications = fields.List(fields.Nested(FilingSchema), required=True)
    certificates = fields.List(fields.Nested(HeldCertificateSchema), required=True)
    elsewhere = fields.List(
        fields.Str(),
        required=True,
        metadata={"description": "Counties outside the officer's region with filings of theirs."},
    )


EXAMPLE_ENTRY: Final = {
    "guide": "flexible-employment",
    "section": "materials",
    "section_label": "申请材料",
    "code": "employment",
    "text": "就业信息",
    "link": "/guides/flexible-employment#material-employment",
}
EXAMPLE_PARTY: Final = {
    "person": EXAMPLE_PERSON | {"contact_phone": "138****0000"},
    "applications": [
        {
            "matter": "unemployment",
            "id": "01a1fcb7-993f-74cb-be82-b9befbd64971",
            "number": "440106-02-20260801-000001-7",
            "state": "approved",
            "state_label": "审核通过",
            "region": "440106003",
            "submitted_at": "2026-08-01T02:00:00+00:00",
            "decided_at": "2026-08-03T02:00:00+00:00",
        }
    ],
    "certificates": [
        {
            "validity": "valid",
            "validity_label": "有效",
            "region": "440106003",
            "issued_at": "2026-08-03T02:00:00+00:00",
        }
    ],
    "elsewhere": ["440305"],
}
