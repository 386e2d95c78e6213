"""The programs people sign in to; the gateway is one of them, written from the settings."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from identity.settings import Settings
from identity.sign_in import rules
from identity.sign_in.model import Client

GATEWAY: Final = "jiuye-gateway"


def write_gateway(db: Session, settings: Settings, *, now: datetime) -> None:
    """Write the gateway's client as the settings have it; a changed secret holds at once."""
    values = {
        "name": "广东公共就业服务",
        "secret_hash": rules.hash_secret(settings.gateway_client_secret),
        "redirect_uris": [f"{settings.public_url}/sso/callback"],
        "post_logout_redirect_uris": [f"{settings.public_url}/", settings.public_url],
        "scopes": list(rules.TOKEN_SCOPES),
        "grant_types": ["authorization_code", "refresh_token"],
        "auth_methods": ["client_secret_basic", "client_secret_post"],
        "id_token_alg": "ES256",
    }
    row = insert(Client).values(client_id=GATEWAY, created_at=now, **values)
    db.execute(row.on_conflict_do_update(index_elements=[Client.client_id], set_=values))
