"""The JSON of grants: what units wish, and what units and persons are shown."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from marshmallow import Schema, fields, validate

from employer_auth.grants import rules
from employer_auth.grants.rules import Wish
from servicekit import regions
from servicekit.clock import shanghai_date
from servicekit.web import session
from servicekit.web.filing import each_once
from servicekit.web.parsing import Whole

EXAMPLE_WISH: Final = {
    "actions": ["view", "draft", "submit"],
    "region": None,
    "valid_from": "2026-11-21",
    "valid_until": "2027-11-20",
}
EXAMPLE_GRANT: Final = EXAMPLE_WISH | {
    "business": "recruitment.jobs",
    "title": "招聘岗位",
    "action_labels": ["查看", "填报", "提交"],
    "region_name": None,
    "person_level": 2,
    "in_force": True,
    "granted_by": "01890a5d-ac96-774b-bcce-b302099a8058",
    "granted_at": "2026-11-21T04:00:00+00:00",
    "ended_at": None,
    "ended_by": None,
    "ending": None,
}
EXAMPLE_ROLE: Final = {
    "code": "personnel",
    "title": "人事",
    "grants": [{"business": "recruitment.jobs", "actions": ["view", "draft", "submit"]}],
}


class WishSchema(Schema):
    """What the person may do in the business, where, and for how long."""

    actions = fields.List(
        fields.Enum(rules.Action, by_value=True),
        required=True,
        validate=validate.Length(max=len(rules.Action)),
        post_load=each_once,
    )
    region = fields.Str(
        load_default=None,
        allow_none=True,
        validate=Whole(r"[0-9]{2,12}", error="请选择行政区划"),
        metadata={"description": "Where it may be done; null: wherever the unit may do it."},
    )
    valid_from = fields.Date(
        load_default=None, allow_none=True, metadata={"description": "First day; today if null."}
    )
    valid_until = fields.Date(
        required=True, metadata={"description": "Last day; five years at most."}
    )


class ValidityWishSchema(Schema):
    """The days a role is granted for; a year from today when nothing is said."""

    valid_from = fields.Date(load_default=None, allow_none=True)
    valid_until = fields.Date(load_default=None, allow_none=True)


class AllSchema(Schema):
    """Which grants are shown."""

    ended = fields.Bool(
        load_default=False, metadata={"description": "Those that have ended too (EA-11)."}
    )


class InForce(fields.Boolean):
    """Does the grant hold today?"""

    def get_value(self, obj: Any, attr: str, accessor: Any = None, default: Any = None) -> Any:
        """From its days; a level that fell or a retired business shows in the permissions."""
        today = shanghai_date(session.now())
        return obj.ended_at is None and obj.valid_from <= today <= obj.valid_until


class ActionLabels(fields.List[Any]):
    """The actions in words."""

    def get_value(self, obj: Any, attr: str, accessor: Any = None, default: Any = None) -> Any:
        """In the order in which they stand."""
        return [rules.ACTION_WORDS[rules.Action(action)] for action in obj.actions]


class RegionName(fields.Str):
    """The grant's place in words."""

    def get_value(self, obj: Any, attr: str, accessor: Any = None, default: Any = None) -> Any:
        """None: wherever the unit may do it."""
        return None if obj.region is None else regions.full_name(obj.region)


class GrantSchema(Schema):
    """A grant, in force or not."""

    business = fields.Str(required=True)
    title = fields.Str(attribute="offer.title", required=True)
    actions = fields.List(fields.Str(), required=True)
    action_labels = ActionLabels(fields.Str(), required=True)
    region = fields.Str(allow_none=True, required=True)
    region_name = RegionName(allow_none=True, required=True)
    person_level = fields.Int(attribute="level", required=True)
    valid_from = fields.Date(required=True)
    valid_until = fields.Date(required=True)
    in_force = InForce(required=True)
    granted_by = fields.Str(required=True)
    granted_at = fields.AwareDateTime(required=True)
    ended_at = fields.AwareDateTime(allow_none=True, required=True)
    ended_by = fields.Str(allow_none=True, required=True)
    ending = fields.Enum(rules.Ending, by_value=True, allow_none=True, required=True)


class GrantsSchema(Schema):
    """A person's grants under one binding, and what they amount to today; there are no pages."""

    items = fields.List(fields.Nested(GrantSchema), required=True)
    permissions = fields.List(fields.Str(), required=True)
    version = fields.Int(required=True)


class RoleGrantSchema(Schema):
    """Actions of one business a role has."""

    business = fields.Str(required=True)
    actions = fields.List(fields.Str(), required=True)


class RoleSchema(Schema):
    """角色模板."""

    code = fields.Str(required=True)
    title = fields.Str(required=True)
    grants = fields.List(fields.Nested(RoleGrantSchema), required=True)


def wish_of(business: str, said: dict[str, Any], today: date) -> Wish:
    """Input becomes a frozen dataclass before it meets an action."""
    actions = tuple(dict.fromkeys(said["actions"]))
    return Wish(business, actions, said["region"], said["valid_from"] or today, said["valid_until"])
