"""The JSON of bindings: what units send, and what units, persons and officers are shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from marshmallow import Schema, fields, post_load, validate

from employer_auth.bindings import queries, rules
from employer_auth.bindings.model import LoginName
from servicekit.personal import DocumentNumber, PersonName
from servicekit.web import session
from servicekit.web.paging import Page, PageArguments
from servicekit.web.parsing import NOT_BLANK

MAX_REASON: Final = 500
UNIT_MOVES: Final = ("cancel", "release")
PERSON_MOVES: Final = ("accept", "decline", "leave")

EXAMPLE_BINDING: Final = {
    "id": "01890a5d-ac96-774b-bcce-b302099a8057",
    "unit_id": "01890a5d-ac96-774b-bcce-b302099a8058",
    "unit_name": "广州示例科技有限公司",
    "uscc": "914403001922038216",
    "via": None,
    "state": "active",
    "state_label": "已绑定",
    "reasons": [],
    "valid_until": "2027-11-20",
    "created_at": "2026-11-21T02:00:00+00:00",
    "expires_at": "2026-12-21T02:00:00+00:00",
    "bound_at": "2026-11-21T03:00:00+00:00",
    "ended_at": None,
    "ended_by": None,
    "open_moves": ["release"],
    "version": 3,
}
EXAMPLE_SUB_ACCOUNT: Final = EXAMPLE_BINDING | {
    "person_id": "01890a5d-ac96-774b-bcce-b302099a8059",
    "person_name": "林**",
    "login_name": "l*****",
}
EXAMPLE_PARENT_ACCOUNT: Final = EXAMPLE_BINDING | {"open_moves": ["leave"]}
EXAMPLE_ENTRY: Final = {
    "move": "accept",
    "before": "invited",
    "after": "active",
    "actor_id": "01890a5d-ac96-774b-bcce-b302099a8059",
    "person_id": "01890a5d-ac96-774b-bcce-b302099a8059",
    "role": "applicant",
    "at": "2026-11-21T03:00:00+00:00",
    "note": None,
}

EXAMPLE_UNIT_ENTRY: Final = EXAMPLE_ENTRY | {"binding_id": EXAMPLE_BINDING["id"]}


def page(*rows: object) -> dict[str, object]:
    """An example of a list that is one page long."""
    return {"items": list(rows), "next_cursor": None, "total": len(rows)}


@dataclass(frozen=True, slots=True)
class Asked:
    """Whom the unit asks for, as it typed them."""

    login_name: LoginName = field(repr=False)
    name: PersonName = field(repr=False)
    document_number: DocumentNumber = field(repr=False)
    valid_until: date | None = None


class InvitationSchema(Schema):
    """新增: the person's login name, name and document number, all three right (EA-02)."""

    login_name = fields.Str(required=True, validate=[validate.Length(1, 100), NOT_BLANK])
    name = fields.Str(required=True, validate=[validate.Length(1, 100), NOT_BLANK])
    document_number = fields.Str(required=True, validate=[validate.Length(1, 40), NOT_BLANK])
    valid_until = fields.Date(
        load_default=None,
        allow_none=True,
        metadata={"description": "Last day of the binding, within five years; null for no end."},
    )

    @post_load
    def build(self, values: dict[str, Any], **_: Any) -> Asked:
        """Input becomes a frozen dataclass before it meets an action."""
        return Asked(
            LoginName(values["login_name"].strip()),
            PersonName(values["name"].strip()),
            DocumentNumber(values["document_number"].strip()),
            values["valid_until"],
        )


class ValiditySchema(Schema):
    """The binding's last day; null for no end."""

    valid_until = fields.Date(required=True, allow_none=True)


class ReasonGivenSchema(Schema):
    """Why an officer does it."""

    reason = fields.Str(required=True, validate=[validate.Length(1, MAX_REASON), NOT_BLANK])


class NothingSchema(Schema):
    """A request that says everything by its address."""


class FiltersSchema(PageArguments):
    """查询条件, and which page of what they leave."""

    state = fields.Enum(rules.BindingState, by_value=True, load_default=None)
    business = fields.Str(
        load_default=None,
        validate=validate.Length(1, 80),
        metadata={"description": "Those with a grant in this business (有该业务权限的)."},
    )

    @post_load
    def build(self, values: dict[str, Any], **_: Any) -> tuple[queries.Filters, Page]:
        """The filters and the page apart."""
        page = Page(limit=values.pop("limit"), cursor=values.pop("cursor"))
        return queries.Filters(**values), page


class OfficerFiltersSchema(FiltersSchema):
    """The same, and one unit's alone."""

    unit_id = fields.Str(load_default=None, validate=validate.Length(1, 80))


class ReasonSchema(Schema):
    """Why a binding rests, and how that goes away."""

    code = fields.Str(required=True)
    text = fields.Str(required=True)


class OpenMoves(fields.List[Any]):
    """The buttons: what the asking side may do with the binding now."""

    def get_value(self, obj: Any, attr: str, accessor: Any = None, default: Any = None) -> Any:
        """Read from the workflow's table; which side asks says the schema."""
        side: tuple[str, ...] = getattr(self.parent, "moves", ())
        found = rules.WORKFLOW.open_moves(obj.state, session.actor().role)
        return [name for name in found if name in side]


class Reasons(fields.List[Any]):
    """Codes with their words."""

    def get_value(self, obj: Any, attr: str, accessor: Any = None, default: Any = None) -> Any:
        """What stands in the row, with words."""
        return [
            {"code": reason, "text": rules.REASON_WORDS[rules.Reason(reason)]}
            for reason in obj.suspended_for
        ]


class AgencySchema(Schema):
    """The agency of a chain mandate."""

    unit_id = fields.Str(attribute="id", required=True)
    name = fields.Str(required=True)


class BindingSchema(Schema):
    """What everybody concerned is shown of a binding."""

    moves: tuple[str, ...] = ()

    id = fields.Str(required=True)
    unit_id = fields.Str(required=True)
    unit_name = fields.Str(attribute="unit.name", required=True)
    uscc = fields.Str(attribute="unit.certificate_number", required=True)
    via = fields.Nested(AgencySchema, attribute="agency", allow_none=True, required=True)
    state = fields.Enum(rules.BindingState, by_value=True, required=True)
    state_label = fields.Str(attribute="state.label", required=True)
    reasons = Reasons(fields.Nested(ReasonSchema), required=True)
    valid_until = fields.Date(allow_none=True, required=True)
    created_at = fields.AwareDateTime(required=True)
    expires_at = fields.AwareDateTime(required=True)
    bound_at = fields.AwareDateTime(allow_none=True, required=True)
    ended_at = fields.AwareDateTime(allow_none=True, required=True)
    ended_by = fields.Enum(rules.Ender, by_value=True, allow_none=True, required=True)
    open_moves = OpenMoves(fields.Str(), required=True)
    version = fields.Int(required=True)


class SubAccountSchema(BindingSchema):
    """子账号: the person as the unit sees them, masked."""

    moves: tuple[str, ...] = UNIT_MOVES

    person_id = fields.Str(required=True)
    person_name = fields.Str(required=True)
    login_name = fields.Str(required=True)


class OfficerBindingSchema(SubAccountSchema):
    """The same for an officer."""

    moves = ("remove",)


class ParentAccountSchema(BindingSchema):
    """父账号: the unit as the person sees it."""

    moves = PERSON_MOVES


class HistoryEntrySchema(Schema):
    """One move: when, by whom in which role, from where to where, and why."""

    move = fields.Str(required=True)
    before = fields.Str(required=True)
    after = fields.Str(required=True)
    actor_id = fields.Str(required=True)
    person_id = fields.Str(required=True, allow_none=True)
    role = fields.Str(required=True)
    at = fields.AwareDateTime(required=True)
    note = fields.Str(allow_none=True, required=True)


class UnitEntrySchema(HistoryEntrySchema):
    """The same, among the entries of all bindings of a unit."""

    binding_id = fields.Str(attribute="application_id", required=True)
