"""Our own programs that people sign in to or that ask by themselves, written from the settings."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from identity.settings import Settings
from identity.sign_in import rules
from identity.sign_in.client_model import Client

GATEWAY: Final = "jiuye-gateway"
EMPLOYER_AUTH: Final = "jiuye-employer-auth"
_SECRET: Final = ["client_secret_basic", "client_secret_post"]


def write_own(db: Session, settings: Settings, *, now: datetime) -> None:
    """Write every client of the suite itself; a changed secret holds at once."""
    write_gateway(db, settings, now=now)
    write_employer_auth(db, settings, now=now)


def write_gateway(db: Session, settings: Settings, *, now: datetime) -> None:
    """Write the gateway's client as the settings have it; a changed secret holds at once."""
    values = {
        "name": "广东公共就业服务",
        "secret_hash": rules.hash_secret(settings.gateway_client_secret),
        "redirect_uris": [f"{settings.public_url}/sso/callback"],
        "post_logout_redirect_uris": [f"{settings.public_url}/", settings.public_url],
        "scopes": [*rules.TOKEN_SCOPES, "revocations"],
        "grant_types": [
            "authorization_code",
            "refresh_token",
            "client_credentials",
            rules.TOKEN_EXCHANGE,
        ],
        "auth_methods": _SECRET,
        "id_token_alg": "ES256",
    }
    _write(db, GATEWAY, values, now=now)


def write_employer_auth(db: Session, settings: Settings, *, now: datetime) -> None:
    """Write employer-auth's client: it asks for persons, sends notices, catches up."""
    values = {
        "name": "单位授权",
        "secret_hash": rules.hash_secret(settings.employer_auth_client_secret),
        "redirect_uris": [],
        "post_logout_redirect_uris": [],
        "scopes": list(rules.SYSTEM_SCOPES),
        "grant_types": ["client_credentials"],
        "auth_methods": _SECRET,
        "id_token_alg": "ES256",
    }
    _write(db, EMPLOYER_AUTH, values, now=now)


def _write(db: Session, client_id: str, values: dict[str, Any], *, now: datetime) -> None:
    row = insert(Client).values(client_id=client_id, created_at=now, **values)
    db.execute(row.on_conflict_do_update(index_elements=[Client.client_id], set_=values))
