"""The registry's own database: its base and the standard tables."""

from __future__ import annotations

from servicekit.db import standard_tables
from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    """Parent of every table in this service."""


standard_tables(Base)
