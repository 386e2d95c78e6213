"""HTTP for the province's admins: other systems' clients (接入系统), their secrets and history."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from identity import examples
from identity.parts import parts
from identity.sign_in import client_actions, client_schemas
from identity.sign_in.client_model import Client, ClientChange
from identity.sign_in.client_rules import Registration
from servicekit.web.access import access
from servicekit.web.api import Blueprint
from servicekit.web.paging import Page, PageArguments, PageOf, page_of, page_schema
from servicekit.web.session import actor, now, reading, transaction
from servicekit.web.versions import expected_version, tag
from servicekit.workflow import Role

blueprint = Blueprint(
    "clients", __name__, url_prefix="/api/identity/v1/clients", description="接入系统管理"
)
_REGISTERED = {"client": client_schemas.CLIENT, "client_secret": "shown-once"}


@blueprint.route("", methods=["POST"])
@blueprint.arguments(client_schemas.ClientRegistrationSchema, example=client_schemas.REGISTRATION)
@blueprint.response(201, client_schemas.RegisteredSchema, example=_REGISTERED)
@access(Role.ADMIN)
def register_client(wanted: Registration) -> dict[str, Any]:
    """Register another system (登记接入系统); its secret is shown once.

    422 `client-refused` with every wrong field; 403 `province-admin-required`.
    """
    with transaction() as db:
        client, secret = client_actions.register(
            db, wanted, by=actor(), is_production=_is_production(), now=now()
        )
        return {"client": tag(client), "client_secret": secret}


@blueprint.route("", methods=["GET"])
@blueprint.arguments(PageArguments, location="query")
@blueprint.response(
    200, page_schema(client_schemas.ClientSchema), example=examples.page(client_schemas.CLIENT)
)
@access(Role.ADMIN)
def list_clients(page: Page) -> PageOf[Client]:
    """The other systems (接入系统列表)."""
    client_actions.check_admin(actor())
    with reading() as db:
        others = select(Client).where(Client.needs_consent)
        return page_of(db, others, page, by=(Client.created_at, Client.client_id))


@blueprint.route("/<client_id>", methods=["GET"])
@blueprint.response(200, client_schemas.ClientSchema, example=client_schemas.CLIENT)
@access(Role.ADMIN)
def show_client(client_id: str) -> Client:
    """One system (接入系统)."""
    with reading() as db:
        return tag(client_actions.find(db, client_id, by=actor()))


@blueprint.route("/<client_id>", methods=["PUT"])
@blueprint.arguments(client_schemas.ClientRegistrationSchema, example=client_schemas.REGISTRATION)
@blueprint.response(200, client_schemas.ClientSchema, example=client_schemas.CLIENT)
@access(Role.ADMIN)
def change_client(wanted: Registration, client_id: str) -> Client:
    """Write a registration anew (变更登记); the pseudonyms of people stay as they are.

    422 `client-refused`; 412 when it changed meanwhile; 404 `client-not-found`.
    """
    with transaction() as db:
        client = client_actions.find(db, client_id, by=actor(), lock=True)
        changed = client_actions.change(
            db,
            client,
            wanted,
            by=actor(),
            version=expected_version(),
            is_production=_is_production(),
            now=now(),
        )
        return tag(changed)


@blueprint.route("/<client_id>/secret", methods=["POST"])
@blueprint.response(
    200,
    client_schemas.SecretSchema,
    example={"client_secret": "shown-once", "former_until": client_schemas.CLIENT["created_at"]},
)
@access(Role.ADMIN)
def rotate_secret(client_id: str) -> dict[str, Any]:
    """A new secret (更换口令), shown once; the old one holds for 24 hours.

    409 `client-without-secret`.
    """
    with transaction() as db:
        client = client_actions.find(db, client_id, by=actor(), lock=True)
        secret = client_actions.rotate_secret(db, client, by=actor(), now=now())
        return {"client_secret": secret, "former_until": client.former_secret_until}


@blueprint.route("/<client_id>/suspend", methods=["POST"])
@blueprint.response(200, client_schemas.ClientSchema, example=client_schemas.CLIENT)
@access(Role.ADMIN)
def suspend_client(client_id: str) -> Client:
    """Stop a system (停用): no login and no token from now on."""
    with transaction() as db:
        client = client_actions.find(db, client_id, by=actor(), lock=True)
        return tag(client_actions.suspend(db, client, by=actor(), now=now()))


@blueprint.route("/<client_id>/resume", methods=["POST"])
@blueprint.response(200, client_schemas.ClientSchema, example=client_schemas.CLIENT)
@access(Role.ADMIN)
def resume_client(client_id: str) -> Client:
    """Let a system work again (恢复)."""
    with transaction() as db:
        client = client_actions.find(db, client_id, by=actor(), lock=True)
        return tag(client_actions.resume(db, client, by=actor(), now=now()))


@blueprint.route("/<client_id>/history", methods=["GET"])
@blueprint.response(
    200, client_schemas.ChangeListSchema, example={"items": [client_schemas.CHANGE]}
)
@access(Role.ADMIN)
def show_history(client_id: str) -> dict[str, list[ClientChange]]:
    """Who registered and changed it, and what it was then (变更记录)."""
    with reading() as db:
        client = client_actions.find(db, client_id, by=actor())
        return {"items": list(client_actions.list_changes(db, client))}


def _is_production() -> bool:
    return parts().settings.environment == "production"
