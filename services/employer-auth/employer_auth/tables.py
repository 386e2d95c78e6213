"""The service's own database: its base and the standard tables."""

from __future__ import annotations

from sqlalchemy.orm import DeclarativeBase

from servicekit.catching_up import CatchUpColumns
from servicekit.db import standard_tables


class Base(DeclarativeBase):
    """Parent of every table in this service."""


standard_tables(Base)


class CatchUp(CatchUpColumns, Base):
    """How far identity's past has been read."""

    __tablename__ = "catch_up"
