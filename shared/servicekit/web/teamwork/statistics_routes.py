"""The endpoints that count: what was filed and decided per region and month, and why."""

from __future__ import annotations

import calendar
import csv
import io
from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from flask import Response
from marshmallow import Schema, ValidationError, fields, post_load

from servicekit import regions
from servicekit.clock import shanghai_date
from servicekit.teamwork import decisions, statistics
from servicekit.teamwork.decisions import Months
from servicekit.teamwork.reviews import TeamReviews
from servicekit.web.api import Blueprint
from servicekit.web.parsing import Whole
from servicekit.web.session import actor, now, reading
from servicekit.web.wording import Told

if TYPE_CHECKING:
    from servicekit.web.review_routes import Shown

Mark = Callable[[Any], Any]
MOST_MONTHS: Final = 36
_MONTH: Final = Whole(r"20[0-9]{2}-(0[1-9]|1[0-2])")
_EXAMPLE: Final = {
    "region": "440106003",
    "region_name": "五山街道",
    "month": "2026-09",
    "filed": 120,
    "approved": 96,
    "returned": 14,
    "rejected": 5,
    "overdue": 2,
    "median_working_days": 2.0,
}
TITLES: Final = {
    "region": "行政区划",
    "region_name": "名称",
    "month": "月份",
    "filed": "申请件数",
    "approved": "审核通过",
    "returned": "退回补正",
    "rejected": "审核不通过",
    "overdue": "超期办结",
    "median_working_days": "办理时长中位数（工作日）",
}


class MonthsSchema(Schema):
    """From which month to which; the last twelve where nothing is said."""

    from_month = fields.Str(data_key="from", load_default=None, validate=_MONTH)
    to_month = fields.Str(data_key="to", load_default=None, validate=_MONTH)

    @post_load
    def build(self, values: dict[str, Any], **_: Any) -> Months:
        """Whole months, at most three years of them."""
        today = shanghai_date(now())
        last = _first_day(values["to_month"]) or today.replace(day=1)
        first = _first_day(values["from_month"]) or _before(last, 11)
        months = (last.year - first.year) * 12 + last.month - first.month + 1
        if months < 1:
            raise ValidationError(Told("range-reversed", "结束月份不能早于开始月份"), "to")
        if months > MOST_MONTHS:
            raise ValidationError(Told("range-too-long", "一次最多统计三十六个月"), "from")
        return Months(first, last.replace(day=calendar.monthrange(last.year, last.month)[1]))


class StatisticsLineSchema(Schema):
    """One region in one month."""

    region = fields.Str(required=True)
    region_name = fields.Str(required=True)
    month = fields.Str(required=True)
    filed = fields.Int(required=True, metadata={"description": "Every filing, by its day."})
    approved = fields.Int(required=True)
    returned = fields.Int(required=True)
    rejected = fields.Int(required=True)
    overdue = fields.Int(required=True, metadata={"description": "Decided after the due date."})
    median_working_days = fields.Float(
        required=True,
        allow_none=True,
        metadata={"description": "From the last filing to the final decision."},
    )


class ReasonCountSchema(Schema):
    """How often a decision was made for a reason."""

    move = fields.Str(required=True)
    code = fields.Str(
        allow_none=True, required=True, metadata={"description": "null: own words alone."}
    )
    text = fields.Str(allow_none=True, required=True)
    count = fields.Int(required=True)


def add_statistics(to: Blueprint, reviews: TeamReviews[Any], shown: Shown, officer: Mark) -> None:
    """Write them into a matter's blueprint."""

    @to.route("/statistics", methods=["GET"])
    @officer
    @to.arguments(MonthsSchema, location="query")
    @to.response(200, StatisticsLineSchema(many=True), example=[_EXAMPLE])
    def show_statistics(months: Months) -> list[dict[str, Any]]:
        """What was filed and decided, per region below the officer's and month (业务统计)."""
        return _lines(reviews, months)

    @to.route("/statistics.csv", methods=["GET"])
    @officer
    @to.arguments(MonthsSchema, location="query")
    @to.response(200, {"type": "string"}, content_type="text/csv")
    def send_statistics(months: Months) -> Response:
        """The same as a table for a spreadsheet, in UTF-8 with a byte order mark."""
        written = io.StringIO()
        table = csv.DictWriter(written, fieldnames=list(TITLES))
        table.writerow(TITLES)
        table.writerows(_lines(reviews, months))
        response = Response(f"\ufeff{written.getvalue()}", content_type="text/csv; charset=utf-8")
        response.headers["Content-Disposition"] = 'attachment; filename="statistics.csv"'
        return response

    texts = {reason.code: reason.text for reason in shown.reasons}
    ready = shown.reasons[0]
    one = {"move": ready.move, "code": ready.code, "text": ready.text, "count": 12}

    @to.route("/reason-statistics", methods=["GET"])
    @officer
    @to.arguments(MonthsSchema, location="query")
    @to.response(200, ReasonCountSchema(many=True), example=[one])
    def count_reasons(months: Months) -> list[dict[str, Any]]:
        """Why applications were sent back and turned down, the most frequent first (理由统计)."""
        with reading() as db:
            found = decisions.count_reasons(db, reviews.workflow.name, actor(), months)
        return [asdict(each) | {"text": texts.get(each.code or "")} for each in found]


def _lines(reviews: TeamReviews[Any], months: Months) -> list[dict[str, Any]]:
    with reading() as db:
        found = statistics.lines(db, reviews, actor(), months)
    return [asdict(line) | {"region_name": _name(line.region)} for line in found]


def _name(code: str) -> str:
    region = regions.find(code)
    return code if region is None else region.name


def _first_day(month: str | None) -> date | None:
    return None if month is None else date.fromisoformat(f"{month.strip()}-01")


def _before(first: date, months: int) -> date:
    years, month = divmod(first.year * 12 + first.month - 1 - months, 12)
    return date(years, month + 1, 1)
