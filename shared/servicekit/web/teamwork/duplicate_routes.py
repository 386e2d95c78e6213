"""The endpoints that show possible duplicates side by side and take what an officer finds."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from marshmallow import Schema, fields, validate

from servicekit.teamwork import duplicates
from servicekit.teamwork.duplicates import Alike
from servicekit.teamwork.reviews import TeamReviews
from servicekit.teamwork.rules import Verdict
from servicekit.web import versions
from servicekit.web.api import AnySchema, Blueprint
from servicekit.web.parsing import NOT_BLANK
from servicekit.web.reviewing import MAX_REASON
from servicekit.web.session import actor, now, reading, transaction

if TYPE_CHECKING:
    from servicekit.web.review_routes import Shown

Mark = Callable[[Any], Any]
_PATH: Final = "/<application_id>/possible-duplicates"
_OTHER: Final = "5f1d0c9a7be84c0f9c2f0a3d6a1b7e44"


class MarkSchema(Schema):
    """What an officer finds of one of them, and why."""

    verdict = fields.Enum(Verdict, by_value=True, required=True)
    reason = fields.Str(required=True, validate=[validate.Length(1, MAX_REASON), NOT_BLANK])


def add_duplicates(to: Blueprint, reviews: TeamReviews[Any], shown: Shown, officer: Mark) -> None:
    """Write them into the blueprint of a matter that looks for possible duplicates."""
    if reviews.alike is not None and shown.party is not None:
        _add_showing(to, reviews, reviews.alike, shown, officer)
        _add_marking(to, reviews, shown, officer)


def _add_showing(
    to: Blueprint, reviews: TeamReviews[Any], alike: Alike[Any], shown: Shown, officer: Mark
) -> None:
    answer = _side_by_side(reviews.model.__name__, shown.party)
    unsaid = dict.fromkeys(("verdict", "reason", "marked_by", "marked_at"))
    one = {"other": _OTHER, "by": ["likeness"], "party": shown.example_party, **unsaid}

    @to.route(_PATH, methods=["GET"])
    @officer
    @to.response(200, answer, example={"own": shown.example_party, "items": [one]})
    def list_possible_duplicates(application_id: str) -> dict[str, Any]:
        """Who may be the applicant once more, side by side with the applicant (疑似重复).

        What lies in the officer's region is shown, masked; of the rest only the regions.
        """
        with reading() as db:
            application = reviews.find(db, application_id, actor())
            return duplicates.side_by_side(db, alike, application, actor(), now())


def _add_marking(to: Blueprint, reviews: TeamReviews[Any], shown: Shown, officer: Mark) -> None:
    @to.route(f"{_PATH}/<other>/mark", methods=["POST"])
    @officer
    @to.arguments(MarkSchema, example={"verdict": "different", "reason": "已核实，系同名同日出生"})
    @to.response(200, shown.view, example=shown.example)
    def mark_possible_duplicate(body: dict[str, Any], application_id: str, other: str) -> Any:
        """Say whether it is the applicant once more; without it nothing is approved.

        Marked again, the last word counts; all of them stay in the history. 404
        `duplicate-not-found`; 409 `claimed-by-other`, `assigned-to-other`, `wrong-state`,
        `changed-meanwhile`.
        """
        seen = versions.expected_version(required=False)
        with transaction() as db:
            marked = duplicates.mark(
                db, reviews, application_id, other, actor=actor(), now=now(), seen=seen, **body
            )
            return versions.tag(marked)


def _side_by_side(name: str, party: Any) -> AnySchema:
    """The schema of what a matter shows."""
    item: AnySchema = Schema.from_dict(
        {
            "other": fields.Str(required=True, metadata={"description": "For marking it."}),
            "by": fields.List(fields.Str(), required=True),
            "verdict": fields.Enum(Verdict, by_value=True, required=True, allow_none=True),
            "reason": fields.Str(required=True, allow_none=True),
            "marked_by": fields.Str(required=True, allow_none=True),
            "marked_at": fields.AwareDateTime(required=True, allow_none=True),
            "party": fields.Nested(party, required=True),
        },
        name=f"{name}DuplicateSchema",
    )
    return Schema.from_dict(
        {
            "own": fields.Nested(party, required=True),
            "items": fields.List(fields.Nested(item), required=True),
        },
        name=f"{name}DuplicatesSchema",
    )
