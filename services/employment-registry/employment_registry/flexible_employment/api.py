"""HTTP for persons: their own registrations and records."""

from __future__ import annotations

from typing import Any

from flask import current_app

from employment_registry.flexible_employment import actions, queries, rules, schemas
from employment_registry.userinfo import Userinfo
from servicekit import history
from servicekit.web import session
from servicekit.web.access import access, public
from servicekit.web.api import Blueprint, NoteSchema
from servicekit.web.paging import Page, page_schema
from servicekit.workflow import Role

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
