"""The keys mandates are signed with; the private half is sealed."""

from __future__ import annotations

from employer_auth.tables import Base
from servicekit.key_rings import KeyColumns


class MandateKey(KeyColumns, Base):
    """next → active → retired → gone."""

    __tablename__ = "mandate_key"
