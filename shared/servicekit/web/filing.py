"""The JSON that every matter's forms, lists and histories share."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from servicekit import numbers
from servicekit.errors import Invalid
from servicekit.filing import Filters, Order
from servicekit.identifiers import check_mobile_number
from servicekit.personal import MobileNumber
from servicekit.web import session
from servicekit.web.lines import ReadsFrom
from servicekit.web.paging import Page, PageArguments
from servicekit.web.wording import Told
from servicekit.workflow import State, Workflow


def page(*rows: object) -> dict[str, object]:
    """An example of a list that is one page long."""
    return {"items": list(rows), "next_cursor": None, "total": len(rows)}


def each_once(ticked: list[Any]) -> list[Any]:
    """A list field's ``post_load`` for boxes that are ticked: what is said twice counts once."""
    return list(dict.fromkeys(ticked))


class Part(ReadsFrom, fields.Nested):
    """A group in the JSON whose values are columns of the row itself."""

    def get_value(self, obj: Any, attr: str, accessor: Any = None, default: Any = None) -> Any:
        """The whole row: the nested schema picks from it."""
        return obj


class OpenMoves(ReadsFrom, fields.List[Any]):
    """The buttons: what the asking person may do with the application now."""

    reads = ("state",)

    def __init__(self, workflow: Workflow[Any], **options: Any) -> None:
        super().__init__(fields.Str(), required=True, **options)
        self._workflow = workflow

    def get_value(self, obj: Any, attr: str, accessor: Any = None, default: Any = None) -> Any:
        """Read from the workflow's table."""
        return self._workflow.open_moves(obj.state, session.actor().role)


class Phone(fields.String):
    """A mobile number: read in full, shown masked."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            return MobileNumber(check_mobile_number(text))
        except Invalid as refused:
            raise ValidationError(Told(refused.code, refused.message)) from refused


class NothingSchema(Schema):
    """A request that says everything by its address."""


class HistoryEntrySchema(Schema):
    """One move: when, by whom in which role, from where to where, and why."""

    move = fields.Str(required=True)
    before = fields.Str(required=True)
    after = fields.Str(required=True)
    role = fields.Str(required=True)
    at = fields.AwareDateTime(required=True)
    note = fields.Str(allow_none=True, required=True)


# 申请列表 as the manuals show it (UNE-02): who draws the page reads it from the document. The first
# column is counted on the page.
COLUMNS: Final = (
    {"title": "序号"},
    {"title": "受理编号", "field": "number"},
    {"title": "申请日期", "field": "submitted_at"},
    {"title": "审核结果", "field": "state_label"},
    {"title": "操作", "field": "open_moves"},
)


class FiltersSchema(PageArguments):
    """查询条件, and which page of what they leave."""

    loads: type[Filters] = Filters
    number = fields.Str(
        load_default=None,
        validate=validate.Length(1, 40),
        metadata={"description": "受理编号，连字符可省略", "x-placeholder": "请输入受理编号"},
    )
    state = fields.Enum(
        State,
        by_value=True,
        load_default=None,
        metadata={"description": "审核结果", "x-placeholder": "请选择审核结果"},
    )
    submitted_from = fields.Date(
        load_default=None, metadata={"description": "申请日期起", "x-placeholder": "开始日期"}
    )
    submitted_to = fields.Date(
        load_default=None, metadata={"description": "申请日期止", "x-placeholder": "结束日期"}
    )

    order = fields.Enum(
        Order,
        by_value=True,
        load_default=Order.NEWEST,
        validate=validate.OneOf([Order.NEWEST, Order.OLDEST]),
        metadata={"description": "排序", "enum": ["newest", "oldest"]},
    )

    @validates_schema
    def check_order(self, values: dict[str, Any], **_: Any) -> None:
        """A range that ends before it begins finds nothing, which would look like an answer."""
        begins, ends = values.get("submitted_from"), values.get("submitted_to")
        if begins and ends and ends < begins:
            raise ValidationError(
                Told("range-reversed", "结束日期不能早于开始日期"), "submitted_to"
            )

    @post_load
    def build(self, values: dict[str, Any], **_: Any) -> tuple[Filters, Page]:
        """The filters and the page apart."""
        page = Page(limit=values.pop("limit"), cursor=values.pop("cursor"))
        if values["number"] is not None:
            values["number"] = numbers.normalise(values["number"])
        return self.loads(**values), page


EXAMPLE_ENTRY = {
    "move": "return",
    "before": "submitted",
    "after": "returned",
    "role": "reviewer",
    "at": "2026-09-30T03:00:00+00:00",
    "note": "请补充详细地址。",
}
