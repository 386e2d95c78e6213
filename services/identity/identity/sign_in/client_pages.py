"""The desk's pages about other systems: registered, changed, stopped; no script (接入系统)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from flask import Blueprint, Response, request
from sqlalchemy import select
from sqlalchemy.orm import Session

from identity import desk, form_pages
from identity.parts import parts
from identity.sign_in import client_actions, client_rules
from identity.sign_in.client_model import Client
from identity.sign_in.client_rules import Registration
from identity.sign_in.rules import SYSTEM_SCOPES, TEST_SCOPES, TOKEN_SCOPES
from servicekit.applications import Actor
from servicekit.errors import FieldError
from servicekit.web.access import public
from servicekit.web.paging import Page, page_of
from servicekit.web.session import now

blueprint = Blueprint("desk_clients", __name__, url_prefix=desk.DESK, template_folder="templates")

_PLACE: Final = "clients"
_BACK: Final = f"{desk.DESK}/clients"
_LONGEST: Final = 10_000
_LONGEST_TEXT: Final = 500
_MOST_LINES: Final = 20
_LISTS: Final = ("redirect_uris", "post_logout_redirect_uris")
_TEXTS: Final = ("backchannel_logout_uri", "jwks_uri", "sector")
_DEMANDS: Final = ("requires_par", "requires_dpop", "introspects")
_FIELDS: Final = (
    *("name", "auth_method", "grant_types", "scopes", *_LISTS, *_TEXTS[:2]),
    *("jwks", "id_token_alg", "sector", "demands"),
)
_CHANGES: Final = {
    "registered": "登记",
    "changed": "变更",
    "secret-rotated": "更换口令",
    "suspended": "停用",
    "resumed": "恢复",
}


@blueprint.get("/clients")
@public
def show_clients() -> Response:
    """The other systems, and the form for one more."""
    return desk.show(_PLACE, _list_page)


@blueprint.post("/clients")
@public
def register() -> Response:
    """Register another system; its secret is shown once."""

    def act(db: Session, by: Actor) -> Response:
        try:
            with db.begin_nested():
                _, secret = client_actions.register(
                    db, _registration(), by=by, is_production=_is_production(), now=now()
                )
        except client_rules.ClientRefused as refusal:
            return _list_page(db, by, refusal.fields)
        return _list_page(db, by, secret=secret, is_new=True)

    return desk.do(_PLACE, act, back=_BACK)


@blueprint.get("/clients/<client_id>")
@public
def show_client(client_id: str) -> Response:
    """One system, and who changed it."""

    def act(db: Session, by: Actor) -> Response:
        return _client_page(db, by, client_actions.find(db, client_id, by=by))

    return desk.show(_PLACE, act, back=_BACK)


@blueprint.post("/clients/<client_id>")
@public
def change(client_id: str) -> Response:
    """Write its registration anew (变更登记)."""

    def act(db: Session, by: Actor) -> Response:
        client = client_actions.find(db, client_id, by=by, lock=True)
        version = request.form.get("version", "")
        try:
            with db.begin_nested():
                client_actions.change(
                    db,
                    client,
                    _registration(),
                    by=by,
                    version=int(version) if version.isdecimal() else 0,
                    is_production=_is_production(),
                    now=now(),
                )
        except client_rules.ClientRefused as refusal:
            return _client_page(db, by, client, refusal.fields)
        return _client_page(db, by, client, told="已保存。")

    return desk.do(_PLACE, act, back=f"{_BACK}/{client_id}")


@blueprint.post("/clients/<client_id>/<what>")
@public
def move(client_id: str, what: str) -> Response:
    """Stop it, let it work again, or give it a new secret."""

    def act(db: Session, by: Actor) -> Response:
        client = client_actions.find(db, client_id, by=by, lock=True)
        if what == "suspend":
            client_actions.suspend(db, client, by=by, now=now())
            return _client_page(db, by, client, told="已停用，各系统两秒内不再接受其令牌。")
        if what == "resume":
            client_actions.resume(db, client, by=by, now=now())
            return _client_page(db, by, client, told="已恢复。")
        if what == "secret":
            secret = client_actions.rotate_secret(db, client, by=by, now=now())
            return _client_page(db, by, client, secret=secret)
        raise client_rules.NoClient

    return desk.do(_PLACE, act, back=f"{_BACK}/{client_id}")


def _registration() -> Registration:
    """The form as it came; what it means is for the rules to say."""
    sent, demands = request.form, request.form.getlist("demands")
    return Registration(
        name=sent.get("name", "").strip()[:80],
        auth_method=sent.get("auth_method", ""),
        redirect_uris=_lines("redirect_uris"),
        post_logout_redirect_uris=_lines("post_logout_redirect_uris"),
        backchannel_logout_uri=_text("backchannel_logout_uri"),
        scopes=tuple(sent.getlist("scopes")),
        grant_types=tuple(sent.getlist("grant_types")),
        jwks=_keys(sent.get("jwks", "").strip()[:_LONGEST]),
        jwks_uri=_text("jwks_uri"),
        id_token_alg=sent.get("id_token_alg", ""),
        sector=_text("sector"),
        requires_par="requires_par" in demands,
        requires_dpop="requires_dpop" in demands,
        introspects="introspects" in demands,
    )


def _lines(name: str) -> tuple[str, ...]:
    return tuple(request.form.get(name, "")[:_LONGEST].split()[:_MOST_LINES])


def _text(name: str) -> str | None:
    return request.form.get(name, "").strip()[:_LONGEST_TEXT] or None


def _keys(text: str) -> dict[str, Any] | None:
    if not text:
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    return found if isinstance(found, dict) else {}


def _list_page(
    db: Session,
    by: Actor,
    wrong: Sequence[FieldError] = (),
    *,
    secret: str | None = None,
    is_new: bool = False,
) -> Response:
    client_actions.check_admin(by)
    others = select(Client).where(Client.needs_consent)
    page = Page(cursor=request.args.get("cursor", "")[:1000] or None)
    found = page_of(db, others, page, by=(Client.created_at, Client.client_id))
    typed = {} if is_new else form_pages.typed()
    return _page(
        "desk-clients.html",
        by,
        wrong,
        typed=typed,
        ticked={
            name: request.form.getlist(name) if typed else []
            for name in ("scopes", "grant_types", "demands")
        },
        clients=found.items,
        next=found.next_cursor,
        secret=secret,
    )


def _client_page(
    db: Session,
    by: Actor,
    client: Client,
    wrong: Sequence[FieldError] = (),
    **told: str | None,
) -> Response:
    typed: dict[str, Any] = dict(form_pages.typed())
    ticked = {name: request.form.getlist(name) for name in ("scopes", "grant_types", "demands")}
    if not wrong:
        typed, ticked = _as_typed(client), _as_ticked(client)
    changes = client_actions.list_changes(db, client)
    return _page(
        "desk-client.html",
        by,
        wrong,
        typed=typed,
        ticked=ticked,
        client=client,
        changes=changes,
        change_names=_CHANGES,
        **told,
    )


def _as_typed(client: Client) -> dict[str, Any]:
    lists = {name: "\n".join(getattr(client, name)) for name in _LISTS}
    texts = {name: getattr(client, name) or "" for name in (*_TEXTS, "name", "id_token_alg")}
    keys = "" if client.jwks is None else json.dumps(client.jwks, indent=1)
    return {**lists, **texts, "auth_method": client.auth_methods[0], "jwks": keys}


def _as_ticked(client: Client) -> dict[str, list[str]]:
    demands = [name for name in _DEMANDS if getattr(client, name)]
    return {"scopes": client.scopes, "grant_types": client.grant_types, "demands": demands}


def _page(
    template: str,
    by: Actor,
    wrong: Sequence[FieldError],
    *,
    typed: dict[str, Any],
    **more: Any,
) -> Response:
    shown = [FieldError(_box(each.field), each.code, each.message) for each in wrong]
    return desk.page(
        template,
        by,
        422 if wrong else 200,
        here=_PLACE,
        typed=form_pages.shown(typed),
        methods=[(each, each) for each in client_rules.METHODS],
        algorithms=[(each, each) for each in client_rules.ALGORITHMS],
        grants=client_rules.GRANTS,
        scopes=(*TOKEN_SCOPES, *SYSTEM_SCOPES, *TEST_SCOPES),
        demands=_DEMANDS,
        **form_pages.faults(shown, _FIELDS),
        **more,
    )


def _box(pointer: str) -> str:
    """A list is one box here, whichever of its lines is wrong."""
    name = pointer.split("/")[1]
    return f"/{name if name in _FIELDS else _FIELDS[0]}"


def _is_production() -> bool:
    return parts().settings.environment == "production"
