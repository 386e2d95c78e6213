"""HTTP for persons: their own registrations and records."""

from __future__ import annotations

from servicekit.web.api import Blueprint

PREFIX = "/api/employment-registry/v1"

registrations = Blueprint(
    "flexible-employment-registrations",
    __name__,
    url_prefix=f"{PREFIX}/flexible-employment-registrations",
    description="灵活就业登记：本人的申请",
)
records = Blueprint(
    "flexible-employment-records",
    __name__,
    url_prefix=f"{PREFIX}/flexible-employment-records",
    description="灵活就业登记：本人的登记记录",
)
