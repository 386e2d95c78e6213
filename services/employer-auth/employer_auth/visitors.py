"""Where a visitor's request comes from, as a key that says nothing by itself."""

from __future__ import annotations

from flask import request

from servicekit.web.session import app


def address_key() -> str:
    """The client's address, hashed under our key: the same visitor, the same text.

    The gateway sets ``X-Forwarded-For`` itself; past the gateway nobody reaches a service.
    """
    forwarded = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    address = forwarded or request.remote_addr or "unknown"
    return app().vault.index(address, "try_window.address").hex()
