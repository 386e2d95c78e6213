"""What a business in the catalogue says about who may do it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from servicekit.errors import NotFound

MANAGE_BUSINESS: Final = "employer-auth.unit"


@dataclass(frozen=True, slots=True)
class Offer:
    """What a declaration lets people do."""

    actions: tuple[str, ...]
    person_level: int
    retired: bool


class BusinessNotFound(NotFound):
    """No service publishes such a business."""

    code = "business-not-found"
    default_message = "没有这项业务，请在业务目录中重新选择。"


def is_narrower(
    before: Offer,
    after: Offer,
) -> bool:
    """Does a new declaration take something away from those who hold a grant?"""
    lost = set(before.actions) - set(after.actions)
    retired = after.retired and not before.retired
    return bool(lost) or retired or after.person_level > before.person_level
