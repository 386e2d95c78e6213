"""The registry's own database: its base and the kit's tables."""

from __future__ import annotations

from sqlalchemy.orm import DeclarativeBase

from servicekit.db import standard_tables
from servicekit.teamwork.tables import team_tables


class Base(DeclarativeBase):
    """Parent of every table in this service."""


standard_tables(Base)
team_tables(Base)
