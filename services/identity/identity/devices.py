"""Browsers that an account has signed in from: a cookie that opens nothing and proves that much."""

from __future__ import annotations

import hmac
import secrets
from typing import Final

from identity.accounts.model import Account
from identity.accounts.rules import login_key
from servicekit.vault import Vault

_MOST_ACCOUNTS: Final = 5  # that one browser is remembered for
_SECRET_BYTES: Final = 32


def mark(vault: Vault, account: Account, before: str | None) -> str:
    """The cookie's new value: somebody signed in to this account, and to a few others, here."""
    device, *marks = (before or "").split(".")
    device = device or secrets.token_urlsafe(_SECRET_BYTES)
    own = _mark(vault, login_key(account.login_name.expose()), device)
    return ".".join([device, own, *(m for m in marks if m != own)][: 1 + _MOST_ACCOUNTS])


def knows(vault: Vault, account: Account, cookie: str | None) -> bool:
    """Has this account signed in from this browser before?"""
    return device_of(vault, login_key(account.login_name.expose()), cookie) is not None


def device_of(vault: Vault, name: str, cookie: str | None) -> str | None:
    """The browser's own id, when the cookie is right for this login name."""
    device, *marks = (cookie or "").split(".")
    own = _mark(vault, name, device)
    right = [hmac.compare_digest(m.encode(), own.encode()) for m in marks[:_MOST_ACCOUNTS]]
    return device if device and any(right) else None


def _mark(vault: Vault, name: str, device: str) -> str:
    return vault.index(f"{name}:{device}", "sign_in.device").hex()
