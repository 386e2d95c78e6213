"""The JSON of deeds and of a unit's history of bindings."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from employer_auth.deeds import queries
from servicekit.web.paging import Page, PageArguments
from servicekit.web.wording import Told

EXAMPLE_DEED: Final = {
    "person_id": "01890a5d-ac96-774b-bcce-b302099a8059",
    "via": None,
    "business": "recruitment.jobs",
    "application_id": "01890a5d-ac96-774b-bcce-b302099a8060",
    "number": "440106-11-20261121-000001-2",
    "move": "submit",
    "after": "submitted",
    "at": "2026-11-21T05:00:00+00:00",
}


class DeedSchema(Schema):
    """Who did what for the unit, in which application, when."""

    person_id = fields.Str(required=True)
    via = fields.Str(required=True, allow_none=True)
    business = fields.Str(required=True)
    application_id = fields.Str(required=True)
    number = fields.Str(required=True, allow_none=True)
    move = fields.Str(required=True)
    after = fields.Str(required=True)
    at = fields.AwareDateTime(required=True)


class DeedFiltersSchema(PageArguments):
    """查询条件, and which page of what they leave."""

    person_id = fields.Str(load_default=None, validate=validate.Length(1, 80))
    business = fields.Str(load_default=None, validate=validate.Length(1, 120))
    done_from = fields.Date(load_default=None, metadata={"description": "办理日期起"})
    done_to = fields.Date(load_default=None, metadata={"description": "办理日期止"})

    @validates_schema
    def check_order(self, values: dict[str, Any], **_: Any) -> None:
        """A range that ends before it begins finds nothing, which would look like an answer."""
        begins, ends = values.get("done_from"), values.get("done_to")
        if begins and ends and ends < begins:
            raise ValidationError(Told("range-reversed", "结束日期不能早于开始日期"), "done_to")

    @post_load
    def build(self, values: dict[str, Any], **_: Any) -> tuple[queries.Filters, Page]:
        """The filters and the page apart."""
        page = Page(limit=values.pop("limit"), cursor=values.pop("cursor"))
        return queries.Filters(**values), page
