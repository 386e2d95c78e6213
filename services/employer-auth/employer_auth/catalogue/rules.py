"""What a business in the catalogue says about who may do it."""

from __future__ import annotations

from typing import Final

from servicekit.errors import NotFound

MANAGE_BUSINESS: Final = "employer-auth.unit"


class BusinessNotFound(NotFound):
    """No service publishes such a business."""

    code = "business-not-found"
    default_message = "没有这项业务，请在业务目录中重新选择。"
