"""The unit's own page: what it registered with, and 【更新】 of name and representative (J1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from flask import Blueprint, Response, request
from sqlalchemy.orm import Session

from identity import form_pages
from identity.parts import parts
from identity.sign_in import browser, entrance
from identity.units import actions, queries, rules
from identity.units.actions import NameChange
from identity.units.model import Unit
from identity.verification.rules import LEVEL_NAMES, Scale
from servicekit import messages, regions
from servicekit.errors import FieldError, OutsideFailed, Refusal
from servicekit.identifiers import DocumentKind
from servicekit.web.access import public
from servicekit.web.session import now, transaction

blueprint = Blueprint(
    "unit_change_pages", __name__, url_prefix=browser.UNIT, template_folder="templates"
)

_ORDER: Final = (
    "name",
    "legal_name",
    "legal_document_type",
    "legal_document_number",
    "legal_phone",
)


@blueprint.get("")
@public
def show() -> Response:
    """What the unit registered with, and the form for what may change."""
    with transaction() as db:
        unit = _own_unit(db)
        return unit if isinstance(unit, Response) else _page(unit, {"name": unit.name})


@blueprint.post("")
@public
def update() -> Response:
    """Take the new name or representative once the legal-person base confirms them (ID-27)."""
    typed = form_pages.typed()
    try:
        with transaction() as db:
            unit = _own_unit(db)
            if isinstance(unit, Response):
                return unit
            if not browser.is_own_form():
                return _page(unit, typed, form_pages.stale("name"), 400)
            actions.change_name(
                db,
                unit,
                _change(unit, typed),
                by=unit.account_id,
                base=parts().legal_person_base,
                now=now(),
            )
    except Refusal as refusal:
        wrong = refusal.fields or [FieldError("/name", refusal.code, refusal.message)]
        status = 503 if isinstance(refusal, OutsideFailed) else 422
        with transaction() as db:  # the refusal rolled the other one back
            unit = _own_unit(db)
            return unit if isinstance(unit, Response) else _page(unit, typed, wrong, status)
    return browser.go(f"{browser.UNIT}?done=1")


def _own_unit(db: Session) -> Unit | Response:
    """The unit that is signed in by its own account, or where to go instead."""
    subject = entrance.owner(db)
    if subject is None:
        return browser.go(browser.with_return(f"{browser.PREFIX}/login", browser.UNIT))
    try:
        return queries.find_unit(db, subject.account.id)
    except rules.NoUnit:
        text = "单位信息由单位账号查看和修改，请使用单位账号登录。"
        return browser.page("parked-gone.html", 403, message=text)


def _change(unit: Unit, typed: Mapping[str, str]) -> NameChange:
    """What differs from what holds; a field that was left empty stays as it is."""
    given = {name: typed.get(name, "").strip() for name in _ORDER}
    kind = given["legal_document_type"]
    changed = {
        name: given[name] for name in _ORDER if given[name] and name != "legal_document_type"
    }
    if changed.get("name") == unit.name:
        del changed["name"]
    known = {str(each) for each in DocumentKind}
    document = DocumentKind(kind) if kind in known and "legal_document_number" in changed else None
    return NameChange(**changed, legal_document_type=document)


def _page(
    unit: Unit, typed: Mapping[str, str], wrong: Sequence[FieldError] = (), status: int = 200
) -> Response:
    place = regions.find(unit.region)
    return browser.page(
        "unit-change.html",
        status,
        unit=unit,
        place=place.name if place else unit.region,
        level=LEVEL_NAMES[Scale.PROV][unit.account.province_level],
        verified=rules.is_verified(unit.account.province_level),
        fixed=messages.USCC_CANNOT_CHANGE.text,
        told="已更新。" if request.args.get("done") else None,
        documents=[("", "不修改"), *((str(kind), kind.label) for kind in DocumentKind)],
        typed=typed,
        **form_pages.faults(wrong, _ORDER),
    )
