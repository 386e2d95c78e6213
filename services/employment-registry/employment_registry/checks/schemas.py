"""The JSON of checks: how far they are, for the person; what was found, for the officer."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import Schema, fields

from employment_registry.checks.rules import Progress, Sign, System, is_checking
from servicekit import messages

EXAMPLE_CHECK: Final = {
    "failed": True,
    "code": messages.EXTERNAL_UNAVAILABLE.code,
    "message": messages.EXTERNAL_UNAVAILABLE.text,
    "retryable": True,
    "registers": [
        {"system": "social-security", "label": "社会保险与税务数据", "progress": "failed"}
    ],
}
EXAMPLE_CHECKING: Final = {"state": "checking", "state_label": "核验中", "check": EXAMPLE_CHECK}
EXAMPLE_FINDING: Final = {
    "system": "social-security",
    "label": "社会保险与税务数据",
    "sign": "insured-by-employer",
    "sentence": "由用人单位参加社会保险（自2026年1月起）",
    "since": "2026-01-01",
    "found_at": "2026-09-29T02:00:03+00:00",
}


class RegisterProgressSchema(Schema):
    """How far the question to one register is."""

    system = fields.Enum(System, by_value=True, required=True)
    label = fields.Str(attribute="system.label", required=True)
    progress = fields.Enum(Progress, by_value=True, required=True)


class OutsideCheckSchema(Schema):
    """核验: under way, or failed and to be tried again by one press."""

    failed = fields.Bool(required=True)
    code = fields.Str(allow_none=True, required=True)
    message = fields.Str(allow_none=True, required=True)
    retryable = fields.Bool(required=True)
    registers = fields.List(fields.Nested(RegisterProgressSchema), required=True)


class Check(fields.Nested):
    """What the person sees while the application is being checked; null in every other state."""

    def __init__(self) -> None:
        super().__init__(OutsideCheckSchema, allow_none=True, required=True)

    def get_value(self, obj: Any, attr: str, accessor: Any = None, default: Any = None) -> Any:
        """Read from the questions that stand for the application."""
        if not is_checking(obj.state):
            return None
        failed = any(check.progress is Progress.FAILED for check in obj.checks)
        told = messages.EXTERNAL_UNAVAILABLE if failed else None
        return {
            "failed": failed,
            "code": told.code if told else None,
            "message": told.text if told else None,
            "retryable": failed,
            "registers": obj.checks,
        }


class OutsideFindingSchema(Schema):
    """What a register's answer showed."""

    system = fields.Enum(System, by_value=True, required=True)
    label = fields.Str(attribute="system.label", required=True)
    sign = fields.Enum(Sign, by_value=True, required=True)
    sentence = fields.Str(required=True)
    since = fields.Date(allow_none=True, required=True)
    found_at = fields.AwareDateTime(required=True)


class Findings(fields.List[Any]):
    """What registers showed, for the officer to weigh."""

    def __init__(self) -> None:
        super().__init__(fields.Nested(OutsideFindingSchema), required=True)

    def get_value(self, obj: Any, attr: str, accessor: Any = None, default: Any = None) -> Any:
        """All registers' findings together."""
        return [
            {
                "system": check.system,
                "sign": finding.sign,
                "sentence": finding.sentence,
                "since": finding.since,
                "found_at": check.answered_at,
            }
            for check in obj.checks
            for finding in check.found
        ]
